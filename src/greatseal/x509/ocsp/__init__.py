"""OCSP messages: requests read strictly, responses written octet by octet (RFC 6960, RFC 9654)."""

from greatseal.x509.ocsp.request import (
    MAX_CERTIFICATES,
    MAX_NONCE,
    MAX_REQUEST,
    CertId,
    OcspRequest,
    issuer_hashes,
    parse_request,
)
from greatseal.x509.ocsp.response import (
    Good,
    OcspError,
    Revoked,
    SingleResponse,
    Status,
    Unknown,
    assemble,
    encode_tbs,
    error_response,
)

__all__ = [
    "MAX_CERTIFICATES",
    "MAX_NONCE",
    "MAX_REQUEST",
    "CertId",
    "Good",
    "OcspError",
    "OcspRequest",
    "Revoked",
    "SingleResponse",
    "Status",
    "Unknown",
    "assemble",
    "encode_tbs",
    "error_response",
    "issuer_hashes",
    "parse_request",
]
