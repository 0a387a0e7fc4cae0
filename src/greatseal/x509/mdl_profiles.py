"""Certificates of an mDL issuing authority: the profiles of ISO/IEC 18013-5 annex B, built and checked.

The IACA root is table B.1, the document signer table B.3 (workflows.md 19.3). Everything that a certificate has
otherwise is listed, so that an operator sees all of it at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from enum import Enum

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519

from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.x509 import der, public_keys
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.certificate import Certificate
from greatseal.x509.countries import COUNTRIES
from greatseal.x509.extensions import (
    OID,
    Extension,
    crl_distribution_points,
    extended_key_usage,
    key_identifier_of,
    key_usage,
    read_extended_key_usage,
    read_key_usage,
    read_san,
    read_subject_key_identifier,
)
from greatseal.x509.general_names import GeneralName, encode_general_names, read_general_name
from greatseal.x509.names import Name

DOCUMENT_SIGNING = "1.0.18013.5.1.2"
"""The key purpose of document signers, id-mdl-kp-mdlDS."""
LONGEST_SIGNER = timedelta(days=457)
LONGEST_ROOT_YEARS = 20

_COUNTRY, _STATE, _SERIAL_NUMBER, _ORGANIZATION, _LOCALITY = "2.5.4.6", "2.5.4.8", "2.5.4.5", "2.5.4.10", "2.5.4.7"
_WORDS = {
    _COUNTRY: "countryName",
    _STATE: "stateOrProvinceName",
    _SERIAL_NUMBER: "serialNumber",
    _ORGANIZATION: "organizationName",
    _LOCALITY: "localityName",
    COMMON_NAME: "commonName",
}
# A serial of 63 random bits is shorter than this once in eight million times.
_LEAST_SERIAL_BITS = 40
# By name of the curve: the hashes that go with its keys (table B.1).
_HASHES = {
    "secp256r1": "SHA256",
    "brainpoolP256r1": "SHA256",
    "secp384r1": "SHA384",
    "brainpoolP320r1": "SHA384",
    "brainpoolP384r1": "SHA384",
    "secp521r1": "SHA512",
    "brainpoolP512r1": "SHA512",
}
_FORBIDDEN = {
    OID.POLICY_MAPPINGS: "PolicyMappings",
    OID.NAME_CONSTRAINTS: "NameConstraints",
    OID.POLICY_CONSTRAINTS: "PolicyConstraints",
    OID.INHIBIT_ANY_POLICY: "InhibitAnyPolicy",
    OID.FRESHEST_CRL: "FreshestCRL",
}


class Role(Enum):
    """Which table of annex B a certificate is held against."""

    ROOT = "IACA root, table B.1"
    SIGNER = "document signer, table B.3"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that the profile has otherwise: a word for programs, and the rest of a sentence."""

    code: str
    what: str

    def __str__(self) -> str:
        return self.what


_Found = Iterator[Deviation]


def issuer_alternative_name(contact: str) -> Extension:
    """IssuerAltName with one contact: a mail address, or a URI with its scheme. Raises DerError for neither."""
    kind = "uri" if "://" in contact else "email" if "@" in contact else None
    if kind is None:
        raise der.DerError(f"{contact[:80]!r} is neither a mail address nor a URI")
    name = GeneralName("uri" if kind == "uri" else "email", contact)
    return Extension(OID.ISSUER_ALTERNATIVE_NAME, False, encode_general_names([name]))


def root_extensions(*, contact: str, crl_url: str) -> tuple[Extension, ...]:
    """What an IACA root has beside the BasicConstraints (critical, path length 0) and key identifier of its template.

    Raises DerError.
    """
    return (key_usage(("KeyCertSign", "CRLSign")), *_told(contact, crl_url))


def signer_extensions(*, contact: str, crl_url: str) -> tuple[Extension, ...]:
    """What a document signer has beside its key identifiers; the purpose is critical, unlike a typed one of the API.

    Raises DerError.
    """
    purpose = extended_key_usage([DOCUMENT_SIGNING], critical=True)
    return (key_usage(("DigitalSignature",)), purpose, *_told(contact, crl_url))


def _told(contact: str, crl_url: str) -> tuple[Extension, Extension]:
    return issuer_alternative_name(contact), crl_distribution_points(crl_url)


def root_deviations(certificate: Certificate) -> tuple[Deviation, ...]:
    """Everything that table B.1 has otherwise than this certificate; empty when it conforms."""
    return tuple(_checked(certificate, certificate, Role.ROOT))


def signer_deviations(certificate: Certificate, root: Certificate) -> tuple[Deviation, ...]:
    """Everything that table B.3 has otherwise than this certificate, which `root` issued; empty when it conforms."""
    return tuple(_checked(certificate, root, Role.SIGNER))


def countries(name: Name) -> tuple[str, ...]:
    """The values of countryName."""
    return name.get(_COUNTRY)


def states(name: Name) -> tuple[str, ...]:
    """The values of stateOrProvinceName."""
    return name.get(_STATE)


def _checked(certificate: Certificate, issuer: Certificate, role: Role) -> _Found:
    yield from _frame(certificate, issuer)
    yield from _names(certificate, issuer, role)
    yield from _validity(certificate, issuer, role)
    yield from _key(certificate, role)
    yield from _key_identifiers(certificate, issuer, role)
    try:
        yield from _usages(certificate, role)
        yield from _told_about(certificate)
    except der.DerError as error:
        yield Deviation("unreadable-extension", f"has an extension that cannot be read: {error}")
    yield from _others(certificate)


def _frame(certificate: Certificate, issuer: Certificate) -> _Found:
    if certificate.version != 3:
        yield Deviation("version", f"is of version {certificate.version}, not 3")
    size = len(der.integer(certificate.serial)) - 2
    if certificate.serial <= 0 or size > 20:
        yield Deviation("serial", "has a serial number that is not positive or has more than 20 octets")
    elif certificate.serial.bit_length() < _LEAST_SERIAL_BITS:
        yield Deviation("serial", "has a serial number too short for 63 random bits")
    row = signature_algorithm_of(certificate.signature_algorithm_identifier)
    wanted = _HASHES.get(_curve(issuer.spki))
    if row is None or row.family != "EC" or row.value.hash != wanted:
        hash_name = f" with {wanted}" if wanted else ""
        yield Deviation("signature", f"is not signed by ECDSA{hash_name}, the hash of its issuer's curve")


def _names(certificate: Certificate, issuer: Certificate, role: Role) -> _Found:
    subject = certificate.subject
    if certificate.issuer.der != issuer.subject.der:
        whose = "its own subject" if role is Role.ROOT else "the subject of the IACA root"
        yield Deviation("issuer", f"has an issuer that is not octet for octet {whose}")
    for oid in (_COUNTRY, COMMON_NAME):
        if len(subject.get(oid)) != 1:
            yield Deviation("subject", f"has {len(subject.get(oid))} attributes {_WORDS[oid]} in its subject, not one")
    allowed = set(_WORDS) - ({_LOCALITY} if role is Role.ROOT else set())
    for attribute in subject.attributes:
        yield from _attribute(attribute, allowed)
    if role is Role.SIGNER:
        yield from _like_root(subject, issuer.subject)


def _attribute(attribute: Attribute, allowed: set[str]) -> _Found:
    word = _WORDS.get(attribute.oid, attribute.oid)
    if attribute.oid not in allowed:
        yield Deviation("subject", f"has the attribute {word} in its subject, which the profile does not have")
    elif attribute.oid == _COUNTRY:
        if attribute.tag != der.PRINTABLE_STRING or attribute.value not in COUNTRIES:
            yield Deviation(
                "country", "has a countryName that is not an upper-case code of ISO 3166-1, PrintableString"
            )
    elif attribute.tag not in (der.PRINTABLE_STRING, der.UTF8_STRING):
        yield Deviation("subject", f"has a {word} that is neither UTF8String nor PrintableString")


def _like_root(subject: Name, root: Name) -> _Found:
    if countries(subject) != countries(root):
        yield Deviation("country", "has another countryName than the IACA root")
    if states(root) and states(subject) != states(root):
        yield Deviation("state", "lacks the stateOrProvinceName of the IACA root")


def _validity(certificate: Certificate, issuer: Certificate, role: Role) -> _Found:
    begin, end = certificate.not_before, certificate.not_after
    if role is Role.ROOT:
        if end > _years_later(certificate, LONGEST_ROOT_YEARS):
            yield Deviation("validity", f"is valid for more than {LONGEST_ROOT_YEARS} years")
        return
    if end - begin > LONGEST_SIGNER:
        days = (end - begin) / timedelta(days=1)
        yield Deviation("validity", f"is valid for {days:.4g} days, more than {LONGEST_SIGNER.days}")
    if begin < issuer.not_before or end > issuer.not_after:
        yield Deviation("validity", "is not valid inside the validity of the IACA root only")


def _years_later(certificate: Certificate, years: int) -> datetime:
    begin = certificate.not_before
    year = begin.year + years
    if year > MAXYEAR:
        return datetime.max.replace(tzinfo=UTC)
    try:
        return begin.replace(year=year)
    except ValueError:  # 29 February
        return begin.replace(year=year, month=3, day=1)


def _key(certificate: Certificate, role: Role) -> _Found:
    try:
        key = public_keys.load_subject_key(certificate.spki)
        point = public_keys.key_bits(certificate.spki)
    except der.DerError as error:
        yield Deviation("key", f"has a key that is not accepted: {error}")
        return
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _HASHES:
            yield Deviation("key", f"has a key on the curve {key.curve.name}, which the profile does not have")
        elif point[:1] != b"\x04":
            yield Deviation("key", "has a key whose point is compressed")
    elif role is Role.ROOT or not isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        yield Deviation("key", "has a key of a kind that the profile does not have")


def _key_identifiers(certificate: Certificate, issuer: Certificate, role: Role) -> _Found:
    own = certificate.extension(OID.SUBJECT_KEY_IDENTIFIER)
    if own is None:
        yield Deviation("subject-key-identifier", "has no SubjectKeyIdentifier")
        return
    try:
        if read_subject_key_identifier(own) != key_identifier_of(certificate.spki):
            yield Deviation("subject-key-identifier", "has a SubjectKeyIdentifier that is not SHA-1 of its key")
        above = certificate.authority_key_identifier
    except der.DerError:
        yield Deviation("key-identifier", "has a key identifier that cannot be read")
        return
    if role is Role.SIGNER and above != issuer.key_identifier:
        yield Deviation("authority-key-identifier", "has no AuthorityKeyIdentifier, or not that of the IACA root")


def _usages(certificate: Certificate, role: Role) -> _Found:
    wanted = {"KeyCertSign", "CRLSign"} if role is Role.ROOT else {"DigitalSignature"}
    usage = certificate.extension(OID.KEY_USAGE)
    if usage is None or not usage.critical or read_key_usage(usage) != wanted:
        yield Deviation("key-usage", f"has no critical KeyUsage of exactly {' and '.join(sorted(wanted))}")
    constraints = certificate.extension(OID.BASIC_CONSTRAINTS)
    purposes = certificate.extension(OID.EXTENDED_KEY_USAGE)
    if role is Role.ROOT:
        if constraints is None or not constraints.critical or not certificate.is_ca or certificate.path_length != 0:
            yield Deviation("basic-constraints", "has no critical BasicConstraints of a CA with path length 0")
        if purposes is not None:
            yield Deviation("extended-key-usage", "has an ExtendedKeyUsage")
        return
    if certificate.is_ca:
        yield Deviation("basic-constraints", "is a CA")
    if purposes is None or read_extended_key_usage(purposes) != (DOCUMENT_SIGNING,):
        yield Deviation("extended-key-usage", f"has no ExtendedKeyUsage of exactly {DOCUMENT_SIGNING}")
    elif not purposes.critical:
        yield Deviation("extended-key-usage-critical", "has an ExtendedKeyUsage that is not critical")


def _told_about(certificate: Certificate) -> _Found:
    contact = certificate.extension(OID.ISSUER_ALTERNATIVE_NAME)
    if contact is None:
        yield Deviation("issuer-alternative-name", "has no IssuerAltName")
    elif contact.critical or not any(name.kind in ("email", "uri") for name in read_san(contact)):
        yield Deviation("issuer-alternative-name", "has an IssuerAltName that is critical or names no address or URI")
    points = certificate.extension(OID.CRL_DISTRIBUTION_POINTS)
    if points is None:
        yield Deviation("crl-distribution-points", "has no CRLDistributionPoints")
    elif points.critical or not _plain_points(points):
        what = "has CRLDistributionPoints that are critical, name no URI, or have reasons or a cRLIssuer"
        yield Deviation("crl-distribution-points", what)


def _plain_points(extension: Extension) -> bool:
    """Whether every point is a full name of URIs and nothing else."""
    inside = der.only(extension.value, der.SEQUENCE)
    count = 0
    while inside.peek() is not None:
        point = inside.enter(der.SEQUENCE)
        if point.peek() != 0xA0:
            return False
        choice = point.enter(0xA0)
        if point.peek() is not None or choice.peek() != 0xA0:
            return False
        names = choice.enter(0xA0)
        while names.peek() is not None:
            if read_general_name(names).kind != "uri":
                return False
            count += 1
    return count > 0


def _others(certificate: Certificate) -> _Found:
    known = {OID.KEY_USAGE, OID.BASIC_CONSTRAINTS, OID.EXTENDED_KEY_USAGE}
    for extension in certificate.extensions:
        if extension.oid in _FORBIDDEN:
            yield Deviation("forbidden-extension", f"has the extension {_FORBIDDEN[extension.oid]}")
        elif extension.critical and extension.oid not in known | {
            OID.ISSUER_ALTERNATIVE_NAME,
            OID.CRL_DISTRIBUTION_POINTS,
        }:
            yield Deviation("critical-extension", f"has the critical extension {extension.oid}")


def _curve(spki: bytes) -> str:
    try:
        key = public_keys.load_subject_key(spki)
    except der.DerError:
        return ""
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else ""
