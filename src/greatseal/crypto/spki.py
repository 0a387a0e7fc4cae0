"""SubjectPublicKeyInfo taken apart without OpenSSL, so that keys which OpenSSL refuses can still be judged.

OpenSSL answers "cannot read" for an even exponent or a point off its curve; whoever sent the key deserves
the reason. The structures are strict DER: RFC 5280 section 4.1, RFC 8017 appendix A.1.1.
"""

from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier


class MalformedSpki(ValueError):
    """Bytes that are not one DER SubjectPublicKeyInfo, or not the public key that their algorithm calls for."""


@asn1.sequence
class _Info:
    # The parameters are optional and of any type, which the decoder can say only as a list.
    algorithm: list[asn1.TLV]
    public_key: asn1.BitString


@asn1.sequence
class RsaPublicKey:
    """RFC 8017 appendix A.1.1: RSAPublicKey."""

    modulus: int
    exponent: int


@dataclass(frozen=True, slots=True)
class SubjectPublicKeyInfo:
    """RFC 5280 section 4.1: the algorithm's dotted OID, its parameters as DER or None, the key's octets."""

    oid: str
    parameters: bytes | None
    key_bytes: bytes


def parse_spki(spki: bytes) -> SubjectPublicKeyInfo:
    """Takes a SubjectPublicKeyInfo (DER) apart. Raises MalformedSpki, also for spare bits in the BIT STRING."""
    try:
        info = asn1.decode_der(_Info, spki)
        oid = info.algorithm[0].parse(ObjectIdentifier) if len(info.algorithm) in (1, 2) else None
    except ValueError:
        raise MalformedSpki("The public key is not a DER SubjectPublicKeyInfo.") from None
    # Every public key format in use is a whole number of octets (RFC 5480 section 2.2, RFC 8017 appendix A.1).
    if oid is None or info.public_key.padding_bits():
        raise MalformedSpki("The public key is not a DER SubjectPublicKeyInfo.")
    parameters = asn1.encode_der(info.algorithm[1]) if len(info.algorithm) == 2 else None
    return SubjectPublicKeyInfo(oid.dotted_string, parameters, info.public_key.as_bytes())


def parse_rsa(key_bytes: bytes) -> RsaPublicKey:
    """Takes an RSAPublicKey (DER) apart; the numbers may be nonsense. Raises MalformedSpki."""
    try:
        return asn1.decode_der(RsaPublicKey, key_bytes)
    except ValueError:
        raise MalformedSpki("The RSA public key is not DER.") from None
