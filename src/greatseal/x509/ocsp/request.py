"""OCSP requests (RFC 6960 section 4.1), read strictly and within limits."""

import hashlib
from dataclasses import dataclass, field

from greatseal.x509 import der
from greatseal.x509.extensions import Extension, find, parse_extensions
from greatseal.x509.general_names import read_general_name

MAX_REQUEST = 32 * 1024
"""Octets of the largest request: a hundred certificates, a signature and the signer's certificates fit."""
MAX_CERTIFICATES = 100
"""Each costs a look into the journal."""
MAX_NONCE = 128
"""RFC 9654 section 2.1, which widened the 32 octets of RFC 8954."""
# Whole CertID: two hashes of 32 octets and a serial number of 20 have 110. It is echoed, so it must stay small.
_MAX_CERT_ID = 256

NONCE = "1.3.6.1.5.5.7.48.1.2"
_ACCEPTABLE_RESPONSES = "1.3.6.1.5.5.7.48.1.4"
_PREFERRED_ALGORITHMS = "1.3.6.1.5.5.7.48.1.8"
_SERVICE_LOCATOR = "1.3.6.1.5.5.7.48.1.7"
_UNDERSTOOD = frozenset({NONCE, _ACCEPTABLE_RESPONSES, _PREFERRED_ALGORITHMS})
_UNDERSTOOD_OF_ONE = frozenset({_SERVICE_LOCATOR})

_HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is asked about. Two are equal when their octets are: an answer repeats them exactly.

    `hash` is `sha1`, `sha256`, or None for an algorithm that no issuer is looked up by.
    """

    der: bytes
    hash: str | None = field(compare=False)
    name_hash: bytes = field(compare=False)
    key_hash: bytes = field(compare=False)
    serial: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """What a client wants to know. `nonce` is the value of the Nonce extension, without its OCTET STRING.

    `is_plain` when there is one certificate and nothing else, so that few requests ask for the same.
    """

    certificates: tuple[CertId, ...]
    nonce: bytes | None
    is_plain: bool = False


def parse_request(data: bytes) -> OcspRequest:
    """The request whose complete DER is `data`. Raises DerError.

    A signature is not checked, as RFC 6960 section 4.1.2 allows: everybody may ask, so it would decide nothing.
    """
    if len(data) > MAX_REQUEST:
        raise der.DerError(f"a request of more than {MAX_REQUEST} octets")
    outer = der.only(data, der.SEQUENCE)
    tbs = outer.enter(der.SEQUENCE)
    if outer.peek() == 0xA0:
        _pass_over_signature(outer.enter(0xA0))
    outer.end()

    if tbs.peek() == 0xA0:
        holder = tbs.enter(0xA0)
        # Version 1 is the default and should not be spelled out; clients that do it all the same mean no harm.
        if holder.integer() != 0:
            raise der.DerError("a request of an unknown version")
        holder.end()
    if tbs.peek() == 0xA1:
        holder = tbs.enter(0xA1)
        read_general_name(holder)
        holder.end()
    certificates = _read_list(tbs.enter(der.SEQUENCE))
    extensions: tuple[Extension, ...] = ()
    if tbs.peek() == 0xA2:
        extensions = _read_extensions(tbs.enter(0xA2), _UNDERSTOOD)
    tbs.end()
    found = find(extensions, NONCE)
    plain = der.sequence(der.sequence(der.sequence(der.sequence(certificates[0].der))))
    return OcspRequest(certificates, None if found is None else _read_nonce(found), data == plain)


def issuer_hashes(subject: bytes, key: bytes, hash: str) -> tuple[bytes, bytes]:
    """What a CertID says of an issuer: hashes of its name (DER) and of its key's bits (RFC 6960 section 4.1.1)."""
    return _digest(hash, subject), _digest(hash, key)


def _digest(hash: str, data: bytes) -> bytes:
    # SHA-1 names an issuer here and protects nothing: the answer is signed with another hash.
    return hashlib.new(hash, data, usedforsecurity=False).digest()


def _read_list(reader: der.Reader) -> tuple[CertId, ...]:
    found: list[CertId] = []
    while reader.peek() is not None:
        if len(found) == MAX_CERTIFICATES:
            raise der.DerError(f"a request about more than {MAX_CERTIFICATES} certificates")
        entry = reader.enter(der.SEQUENCE)
        found.append(read_cert_id(entry.raw(der.SEQUENCE)))
        if entry.peek() == 0xA0:
            _read_extensions(entry.enter(0xA0), _UNDERSTOOD_OF_ONE)
        entry.end()
    if not found:
        raise der.DerError("a request about no certificate")
    return tuple(found)


def read_cert_id(data: bytes) -> CertId:
    """The CertID whose complete DER is `data`. Raises DerError."""
    if len(data) > _MAX_CERT_ID:
        raise der.DerError(f"a CertID of more than {_MAX_CERT_ID} octets")
    inside = der.only(data, der.SEQUENCE)
    algorithm = inside.enter(der.SEQUENCE)
    oid = algorithm.oid()
    # Parameters of a hash are NULL or absent (RFC 4055 section 2.1); of an unknown one they are not ours to judge.
    parameters = algorithm.raw() if algorithm.peek() is not None else b""
    algorithm.end()
    hash = _HASHES.get(oid)
    name_hash, key_hash = inside.read(der.OCTET_STRING), inside.read(der.OCTET_STRING)
    serial = inside.integer()
    inside.end()
    if hash is not None:
        if parameters not in (b"", der.null()):
            raise der.DerError("a hash algorithm with parameters")
        size = len(_digest(hash, b""))
        if (len(name_hash), len(key_hash)) != (size, size):
            raise der.DerError("a hash that is not as long as its algorithm makes them")
    return CertId(data, hash, name_hash, key_hash, serial)


def _read_extensions(holder: der.Reader, understood: frozenset[str]) -> tuple[Extension, ...]:
    """Raises DerError for a critical one that is not understood (RFC 6960 section 4.4, RFC 5280 section 4.2)."""
    extensions = parse_extensions(holder.raw(der.SEQUENCE))
    holder.end()
    for extension in extensions:
        if extension.critical and extension.oid not in understood:
            raise der.DerError(f"the critical extension {extension.oid}, which is unknown")
    return extensions


def _read_nonce(extension: Extension) -> bytes:
    inside = der.Reader(extension.value)
    nonce = inside.read(der.OCTET_STRING)
    inside.end()
    if not 1 <= len(nonce) <= MAX_NONCE:
        raise der.DerError(f"a nonce that has not 1 to {MAX_NONCE} octets")
    return nonce


def _pass_over_signature(holder: der.Reader) -> None:
    signature = holder.enter(der.SEQUENCE)
    signature.raw(der.SEQUENCE)
    signature.octets()
    if signature.peek() == 0xA0:
        certificates = signature.enter(0xA0)
        certificates.raw(der.SEQUENCE)
        certificates.end()
    signature.end()
    holder.end()
