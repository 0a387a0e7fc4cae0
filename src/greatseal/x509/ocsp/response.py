"""OCSP responses (RFC 6960 section 4.2), written with our own DER writer.

`encode_tbs` makes what is to be signed and `assemble` the message around it; `error_response` makes the
unsigned answers. Times have whole seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der
from greatseal.x509.extensions import Extension, encode_extensions
from greatseal.x509.ocsp.request import NONCE

_ENUMERATED = 0x0A
_BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1"
ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"


class OcspError(Enum):
    """Why there is no status (RFC 6960 section 4.2.1). Nobody must sign a request here: sigRequired is not used."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class Good:
    """The certificate was issued and is not revoked."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The certificate is revoked since `at`; `reason` is a CRLReason (RFC 5280 section 5.3.1), 0 is not written."""

    at: datetime
    reason: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody here knows of such a certificate."""


Status = Good | Revoked | Unknown


@dataclass(frozen=True, slots=True)
class SingleResponse:
    """The status of one certificate. `cert_id` is the DER of the CertID as it was asked."""

    cert_id: bytes
    status: Status
    this_update: datetime
    next_update: datetime
    archive_cutoff: datetime | None = None
    """Since when statuses are kept beyond the end of certificates, told of one that has expired (section 4.4.4)."""


def encode_tbs(
    responses: Sequence[SingleResponse], *, responder_key_hash: bytes, produced_at: datetime, nonce: bytes | None
) -> bytes:
    """The DER of ResponseData. The responder is named by the SHA-1 of its key's bits (byKey)."""
    parts = [
        der.explicit(2, der.octet_string(responder_key_hash)),
        _time(produced_at),
        der.sequence(*(_single(each) for each in responses)),
    ]
    if nonce is not None:
        parts.append(der.explicit(1, encode_extensions([Extension(NONCE, False, der.octet_string(nonce))])))
    return der.sequence(*parts)


def assemble(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes, certificate: bytes) -> bytes:
    """The DER of a successful OCSPResponse; `certificate` is the responder's, which the client needs."""
    basic = der.sequence(
        tbs, algorithm.identifier, der.bit_string(signature), der.explicit(0, der.sequence(certificate))
    )
    octets = der.sequence(der.oid(_BASIC_RESPONSE), der.octet_string(basic))
    return der.sequence(der.tlv(_ENUMERATED, b"\0"), der.explicit(0, octets))


def error_response(error: OcspError) -> bytes:
    """The DER of an OCSPResponse that says only what went wrong. It is not signed (RFC 6960 section 2.3)."""
    return der.sequence(der.tlv(_ENUMERATED, bytes((error.value,))))


def _single(response: SingleResponse) -> bytes:
    return der.sequence(
        response.cert_id,
        _status(response.status),
        _time(response.this_update),
        der.explicit(0, _time(response.next_update)),
        b"" if response.archive_cutoff is None else der.explicit(1, _archive_cutoff(response.archive_cutoff)),
    )


def _archive_cutoff(since: datetime) -> bytes:
    return encode_extensions([Extension(ARCHIVE_CUTOFF, False, _time(since))])


def _status(status: Status) -> bytes:
    if isinstance(status, Good):
        return der.tlv(0x80, b"")
    if isinstance(status, Unknown):
        return der.tlv(0x82, b"")
    content = _time(status.at)
    if status.reason:
        # Unspecified is said by saying nothing (RFC 5280 section 5.3.1, Baseline Requirements 7.3).
        content += der.explicit(0, der.tlv(_ENUMERATED, bytes((status.reason,))))
    return der.tlv(0xA1, content)


def _time(moment: datetime) -> bytes:
    """GeneralizedTime whatever the year: OCSP has no UTCTime (RFC 6960 section 4.2.1)."""
    return der.tlv(der.GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))
