"""Certificates: a frozen view of the octets, the to-be-signed part, and the joining of both (RFC 5280 section 4.1)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der, public_keys
from greatseal.x509.extensions import (
    OID,
    BasicConstraints,
    Extension,
    encode_extensions,
    find,
    key_identifier_of,
    parse_extensions,
    read_authority_key_identifier,
    read_basic_constraints,
    read_san,
    read_subject_key_identifier,
)
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Name

_MAX_SERIAL_OCTETS = 20
# A certificate is read again and again while it is made, and that of an issuer for each that it issues.
_KEPT, _LARGEST_KEPT = 512, 8192
# Of a TBSCertificate: serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo; what may be around.
_FIELDS = (der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE)
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_VERSION_3 = der.explicit(0, der.integer(2))


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. Two certificates are equal when their octets are.

    `tbs`, `spki` and the algorithm identifiers are complete DER, cut out of `der` and never re-encoded.
    Times are aware and in UTC; `version` is 1, 2 or 3.
    """

    der: bytes
    tbs: bytes = field(compare=False, repr=False)
    version: int = field(compare=False)
    serial: int = field(compare=False)
    inner_algorithm_identifier: bytes = field(compare=False, repr=False)
    issuer: Name = field(compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    subject: Name = field(compare=False)
    spki: bytes = field(compare=False, repr=False)
    extensions: tuple[Extension, ...] = field(compare=False, repr=False)
    signature_algorithm_identifier: bytes = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)

    @classmethod
    def parse(cls, data: bytes) -> "Certificate":
        """The certificate whose complete DER is `data`. Raises DerError.

        Only the frame is checked, not the values of extensions: certificates with a broken value exist
        (acm-pca.md 6.4) and must still be listed and revoked.
        """
        return _parsed_before(data) if len(data) <= _LARGEST_KEPT else cls.parse_once(data)

    @classmethod
    def parse_once(cls, data: bytes) -> "Certificate":
        """As `parse`, for octets that will not be met again."""
        tbs, algorithm, signature = read_parts(data)
        return cls._read(data, tbs, algorithm, signature)

    @classmethod
    def unsigned(cls, tbs: bytes) -> "Certificate":
        """The certificate that a to-be-signed part will be in, without a signature. Raises DerError.

        `der` is that part: what is equal is so for its octets, here too.
        """
        return cls._read(tbs, tbs, b"", b"")

    @classmethod
    def _read(cls, data: bytes, tbs: bytes, algorithm: bytes, signature: bytes) -> "Certificate":
        fields = der.members(tbs, der.SEQUENCE)
        version = _read_version(fields.pop(0)) if fields and fields[0][0] == _VERSION else 1
        serial, inner, issuer, validity, subject, spki = der.expect(fields[: len(_FIELDS)], *_FIELDS)
        not_before, not_after = _read_validity(validity)
        # Whatever the key is, OCSP hashes its bits: they must be there (RFC 5280 section 4.1.2.7).
        public_keys.key_bits(spki)
        rest = fields[len(_FIELDS) :]
        # Unique identifiers are obsolete but legal from version 2 (RFC 5280 section 4.1.2.8).
        unique = [rest.pop(0) for tag in (0x81, 0x82) if rest and rest[0][0] == tag]
        extensions: tuple[Extension, ...] = ()
        if rest and rest[0][0] == _EXTENSIONS:
            (held,) = der.expect(der.members(rest.pop(0), _EXTENSIONS), der.SEQUENCE)
            extensions = parse_extensions(held)
        der.expect(rest)
        if (extensions and version != 3) or (version == 1 and unique):
            raise der.DerError(f"a certificate of version {version} with fields of a later one")
        return cls(
            der=data,
            tbs=tbs,
            version=version,
            serial=der.decode_integer(der.content(serial, der.INTEGER)),
            inner_algorithm_identifier=inner,
            issuer=Name.parse(issuer),
            not_before=not_before,
            not_after=not_after,
            subject=Name.parse(subject),
            spki=spki,
            extensions=extensions,
            signature_algorithm_identifier=algorithm,
            signature=signature,
        )

    def extension(self, oid: str) -> Extension | None:
        """The extension with this OID, or None."""
        return find(self.extensions, oid)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        """BasicConstraints; None when there are none. Raises DerError when the value is broken."""
        found = self.extension(OID.BASIC_CONSTRAINTS)
        return read_basic_constraints(found) if found else None

    @property
    def is_ca(self) -> bool:
        """Whether BasicConstraints say CA. A certificate with a broken value is not a CA."""
        try:
            constraints = self.basic_constraints
        except der.DerError:
            return False
        return constraints is not None and constraints.ca

    @property
    def path_length(self) -> int | None:
        """How many CAs may follow this one; None for any number, or when this is not a CA."""
        constraints = self.basic_constraints if self.is_ca else None
        return constraints.path_length if constraints else None

    @property
    def key_identifier(self) -> bytes:
        """The SubjectKeyIdentifier, or SHA-1 of the key when it has none that can be read."""
        found = self.extension(OID.SUBJECT_KEY_IDENTIFIER)
        if found:
            try:
                return read_subject_key_identifier(found)
            except der.DerError:
                pass
        return key_identifier_of(self.spki)

    @property
    def authority_key_identifier(self) -> bytes | None:
        """The keyIdentifier of AuthorityKeyIdentifier, if any. Raises DerError when the value is broken."""
        found = self.extension(OID.AUTHORITY_KEY_IDENTIFIER)
        return read_authority_key_identifier(found) if found else None

    @property
    def san(self) -> tuple[GeneralName, ...]:
        """The subject alternative names. Raises DerError when the value is broken: no name is not a safe answer."""
        found = self.extension(OID.SUBJECT_ALTERNATIVE_NAME)
        return read_san(found) if found else ()

    @property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject are the same octets."""
        return self.issuer.der == self.subject.der

    @property
    def fingerprint_sha256(self) -> bytes:
        """SHA-256 of the whole certificate."""
        return hashlib.sha256(self.der).digest()


@lru_cache(_KEPT)
def _parsed_before(data: bytes) -> Certificate:
    return Certificate.parse_once(data)


def read_parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """To-be-signed part, AlgorithmIdentifier (both DER) and signature of a certificate (DER). Raises DerError."""
    tbs, algorithm, signature = der.expect(der.members(data, der.SEQUENCE), der.SEQUENCE, der.SEQUENCE, der.BIT_STRING)
    return tbs, algorithm, der.Reader(signature).octets()


def read_holder(data: bytes) -> tuple[datetime, datetime, Name]:
    """notBefore, notAfter and subject of a certificate (DER), four times as fast as all of it. Raises DerError.

    What comes behind the subject is not looked at: only for certificates that were parsed once.
    """
    inside = der.only(data, der.SEQUENCE).enter(der.SEQUENCE)
    if inside.peek() == _VERSION:
        _read_version(inside.raw())
    inside.integer()
    inside.raw(der.SEQUENCE)
    inside.raw(der.SEQUENCE)
    not_before, not_after = _read_validity(inside.raw(der.SEQUENCE))
    return not_before, not_after, Name.parse(inside.raw(der.SEQUENCE))


def _read_validity(data: bytes) -> tuple[datetime, datetime]:
    reader = der.only(data, der.SEQUENCE)
    not_before, not_after = reader.time(), reader.time()
    reader.end()
    return not_before, not_after


def _read_version(data: bytes) -> int:
    """The version as people count it. Version 1 is the default and must not be spelled out."""
    (number,) = der.expect(der.members(data, _VERSION), der.INTEGER)
    version = der.decode_integer(der.content(number, der.INTEGER)) + 1
    if version not in (2, 3):
        # The number is not told: it may have a million digits.
        raise der.DerError("a certificate of an unknown version")
    return version


@dataclass(frozen=True, slots=True)
class TbsCertificate:
    """The fields of a certificate before it is signed. `spki` is DER; times are aware."""

    serial: int
    algorithm: SignatureAlgorithm
    issuer: Name
    not_before: datetime
    not_after: datetime
    subject: Name
    spki: bytes
    extensions: Sequence[Extension]


def encode_tbs(fields: TbsCertificate) -> bytes:
    """The DER of the TBSCertificate, version 3. Raises DerError for what RFC 5280 forbids to encode.

    The serial must be positive and fit in 20 octets (section 4.1.2.2), and an OID may occur once.
    """
    serial = der.integer(fields.serial)
    if fields.serial <= 0 or len(serial) - 2 > _MAX_SERIAL_OCTETS:
        raise der.DerError("a serial number that is not positive or has more than 20 octets")
    parts = [
        _VERSION_3,
        serial,
        fields.algorithm.identifier,
        fields.issuer.der,
        der.sequence(der.time(fields.not_before), der.time(fields.not_after)),
        fields.subject.der,
        fields.spki,
    ]
    if fields.extensions:
        parts.append(der.explicit(3, encode_extensions(fields.extensions)))
    return der.sequence(*parts)


def assemble(tbs: bytes, algorithm: SignatureAlgorithm, signature: bytes) -> bytes:
    """The DER of the certificate from its signed part, the algorithm and the signature."""
    return der.sequence(tbs, algorithm.identifier, der.bit_string(signature))


def verify_signature(certificate: Certificate, issuer_spki: bytes) -> bool:
    """Whether the issuer's key (DER of its SubjectPublicKeyInfo) made the signature.

    The algorithm inside and outside of the signed part must be the same (RFC 5280 section 4.1.1.2),
    or an attacker could change the outer one. Unknown and weak algorithms: False.
    """
    if certificate.inner_algorithm_identifier != certificate.signature_algorithm_identifier:
        return False
    return public_keys.verify(
        issuer_spki, certificate.signature_algorithm_identifier, certificate.signature, certificate.tbs
    )
