"""Builders of extensions. Each raises DerError when its arguments cannot be encoded."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from greatseal.x509 import der
from greatseal.x509.extensions.model import OID, Extension
from greatseal.x509.extensions.read import KEY_USAGES, AccessDescription
from greatseal.x509.general_names import GeneralName, encode_general_names


def basic_constraints(ca: bool, path_length: int | None = None, critical: bool = True) -> Extension:
    """BasicConstraints; of an end entity it is an empty SEQUENCE (acm-pca.md 6.4)."""
    parts = [der.boolean(True)] if ca else []
    if path_length is not None:
        if not ca or path_length < 0:
            raise der.DerError("a path length that is negative or not of a CA (RFC 5280 section 4.2.1.9)")
        parts.append(der.integer(path_length))
    return Extension(OID.BASIC_CONSTRAINTS, critical, der.sequence(*parts))


def key_usage(names: Iterable[str], critical: bool = True) -> Extension:
    """KeyUsage from names of KEY_USAGES, as a named bit list without trailing zeros (X.690 section 11.2.2)."""
    wanted = set(names)
    if not wanted <= set(KEY_USAGES):
        raise der.DerError(f"no key usage is named {sorted(wanted - set(KEY_USAGES))[0]!r}")
    bits = sum(1 << (15 - bit) for bit, name in enumerate(KEY_USAGES) if name in wanted)
    size = 0 if not bits else (1 if not bits & 0xFF else 2)
    content = bits.to_bytes(2, "big")[:size]
    unused = (content[-1] & -content[-1]).bit_length() - 1 if content else 0
    return Extension(OID.KEY_USAGE, critical, der.bit_string(content, unused))


def extended_key_usage(oids: Iterable[str], critical: bool = False) -> Extension:
    """ExtendedKeyUsage with the purposes in the given order; at least one."""
    purposes = [der.oid(oid) for oid in oids]
    if not purposes:
        raise der.DerError("an extended key usage without a purpose")
    return Extension(OID.EXTENDED_KEY_USAGE, critical, der.sequence(*purposes))


# For the certificate, and by the lint that judges it.
@lru_cache(256)
def key_identifier_of(spki: bytes) -> bytes:
    """SHA-1 of the subjectPublicKey bits: method 1 of RFC 5280 section 4.2.1.2, 20 octets."""
    _, bits = der.expect(der.members(spki, der.SEQUENCE), der.SEQUENCE, der.BIT_STRING)
    key = der.Reader(bits).octets()
    # A name, not a protection: nothing depends on collisions being hard.
    return hashlib.sha1(key, usedforsecurity=False).digest()


def subject_key_identifier(spki: bytes) -> Extension:
    """SubjectKeyIdentifier of a SubjectPublicKeyInfo (DER)."""
    return Extension(OID.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(key_identifier_of(spki)))


def authority_key_identifier(key_id: bytes) -> Extension:
    """AuthorityKeyIdentifier with the keyIdentifier only (acm-pca.md 6.4)."""
    return Extension(OID.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.tlv(0x80, key_id)))


def subject_alternative_name(names: Sequence[GeneralName], critical: bool = False) -> Extension:
    """SubjectAltName; at least one name."""
    return Extension(OID.SUBJECT_ALTERNATIVE_NAME, critical, encode_general_names(names))


def crl_distribution_points(url: str) -> Extension:
    """CRLDistributionPoints with one point: the full name is one URI."""
    uri = GeneralName("uri", url).encode()
    point = der.sequence(der.explicit(0, der.explicit(0, uri)))
    return Extension(OID.CRL_DISTRIBUTION_POINTS, False, der.sequence(point))


def authority_information_access(ocsp_url: str | None, issuers_url: str | None = None) -> Extension:
    """AuthorityInfoAccess with an OCSP responder, the issuer's certificate, or both (RFC 5280 section 4.2.2.1)."""
    given = ((OID.ACCESS_OCSP, ocsp_url), (OID.ACCESS_CA_ISSUERS, issuers_url))
    entries = [AccessDescription(method, GeneralName("uri", url)) for method, url in given if url is not None]
    return Extension(OID.AUTHORITY_INFORMATION_ACCESS, False, _access(entries))


def subject_information_access(entries: Sequence[AccessDescription]) -> Extension:
    """SubjectInfoAccess; at least one entry."""
    return Extension(OID.SUBJECT_INFORMATION_ACCESS, False, _access(entries))


def _access(entries: Sequence[AccessDescription]) -> bytes:
    if not entries:
        raise der.DerError("an information access extension without an entry")
    return der.sequence(*(der.sequence(der.oid(entry.method), entry.location.encode()) for entry in entries))


def certificate_policies(policies: Sequence[tuple[str, Sequence[str]]], critical: bool = False) -> Extension:
    """CertificatePolicies from (policy OID, CPS URIs); a policy may occur once (RFC 5280 section 4.2.1.4)."""
    if not policies or len({oid for oid, _ in policies}) != len(policies):
        raise der.DerError("certificate policies must be given, each once")
    encoded: list[bytes] = []
    for oid, uris in policies:
        qualifiers = [der.sequence(der.oid(OID.CPS), der.ia5(uri)) for uri in uris]
        encoded.append(der.sequence(der.oid(oid), *([der.sequence(*qualifiers)] if qualifiers else [])))
    return Extension(OID.CERTIFICATE_POLICIES, critical, der.sequence(*encoded))


def name_constraints(
    permitted: Sequence[GeneralName], excluded: Sequence[GeneralName], critical: bool = True
) -> Extension:
    """NameConstraints; bases as in `NameConstraints`, minimum 0 and therefore not written."""
    parts = [
        der.tlv(tag, b"".join(der.sequence(base.encode()) for base in bases))
        for tag, bases in ((0xA0, permitted), (0xA1, excluded))
        if bases
    ]
    if not parts:
        raise der.DerError("name constraints without a subtree")
    return Extension(OID.NAME_CONSTRAINTS, critical, der.sequence(*parts))
