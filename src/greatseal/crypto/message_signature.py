"""Sign and verify messages with KMS keys: every signing algorithm and message type of kms.md sections 3 and 4.

RSASSA-PSS has MGF1 with the same hash and a salt as long as the hash; ECDSA signatures are the DER of r and s;
ML-DSA is the pure form with an empty context, hedged (FIPS 204).
"""

import hashlib
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from greatseal.crypto import ed25519ph
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec
from greatseal.crypto.opened import (
    MlDsaPrivateKey,
    MlDsaPublicKey,
    PrivateKeyHandle,
    PublicKeyHandle,
)

MU_SIZE = 64
"""Octets of the message representative of ML-DSA (FIPS 204 section 6.2)."""

_ED25519, _ED25519_PH, _ML_DSA = "ED25519_SHA_512", "ED25519_PH_SHA_512", "ML_DSA_SHAKE_256"

# The values of these tables hold no state, so one of each serves all signatures.
_SHA2 = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    name: _SHA2[name.rpartition("_")[2]] for spec in KeySpec for name in spec.signing_algorithms if name != _ML_DSA
}
_PREHASHED = {name: Prehashed(digest) for name, digest in _HASHES.items()}
_ECDSA = {name: ec.ECDSA(digest) for name, digest in _PREHASHED.items()}
_PADDINGS: dict[str, padding.AsymmetricPadding] = {
    name: padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    if "_PSS_" in name
    else padding.PKCS1v15()
    for name, digest in _HASHES.items()
}


class MessageType(Enum):
    """What the message of a request is."""

    RAW = "RAW"
    DIGEST = "DIGEST"
    EXTERNAL_MU = "EXTERNAL_MU"


class WrongMessageType(ValueError):
    """A message type that the signing algorithm does not take."""


class WrongDigestLength(ValueError):
    """A digest, or a message representative of ML-DSA, that is not as long as the algorithm's."""


def sign_with(handle: PrivateKeyHandle, algorithm: str, message: bytes, message_type: MessageType) -> bytes:
    """The signature. Raises IncompatibleAlgorithm, WrongMessageType and WrongDigestLength."""
    key = handle.key
    signed = _prepared_for(handle.spec, algorithm, message, message_type)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, _PADDINGS[algorithm], _PREHASHED[algorithm])
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(signed, _ECDSA[algorithm])
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return ed25519ph.sign(key, message) if algorithm == _ED25519_PH else key.sign(message)
    assert isinstance(key, MlDsaPrivateKey)
    return key.sign_mu(message) if message_type is MessageType.EXTERNAL_MU else key.sign(message)


def verify_with(
    handle: PublicKeyHandle, algorithm: str, message: bytes, message_type: MessageType, signature: bytes
) -> bool:
    """Whether the signature is good; False for any octets that are none. Raises as `sign_with`."""
    key = handle.key
    signed = _prepared_for(handle.spec, algorithm, message, message_type)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, _PADDINGS[algorithm], _PREHASHED[algorithm])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, _ECDSA[algorithm])
        elif isinstance(key, MlDsaPublicKey):
            verifying = key.verify_mu if message_type is MessageType.EXTERNAL_MU else key.verify
            verifying(signature, message)
        else:
            assert isinstance(key, ed25519.Ed25519PublicKey)
            if algorithm == _ED25519_PH:
                return ed25519ph.verify(key, message, signature)
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def prepared(algorithm: str, message: bytes, message_type: MessageType) -> bytes:
    """What the private key is applied to: the digest for RSA, ECDSA and Ed25519ph, else the message itself.

    For signers in hardware, which take a digest. Raises IncompatibleAlgorithm for what is no signing algorithm, and
    as `sign_with`.
    """
    if algorithm == _ML_DSA:
        if message_type is MessageType.DIGEST:
            raise WrongMessageType(f"The message type DIGEST cannot be used with {algorithm}.")
        if message_type is MessageType.EXTERNAL_MU and len(message) != MU_SIZE:
            raise WrongDigestLength(f"Digest is invalid length for algorithm {algorithm}.")
        return message
    wanted = {_ED25519: MessageType.RAW, _ED25519_PH: MessageType.DIGEST}.get(algorithm)
    if message_type is MessageType.EXTERNAL_MU or wanted not in (None, message_type):
        raise WrongMessageType(f"The message type {message_type.value} cannot be used with {algorithm}.")
    if algorithm == _ED25519:
        return message
    digest = _hash(algorithm)
    if message_type is MessageType.DIGEST:
        if len(message) != digest.digest_size:
            raise WrongDigestLength(f"Digest is invalid length for algorithm {algorithm}.")
        # Ed25519ph hashes what it is given again (kms.md 4).
        return hashlib.sha512(message).digest() if algorithm == _ED25519_PH else message
    return hashlib.new(digest.name, message).digest()


def message_representative(handle: PublicKeyHandle, message: bytes) -> bytes:
    """The mu of ML-DSA for a message and an empty context: 64 octets (FIPS 204 algorithm 2 and section 6.2).

    Raises IncompatibleAlgorithm for keys of another kind.
    """
    if not isinstance(handle.key, MlDsaPublicKey):
        raise IncompatibleAlgorithm(f"Algorithm {_ML_DSA} is incompatible with key spec {handle.spec.name}.")
    tr = hashlib.shake_256(handle.key.public_bytes_raw()).digest(64)
    # The octets between are: the pure form, and the length of the context.
    return hashlib.shake_256(tr + b"\x00\x00" + message).digest(MU_SIZE)


def _prepared_for(spec: KeySpec, algorithm: str, message: bytes, message_type: MessageType) -> bytes:
    if algorithm not in spec.signing_algorithms:
        raise IncompatibleAlgorithm(f"Algorithm {algorithm} is incompatible with key spec {spec.name}.")
    return prepared(algorithm, message, message_type)


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    try:
        return _HASHES[algorithm]
    except KeyError:
        raise IncompatibleAlgorithm(f"{algorithm} is not a signing algorithm.") from None
