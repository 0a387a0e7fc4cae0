"""Recurring jobs: one row of the queue for each, however many nodes run it and however often they start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.kernel.clock import Clock
from greatseal.storage import queue
from greatseal.storage.queue import Job
from greatseal.storage.tx import Storage, Tx
from greatseal.work.runner import Handler


@dataclass(frozen=True, slots=True)
class Recurring:
    """A task to run every so often. `name` is its job kind; `run` is idempotent and opens its own transactions."""

    name: str
    every: timedelta
    run: Callable[[], None]

    def __post_init__(self) -> None:
        if self.every <= timedelta(0):
            raise ValueError(f"the recurring task {self.name} needs a positive interval")


class Schedule:
    """The recurring tasks of an installation."""

    def __init__(self, *, storage: Storage, clock: Clock, tasks: Iterable[Recurring]) -> None:
        self._storage = storage
        self._clock = clock
        self._tasks = tuple(tasks)
        if len({task.name for task in self._tasks}) != len(self._tasks):
            raise ValueError("two recurring tasks have the same name")

    def ensure(self, now: datetime) -> None:
        """Makes sure that every task has its job. A new task runs at once; a known one keeps its time.

        An interval that became shorter takes effect at once: no task waits longer than its interval from `now`.
        """

        def work(tx: Tx) -> None:
            for task in self._tasks:
                if not queue.ensure(tx, kind=task.name, key="", payload={}, due=now):
                    queue.enqueue(tx, kind=task.name, key="", payload={}, due=now + task.every)

        self._storage.transact(work)

    def handlers(self) -> dict[str, Handler]:
        """What a Runner needs to run the tasks: one handler for each name."""
        return {task.name: self._handler(task) for task in self._tasks}

    def _handler(self, task: Recurring) -> Handler:
        def handle(job: Job) -> None:
            # The next run is registered first: a crash, a retry or a burial of this one cannot end the series.
            due = following(job.due, task.every, self._clock.now())
            self._storage.transact(lambda tx: queue.enqueue(tx, kind=task.name, key="", payload={}, due=due))
            task.run()

        return handle


def following(due: datetime, every: timedelta, now: datetime) -> datetime:
    """The first multiple of `every` after `due` that lies after `now`: no drift, and no burst after a long pause."""
    return due + every * max((now - due) // every + 1, 1)
