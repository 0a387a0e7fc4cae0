"""What the room of keys needs from outside: places that make private keys and never give them away."""

from dataclasses import dataclass
from typing import Protocol

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What a key store says of itself."""

    description: str
    """Maker, model and serial number of the token, or why it does not answer."""
    reachable: bool
    algorithms: frozenset[KeyAlgorithm] = frozenset()
    """What it can make and sign with."""
    sessions: int = 0
    """How many sessions are open."""


class KeyStore(Protocol):
    """A named place outside of the database, for instance a hardware token.

    Every method raises `SignerUnavailable` when the place cannot be reached in time, and may be called by many
    threads at once.
    """

    @property
    def name(self) -> str:
        """The name that the settings give it; keys remember it."""
        ...

    def generate(self, key_id: str, algorithm: KeyAlgorithm) -> bytes:
        """Makes a key pair that never leaves, known as `key_id` from now on; its SubjectPublicKeyInfo (DER).

        Raises StoreRefuses for an algorithm that it does not have.
        """
        ...

    def signer(self, key_id: str, spki: bytes) -> Signer:
        """The key as a `Signer`; it is looked up when it signs. Raises ValueError for a key of no known kind."""
        ...

    def destroy(self, key_id: str) -> None:
        """Destroys a key pair. One that is not there (any more) is no error."""
        ...

    def health(self) -> StoreHealth:
        """How it is now. Never raises."""
        ...
