"""What was opened lately, by the id of its key."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Opened(Generic[T]):
    """Keeps the last `size` things that `open_` made, for any number of threads; one alone can be forgotten."""

    def __init__(self, size: int, open_: Callable[[str], T]) -> None:
        self._size = size
        self._open = open_
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, T] = OrderedDict()

    def __call__(self, key_id: str) -> T:
        """What belongs to this key. Raises what `open_` raises, and keeps nothing then."""
        with self._lock:
            if key_id in self._kept:
                self._kept.move_to_end(key_id)
                return self._kept[key_id]
        opened = self._open(key_id)
        with self._lock:
            self._kept[key_id] = opened
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return opened

    def forget(self, key_id: str) -> None:
        """Drops what belongs to one key."""
        with self._lock:
            self._kept.pop(key_id, None)

    def cache_clear(self) -> None:
        """Drops everything."""
        with self._lock:
            self._kept.clear()
