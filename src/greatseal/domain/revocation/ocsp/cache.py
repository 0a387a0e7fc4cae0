"""Signed answers that are kept in memory. What they say is a part of the key, so nothing here can be out of date."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime

from greatseal.domain.revocation.ocsp.model import Answer

# An entry's key, its place in two tables and the answer's fields, roughly.
_OVERHEAD = 1024


class AnswerCache:
    """The answers used last, up to `octets` of memory. Safe to share between threads."""

    def __init__(self, octets: int = 64 * 1024 * 1024) -> None:
        self._room = octets
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Answer, datetime]] = OrderedDict()

    def get(self, key: Hashable, now: datetime) -> Answer | None:
        """The answer for a key, unless the time until which it may be given out is over."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            answer, until = found
            # Also after the clock went back: an answer is never older than it says.
            if answer.this_update is None or not answer.this_update <= now < until:
                self._remove(key)
                return None
            self._entries.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Answer, until: datetime) -> None:
        """Keeps an answer that may be given out until a time."""
        with self._lock:
            if key in self._entries:
                self._remove(key)
            self._entries[key] = (answer, until)
            self._room -= _size(answer)
            while self._room < 0 and self._entries:
                self._remove(next(iter(self._entries)))

    def __len__(self) -> int:
        return len(self._entries)

    def _remove(self, key: Hashable) -> None:
        self._room += _size(self._entries.pop(key)[0])


def _size(answer: Answer) -> int:
    return len(answer.der) + _OVERHEAD
