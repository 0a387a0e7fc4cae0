"""Group commit: many threads hand in some items each, one of them writes all in one go, and all wait for that.

There is no thread of its own to start or stop: the first to come leads, writes what has gathered, and passes the
lead on to the first of those that came meanwhile.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Ticket(Generic[T]):
    """What one thread hands in, and the bell that rings when it was written, failed, or its owner is to lead."""

    def __init__(self, items: tuple[T, ...]) -> None:
        self.items = items
        self.bell = threading.Event()
        self.finished = False
        self.error: BaseException | None = None


class GroupWriter(Generic[T]):
    """Writes items in batches through `write`, which does all or nothing and may raise anything."""

    def __init__(
        self, write: Callable[[Sequence[T]], None], *, failed: Callable[[str], Exception], largest: int = 256
    ) -> None:
        """Items of so many threads are the `largest` batch. `failed` makes of a text what is raised for each of a batch
        that could not be written.
        """
        self._write = write
        self._failed = failed
        self._largest = largest
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[T]] = []
        self._led = False

    def submit(self, *items: T) -> None:
        """Returns once the items are written. Raises what `failed` makes, as do all of the same batch, when not.

        Never call it inside a transaction: whoever leads may be waiting for that one to end.
        """
        ticket = _Ticket(items)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._led = not self._led, True
        if not leads:
            ticket.bell.wait()
        if not ticket.finished:
            self._lead()
        if ticket.error is not None:
            raise self._failed(f"it could not be written: {ticket.error}") from ticket.error

    def _lead(self) -> None:
        with self._lock:
            # The leader's own ticket is the oldest: it is in every batch that it writes.
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
        error: BaseException | None = None
        try:
            self._write([item for ticket in batch for item in ticket.items])
        except BaseException as caught:
            error = caught
            if not isinstance(caught, Exception):
                raise
        finally:
            for ticket in batch:
                ticket.error, ticket.finished = error, True
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._led = heir is not None
            for ticket in batch:
                ticket.bell.set()
            if heir is not None:
                heir.bell.set()
