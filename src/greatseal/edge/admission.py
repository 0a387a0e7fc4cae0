"""Who is let in: so many requests as will be answered soon. The others are refused at once, before they cost anything.

A queue of fixed length is too long when answers are slow and too short when they are quick. What is bounded here is how
long the last of the queue would wait, by the pace at which answers leave while every thread is busy.
"""

import time
from collections.abc import Callable

# Long enough for a few groups of answers, short enough to notice in time.
_WINDOW_SECONDS = 0.05
# What a window weighs when one more has passed.
_KEPT = 0.7
# What was slow then may be quick by now.
_REMEMBERED_SECONDS = 1.0


class Admission:
    """The places of one listener. Only its event loop asks: no lock."""

    def __init__(
        self, *, workers: int, queued: int, seconds: float, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`workers` are served at the same time, at most `queued` wait, none of them longer than `seconds`."""
        self._workers = workers
        self._queued = queued
        self._seconds = seconds
        self._clock = clock
        self._inside = 0
        # Of the times when all threads were busy, the older the lighter: how long they were and how many left.
        self._time = 0.0
        self._left = 0.0
        self._measured = 0.0
        # The one that goes on, or has ended with the last answers; there is none while `_busy` is false.
        self._busy = False
        self._since = 0.0
        self._count = 0
        self._ended: float | None = None

    def is_full(self) -> bool:
        """Whether whoever comes now is refused. As many may always wait as are served: bursts are no overload."""
        waiting = self._inside - self._workers
        if waiting < min(self._workers, self._queued):
            return False
        passed = self._clock() - self._since
        if self._count and passed >= _WINDOW_SECONDS:
            # Here rather than in `leave`: by now all of a group have left.
            self._measure(passed)
        elif not self._count and passed > self._seconds:
            # Nothing at all is answered: whoever came now would wait as long.
            return True
        return waiting >= self._queued or waiting * self._time > self._seconds * self._left

    def enter(self) -> None:
        """Takes a place."""
        if self._ended is not None:
            # Not when it ended: what was answered together leaves one by one, and all of it counts.
            self._measure(self._ended - self._since)
            self._busy, self._ended = False, None
        self._inside += 1
        if self._inside == self._workers:
            self._busy, self._since, self._count = True, self._clock(), 0
            if self._since - self._measured > _REMEMBERED_SECONDS:
                self._time = self._left = 0.0

    def leave(self) -> None:
        """Frees a place."""
        self._inside -= 1
        if self._busy:
            self._count += 1
            if self._inside < self._workers and self._ended is None:
                self._ended = self._clock()

    def _measure(self, passed: float) -> None:
        kept = _KEPT ** (passed / _WINDOW_SECONDS)
        self._time, self._left = self._time * kept + passed, self._left * kept + self._count
        self._since = self._measured = self._since + passed
        self._count = 0
