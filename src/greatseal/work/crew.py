"""Threads for jobs that may hang, each of them on somebody else's machine: one job a thread, and more when all hang.

A thread that waits for a receiver costs next to nothing, but there must always be one for the receiver that answers.
So the crew grows at once while its members hang, up to a limit, and shrinks when there is nothing to do.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from greatseal.storage.tx import Storage
from greatseal.work.runner import Runner

_log = logging.getLogger(__name__)

GROWTH = 8
"""How many times as many members there may be when all of them hang."""


class Crew:
    """Runs `runner`, one job a thread, in up to `size` threads, and in more when these hang."""

    def __init__(
        self,
        *,
        storage: Storage,
        runner: Runner,
        waiting: Callable[[], int],
        topic: str,
        size: int = 8,
        tick: timedelta = timedelta(seconds=1),
        patience: timedelta = timedelta(milliseconds=250),
    ) -> None:
        """`waiting` tells cheaply how many jobs are due that nobody works on; a commit that announces `topic` wakes.

        Members that have worked on one job for longer than `patience` while others wait count as hanging.
        """
        self._runner = runner
        self._waiting = waiting
        self._size = size
        self._tick = tick.total_seconds()
        self._patience = patience.total_seconds()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._members: set[threading.Thread] = set()
        self._finished = 0
        self._thread = threading.Thread(target=self._run, name="greatseal-crew", daemon=True)
        self._deafen = storage.after_commit(topic, self._wake.set)

    @property
    def members(self) -> int:
        """How many threads work now."""
        with self._lock:
            return len(self._members)

    def start(self) -> None:
        """Starts looking for jobs."""
        self._thread.start()

    def stop(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Ends every thread after the job that it is handling; False when one did not end in time.

        A job that is cut short by the end of the process is done again by whoever finds its lease run out.
        """
        self._deafen()
        self._runner.stop()
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout.total_seconds())
        with self._lock:
            left = list(self._members)
        # Together, not each: they were all told at once.
        patience = threading.Event()
        alarm = threading.Timer(timeout.total_seconds(), patience.set)
        alarm.daemon = True
        alarm.start()
        for member in left:
            while member.is_alive() and not patience.is_set():
                member.join(0.05)
        alarm.cancel()
        return not any(member.is_alive() for member in left)

    def _run(self) -> None:
        limit, finished, looked = self._size, 0, 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            pause = self._tick
            try:
                waiting = self._waiting()
                with self._lock:
                    busy, done = len(self._members), self._finished
                if waiting:
                    pause = self._patience
                    now = time.monotonic()
                    # A look right after the last one would take everybody for hanging.
                    if now - looked >= self._patience:
                        if busy >= limit and done == finished:
                            limit = min(limit * 2, self._size * GROWTH)
                        finished, looked = done, now
                    for _ in range(min(waiting, limit - busy)):
                        self._hire()
                elif busy < self._size:
                    limit = self._size
            except Exception:  # noqa: BLE001 - the crew outlives every failure
                _log.exception("the crew could not look for jobs; trying again at the next tick")
            self._wake.wait(pause)

    def _hire(self) -> None:
        member = threading.Thread(target=self._work, name="greatseal-delivery", daemon=True)
        with self._lock:
            self._members.add(member)
        try:
            member.start()
        except RuntimeError:
            # The system has no thread left: one that never ran must not take a place for ever.
            with self._lock:
                self._members.discard(member)
            raise

    def _count(self) -> None:
        with self._lock:
            self._finished += 1

    def _work(self) -> None:
        """Handles jobs until none is due."""
        try:
            self._runner.work_off(self._count)
        except Exception:  # noqa: BLE001 - the next tick sends another
            _log.exception("a job could not be taken; trying again at the next tick")
        finally:
            with self._lock:
                self._members.discard(threading.current_thread())
