"""Randomness as an argument: serial numbers, identifiers, nonces and salts come from an `Entropy`."""

import os
import secrets
from collections import deque
from typing import Protocol

_SMALL = 16
_AHEAD = 256


class Entropy(Protocol):
    """A source of bytes that nobody can predict."""

    def token_bytes(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


class SystemEntropy:
    """The operating system's generator.

    Identifiers and nonces, of which each request needs a handful, are cut from pieces that were fetched together: a
    system call for each lets other threads in and costs more than the rest of the identifier. What is larger than a
    nonce, as keys are, is fetched when it is asked for.
    """

    def __init__(self) -> None:
        # Taking from a deque is atomic: no piece is ever handed out twice.
        self._pieces: deque[bytes] = deque()
        # A child process must not repeat what its parent hands out.
        os.register_at_fork(after_in_child=self._pieces.clear)

    def token_bytes(self, size: int) -> bytes:
        """`size` bytes of the operating system's generator."""
        if size > _SMALL:
            return secrets.token_bytes(size)
        try:
            return self._pieces.popleft()[:size]
        except IndexError:
            fresh = secrets.token_bytes(_SMALL * _AHEAD)
            self._pieces.extend(fresh[start : start + _SMALL] for start in range(_SMALL, len(fresh), _SMALL))
            return fresh[:size]
