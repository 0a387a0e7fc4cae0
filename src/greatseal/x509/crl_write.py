"""Certificate revocation lists, written (RFC 5280 section 5; acm-pca.md 10.3). `crl` reads them.

An entry is encoded once, when the certificate is revoked. A list is then the concatenation of entries between a
head and a tail, joined in one go, so that a million of them cost little more than their octets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der
from greatseal.x509.crl import (
    CRL_NUMBER,
    DELTA_CRL_INDICATOR,
    FRESHEST_CRL,
    ISSUING_DISTRIBUTION_POINT,
    REASON_CODE,
    REASONS,
)
from greatseal.x509.extensions import (
    Extension,
    authority_key_identifier,
    crl_distribution_points,
    encode_extensions,
)
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Name

_ENUMERATED = 0x0A
_NUMBER_BITS = 159  # 20 octets with the sign (RFC 5280 section 5.2.3)


@dataclass(frozen=True, slots=True)
class TbsRevocationList:
    """The fields of a list before it is signed. Times are aware."""

    algorithm: SignatureAlgorithm
    issuer: Name
    key_identifier: bytes
    this_update: datetime
    next_update: datetime
    number: int
    distribution_point: str | None = None
    """The URL of a list that covers only the certificates that name it; it becomes a critical extension."""
    base_number: int | None = None
    """Makes it a delta: what was revoked since the complete list of this number (section 5.2.4)."""
    freshest: str | None = None
    """Where the deltas to this complete list are (section 5.2.6)."""


def encode_entry(serial: int, revoked_at: datetime, reason: int) -> bytes:
    """One entry. Reason 0, unspecified, is told by its absence (RFC 5280 section 5.3.1). Raises DerError."""
    if reason not in REASONS:
        raise der.DerError("a reason that no CRL may give")
    parts = [der.integer(serial), der.time(revoked_at)]
    if reason:
        code = Extension(REASON_CODE, False, der.tlv(_ENUMERATED, bytes((reason,))))
        parts.append(encode_extensions([code]))
    return der.sequence(*parts)


def encode_tbs_list(fields: TbsRevocationList, entries: Sequence[bytes]) -> bytes:
    """The DER of the TBSCertList, version 2. `entries` are encoded entries or runs of them, in their order.

    Raises DerError for a number that is negative or longer than 20 octets.
    """
    if not 0 <= fields.number < 1 << _NUMBER_BITS:
        raise der.DerError("a CRL number that is negative or longer than 20 octets")
    head = b"".join(
        (
            der.integer(1),
            fields.algorithm.identifier,
            fields.issuer.der,
            der.time(fields.this_update),
            der.time(fields.next_update),
        )
    )
    tail = der.explicit(0, encode_extensions(_extensions(fields)))
    size = sum(map(len, entries))
    # A list without entries has no field for them (section 5.1.2.6).
    listed = der.header(der.SEQUENCE, size) if size else b""
    whole = der.header(der.SEQUENCE, len(head) + len(listed) + size + len(tail))
    return b"".join((whole, head, listed, *entries, tail))


def issuing_distribution_point(url: str) -> Extension:
    """IssuingDistributionPoint, critical, with the full name only (RFC 5280 section 5.2.5).

    It must be the URL of the certificates' CRLDistributionPoints, octet for octet.
    """
    point = der.explicit(0, der.explicit(0, GeneralName("uri", url).encode()))
    return Extension(ISSUING_DISTRIBUTION_POINT, True, der.sequence(point))


def _extensions(fields: TbsRevocationList) -> list[Extension]:
    extensions = [
        authority_key_identifier(fields.key_identifier),
        Extension(CRL_NUMBER, False, der.integer(fields.number)),
    ]
    if fields.base_number is not None:
        extensions.append(Extension(DELTA_CRL_INDICATOR, True, der.integer(fields.base_number)))
    if fields.distribution_point is not None:
        extensions.append(issuing_distribution_point(fields.distribution_point))
    if fields.freshest is not None:
        extensions.append(Extension(FRESHEST_CRL, False, crl_distribution_points(fields.freshest).value))
    return extensions
