"""Between what PKCS#11 tokens speak and what X.509 carries (PKCS#11 3.1 sections 6.1.6, 6.3.3, 6.3.12)."""

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import UnusableKey, encode_public

_CURVES: dict[KeyAlgorithm, tuple[type[ec.EllipticCurve], bytes]] = {
    # The second value is the DER of the curve's object identifier: CKA_EC_PARAMS (RFC 5480 section 2.1.1.1).
    KeyAlgorithm.EC_prime256v1: (ec.SECP256R1, bytes.fromhex("06082a8648ce3d030107")),
    KeyAlgorithm.EC_secp384r1: (ec.SECP384R1, bytes.fromhex("06052b81040022")),
    KeyAlgorithm.EC_secp521r1: (ec.SECP521R1, bytes.fromhex("06052b81040023")),
}
# Everything of a DigestInfo before the hash itself (RFC 8017 section 9.2, note 1).
_DIGEST_INFO = {
    "SHA256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "SHA384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "SHA512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def curve_parameters(algorithm: KeyAlgorithm) -> bytes:
    """CKA_EC_PARAMS of a named curve. Raises KeyError for what is not a curve."""
    return _CURVES[algorithm][1]


def rsa_spki(modulus: bytes, exponent: bytes) -> bytes:
    """The SubjectPublicKeyInfo (DER) of CKA_MODULUS and CKA_PUBLIC_EXPONENT. Raises UnusableKey."""
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        return encode_public(numbers.public_key())
    except ValueError:
        raise UnusableKey("The token's RSA key cannot be read.") from None


def ec_spki(algorithm: KeyAlgorithm, point: bytes) -> bytes:
    """The SubjectPublicKeyInfo (DER) of CKA_EC_POINT, which tokens give with or without an OCTET STRING around it."""
    size = 1 + 2 * ((algorithm.size + 7) // 8)
    try:
        # An uncompressed point has a length of its own; whatever comes before it is the wrapping.
        return encode_public(ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[algorithm][0](), point[-size:]))
    except ValueError:
        raise UnusableKey("The token's EC key cannot be read.") from None


def digest_info(digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """What CKM_RSA_PKCS signs for a hash."""
    assert algorithm.value.hash is not None
    return _DIGEST_INFO[algorithm.value.hash] + digest


def ecdsa_input(digest: bytes, size: int) -> bytes:
    """What CKM_ECDSA signs for a hash: no more of it than the curve of `size` bits has room for (FIPS 186-5, 6.4.1).

    Every curve of the table that is smaller than a hash has whole octets.
    """
    return digest[: (size + 7) // 8]


def ecdsa_signature(raw: bytes) -> bytes:
    """The DER of a signature that a token gives as r and s of equal length, one after the other."""
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
