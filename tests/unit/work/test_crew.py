"""Hanging receivers take threads, and there is always one more for the receiver that answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.domain.delivery import DELIVER_JOB, DELIVERY_TOPIC, Deliveries, Parcel
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.storage import queue
from greatseal.storage.tx import Storage
from greatseal.work.crew import GROWTH, Crew
from greatseal.work.runner import Runner

HOUR = timedelta(hours=1)


class Gate:
    """A carrier whose receivers hang until the test lets go, except those that are good."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.hanging = 0
        self.arrived = threading.Semaphore(0)
        self.got: list[str] = []
        self._lock = threading.Lock()

    def carry(self, parcel: Parcel) -> None:
        if not parcel.lane.startswith("good"):
            with self._lock:
                self.hanging += 1
            assert self.open.wait(60)
        with self._lock:
            self.got.append(parcel.message_id)
        self.arrived.release()


@contextmanager
def working(storage: Storage, gate: Gate, size: int) -> Iterator[tuple[Deliveries, Crew]]:
    clock = SystemClock()
    deliveries = Deliveries(storage=storage, clock=clock, entropy=SystemEntropy(), carriers={"k": gate})
    runner = Runner(
        storage=storage,
        clock=clock,
        entropy=SystemEntropy(),
        handlers={DELIVER_JOB: lambda job: deliveries.run(job.key)},
        owner="one",
    )
    crew = Crew(
        storage=storage,
        runner=runner,
        waiting=lambda: storage.read(lambda tx: queue.due_count(tx, [DELIVER_JOB], clock.now(), limit=100)),
        topic=DELIVERY_TOPIC,
        size=size,
        patience=timedelta(milliseconds=50),
    )
    crew.start()
    try:
        yield deliveries, crew
    finally:
        gate.open.set()
        assert crew.stop(timedelta(seconds=60))
        assert crew.members == 0


def post(storage: Storage, deliveries: Deliveries, *lanes: str) -> None:
    parcels = [Parcel(lane, "k", {}, "body", f"m-{lane}") for lane in lanes]
    storage.transact(lambda tx: deliveries.post(tx, parcels))


def test_fifty_hanging_receivers_do_not_delay_a_good_one(storage: Storage) -> None:
    gate = Gate()
    with working(storage, gate, size=8) as (deliveries, crew):
        post(storage, deliveries, *(f"bad{n}" for n in range(50)))
        began = datetime.now(UTC)
        post(storage, deliveries, "good")
        assert gate.arrived.acquire(timeout=20)
        assert gate.got == ["m-good"]
        assert datetime.now(UTC) - began < timedelta(seconds=10)
        assert crew.members > 8
        gate.open.set()
        for _ in range(50):
            assert gate.arrived.acquire(timeout=20)
    assert len(set(gate.got)) == 51 == len(gate.got)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_crew_has_a_limit(storage: Storage) -> None:
    gate = Gate()
    with working(storage, gate, size=1) as (deliveries, crew):
        post(storage, deliveries, *(f"bad{n}" for n in range(20)))
        tick = threading.Event()
        for _ in range(400):
            if gate.hanging >= GROWTH:
                break
            tick.wait(0.01)
        tick.wait(0.3)
        assert (gate.hanging, crew.members) == (GROWTH, GROWTH)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_crew_that_has_nothing_to_do_has_no_members(storage: Storage) -> None:
    gate = Gate()
    with working(storage, gate, size=4) as (deliveries, crew):
        assert crew.members == 0
        post(storage, deliveries, "good1", "good2")
        assert gate.arrived.acquire(timeout=20)
        assert gate.arrived.acquire(timeout=20)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_stop_says_who_did_not_end(storage: Storage) -> None:
    gate = Gate()
    with working(storage, gate, size=1) as (deliveries, crew):
        post(storage, deliveries, "bad")
        tick = threading.Event()
        while not gate.hanging:
            tick.wait(0.01)
        assert not crew.stop(timedelta(milliseconds=100))
