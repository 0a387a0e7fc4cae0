"""Recurring jobs keep their rhythm over restarts, nodes, crashes and failures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.storage import queue
from greatseal.storage.tx import Storage
from greatseal.work.runner import Pace, Runner
from greatseal.work.schedule import Recurring, Schedule, following

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class FakeClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class ZeroEntropy:
    def token_bytes(self, size: int) -> bytes:
        return bytes(size)


def node(
    storage: Storage, clock: FakeClock, run: Callable[[], None], every: timedelta = HOUR
) -> tuple[Schedule, Runner]:
    schedule = Schedule(storage=storage, clock=clock, tasks=[Recurring("crl", every, run)])
    runner = Runner(
        storage=storage,
        clock=clock,
        entropy=ZeroEntropy(),
        handlers=schedule.handlers(),
        owner="one",
        pace=Pace(attempts=2, first_delay=MINUTE),
    )
    return schedule, runner


def test_a_task_runs_at_once_and_then_at_its_interval_whatever_restarts(storage: Storage) -> None:
    clock = FakeClock()
    times: list[datetime] = []
    for _ in range(18):
        schedule, runner = node(storage, clock, lambda: times.append(clock.time))
        schedule.ensure(clock.time)
        schedule.ensure(clock.time)
        runner.run_due(clock.time)
        clock.time += 10 * MINUTE
    assert times == [NOW, NOW + HOUR, NOW + 2 * HOUR]


def test_two_nodes_run_a_task_once(storage: Storage) -> None:
    clock = FakeClock()
    runs: list[str] = []
    nodes = [node(storage, clock, lambda name=name: runs.append(name)) for name in "ab"]  # type: ignore[misc]
    for schedule, _ in nodes:
        schedule.ensure(clock.time)
    for _, runner in nodes:
        runner.run_due(clock.time)
    assert runs == ["a"]


def test_a_failing_task_is_retried_buried_and_still_runs_the_next_time(storage: Storage) -> None:
    clock = FakeClock()
    times: list[datetime] = []

    def fail() -> None:
        times.append(clock.time)
        raise LookupError("boom")

    schedule, runner = node(storage, clock, fail)
    schedule.ensure(clock.time)
    for _ in range(62):
        runner.run_due(clock.time)
        clock.time += MINUTE
    assert [(time - NOW) / MINUTE for time in times[:3]] == [0, 1, 61]
    assert len(storage.read(lambda tx: queue.buried(tx, limit=9))) == 1


def test_a_shorter_interval_takes_effect_at_the_next_start(storage: Storage) -> None:
    clock = FakeClock()
    runs: list[datetime] = []
    schedule, runner = node(storage, clock, lambda: runs.append(clock.time), 24 * HOUR)
    schedule.ensure(NOW)
    runner.run_due(NOW)
    schedule, runner = node(storage, clock, lambda: runs.append(clock.time), HOUR)
    schedule.ensure(NOW)
    clock.time = NOW + HOUR
    runner.run_due(clock.time)
    assert runs == [NOW, NOW + HOUR]


def test_the_next_time_has_no_drift_and_no_burst() -> None:
    assert following(NOW, HOUR, NOW) == NOW + HOUR
    assert following(NOW, HOUR, NOW + 59 * MINUTE) == NOW + HOUR
    assert following(NOW, HOUR, NOW + HOUR) == NOW + 2 * HOUR
    assert following(NOW, HOUR, NOW + 300 * MINUTE) == NOW + 6 * HOUR
    assert following(NOW + HOUR, HOUR, NOW) == NOW + 2 * HOUR


def test_nonsense_is_refused(storage: Storage) -> None:
    with pytest.raises(ValueError, match="interval"):
        Recurring("x", timedelta(0), lambda: None)
    task = Recurring("x", HOUR, lambda: None)
    with pytest.raises(ValueError, match="same name"):
        Schedule(storage=storage, clock=FakeClock(), tasks=[task, task])
