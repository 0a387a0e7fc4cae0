"""Topics and queues under `kill -9` and with many receivers: nothing is lost, nobody gets what another has."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from doors.notices import Office, lets_in, queue_arn
from faults import dying_notices
from faults.dying_notices import TOPIC, URL
from faults.striking import striker
from greatseal.domain.queues.model import NewMessage
from greatseal.storage import Storage, open_storage

KILLED = -9
# The lease of a job, and longer than a message stays out of sight.
LATER = timedelta(minutes=10)


@pytest.fixture(scope="module")
def die_at() -> Iterator[Callable[..., int]]:
    """Has a process publish and die; returns its exit code."""
    with striker(dying_notices) as die:
        yield die


def prepared(url: str) -> None:
    """A topic with a queue that hears of it."""
    storage = open_storage(url)
    office = Office(storage, seed="before")
    office.topic()
    office.queue(Policy=lets_in("sns.amazonaws.com", "sqs:SendMessage", TOPIC))
    office.sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue_arn())
    office.sns.publish(TopicArn=TOPIC, Message="warm")
    office.work()
    [found] = office.receive(URL)
    office.sqs.delete_message(QueueUrl=URL, ReceiptHandle=found["ReceiptHandle"])
    storage.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", [f"{when}-write {number}" for number in range(1, 10) for when in ("before", "after")])
def test_killed_anywhere_nothing_is_lost(
    storage_url: str, tmp_path: Path, die_at: Callable[..., int], point: str
) -> None:
    prepared(storage_url)
    notes = tmp_path / "notes"
    assert die_at(url=storage_url, notes=str(notes), point=point) in (KILLED, 0)
    told = notes.read_text(encoding="utf-8").split() if notes.exists() else []
    storage = open_storage(storage_url)
    try:
        office = Office(storage, seed="after")
        office.clock.advance(LATER)
        office.work()
        found = [json.loads(body) for body in office.bodies(URL)]
        assert all(each["Message"] == "one" for each in found)
        # Carried twice, it is still one message.
        assert len({each["MessageId"] for each in found}) <= 1
        if "deleted" in told:
            assert found == []
        elif "published" in told and "deleting" not in told:
            assert found
        assert office.rooms.bus.deliveries.dead() == []
    finally:
        storage.close()


def test_no_two_receivers_have_one_message(storage: Storage) -> None:
    office = Office(storage)
    office.queue()
    room = office.rooms.notices.queues
    queue = room.directory.find(queue_arn())
    for number in range(60):
        storage.transact(
            lambda tx, n=number: room.sending.put(tx, queue, NewMessage(str(n)), sender_id="test")  # type: ignore[misc]
        )
    got: list[list[str]] = [[] for _ in range(4)]
    errors: list[Exception] = []

    def receive(mine: list[str]) -> None:
        try:
            while found := room.receiving.receive(queue_arn(), limit=7, visibility=600, wait=0):
                mine += [each.body for each in found]
        except Exception as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=receive, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    received = [body for mine in got for body in mine]
    assert sorted(received, key=int) == [str(number) for number in range(60)]
