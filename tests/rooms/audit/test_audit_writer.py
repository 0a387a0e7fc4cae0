"""Group commit: many callers, few transactions, and one fate for all of a batch."""

import threading

import pytest
from audit_room import AUTHORITY, Room, caller

from greatseal.domain.audit import AuditFailed, newest
from greatseal.storage.group_commit import GroupWriter
from greatseal.testing.faults import FaultyStorage


class Gate:
    """A write function that waits until it may go on, and fails for items that say so."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.entered = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def __call__(self, batch) -> None:
        self.entered.release()
        assert self.go_on.acquire(timeout=30)
        self.batches.append(list(batch))
        for item in batch:
            if isinstance(item, BaseException):
                raise item


def submit(writer: GroupWriter[object], item: object, outcomes: dict[object, object]) -> threading.Thread:
    def run() -> None:
        try:
            writer.submit(item)
            outcomes[item] = None
        except BaseException as error:  # noqa: BLE001 - the main thread judges it
            outcomes[item] = error

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(writer: GroupWriter[object], waiting: int) -> None:
    """Spins until that many items wait; a thread cannot tell from outside that another one waits."""
    tick = threading.Event()
    while len(writer._waiting) < waiting:
        tick.wait(0.001)


def test_what_comes_meanwhile_is_written_together():
    gate = Gate()
    writer: GroupWriter[object] = GroupWriter(gate, failed=AuditFailed, largest=4)
    outcomes: dict[object, object] = {}
    threads = [submit(writer, 0, outcomes)]
    assert gate.entered.acquire(timeout=30)
    for item in range(1, 7):
        threads.append(submit(writer, item, outcomes))
        wait_for(writer, item)
    gate.go_on.release(3)
    for thread in threads:
        thread.join(30)
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]
    assert outcomes == dict.fromkeys(range(7))
    gate.go_on.release()
    writer.submit("later")
    assert gate.batches[-1] == ["later"]


def test_a_failed_batch_fails_for_each_of_it_and_for_nobody_else():
    gate = Gate()
    writer: GroupWriter[object] = GroupWriter(gate, failed=AuditFailed)
    outcomes: dict[object, object] = {}
    bad = OSError("disk full")
    threads = [submit(writer, "first", outcomes)]
    assert gate.entered.acquire(timeout=30)
    for number, item in enumerate(("second", bad, "third"), 1):
        threads.append(submit(writer, item, outcomes))
        wait_for(writer, number)
    gate.go_on.release()
    assert gate.entered.acquire(timeout=30)
    threads.append(submit(writer, "fourth", outcomes))
    wait_for(writer, 1)
    gate.go_on.release(2)
    for thread in threads:
        thread.join(30)
    assert outcomes["first"] is None
    assert outcomes["fourth"] is None
    failed = [outcomes[item] for item in ("second", bad, "third")]
    assert all(isinstance(error, AuditFailed) and error.__cause__ is bad for error in failed)
    assert len(set(map(id, failed))) == 3, "each thread raises an error of its own"


def test_an_interrupted_leader_strands_nobody():
    gate = Gate()
    writer: GroupWriter[object] = GroupWriter(gate, failed=AuditFailed)
    outcomes: dict[object, object] = {}
    stop = KeyboardInterrupt()
    threads = [submit(writer, stop, outcomes)]
    assert gate.entered.acquire(timeout=30)
    threads.append(submit(writer, "next", outcomes))
    wait_for(writer, 1)
    gate.go_on.release(2)
    for thread in threads:
        thread.join(30)
    assert outcomes == {stop: stop, "next": None}


def test_calls_of_many_threads(storage):
    room = Room(storage)
    outcomes: list[object] = []

    def calls(number: int) -> None:
        for each in range(10):
            room.audit.record_call(caller("acm-pca:GetCertificate", request=f"{number}/{each}"), AUTHORITY)
        outcomes.append(None)

    threads = [threading.Thread(target=calls, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    found = newest(storage, 200)
    assert len({record.request_id for record in found}) == len(found) == 80
    assert all(record.read_only for record in found)
    room.sign()
    assert room.verify().ok


def test_a_call_whose_record_cannot_be_stored_fails(storage_url):
    storage = FaultyStorage(storage_url)
    room = Room(storage)
    storage.fail(at=1, applied=False)
    with pytest.raises(AuditFailed):
        room.audit.record_call(caller())
    storage.heal()
    room.audit.record_call(caller())
    assert len(newest(storage, 10)) == 1
    storage.close()


def test_a_call_inside_a_transaction_is_a_defect(storage):
    room = Room(storage)
    with pytest.raises(AuditFailed, match="nest"):
        storage.transact(lambda tx: room.audit.record_call(caller()))
