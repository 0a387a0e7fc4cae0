"""One certificate in the journal of a CA: from the moment its serial is taken until long after it expired."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidArn, InvalidRequest

_HEX = re.compile(r"[0-9a-f]{1,40}")


class JournalState(Enum):
    """PREPARED: what the row holds may have been signed. PRECERTIFICATE: that is stored, and SCTs are awaited.

    ISSUED: the certificate is stored. FAILED: no signature was made.
    """

    PREPARED = "PREPARED"
    PRECERTIFICATE = "PRECERTIFICATE"
    ISSUED = "ISSUED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A row of the issuance journal (docs/issuance.md). `serial` is 32 lower-case hex digits or more."""

    authority_id: str
    serial: str
    arn: str
    state: JournalState
    tbs: bytes
    signing_algorithm: SignatureAlgorithm
    template_arn: str
    issuer_certificate_id: str | None
    """None for a self-signed root, which has no issuer but its own key."""
    account: str
    region: str
    service_principal: str | None
    not_after: datetime
    prepared_at: datetime
    key_fingerprint: str
    """Of the certified public key, as `keys.fingerprint` writes it: finds every certificate of a key."""
    issued_at: datetime | None = None
    certificate: bytes | None = None
    partition: str | None = None
    """The part of a partitioned CRL that the certificate belongs to for life; None for the complete list."""
    logged: bool = False
    """Whether it is issued by way of a precertificate."""
    precertificate: bytes | None = None
    """Signed, with the poison. From then on the serial is in the world: it is revocable, and OCSP knows it."""

    @property
    def awaits_precertificate(self) -> bool:
        """Whether the next signature is that of the precertificate."""
        return self.logged and self.precertificate is None

    @property
    def in_the_world(self) -> bytes | None:
        """The certificate, or the precertificate while there is no certificate; None while there is neither."""
        return self.certificate if self.certificate is not None else self.precertificate


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """What a caller gets: the certificate and the chain above it (DER), chain None for a self-signed root."""

    arn: str
    serial: str
    certificate: bytes
    chain: tuple[bytes, ...] | None


@dataclass(frozen=True, slots=True)
class Precertificate:
    """A signed precertificate that awaits its SCTs, and the chain above it (DER)."""

    arn: str
    serial: str
    der: bytes
    chain: tuple[bytes, ...]


def serial_text(serial: int) -> str:
    """As in certificate ARNs: lower-case hex, at least 32 digits (acm-pca.md 6.3)."""
    return f"{serial:032x}"


def serial_from_text(text: str) -> str:
    """Accepts colons, any case, and missing leading zeros (acm-pca.md 2.9). Raises InvalidRequest."""
    digits = text.replace(":", "").lower()
    # However many zeros lead: DER prints one octet of them before a high bit.
    if not _HEX.fullmatch(digits.lstrip("0") or digits[:1]):
        raise InvalidRequest(f"The certificate serial {text!r} is not a hexadecimal number.")
    return serial_text(int(digits, 16))


def serial_of_certificate_arn(authority_arn: str, certificate_arn: str) -> str:
    """The serial in a certificate's ARN. Raises InvalidArn when it is not one of this CA."""
    prefix = f"{authority_arn}/certificate/"
    serial = certificate_arn.removeprefix(prefix)
    if not certificate_arn.startswith(prefix) or not _HEX.fullmatch(serial):
        raise InvalidArn(f"The ARN {certificate_arn} is not the ARN of a certificate of {authority_arn}.")
    return serial


def certificate_arn(authority_arn: str, serial: str) -> str:
    """The ARN of a certificate that a CA issued."""
    return f"{Arn.parse(authority_arn)}/certificate/{serial}"
