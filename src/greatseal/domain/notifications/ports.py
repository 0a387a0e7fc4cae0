"""What the room needs from outside: a signature that receivers can check, and deliveries."""

from collections.abc import Sequence
from typing import Protocol

from greatseal.domain.delivery import Parcel
from greatseal.storage import Tx


class Seal(Protocol):
    """A key that signs what is sent, ready for use inside a transaction."""

    @property
    def certificate_url(self) -> str:
        """Where receivers find the certificate."""
        ...

    def sign(self, data: bytes) -> bytes:
        """RSA with SHA-256 (PKCS #1 version 1.5): signature version 2 of the real service."""
        ...


class Signatory(Protocol):
    """Opens the seal of the installation, making it when there is none. Never inside a transaction."""

    def seal(self) -> Seal:
        """The seal."""
        ...


class Post(Protocol):
    """Takes parcels in a transaction."""

    def post(self, tx: Tx, parcels: Sequence[Parcel]) -> None:
        """Parcels to carry after the commit."""
        ...

    def close(self, tx: Tx, lane: str) -> int:
        """Forgets what waits for a receiver that is no more."""
        ...
