"""RSAES-OAEP with RSA KMS keys: MGF1 with the same hash, and no label (kms.md 3 and 6, RFC 8017 section 7.1)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_specs import IncompatibleAlgorithm
from greatseal.crypto.opened import PrivateKeyHandle, PublicKeyHandle

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1,
    "RSAES_OAEP_SHA_256": hashes.SHA256,
}


class PlaintextTooLong(ValueError):
    """More octets than OAEP with this modulus and hash can carry; `limit` is the most."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit} octets can be encrypted")
        self.limit = limit


def encrypt(handle: PublicKeyHandle, algorithm: str, plaintext: bytes) -> bytes:
    """The ciphertext, as long as the modulus. Raises IncompatibleAlgorithm and PlaintextTooLong."""
    limit = handle.spec.oaep_limit(algorithm)
    if len(plaintext) > limit:
        raise PlaintextTooLong(limit)
    assert isinstance(handle.key, rsa.RSAPublicKey)
    return handle.key.encrypt(plaintext, _oaep(algorithm))


def decrypt(handle: PrivateKeyHandle, algorithm: str, ciphertext: bytes) -> bytes:
    """The plaintext. Raises IncompatibleAlgorithm, and InvalidCiphertext without telling what is wrong."""
    key = handle.key
    if algorithm not in handle.spec.encryption_algorithms or not isinstance(key, rsa.RSAPrivateKey):
        raise IncompatibleAlgorithm(f"Algorithm {algorithm} is incompatible with key spec {handle.spec.name}.")
    try:
        return key.decrypt(ciphertext, _oaep(algorithm))
    except ValueError:
        raise InvalidCiphertext("the ciphertext does not decrypt with this key") from None


def _oaep(algorithm: str) -> padding.OAEP:
    digest = _HASHES[algorithm]()
    return padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
