"""Deliveries under `kill -9`, failing databases and a second node: nothing is lost; repetitions carry the same id."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from faults import dying_deliveries
from faults.dying_deliveries import BAD, Notes, deliveries, post, work
from faults.striking import striker
from greatseal.domain.delivery import DELIVER_JOB, Parcel
from greatseal.storage import Storage, open_storage, queue
from greatseal.storage.errors import StorageError
from greatseal.testing import FakeClock
from greatseal.testing.faults import FaultyStorage

KILLED = -9
LEASE = timedelta(minutes=6)
EXPECTED = ["a1", "a3", "b1", f"letter-{BAD}"]
POINTS = [
    *(f"{when} write {number}" for number in range(1, 12) for when in ("before", "after")),
    *(f"{when} carry {number}" for number in range(1, 5) for when in ("before", "after")),
]


@pytest.fixture(scope="module")
def die_at() -> Iterator[Callable[..., int]]:
    """Has a process deliver and die; returns its exit code."""
    with striker(dying_deliveries) as die:
        yield die


def recover(storage: Storage, notes: Path) -> None:
    """Another process goes on once the lease of the dead one has run out."""
    clock = FakeClock()
    clock.advance(LEASE)
    work(storage, deliveries(storage, Notes(notes), clock), clock)


def check(storage: Storage, notes: Path, *, posted: bool) -> Counter[str]:
    """Everything arrived, in order, and nothing is left; how often each did."""
    lines = notes.read_text(encoding="utf-8").split() if notes.exists() else []
    made = deliveries(storage, Notes(notes), FakeClock())
    census = made.census()
    if not posted and not lines:
        assert (census.waiting, census.dead) == (0, 0)
        return Counter()
    assert sorted(set(lines)) == EXPECTED
    assert lines.index("a1") < lines.index("a3")
    # After the first of the later ones, only repetitions of what was told in one go.
    assert (census.waiting, census.dead) == (0, 1)
    assert [each.parcel.message_id for each in made.dead()] == [BAD]
    with_jobs = storage.read(
        lambda tx: queue.due_count(tx, [DELIVER_JOB], FakeClock().now() + timedelta(days=365), limit=9)
    )
    assert not with_jobs
    return Counter(lines)


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_nothing_is_lost(
    storage_url: str, tmp_path: Path, die_at: Callable[..., int], point: str
) -> None:
    notes = tmp_path / "notes"
    assert die_at(url=storage_url, notes=str(notes), point=point) in (KILLED, 0)
    storage = open_storage(storage_url)
    try:
        recover(storage, notes)
        check(storage, notes, posted=point != "before write 1")
    finally:
        storage.close()


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("at", range(2, 18))
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_database_that_fails_loses_nothing(storage_url: str, tmp_path: Path, at: int, applied: bool) -> None:
    faulty = FaultyStorage(storage_url)
    notes, clock = tmp_path / "notes", FakeClock()
    made = deliveries(faulty, Notes(notes), clock)
    post(faulty, made)
    faulty.fail(at=at, applied=applied)
    with suppress(StorageError):
        work(faulty, made, clock)
    faulty.heal()
    clock.advance(LEASE)
    work(faulty, made, clock)
    counts = check(faulty, notes, posted=True)
    assert max(counts.values()) <= 2
    faulty.close()


def test_two_nodes_share_the_lanes(storage: Storage) -> None:
    clock, lock, got = FakeClock(), threading.Lock(), list[str]()

    class Receiver:
        def carry(self, parcel: Parcel) -> None:
            with lock:
                got.append(parcel.message_id)

    made = deliveries(storage, Receiver(), clock)  # type: ignore[arg-type]
    parcels = [Parcel(f"lane{n % 10}", "k", {}, "body", f"{n:03}", order_key="x") for n in range(200)]
    storage.transact(lambda tx: made.post(tx, parcels))
    failures: list[BaseException] = []

    def node() -> None:
        try:
            work(storage, made, clock)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=node) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    work(storage, made, clock)
    assert failures == []
    assert sorted(got) == [f"{n:03}" for n in range(200)]
    for lane in range(10):
        mine = [each for each in got if int(each) % 10 == lane]
        assert mine == sorted(mine)
