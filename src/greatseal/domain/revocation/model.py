"""What a revocation is."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.x509.crl_write import encode_entry


class RevocationReason(Enum):
    """The reasons that a CA's owner may give, with their CRL codes (RFC 5280 section 5.3.1; acm-pca.md 3.3)."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CERTIFICATE_AUTHORITY_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    PRIVILEGE_WITHDRAWN = 9
    A_A_COMPROMISE = 10


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revoked certificate."""

    authority_id: str
    serial: str
    revoked_at: datetime
    reason: RevocationReason
    not_after: datetime
    """When the certificate expires; lists forget it some time after."""
    partition: str | None = None
    """The part of a partitioned list that covers it."""

    @property
    def entry(self) -> bytes:
        """Its entry in a list (DER)."""
        return encode_entry(int(self.serial, 16), self.revoked_at, self.reason.value)
