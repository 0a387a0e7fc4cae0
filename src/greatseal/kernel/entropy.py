"""Randomness as an argument: serial numbers, identifiers, nonces and salts come from an `Entropy`."""

import secrets
from typing import Protocol


class Entropy(Protocol):
    """A source of bytes that nobody can predict."""

    def token_bytes(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def token_bytes(self, size: int) -> bytes:
        """`size` bytes of the operating system's generator."""
        return secrets.token_bytes(size)
