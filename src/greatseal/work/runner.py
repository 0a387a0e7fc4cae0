"""One step of background work: lease what is due, handle it, say how it went."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.storage import queue
from greatseal.storage.queue import Job
from greatseal.storage.tx import Storage, Tx

Handler = Callable[[Job], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a runner treats its jobs.

    A handler must be much quicker than `lease`: one that outlives its lease may run twice at the same time.
    """

    batch: int = 8
    lease: timedelta = timedelta(minutes=5)
    attempts: int = 12
    """Failures (crashes of the whole process included) before a job is buried."""
    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(hours=1)


class Runner:
    """Handles due jobs of the kinds it has handlers for; others stay for a node that knows them.

    Safe to call from several threads, and on several nodes over one database.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        entropy: Entropy,
        handlers: Mapping[str, Handler],
        owner: str,
        pace: Pace | None = None,
        last_words: Mapping[str, Handler] | None = None,
    ) -> None:
        """`last_words` are told, by kind, of a job that is given up, so that nobody waits for it for ever."""
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._handlers = dict(handlers)
        self._last_words = dict(last_words or {})
        self._owner = owner
        self._pace = pace or Pace()
        self._stopping = threading.Event()

    def work_off(self, handled: Callable[[], None]) -> None:
        """Handles due jobs one after the other until none is due; calls `handled` after each, well or badly done.

        The word that a job is done and the lease of the next one are one transaction. Raises as `run_due`.
        """
        done: Job | None = None
        while not self._stopping.is_set():
            job, done = self._next(done), None
            if job is None:
                return
            if self._is_done(job):
                done = job
            handled()
        if done is not None:
            self._complete(done)

    def _next(self, done: Job | None) -> Job | None:
        """The next job, after the word that this one is done."""
        now, pace = self._clock.now(), self._pace

        def work(tx: Tx) -> tuple[bool, list[Job]]:
            held = done is None or queue.complete(tx, done)
            return held, queue.lease(
                tx, now=now, owner=self._owner, limit=1, lease_for=pace.lease, kinds=self._handlers
            )

        held, leased = self._storage.transact(work)
        if done is not None and not held:
            _warn_of_takeover(done)
        return leased[0] if leased else None

    def run_due(self, now: datetime) -> int:
        """Handles up to one batch of jobs due at `now`, one after the other; how many were handled, well or badly.

        What a handler raises is logged and becomes a retry or a burial. Raises StorageError when the database fails.
        """
        if self._stopping.is_set():
            return 0
        pace = self._pace
        leased = self._storage.transact(
            lambda tx: queue.lease(
                tx, now=now, owner=self._owner, limit=pace.batch, lease_for=pace.lease, kinds=self._handlers
            )
        )
        handled = 0
        for position, job in enumerate(leased):
            if self._stopping.is_set():
                self._give_back(leased[position:])
                break
            # The jobs before this one took their time: a lease that ran out belongs to nobody.
            if self._clock.now() < job.leased_until:
                self._handle(job)
                handled += 1
        return handled

    def stop(self) -> None:
        """Makes `run_due` return after the job that it is handling; leased jobs that did not start are given back."""
        self._stopping.set()

    def _handle(self, job: Job) -> None:
        if self._is_done(job):
            self._complete(job)

    def _complete(self, job: Job) -> None:
        if not self._storage.transact(lambda tx: queue.complete(tx, job)):
            _warn_of_takeover(job)

    def _is_done(self, job: Job) -> bool:
        """Whether the handler came to its end; otherwise the job was put back, or buried."""
        if job.attempts > self._pace.attempts:
            # Each earlier lease ended without a word: the job takes its process down with it.
            self._bury(job, "no earlier attempt came back")
            return False
        try:
            self._handlers[job.kind](job)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            _log.exception("job %d (%s %s) failed, attempt %d", job.id, job.kind, job.key, job.attempts)
            self._failed(job, f"{type(error).__name__}: {error}")
            return False
        return True

    def _failed(self, job: Job, error: str) -> None:
        if job.attempts >= self._pace.attempts:
            self._bury(job, error)
            return
        delay = queue.backoff(job.attempts, self._entropy, first=self._pace.first_delay, cap=self._pace.longest_delay)
        now = self._clock.now()
        self._storage.transact(lambda tx: queue.retry(tx, job, now=now, error=error, delay=delay))

    def _bury(self, job: Job, error: str) -> None:
        # First, so that a crash in between repeats them; what they raise keeps the job alive.
        if job.kind in self._last_words:
            self._last_words[job.kind](job)
        now = self._clock.now()
        if self._storage.transact(lambda tx: queue.bury(tx, job, now=now, error=error)):
            _log.error("job %d (%s %s) is buried: %s", job.id, job.kind, job.key, error)

    def _give_back(self, jobs: list[Job]) -> None:
        def work(tx: Tx) -> None:
            for job in jobs:
                queue.release(tx, job)

        self._storage.transact(work)


def _warn_of_takeover(job: Job) -> None:
    _log.warning("job %d (%s %s) was taken over before it was complete", job.id, job.kind, job.key)
