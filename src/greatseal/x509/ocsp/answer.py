"""OCSP responses, read strictly (RFC 6960 section 4.2), and the request that asks for one (section 4.1)."""

from dataclasses import dataclass, field
from datetime import datetime

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import REASONS
from greatseal.x509.extensions import Extension, encode_extensions, find, parse_extensions
from greatseal.x509.names import Name
from greatseal.x509.ocsp.request import NONCE, CertId, issuer_hashes, read_cert_id
from greatseal.x509.public_keys import key_bits

MAX_ANSWER = 256 * 1024
"""Octets of the largest response: a post-quantum signature and the responder's chain fit many times."""

_ENUMERATED = 0x0A
_BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1"
_MOST_CERTIFICATES = 8
_MOST_RESPONSES = 128
_FAILURES = {
    1: "the request was malformed",
    2: "an internal error",
    3: "try later",
    5: "the request must be signed",
    6: "the responder is not authoritative for this certificate",
}


class NoAnswer(der.DerError):
    """A response that carries no status; the message says what the responder said instead."""


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What a response says of one certificate. `status` is `good`, `revoked` or `unknown`."""

    cert_id: CertId
    status: str
    revoked_at: datetime | None
    reason: str | None
    this_update: datetime
    next_update: datetime | None
    extensions: tuple[Extension, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """A successful response. Its responder is named by a Name or by the SHA-1 of its key; `tbs` is what was signed."""

    der: bytes
    tbs: bytes = field(compare=False, repr=False)
    responder: Name | bytes = field(compare=False)
    produced_at: datetime = field(compare=False)
    statuses: tuple[CertificateStatus, ...] = field(compare=False)
    extensions: tuple[Extension, ...] = field(compare=False, repr=False)
    signature_algorithm_identifier: bytes = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)
    certificates: tuple[Certificate, ...] = field(compare=False, repr=False)

    @property
    def nonce(self) -> bytes | None:
        """The nonce, if there is one. Raises DerError when it cannot be read."""
        found = find(self.extensions, NONCE)
        if found is None:
            return None
        reader = der.Reader(found.value)
        nonce = reader.read(der.OCTET_STRING)
        reader.end()
        return nonce


def parse_answer(data: bytes) -> OcspAnswer:
    """The response whose complete DER is `data`. Raises NoAnswer, or DerError for octets that are no response."""
    if len(data) > MAX_ANSWER:
        raise der.DerError(f"a response of more than {MAX_ANSWER} octets")
    outer = der.only(data, der.SEQUENCE)
    status = der.decode_integer(outer.read(_ENUMERATED))
    if status != 0:
        raise NoAnswer(f"the responder answered: {_FAILURES.get(status, 'a status that does not exist')}")
    holder = outer.enter(0xA0)
    outer.end()
    typed = holder.enter(der.SEQUENCE)
    holder.end()
    if typed.oid() != _BASIC_RESPONSE:
        raise der.DerError("a response of an unknown type")
    basic = der.only(typed.read(der.OCTET_STRING), der.SEQUENCE)
    typed.end()
    tbs, algorithm, signature = basic.raw(der.SEQUENCE), basic.raw(der.SEQUENCE), basic.octets()
    certificates: list[Certificate] = []
    if basic.peek() == 0xA0:
        listed = basic.enter(0xA0).enter(der.SEQUENCE)
        while listed.peek() is not None:
            if len(certificates) == _MOST_CERTIFICATES:
                raise der.DerError(f"a response with more than {_MOST_CERTIFICATES} certificates")
            certificates.append(Certificate.parse(listed.raw(der.SEQUENCE)))
    basic.end()
    responder, produced_at, statuses, extensions = _read_data(tbs)
    return OcspAnswer(
        data, tbs, responder, produced_at, statuses, extensions, algorithm, signature, tuple(certificates)
    )


def encode_request(certificate: Certificate, issuer: Certificate, nonce: bytes | None = None) -> bytes:
    """The DER of a request about one certificate. SHA-1 names it, which every responder understands (RFC 5019)."""
    name_hash, key_hash = issuer_hashes(certificate.issuer.der, key_bits(issuer.spki), "sha1")
    algorithm = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
    cert_id = der.sequence(
        algorithm, der.octet_string(name_hash), der.octet_string(key_hash), der.integer(certificate.serial)
    )
    parts = [der.sequence(der.sequence(cert_id))]
    if nonce is not None:
        parts.append(der.explicit(2, encode_extensions([Extension(NONCE, False, der.octet_string(nonce))])))
    return der.sequence(der.sequence(*parts))


_Data = tuple[Name | bytes, datetime, tuple[CertificateStatus, ...], tuple[Extension, ...]]


def _read_data(tbs: bytes) -> _Data:
    inside = der.only(tbs, der.SEQUENCE)
    if inside.peek() == 0xA0:
        version = inside.enter(0xA0)
        if version.integer() != 0:
            raise der.DerError("a response of an unknown version")
        version.end()
    responder: Name | bytes
    if inside.peek() == 0xA1:
        responder = Name.parse(inside.read(0xA1))
    else:
        holder = inside.enter(0xA2)
        responder = holder.read(der.OCTET_STRING)
        holder.end()
    produced_at = _time(inside)
    listed = inside.enter(der.SEQUENCE)
    statuses: list[CertificateStatus] = []
    while listed.peek() is not None:
        if len(statuses) == _MOST_RESPONSES:
            raise der.DerError(f"a response about more than {_MOST_RESPONSES} certificates")
        statuses.append(_read_status(listed.enter(der.SEQUENCE)))
    extensions = _read_extensions(inside)
    inside.end()
    return responder, produced_at, tuple(statuses), extensions


def _read_status(inside: der.Reader) -> CertificateStatus:
    cert_id = read_cert_id(inside.raw(der.SEQUENCE))
    revoked_at, reason = None, None
    tag = inside.peek()
    if tag == 0xA1:
        status, details = "revoked", inside.enter(0xA1)
        revoked_at = _time(details)
        if details.peek() == 0xA0:
            holder = details.enter(0xA0)
            reason = REASONS.get(der.decode_integer(holder.read(_ENUMERATED)))
            holder.end()
        details.end()
    elif tag in (0x80, 0x82):
        status = "good" if tag == 0x80 else "unknown"
        if inside.read(tag):
            raise der.DerError("a status with content")
    else:
        raise der.DerError("a status that does not exist")
    this_update, next_update = _time(inside), None
    if inside.peek() == 0xA0:
        holder = inside.enter(0xA0)
        next_update = _time(holder)
        holder.end()
    extensions = _read_extensions(inside)
    inside.end()
    return CertificateStatus(cert_id, status, revoked_at, reason, this_update, next_update, extensions)


def _read_extensions(inside: der.Reader) -> tuple[Extension, ...]:
    if inside.peek() != 0xA1:
        return ()
    holder = inside.enter(0xA1)
    extensions = parse_extensions(holder.raw(der.SEQUENCE))
    holder.end()
    return extensions


def _time(reader: der.Reader) -> datetime:
    """OCSP has no UTCTime (RFC 6960 section 4.2.1)."""
    return der.decode_time(der.GENERALIZED_TIME, reader.read(der.GENERALIZED_TIME))
