"""The router under faults: killed anywhere, two at a time, many events at once. Nothing is lost or comes twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from doors.bus import QUEUE, TOPIC, Bus
from greatseal.domain.delivery.store import delivery
from greatseal.domain.events import book, router
from greatseal.domain.events.posting import text_of
from greatseal.domain.events.store import archives, routing
from greatseal.storage import outbox
from greatseal.storage.schema import outbox as table

DEFAULT = "arn:aws:events:us-east-1:111122223333:event-bus/default"
PATTERN = {"source": ["my.app"]}


@pytest.fixture
def bus(storage):
    return Bus(storage)


class Killed(BaseException):
    """The process ends here."""


def parcels(bus):
    return [row.message_id for row in bus.storage.read(lambda tx: tx.all(select(delivery).order_by(delivery.c.id)))]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "place",
    [
        (routing, "take_turn"),
        (outbox, "delivered"),
        (archives, "keep"),
        (routing, "move"),
        (None, "post"),
        (book.Book, "route"),
        (router.Router, "_look"),
    ],
    ids=lambda place: place[1],
)
def test_killed_at_any_line(bus, monkeypatch, place, after):
    owner, name = place
    owner = owner or bus.installation.rooms.bus.deliveries
    bus.rule("mine", pattern=PATTERN)
    bus.rule("calls", {"Id": "t", "Arn": TOPIC}, pattern={"detail-type": ["AWS API Call via CloudTrail"]})
    bus.events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT, EventPattern=json.dumps(PATTERN))
    sent = [bus.put({"n": number}, Resources=["arn:r"])[0] for number in range(3)]
    bus.installation.rooms.audit_log.catch_up()
    right = getattr(owner, name)

    def dies(*args, **more):
        if after:
            right(*args, **more)
        raise Killed

    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(Killed):
        bus.installation.rooms.bus.router.run()
    monkeypatch.setattr(owner, name, right)
    assert parcels(bus) == [], "nothing of a batch is there before all of it"
    # Another process takes over, once the turn of the dead one is over.
    bus.clock.advance(timedelta(minutes=1))
    theirs = bus.installation.rooms.bus
    theirs.buses.router(theirs.deliveries, owner="another").run()
    bus.installation.work()
    assert [each["id"] for each in bus.taken()] == sent
    calls = [each["detail"]["eventName"] for each in bus.taken("topic")]
    assert calls.count("CreateArchive") == 1
    assert bus.events.describe_archive(ArchiveName="a")["EventCount"] == 3


def test_killed_between_the_commit_and_the_delivery(bus, storage):
    bus.rule("mine", pattern=PATTERN)
    sent = bus.put({})
    bus.installation.rooms.bus.router.run()
    bus.received["queue"].carry = lambda parcel: (_ for _ in ()).throw(Killed())
    with pytest.raises(Killed):
        bus.installation.work()
    again = Bus(storage, clock=bus.clock)
    bus.clock.advance(timedelta(hours=1))
    again.installation.work()
    assert [each["id"] for each in again.taken()] == sent


def test_two_routers_at_once(bus, monkeypatch):
    monkeypatch.setattr(router, "_TURN", timedelta(0))
    monkeypatch.setattr(router, "_BATCH", 7)
    bus.rule("mine", pattern=PATTERN)
    sent = [bus.put({"n": number})[0] for number in range(60)]
    theirs = bus.installation.rooms.bus
    routers = [theirs.router, theirs.buses.router(theirs.deliveries, owner="another")]

    def until_nothing_waits(each):
        while bus.storage.read(lambda tx: outbox.pending(tx, limit=1)):
            each.run()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(until_nothing_waits, routers))
    found = parcels(bus)
    assert sorted(found) == sorted(sent)


def test_a_turn_ends_by_itself_and_a_wrong_clock_keeps_nobody_out(storage):
    turn = timedelta(seconds=5)
    now = Bus(storage).clock.now()

    def take(owner, at):
        return storage.transact(lambda tx: routing.take_turn(tx, owner, at, turn))

    assert take("a", now)
    assert not take("b", now + timedelta(seconds=4))
    assert take("a", now + timedelta(seconds=4))
    assert not take("b", now + timedelta(seconds=8))
    assert take("b", now + timedelta(seconds=10))
    assert take("a", now - timedelta(days=1)), "the turn was written by a clock that was wrong"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_ten_thousand_events_in_one_second(bus):
    bus.rule("mine", pattern=PATTERN)
    bus.rule("other", pattern={"source": ["your.app"]})
    at = bus.clock.now()
    envelope = {
        "version": "0",
        "detail-type": "t",
        "source": "my.app",
        "account": "111122223333",
        "time": "2026-01-15T12:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:r"],
        "detail": {},
    }
    rows = [
        {
            "topic": "event",
            "key": "arn:r",
            "position": 1_000_000 + number,
            "payload": {"text": text_of({**envelope, "id": f"event-{number:05}"}), "bus": DEFAULT},
            "at": at,
            "delivered": False,
        }
        for number in range(10_000)
    ]
    bus.storage.transact(lambda tx: tx.execute(insert(table), rows))
    bus.installation.rooms.bus.router.run()
    assert parcels(bus) == [f"event-{number:05}" for number in range(10_000)]
    assert QUEUE in bus.storage.read(lambda tx: tx.scalar(select(delivery.c.lane).limit(1)))
