"""What a certificate may be used for, in ACM's words (acm.md section 3)."""

from collections.abc import Sequence

from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, read_extended_key_usage, read_key_usage

KEY_USAGES = {
    "DigitalSignature": "DIGITAL_SIGNATURE",
    "NonRepudiation": "NON_REPUDIATION",
    "KeyEncipherment": "KEY_ENCIPHERMENT",
    "DataEncipherment": "DATA_ENCIPHERMENT",
    "KeyAgreement": "KEY_AGREEMENT",
    "KeyCertSign": "CERTIFICATE_SIGNING",
    "CRLSign": "CRL_SIGNING",
    "EncipherOnly": "ENCIPHER_ONLY",
    "DecipherOnly": "DECIPHER_ONLY",
}

EXTENDED_KEY_USAGES = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING",
    "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.5": "IPSEC_END_SYSTEM",
    "1.3.6.1.5.5.7.3.6": "IPSEC_TUNNEL",
    "1.3.6.1.5.5.7.3.7": "IPSEC_USER",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING",
    "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING",
    "2.5.29.37.0": "ANY",
}


def key_usages(certificate: Certificate) -> tuple[str, ...]:
    """The key usages, in the order of the extension's bits; ANY without the extension (acm.md 5.1)."""
    extension = certificate.extension(OID.KEY_USAGE)
    if extension is None:
        return ("ANY",)
    present = read_key_usage(extension)
    return tuple(name for bit, name in KEY_USAGES.items() if bit in present)


def extended_key_usages(certificate: Certificate) -> tuple[tuple[str, str | None], ...]:
    """(name, OID) of each purpose; NONE without the extension, CUSTOM for purposes that ACM has no name for."""
    extension = certificate.extension(OID.EXTENDED_KEY_USAGE)
    if extension is None:
        return (("NONE", None),)
    return tuple((EXTENDED_KEY_USAGES.get(oid, "CUSTOM"), oid) for oid in read_extended_key_usage(extension))


def missing(old: Sequence[str], new: Sequence[str], *, may_go: frozenset[str]) -> list[str]:
    """What a reimported certificate lacks of what the current one has (acm.md 10.5)."""
    return [name for name in old if name not in new and name not in may_go]
