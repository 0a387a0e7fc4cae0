"""Rules for certificates of the trust services (Baseline Requirements for TLS server certificates, section 7.1).

They hold for subscribers and for the CAs above them that are not self-signed, when the profile is `public`. Which names
are public is the policy's to say; here they are judged by their form.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.x509 import der, public_keys
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.extensions import (
    OID,
    Extension,
    read_certificate_policies,
    read_crl_urls,
    read_extended_key_usage,
    read_information_access,
    read_key_usage,
)
from greatseal.x509.lint.hostnames import flaw_of_host, is_reserved_label
from greatseal.x509.lint.model import Draft, Rule, error
from greatseal.x509.validity import public_limit

_Value = TypeVar("_Value")

_RESERVED_POLICIES = {f"2.23.140.1.2.{number}" for number in (1, 2, 3)} | {"2.23.140.1.1"}
_LEAF_ONLY = {OID.CT_POISON, OID.CT_SCTS, OID.SUBJECT_ALTERNATIVE_NAME}
_KNOWN = {
    OID.AUTHORITY_INFORMATION_ACCESS,
    OID.AUTHORITY_KEY_IDENTIFIER,
    OID.BASIC_CONSTRAINTS,
    OID.CERTIFICATE_POLICIES,
    OID.CRL_DISTRIBUTION_POINTS,
    OID.EXTENDED_KEY_USAGE,
    OID.KEY_USAGE,
    OID.NAME_CONSTRAINTS,
    OID.SUBJECT_KEY_IDENTIFIER,
}
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_ENTROPY_BITS = 64


def _read(draft: Draft, oid: str, reader: Callable[[Extension], _Value]) -> _Value | None:
    """The value of an extension; None when it is absent, or broken, which `values` reports."""
    found = draft.extension(oid)
    try:
        return reader(found) if found else None
    except der.DerError:
        return None


def _of(leaf: bool, check: Callable[[Draft], Iterator[str]]) -> Callable[[Draft], Iterator[str]]:
    """The check, for public certificates of subscribers (`leaf`) or of CAs only."""

    def checked(draft: Draft) -> Iterator[str]:
        if draft.profile.public and draft.profile.ca is not leaf:
            yield from check(draft)

    return checked


def _of_all(check: Callable[[Draft], Iterator[str]]) -> Callable[[Draft], Iterator[str]]:
    def checked(draft: Draft) -> Iterator[str]:
        if draft.profile.public:
            yield from check(draft)

    return checked


def _serial(draft: Draft) -> Iterator[str]:
    if draft.certificate.serial.bit_length() <= _ENTROPY_BITS:
        yield "The serial number is too short to hold 64 bits of randomness."


def _signature(draft: Draft) -> Iterator[str]:
    row = signature_algorithm_of(draft.certificate.inner_algorithm_identifier)
    if row is None or row.family not in ("RSA", "EC"):
        yield "The certificate is signed neither with RSA nor with ECDSA."


def _key(draft: Draft) -> Iterator[str]:
    try:
        key = public_keys.load_subject_key(draft.certificate.spki)
    except der.DerError:
        return
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048 or key.key_size % 8:
            yield f"An RSA key of {key.key_size} bits is too short, or its length is no multiple of 8."
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        yield "The public key is neither RSA nor on P-256, P-384 or P-521."


def _extensions(draft: Draft) -> Iterator[str]:
    allowed = _KNOWN | (set() if draft.profile.ca else _LEAF_ONLY)
    for extension in draft.certificate.extensions:
        if extension.oid not in allowed:
            yield f"Extension {extension.oid} does not belong into a public certificate."
    present = {extension.oid for extension in draft.certificate.extensions}
    if {OID.CT_POISON, OID.CT_SCTS} <= present:
        yield "A precertificate has no timestamps of logs."


def _constraints_critical(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.BASIC_CONSTRAINTS)
    if found is not None and not found.critical:
        yield "The basic constraints are not critical."


def _usage_critical(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.KEY_USAGE)
    if found is None or not found.critical:
        yield "The key usage is missing or not critical."


def _addresses(draft: Draft) -> Iterator[str]:
    entries = _read(draft, OID.AUTHORITY_INFORMATION_ACCESS, read_information_access) or ()
    for method, what in ((OID.ACCESS_OCSP, "OCSP responder"), (OID.ACCESS_CA_ISSUERS, "issuer's certificate")):
        urls = [entry.location.text for entry in entries if entry.method == method and entry.location.kind == "uri"]
        if not urls:
            yield f"The certificate does not say where the {what} is."
        elif not all(url.startswith("http://") for url in urls):
            yield f"The address of the {what} is not plain HTTP."
    if any(entry.method not in (OID.ACCESS_OCSP, OID.ACCESS_CA_ISSUERS) for entry in entries):
        yield "The authority information access has a method that public certificates do not have."


def _lists(draft: Draft) -> Iterator[str]:
    found = draft.extension(OID.CRL_DISTRIBUTION_POINTS)
    urls = _read(draft, OID.CRL_DISTRIBUTION_POINTS, read_crl_urls)
    if found is None or (urls is not None and not urls):
        yield "The certificate has no address of a CRL."
    elif urls is not None and not all(url.startswith("http://") for url in urls):
        yield "The address of the CRL is not plain HTTP."
    if found is not None and found.critical:
        yield "The CRL distribution points are critical."


def _policies(draft: Draft) -> Iterator[str]:
    found = _read(draft, OID.CERTIFICATE_POLICIES, read_certificate_policies)
    if not found:
        yield "The certificate policies are missing."
        return
    oids = {policy.oid for policy in found}
    if not draft.profile.ca:
        if len(oids & _RESERVED_POLICIES) != 1:
            yield "Not exactly one of the reserved policies is named."
        if OID.ANY_POLICY in oids:
            yield "The policy of a subscriber is anyPolicy."
    elif OID.ANY_POLICY in oids and len(oids) > 1:
        yield "anyPolicy stands beside other policies."
    elif not oids & (_RESERVED_POLICIES | {OID.ANY_POLICY}):
        yield "None of the reserved policies is named."


def _lifetime(draft: Draft) -> Iterator[str]:
    certificate = draft.certificate
    limit = public_limit(certificate.not_before)
    # Both ends belong to the validity period.
    if certificate.not_after - certificate.not_before + timedelta(seconds=1) > limit:
        yield f"The certificate lives longer than {limit.days} days."


def _names(draft: Draft) -> Iterator[str]:
    if not draft.san:
        yield "There are no subject alternative names."
    for name in draft.san:
        if name.kind != "dns":
            yield f"A public certificate names hosts, and no {name.kind}."
            continue
        host = name.text
        if flaw := flaw_of_host(host, wildcard=True):
            yield f"The dNSName {host!r} {flaw}."
        elif "_" in host or any(is_reserved_label(label) for label in host.split(".")):
            yield f"The dNSName {host!r} has an underscore, or hyphens in the third and fourth place of a label."
        elif "." not in host.removeprefix("*."):
            yield f"The dNSName {host!r} is a single label."


def _subject(draft: Draft) -> Iterator[str]:
    attributes = draft.certificate.subject.attributes
    if any(attribute.oid != COMMON_NAME for attribute in attributes) or len(attributes) > 1:
        yield "The subject has more than a common name."
    hosts = {name.text.lower() for name in draft.san if name.kind == "dns"}
    for common_name in draft.certificate.subject.common_names:
        if common_name.lower() not in hosts:
            yield f"The common name {common_name!r} is not among the subject alternative names."


def _leaf_usages(draft: Draft) -> Iterator[str]:
    usages = _read(draft, OID.KEY_USAGE, read_key_usage) or frozenset()
    try:
        is_rsa = public_keys.spki_algorithm(draft.certificate.spki) == public_keys.RSA_ENCRYPTION
    except der.DerError:
        return
    if not usages <= ({"DigitalSignature", "KeyEncipherment"} if is_rsa else {"DigitalSignature"}):
        yield "The key usage has bits that do not fit the key of a server."
    if "DigitalSignature" not in usages:
        yield "The key usage lacks digitalSignature."


def _leaf_purposes(draft: Draft) -> Iterator[str]:
    purposes = set(_read(draft, OID.EXTENDED_KEY_USAGE, read_extended_key_usage) or ())
    if OID.SERVER_AUTH not in purposes:
        yield "The extended key usage lacks serverAuth."
    if purposes - {OID.SERVER_AUTH, OID.CLIENT_AUTH}:
        yield "The extended key usage has purposes that a server does not have."


def _issuer_purposes(draft: Draft) -> Iterator[str]:
    purposes = _read(draft, OID.EXTENDED_KEY_USAGE, read_extended_key_usage)
    # A root of the same operator may be cross-signed without any (section 7.1.2.2.4).
    if purposes is not None and set(purposes) - {OID.SERVER_AUTH, OID.CLIENT_AUTH}:
        yield "The extended key usage has purposes that a CA for servers does not have."


def _issuer_usages(draft: Draft) -> Iterator[str]:
    usages = _read(draft, OID.KEY_USAGE, read_key_usage) or frozenset()
    if not {"KeyCertSign", "CRLSign"} <= usages <= {"KeyCertSign", "CRLSign", "DigitalSignature"}:
        yield "The key usage is not keyCertSign and cRLSign, with or without digitalSignature."


RULES: tuple[Rule[Draft], ...] = (
    error("public-serial", "BR section 7.1.2.7; BR section 7.1", _of_all(_serial)),
    error("public-signature", "BR section 7.1.3.2", _of_all(_signature)),
    error("public-key-kind", "BR section 6.1.5", _of_all(_key)),
    error("public-extensions", "BR sections 7.1.2.7.6 and 7.1.2.6.1", _of_all(_extensions)),
    error("public-constraints-critical", "BR sections 7.1.2.7.8 and 7.1.2.10.4", _of_all(_constraints_critical)),
    error("public-usage-critical", "BR sections 7.1.2.7.11 and 7.1.2.10.7", _of_all(_usage_critical)),
    error("public-addresses", "BR sections 7.1.2.7.7 and 7.1.2.10.3", _of_all(_addresses)),
    error("public-lists", "BR section 7.1.2.11.2", _of_all(_lists)),
    error("public-policies", "BR sections 7.1.2.7.9 and 7.1.2.10.5", _of_all(_policies)),
    error("public-validity", "BR section 6.3.2", _of(True, _lifetime)),
    error("public-names", "BR section 7.1.2.7.12", _of(True, _names)),
    error("public-subject", "BR sections 7.1.2.7.2 and 7.1.4.3", _of(True, _subject)),
    error("public-usages", "BR section 7.1.2.7.11; RFC 8813 section 3", _of(True, _leaf_usages)),
    error("public-purposes", "BR section 7.1.2.7.10", _of(True, _leaf_purposes)),
    error("public-ca-purposes", "BR section 7.1.2.10.6", _of(False, _issuer_purposes)),
    error("public-ca-usages", "BR section 7.1.2.10.7", _of(False, _issuer_usages)),
)
