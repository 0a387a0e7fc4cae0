"""Does this certificate certify that one? The link that every path is made of (RFC 5280 sections 6.1.3 and 6.1.4)."""

from greatseal.x509 import der, public_keys
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.extensions import OID, read_key_usage
from greatseal.x509.names import same_name
from greatseal.x509.path.model import Code

Fault = tuple[Code, str]
"""A code, and the rest of a sentence whose subject is the certificate that is at fault."""

_WEAK = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10040.4.3": "dsa-with-SHA1",
    "2.16.840.1.101.3.4.3.2": "dsa-with-SHA256",
}


def is_self_signed(certificate: Certificate) -> bool:
    """Whether the certificate names itself as issuer and its own key made the signature."""
    return same_name(certificate.issuer, certificate.subject) and verify_signature(certificate, certificate.spki)


def may_sign_certificates(issuer: Certificate) -> bool:
    """Whether KeyUsage is absent or has keyCertSign (RFC 5280 section 4.2.1.3); False when it is broken."""
    return allows_usage(issuer, "KeyCertSign")


def allows_usage(certificate: Certificate, *usages: str) -> bool:
    """Whether KeyUsage is absent or has one of these bits, spelled as in KEY_USAGES; False when it is broken."""
    usage = certificate.extension(OID.KEY_USAGE)
    try:
        return usage is None or not read_key_usage(usage).isdisjoint(usages)
    except der.DerError:
        return False


def issuer_fault(issuer: Certificate) -> Fault | None:
    """Why this certificate may not certify others; None when it may.

    A self-signed root of version 1 has no extensions to say so and counts as a CA (RFC 5280 section 6.1.4 (k)).
    """
    if not issuer.is_ca and not (issuer.version == 1 and is_self_signed(issuer)):
        return Code.NOT_A_CA, "is not the certificate of a CA"
    if not may_sign_certificates(issuer):
        return Code.KEY_USAGE, "has a key usage that does not allow signing certificates"
    return None


def name_fault(certificate: Certificate, issuer: Certificate) -> Fault | None:
    """Why the issuer that the certificate names is not this one (RFC 5280 section 7.1)."""
    if same_name(certificate.issuer, issuer.subject):
        return None
    return Code.ISSUER_NAME, f"names the issuer {certificate.issuer.display()!r} and not {issuer.subject.display()!r}"


def signature_fault(certificate: Certificate, issuer: Certificate) -> Fault | None:
    """Why the issuer's key is not taken for the one that signed the certificate."""
    if verify_signature(certificate, issuer.spki):
        return None
    identifier = certificate.signature_algorithm_identifier
    if certificate.inner_algorithm_identifier != identifier:
        return Code.SIGNATURE_ALGORITHM, "names two signature algorithms, one inside and one outside of what is signed"
    if not public_keys.accepts(identifier):
        return Code.SIGNATURE_ALGORITHM, f"is signed with {_algorithm(identifier)}, which is not accepted"
    return Code.SIGNATURE, f"has a signature that was not made by {issuer.subject.display()!r}"


def _algorithm(identifier: bytes) -> str:
    try:
        oid = der.only(identifier, der.SEQUENCE).oid()
    except der.DerError:
        return "an unreadable algorithm"
    return _WEAK.get(oid, f"the algorithm {oid}")
