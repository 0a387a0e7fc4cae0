"""Values that are kept in memory, up to a number of octets."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

# An entry's key, its place in a table and the value's fields, roughly.
_OVERHEAD = 1024
_TRIED_SHARE = 4


class Memory(Generic[V]):
    """The values used last, up to `octets` of memory. Safe to share between threads.

    A value is on trial until it is asked for again. A quarter of the room and more is for those on trial, and new ones
    displace only these: whoever asks for everything once does not drive out what many ask for.
    """

    def __init__(self, octets: int) -> None:
        self._room = octets
        self._kept_room = octets - octets // _TRIED_SHARE
        self._lock = threading.Lock()
        self._tried: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._kept: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """The value of a key, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found[0]
            found = self._tried.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            self._kept_room -= found[1]
            while self._kept_room < 0:
                oldest, demoted = self._kept.popitem(last=False)
                self._kept_room += demoted[1]
                self._tried[oldest] = demoted
            return found[0]

    def put(self, key: Hashable, value: V, octets: int) -> None:
        """Keeps a value that holds so many octets, or replaces one."""
        entry = (value, octets + _OVERHEAD)
        with self._lock:
            present = self._kept.get(key)
            if present is not None:
                self._kept[key] = entry
                self._kept_room += present[1] - entry[1]
            else:
                present = self._tried.pop(key, None)
                self._tried[key] = entry
            self._room += (present[1] if present else 0) - entry[1]
            while self._room < 0:
                self._forget_one()

    def remove(self, key: Hashable) -> None:
        """Forgets a key."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is not None:
                self._kept_room += found[1]
            else:
                found = self._tried.pop(key, None)
            self._room += found[1] if found else 0

    def __len__(self) -> int:
        return len(self._tried) + len(self._kept)

    def _forget_one(self) -> None:
        if self._tried:
            _, (_, octets) = self._tried.popitem(last=False)
        else:
            _, (_, octets) = self._kept.popitem(last=False)
            self._kept_room += octets
        self._room += octets
