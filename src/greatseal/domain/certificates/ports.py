"""Who signs certificates that are publicly trusted: our own trust services, or a CA upstream."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from greatseal.domain.authorities.issued import IssuedCertificate


@dataclass(frozen=True, slots=True)
class PublicOrder:
    """One public certificate. Every name has been validated, and CAA looked at, moments before."""

    names: tuple[str, ...]
    """In lower case, the first is the common name."""
    key_algorithm: str
    """In the model's spelling, for instance RSA_2048."""
    csr: bytes
    """PEM, signed with the pending key; the names are in it, too."""
    logged: bool
    """Whether the certificate carries SCTs."""
    token: str
    """`<certificate id>/<generation>`: the same token gives the same certificate, whatever crashed in between."""
    account: str
    region: str
    principal_arn: str
    """Who asked for the certificate, or had it renewed."""
    request_id: str
    key_id: str
    """The pending key, in the room of keys."""


class PublicIssuer(Protocol):
    """Issues for public orders. Safe to call from several threads."""

    def issue(self, order: PublicOrder) -> IssuedCertificate:
        """The certificate with its chain. Raises InProgress (try again later) and other refusals, which are final."""
        ...

    def revoke(self, certificate: bytes, reason: int) -> None:
        """Revokes a certificate (DER) that no CA of this installation has issued; once more does no harm.

        `reason` is a code of RFC 5280 section 5.3.1. Raises InProgress (try again later) and other refusals.
        """
        ...

    def renews_at(self, certificate: bytes) -> datetime | None:
        """When whoever signed a certificate (DER) wants it renewed (RFC 9773); None leaves it to the planner."""
        ...
