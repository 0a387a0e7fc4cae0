"""Attributes of SignerInfo: written in DER order, read strictly (RFC 5652 sections 5.3 and 11)."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms.digests import Digest, read_digest
from greatseal.x509.cms.faults import CmsError, Fault
from greatseal.x509.cms.schemes import Scheme

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"

_MOST = 64
_SMALL = 256
_FIRST_YEAR_OF_GENERALIZED_TIME = 2050


def attribute(oid: str, value: bytes) -> bytes:
    """The DER of an Attribute with one value (DER)."""
    return der.sequence(der.oid(oid), der.set_of([value]))


def signed_attributes(
    content_type: str,
    message_digest: bytes,
    scheme: Scheme,
    *,
    at: datetime | None = None,
    certificate: Certificate | None = None,
) -> bytes:
    """The DER of SignedAttributes, as the SET OF that is signed (RFC 5652 section 5.4).

    `at` becomes signingTime; `certificate` is bound by an ESSCertIDv2 with SHA-256 (RFC 5035 section 4). The
    algorithms are bound too (RFC 6211), so that nobody swaps them.
    """
    own = [attribute(MESSAGE_DIGEST, der.octet_string(message_digest))]
    if at is not None:
        own.append(attribute(SIGNING_TIME, der.time(at)))
    return der.set_of([*own, *_common(content_type, scheme, certificate)])


@lru_cache(maxsize=64)
def _common(content_type: str, scheme: Scheme, certificate: Certificate | None) -> tuple[bytes, ...]:
    """The attributes that one who signs many contents puts into each."""
    protection = der.sequence(scheme.digest.identifier, der.implicit(1, scheme.identifier))
    kept = (attribute(CONTENT_TYPE, der.oid(content_type)), attribute(ALGORITHM_PROTECTION, protection))
    if certificate is None:
        return kept
    identifier = der.sequence(der.octet_string(certificate.fingerprint_sha256))
    return (*kept, attribute(SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier))))


def read_attributes(data: bytes, kind: str, *, ordered: bool) -> dict[str, tuple[bytes, ...]]:
    """The values (DER) of each attribute by its OID; `data` is the complete SET OF. Raises CmsError.

    No type occurs twice, none is without a value, and where `ordered`, they are in the order of DER: what is signed
    is the DER encoding (RFC 5652 section 5.4), and any other order in the file is not it.
    """
    found: dict[str, tuple[bytes, ...]] = {}
    last = b""
    try:
        reader = der.only(data, der.SET)
        while reader.peek() is not None:
            raw = reader.raw(der.SEQUENCE)
            if ordered and raw < last:
                raise CmsError(Fault.ATTRIBUTE_ORDER, f"the {kind} attributes are not in the order of DER")
            last = raw
            oid, values = _known(raw) if len(raw) < _SMALL else _read_attribute(raw)
            if oid in found:
                raise CmsError(Fault.DUPLICATE_ATTRIBUTE, f"the {kind} attribute {oid} occurs twice")
            if len(found) == _MOST:
                raise CmsError(Fault.MALFORMED, f"there are more than {_MOST} {kind} attributes")
            found[oid] = values
    except der.DerError as error:
        raise CmsError(Fault.MALFORMED, f"the {kind} attributes are malformed: {error}") from None
    if not found:
        raise CmsError(Fault.MALFORMED, f"the {kind} attributes are an empty set")
    return found


# Three of the five attributes of a signer are the same in every file; what is long is never kept.
@lru_cache(maxsize=256)
def _known(raw: bytes) -> tuple[str, tuple[bytes, ...]]:
    return _read_attribute(raw)


def _read_attribute(raw: bytes) -> tuple[str, tuple[bytes, ...]]:
    inside = der.only(raw, der.SEQUENCE)
    oid = inside.oid()
    holder = inside.enter(der.SET)
    inside.end()
    values: list[bytes] = []
    while holder.peek() is not None:
        values.append(holder.raw())
    if not values:
        raise der.DerError(f"attribute {oid} has no value")
    return oid, tuple(values)


def single(attributes: Mapping[str, tuple[bytes, ...]], oid: str, name: str) -> bytes | None:
    """The one value of an attribute that may have only one; None when it is not there. Raises CmsError."""
    values = attributes.get(oid)
    if values is None:
        return None
    if len(values) != 1:
        raise CmsError(Fault.DUPLICATE_ATTRIBUTE, f"the attribute {name} has {len(values)} values")
    return values[0]


def needed(attributes: Mapping[str, tuple[bytes, ...]], oid: str, name: str) -> der.Reader:
    """A reader at the value of an attribute that must be there. Raises CmsError."""
    value = single(attributes, oid, name)
    if value is None:
        raise CmsError(Fault.MISSING_ATTRIBUTE, f"the signed attribute {name} is missing")
    return der.Reader(value)


def read_signing_time(value: bytes) -> datetime:
    """signingTime: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5652 section 11.3). Raises CmsError."""
    try:
        reader = der.Reader(value)
        at = reader.time()
        reader.end()
    except der.DerError as error:
        raise CmsError(Fault.SIGNING_TIME, f"the signing time is malformed: {error}") from None
    if (value[0] == der.GENERALIZED_TIME) != (at.year >= _FIRST_YEAR_OF_GENERALIZED_TIME):
        raise CmsError(Fault.SIGNING_TIME, "the signing time is of the wrong type for its year")
    return at


def check_protection(value: bytes, digest_identifier: bytes, signature_identifier: bytes) -> None:
    """CMSAlgorithmProtection names the algorithms of its SignerInfo (RFC 6211 section 2). Raises CmsError."""
    expected = der.sequence(digest_identifier, der.implicit(1, signature_identifier))
    if value != expected:
        what = "the algorithms of the signer are not those that its protected attribute names"
        raise CmsError(Fault.ALGORITHM_PROTECTION, what)


# A signer of many files names the same certificate in each.
@lru_cache(maxsize=128)
def check_certificate_id(value: bytes, certificate: Certificate) -> None:
    """The first ESSCertIDv2 is that of the signer's certificate (RFC 5035 section 3). Raises CmsError."""
    try:
        outer = der.only(value, der.SEQUENCE)
        first = outer.enter(der.SEQUENCE).enter(der.SEQUENCE)
        digest = Digest.SHA256
        if first.peek() == der.SEQUENCE:
            digest = read_digest(first.raw(der.SEQUENCE))
        expected = first.read(der.OCTET_STRING)
    except der.DerError as error:
        raise CmsError(Fault.MALFORMED, f"the attribute signingCertificateV2 is malformed: {error}") from None
    if digest.of(certificate.der) != expected:
        raise CmsError(Fault.CERTIFICATE_ID, "the signer signed with another certificate than the one that is named")
