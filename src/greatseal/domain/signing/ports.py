"""What the signing room needs from outside."""

from typing import Protocol


class KeyFailed(Exception):
    """Nothing was signed; the message says why and is the end of a sentence."""


class SigningKey(Protocol):
    """A private key, in a file or behind KMS. Threads may share it."""

    @property
    def name(self) -> str:
        """What its owner calls it: a path, or an ARN."""
        ...

    @property
    def spki(self) -> bytes:
        """The DER of the public key's SubjectPublicKeyInfo."""
        ...

    def sign(self, data: bytes, identifier: bytes) -> bytes:
        """The signature over `data` by the algorithm of this AlgorithmIdentifier (DER). Raises KeyFailed.

        Whoever asked verifies it.
        """
        ...


class StampFailed(Exception):
    """There is no timestamp; the message says why and is the end of a sentence."""


class Stamper(Protocol):
    """A timestamp authority."""

    def stamp(self, signature: bytes) -> bytes:
        """A token (DER) over these octets, which was looked at. Raises StampFailed."""
        ...
