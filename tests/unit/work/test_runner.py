"""A runner handles each job once while its lease lives, and no failure of a handler gets lost."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.storage import queue
from greatseal.storage.queue import Job
from greatseal.storage.tx import Storage
from greatseal.work.runner import Pace, Runner

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACE = Pace(batch=4, lease=5 * MINUTE, attempts=3, first_delay=MINUTE, longest_delay=10 * MINUTE)


class FakeClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class ZeroEntropy:
    def token_bytes(self, size: int) -> bytes:
        return bytes(size)


class Crash(BaseException):
    """The process dies: nothing after the handler runs."""


def runner(
    storage: Storage, clock: FakeClock, handlers: Mapping[str, Callable[[Job], None]], owner: str = "one"
) -> Runner:
    return Runner(storage=storage, clock=clock, entropy=ZeroEntropy(), handlers=handlers, owner=owner, pace=PACE)


def enqueue(storage: Storage, *keys: str, kind: str = "renew", due: datetime = NOW) -> None:
    for key in keys:
        storage.transact(lambda tx, key=key: queue.enqueue(tx, kind=kind, key=key, payload={}, due=due))  # type: ignore[misc]


def test_due_jobs_are_handled_outside_of_a_transaction_and_only_once(storage: Storage) -> None:
    clock = FakeClock()
    done: list[str] = []

    def handle(job: Job) -> None:
        storage.transact(lambda tx: None)
        done.append(job.key)

    work = runner(storage, clock, {"renew": handle})
    enqueue(storage, "a", "b")
    enqueue(storage, "c", due=NOW + MINUTE)
    assert work.run_due(NOW) == 2
    assert work.run_due(NOW) == 0
    assert work.run_due(NOW + MINUTE) == 1
    assert done == ["a", "b", "c"]


def test_jobs_of_unknown_kinds_wait_for_a_node_that_knows_them(storage: Storage) -> None:
    enqueue(storage, "a", kind="new")
    assert runner(storage, FakeClock(), {"renew": lambda job: None}).run_due(NOW) == 0
    assert runner(storage, FakeClock(), {"new": lambda job: None}).run_due(NOW) == 1


def test_a_failure_is_logged_retried_with_backoff_and_buried_in_the_end(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    times: list[datetime] = []

    def handle(job: Job) -> None:
        times.append(clock.time)
        raise LookupError("boom")

    work = runner(storage, clock, {"renew": handle})
    enqueue(storage, "a")
    for _ in range(20):
        work.run_due(clock.time)
        clock.time += MINUTE / 2
    assert [(time - NOW) / MINUTE for time in times] == [0, 0.5, 1.5]
    [dead] = storage.read(lambda tx: queue.buried(tx, limit=5))
    assert (dead.attempts, dead.error) == (3, "LookupError: boom")
    assert f"job {dead.id} (renew a) failed, attempt 1" in caplog.text


def test_a_crashed_runner_is_replaced_when_its_lease_ends(storage: Storage) -> None:
    clock = FakeClock()
    done: list[str] = []

    def crash(job: Job) -> None:
        raise Crash

    first = runner(storage, clock, {"renew": crash})
    second = runner(storage, clock, {"renew": lambda job: done.append(job.key)}, "two")
    enqueue(storage, "a")
    with pytest.raises(Crash):
        first.run_due(clock.time)
    clock.time += 4 * MINUTE
    assert second.run_due(clock.time) == 0
    clock.time += MINUTE
    assert second.run_due(clock.time) == 1
    assert done == ["a"]


def test_a_job_that_kills_its_process_is_buried_unworked(storage: Storage) -> None:
    clock = FakeClock()
    runs: list[int] = []

    def crash(job: Job) -> None:
        runs.append(job.attempts)
        raise Crash

    work = runner(storage, clock, {"renew": crash})
    enqueue(storage, "a")
    for _ in range(3):
        with pytest.raises(Crash):
            work.run_due(clock.time)
        clock.time += PACE.lease
    assert work.run_due(clock.time) == 1
    assert runs == [1, 2, 3]
    assert len(storage.read(lambda tx: queue.buried(tx, limit=5))) == 1


def test_a_job_taken_over_while_it_ran_is_not_completed_by_the_slow_one(storage: Storage) -> None:
    clock = FakeClock()
    handled: list[str] = []
    second = runner(storage, clock, {"renew": lambda job: handled.append("second")}, "two")

    def slow(job: Job) -> None:
        clock.time += PACE.lease
        with ThreadPoolExecutor(1) as other:
            assert other.submit(second.run_due, clock.time).result(10) == 1
        enqueue(storage, "a", due=clock.time)
        handled.append("slow")

    enqueue(storage, "a")
    runner(storage, clock, {"renew": slow}).run_due(NOW)
    assert handled == ["second", "slow"]
    assert second.run_due(clock.time) == 1, "the job that came after both is still there"


def test_jobs_whose_lease_ran_out_in_the_batch_are_left_alone(storage: Storage) -> None:
    clock = FakeClock()
    done: list[str] = []

    def slow(job: Job) -> None:
        clock.time += PACE.lease
        done.append(job.key)

    enqueue(storage, "a", "b")
    work = runner(storage, clock, {"renew": slow})
    assert work.run_due(NOW) == 1
    assert work.run_due(clock.time) == 1
    assert done == ["a", "b"]


def test_two_runners_never_share_a_job(storage: Storage) -> None:
    clock = FakeClock()
    done: list[str] = []
    start = threading.Barrier(2)
    keys = [f"job-{number:02}" for number in range(20)]
    enqueue(storage, *keys)

    def work(owner: str) -> None:
        mine = runner(storage, clock, {"renew": lambda job: done.append(job.key)}, owner)
        start.wait(10)
        while mine.run_due(NOW):
            pass

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, owner) for owner in ("one", "two")]:
            future.result(60)
    assert sorted(done) == keys


def test_stop_gives_back_what_did_not_start(storage: Storage) -> None:
    clock = FakeClock()
    done: list[str] = []

    def handle(job: Job) -> None:
        done.append(job.key)
        work.stop()

    work = runner(storage, clock, {"renew": handle})
    enqueue(storage, "a", "b", "c")
    assert work.run_due(NOW) == 1
    assert work.run_due(NOW) == 0
    other = runner(storage, clock, {"renew": lambda job: done.append(f"{job.key}{job.attempts}")}, "two")
    assert other.run_due(NOW) == 2
    assert done == ["a", "b1", "c1"]
