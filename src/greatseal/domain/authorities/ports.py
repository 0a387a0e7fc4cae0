"""What the room needs of others: where a certificate's revocation can be asked for, and whether a bucket will do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from greatseal.domain.authorities.model import Authority
from greatseal.storage import Tx

BucketCheck = Callable[[str, str, str, str], None]
"""Given the account and the ARN of a CA, a bucket and an ACL (`PUBLIC_READ`, …): raises ValidationFailed unless lists
can be written there."""


@dataclass(frozen=True, slots=True)
class RevocationAddresses:
    """What one certificate says about its revocation. `partition` is the id of the part that lists it, if it is one.

    `issuers_url` is where the certificate of its issuer can be had.
    """

    crl_url: str | None = None
    ocsp_url: str | None = None
    partition: str | None = None
    issuers_url: str | None = None


class RevocationPoints(Protocol):
    """Knows where lists are published and how a CA's settings become addresses."""

    def bind(self, tx: Tx, authority: Authority, serial: int) -> RevocationAddresses:
        """Chooses the list that a new certificate belongs to for life, in the transaction that prepares it."""
        ...

    def certificate_url(self, authority: Authority) -> str:
        """Where the CA's own certificate is, as a single one in DER."""
        ...

    def changed(self, tx: Tx, authority: Authority) -> None:
        """The state or the settings of a CA changed: its lists are looked at anew."""
        ...
