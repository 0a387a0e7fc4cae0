"""COSE_Sign1 and COSE_Key as mobile documents use them (RFC 9052 section 4.2, RFC 9053 sections 2 and 7, RFC 9360).

Pure: a signature is made elsewhere over `to_be_signed`, which is the Sig_structure and not the payload.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x448, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from greatseal.crypto.cbor import CborError, Tagged, decode, encode

_ALG, _CRIT, X5CHAIN = 1, 2, 33
_SIGN1_TAG = 18
_KTY, _KEY_ALG, _CRV, _X, _Y, _D = 1, 3, -1, -2, -3, -4
_OKP, _EC2 = 1, 2


class CoseError(ValueError):
    """A COSE structure that is not acceptable; the message is the end of a sentence."""


class Algorithm(Enum):
    """The signature algorithms that ISO/IEC 18013-5 allows an issuer (9.1.2.4), by their COSE numbers."""

    ES256 = -7
    ES384 = -35
    ES512 = -36
    EDDSA = -8


_HASHES: dict[Algorithm, hashes.HashAlgorithm] = {
    Algorithm.ES256: hashes.SHA256(),
    Algorithm.ES384: hashes.SHA384(),
    Algorithm.ES512: hashes.SHA512(),
}
# ISO/IEC 18013-5 table 22: each hash goes with curves of its strength.
_BY_CURVE = {
    "secp256r1": Algorithm.ES256,
    "brainpoolP256r1": Algorithm.ES256,
    "secp384r1": Algorithm.ES384,
    "brainpoolP384r1": Algorithm.ES384,
    "secp521r1": Algorithm.ES512,
    "brainpoolP512r1": Algorithm.ES512,
}
# IANA "COSE Elliptic Curves".
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    1: ec.SECP256R1,
    2: ec.SECP384R1,
    3: ec.SECP521R1,
    256: ec.BrainpoolP256R1,
    258: ec.BrainpoolP384R1,
    259: ec.BrainpoolP512R1,
}
_CURVE_NUMBERS: dict[str, int] = {curve().name: number for number, curve in _CURVES.items()}
_Okp = x25519.X25519PublicKey | x448.X448PublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
_OKP_KEYS: dict[int, type[_Okp]] = {
    4: x25519.X25519PublicKey,
    5: x448.X448PublicKey,
    6: ed25519.Ed25519PublicKey,
    7: ed448.Ed448PublicKey,
}


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1. `protected` are the octets that were signed; `chain` is x5chain, the signer's certificate first."""

    protected: bytes = field(repr=False)
    algorithm: Algorithm
    chain: tuple[bytes, ...] = field(repr=False)
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def to_be_signed(self) -> bytes:
        """The Sig_structure of RFC 9052 section 4.4, without external data."""
        return to_be_signed(self.protected, self.payload)


def protected_header(algorithm: Algorithm) -> bytes:
    """The protected header with nothing but the algorithm."""
    return encode({_ALG: algorithm.value})


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The octets that the signature covers: Sig_structure with context Signature1 (RFC 9052 section 4.4)."""
    return encode(["Signature1", protected, b"", payload])


def sign1(algorithm: Algorithm, chain: tuple[bytes, ...], payload: bytes, signature: bytes) -> list[object]:
    """The untagged COSE_Sign1 as a value to be encoded; x5chain is unprotected, one certificate or a list (RFC 9360).

    `signature` is r and s side by side, or that of EdDSA.
    """
    certificates: object = chain[0] if len(chain) == 1 else list(chain)
    return [protected_header(algorithm), {X5CHAIN: certificates}, payload, signature]


def read_sign1(value: object) -> Sign1:
    """Takes a decoded COSE_Sign1 apart, tagged with 18 or not. Raises CoseError."""
    if isinstance(value, Tagged) and value.number == _SIGN1_TAG:
        value = value.value
    if not isinstance(value, list) or len(value) != 4:
        raise CoseError("the signature is not a COSE_Sign1 of four elements")
    protected, unprotected, payload, signature = value
    if not isinstance(protected, bytes) or not isinstance(unprotected, dict) or not isinstance(signature, bytes):
        raise CoseError("the elements of the COSE_Sign1 are of the wrong types")
    if not isinstance(payload, bytes):
        raise CoseError("the COSE_Sign1 carries no payload")
    try:
        headers = decode(protected) if protected else {}
    except CborError as error:
        raise CoseError(f"the protected header has {error}") from None
    if not isinstance(headers, dict):
        raise CoseError("the protected header is not a map")
    twice = headers.keys() & unprotected.keys()
    if twice:
        raise CoseError(f"header parameter {min(map(str, twice))[:40]} is both protected and unprotected")
    if _CRIT in headers or _CRIT in unprotected:
        raise CoseError("the COSE_Sign1 has critical header parameters that are not understood")
    return Sign1(protected, _algorithm(headers), _chain(headers, unprotected), payload, signature)


def _algorithm(headers: Mapping[object, object]) -> Algorithm:
    number = headers.get(_ALG)
    try:
        return Algorithm(number)
    except ValueError:
        raise CoseError(
            "the algorithm is not in the protected header"
            if number is None
            else f"the signature algorithm {str(number)[:40]} is none of ES256, ES384, ES512 and EdDSA"
        ) from None


def _chain(headers: Mapping[object, object], unprotected: Mapping[object, object]) -> tuple[bytes, ...]:
    # ISO/IEC 18013-5 9.1.2.4 has it unprotected; RFC 9360 allows both.
    found = unprotected.get(X5CHAIN, headers.get(X5CHAIN))
    certificates = [found] if isinstance(found, bytes) else found
    if not isinstance(certificates, list) or not certificates:
        raise CoseError("the x5chain is missing or empty")
    if not all(isinstance(each, bytes) for each in certificates):
        raise CoseError("the x5chain holds something else than certificates")
    return tuple(certificates)


def algorithm_for(spki: bytes) -> Algorithm:
    """The algorithm that goes with a public key (DER of its SubjectPublicKeyInfo). Raises CoseError."""
    key = _load(spki)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _BY_CURVE:
        return _BY_CURVE[key.curve.name]
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return Algorithm.EDDSA
    raise CoseError("a key of a kind that signs no mobile document")


def digest_for(algorithm: Algorithm, data: bytes) -> bytes | None:
    """The hash of `data` that ECDSA is applied to; None for EdDSA, which takes the data as it is."""
    if algorithm is Algorithm.EDDSA:
        return None
    digest = hashes.Hash(_HASHES[algorithm])
    digest.update(data)
    return digest.finalize()


def raw_signature(spki: bytes, signature: bytes) -> bytes:
    """The two numbers of ECDSA side by side, each as long as the curve's field, from their DER (RFC 9053 section 2.1).

    A signature of EdDSA is returned as it is. Raises CoseError.
    """
    key = _load(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return signature
    size = _coordinate_size(key.curve)
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError):
        raise CoseError("an ECDSA signature that is not the DER of two numbers of the curve") from None


def verify(sign: Sign1, spki: bytes) -> bool:
    """Whether the key in `spki` (DER) made this signature.

    Raises CoseError when algorithm and key do not go together.
    """
    if algorithm_for(spki) is not sign.algorithm:
        raise CoseError(f"the signature algorithm {sign.algorithm.name} does not go with the signer's key")
    key = _load(spki)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            size = _coordinate_size(key.curve)
            if len(sign.signature) != 2 * size:
                return False
            r, s = (int.from_bytes(sign.signature[at : at + size], "big") for at in (0, size))
            key.verify(encode_dss_signature(r, s), sign.to_be_signed, ec.ECDSA(_HASHES[sign.algorithm]))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(sign.signature, sign.to_be_signed)
    except InvalidSignature:
        return False
    return True


def cose_key(spki: bytes) -> dict[int, object]:
    """The COSE_Key, EC2 or OKP, of a public key (DER of its SubjectPublicKeyInfo; RFC 9053 section 7).

    Raises CoseError.
    """
    key = _load(spki)
    if isinstance(key, ec.EllipticCurvePublicKey):
        number = _CURVE_NUMBERS.get(key.curve.name)
        if number is None:
            raise CoseError(f"the curve {key.curve.name} has no number in COSE")
        size, point = (key.curve.key_size + 7) // 8, key.public_numbers()
        return {_KTY: _EC2, _CRV: number, _X: point.x.to_bytes(size, "big"), _Y: point.y.to_bytes(size, "big")}
    for number, kind in _OKP_KEYS.items():
        if isinstance(key, kind):
            return {_KTY: _OKP, _CRV: number, _X: key.public_bytes_raw()}
    raise CoseError("a key of a kind that no device has")


def read_cose_key(value: object) -> bytes:
    """The DER of the SubjectPublicKeyInfo of a decoded COSE_Key. Raises CoseError, also when it holds a private key."""
    if not isinstance(value, dict):
        raise CoseError("the COSE_Key is not a map")
    if _D in value:
        raise CoseError("the COSE_Key holds a private key")
    x, curve = value.get(_X), value.get(_CRV)
    try:
        if value.get(_KTY) == _EC2 and isinstance(x, bytes) and isinstance(curve, int) and curve in _CURVES:
            return _encode(_point(_CURVES[curve](), x, value.get(_Y)))
        if value.get(_KTY) == _OKP and isinstance(x, bytes) and isinstance(curve, int) and curve in _OKP_KEYS:
            return _encode(_OKP_KEYS[curve].from_public_bytes(x))
    except ValueError:
        raise CoseError("the COSE_Key is not a point of its curve") from None
    raise CoseError("the COSE_Key is of no kind that ISO/IEC 18013-5 table 22 allows")


def _point(curve: ec.EllipticCurve, x: bytes, y: object) -> ec.EllipticCurvePublicKey:
    size = (curve.key_size + 7) // 8
    if len(x) != size:
        raise ValueError
    if isinstance(y, bool):
        # Compressed: the sign bit of y (RFC 9053 section 7.1.1).
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, (b"\x03" if y else b"\x02") + x)
    if not isinstance(y, bytes) or len(y) != size:
        raise ValueError
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)


def _encode(key: ec.EllipticCurvePublicKey | _Okp) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _coordinate_size(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


# The signer of many documents is the same, and reading a key takes half as long as using it.
@lru_cache(maxsize=256)
def _load(spki: bytes) -> object:
    try:
        return serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise CoseError("a public key that cannot be read") from None
