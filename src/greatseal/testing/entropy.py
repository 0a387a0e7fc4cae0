"""Randomness that repeats: the same seed gives the same bytes in the same order."""

import hashlib
import itertools
import threading


class FakeEntropy:
    """SHA-256 of a seed and a counter. Never for anything but tests."""

    def __init__(self, seed: str = "greatseal") -> None:
        self._seed = seed.encode()
        self._counter = itertools.count()
        self._lock = threading.Lock()

    def token_bytes(self, size: int) -> bytes:
        """The next `size` bytes."""
        with self._lock:
            number = next(self._counter)
        out = b""
        block = 0
        while len(out) < size:
            out += hashlib.sha256(b"%s/%d/%d" % (self._seed, number, block)).digest()
            block += 1
        return out[:size]
