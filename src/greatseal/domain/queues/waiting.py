"""Receivers that wait for a message: a bounded number of threads, woken by whoever sends."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from greatseal.kernel.clock import Clock

T = TypeVar("T")
# Messages also become visible without anybody here knowing: sent on another node, delayed, or given back.
_LOOK_EVERY = 1.0


class LongPolls:
    """Lets at most so many receivers of this process wait; further ones are told at once that there is nothing.

    A waiting receiver holds a thread of the door, and doors must have threads left for everybody else.
    """

    def __init__(self, clock: Clock, *, places: int = 0) -> None:
        self._clock = clock
        self._places = places
        self._taken = 0
        self._lock = threading.Lock()
        self._waiting: dict[str, list[threading.Event]] = {}
        self._stopped = False

    def ring(self, queue_arn: str) -> None:
        """Wakes those who wait for a message of this queue."""
        with self._lock:
            for event in self._waiting.get(queue_arn, ()):
                event.set()

    def stop(self) -> None:
        """Nobody waits any longer, for good."""
        with self._lock:
            self._stopped = True
            for events in self._waiting.values():
                for event in events:
                    event.set()

    def until_found(self, queue_arn: str, seconds: int, attempt: Callable[[], list[T]]) -> list[T]:
        """What `attempt` finds, within so many seconds; empty when it finds nothing."""
        found = attempt()
        if found or seconds <= 0:
            return found
        event = self._enter(queue_arn)
        if event is None:
            return found
        try:
            deadline = self._clock.now() + timedelta(seconds=seconds)
            # Once more, for what was sent before anybody would have been woken.
            found = attempt()
            while not found and not self._stopped:
                left = (deadline - self._clock.now()).total_seconds()
                if left <= 0:
                    break
                event.wait(min(left, _LOOK_EVERY))
                event.clear()
                found = attempt()
            return found
        finally:
            self._leave(queue_arn, event)

    def _enter(self, queue_arn: str) -> threading.Event | None:
        with self._lock:
            if self._taken >= self._places or self._stopped:
                return None
            self._taken += 1
            event = threading.Event()
            self._waiting.setdefault(queue_arn, []).append(event)
            return event

    def _leave(self, queue_arn: str, event: threading.Event) -> None:
        with self._lock:
            self._taken -= 1
            events = self._waiting[queue_arn]
            events.remove(event)
            if not events:
                del self._waiting[queue_arn]
