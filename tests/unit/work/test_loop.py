"""The loop wakes at a commit, outlives failures and stops at once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.storage import queue
from greatseal.storage.errors import StorageUnavailable
from greatseal.storage.queue import Job
from greatseal.storage.tx import Storage
from greatseal.work.loop import Loop
from greatseal.work.runner import Runner

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class FixedClock:
    def now(self) -> datetime:
        return NOW


class ZeroEntropy:
    def token_bytes(self, size: int) -> bytes:
        return bytes(size)


def enqueue(storage: Storage, key: str) -> None:
    storage.transact(lambda tx: queue.enqueue(tx, kind="k", key=key, payload={}, due=NOW))


def test_a_commit_wakes_the_loop_and_stop_ends_it(storage: Storage) -> None:
    handled = threading.Semaphore(0)

    def handle(job: Job) -> None:
        handled.release()

    runner = Runner(storage=storage, clock=FixedClock(), entropy=ZeroEntropy(), handlers={"k": handle}, owner="one")
    loop = Loop(storage=storage, runner=runner, clock=FixedClock(), tick=HOUR)
    loop.start()
    for key in "abc":
        enqueue(storage, key)
        assert handled.acquire(timeout=10)
    assert loop.stop(SECOND)
    enqueue(storage, "d")
    assert not handled.acquire(blocking=False)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_loop_outlives_a_failing_database(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Semaphore(0)

    class BrokenRunner(Runner):
        def run_due(self, now: datetime) -> int:
            called.release()
            raise StorageUnavailable("disk full")

    runner = BrokenRunner(storage=storage, clock=FixedClock(), entropy=ZeroEntropy(), handlers={}, owner="one")
    loop = Loop(storage=storage, runner=runner, clock=FixedClock(), tick=HOUR)
    loop.start()
    assert called.acquire(timeout=10)
    enqueue(storage, "a")
    assert called.acquire(timeout=10)
    assert loop.stop(SECOND)
    assert "disk full" in caplog.text


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_loop_that_never_started_stops(storage: Storage) -> None:
    runner = Runner(storage=storage, clock=FixedClock(), entropy=ZeroEntropy(), handlers={}, owner="one")
    assert Loop(storage=storage, runner=runner, clock=FixedClock()).stop(SECOND)
