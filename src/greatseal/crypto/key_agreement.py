"""Secrets that two parties share: ECDH and ML-KEM with KMS keys.

ECDH gives the raw x coordinate (NIST SP 800-56A section 5.7.1.2, kms.md 7). A ciphertext of ML-KEM that was altered
gives another secret and no error (FIPS 203 section 6.3); only its length can be wrong.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_specs import IncompatibleAlgorithm
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.opened import (
    MlKemPrivateKey,
    MlKemPublicKey,
    PrivateKeyHandle,
    PublicKeyHandle,
    open_public,
)


def derive_shared_secret(handle: PrivateKeyHandle, peer_spki: bytes) -> bytes:
    """The x coordinate, as long as the curve's field (32, 48 or 66 octets).

    Raises IncompatibleAlgorithm when the key does not agree on secrets, and UnusableKey unless the peer's key
    (SubjectPublicKeyInfo DER) is a point on the same curve.
    """
    key = handle.key
    if not handle.spec.key_agreement_algorithms or not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IncompatibleAlgorithm(f"Algorithm ECDH is incompatible with key spec {handle.spec.name}.")
    peer = open_public(handle.spec, peer_spki).key
    assert isinstance(peer, ec.EllipticCurvePublicKey)
    try:
        return key.exchange(ec.ECDH(), peer)
    except ValueError:
        raise UnusableKey("The public key cannot be used for a key agreement.") from None


def encapsulate(handle: PublicKeyHandle) -> tuple[bytes, bytes]:
    """A new shared secret of 32 octets, and its ciphertext. Raises IncompatibleAlgorithm."""
    if not isinstance(handle.key, MlKemPublicKey):
        raise IncompatibleAlgorithm(f"Algorithm ML_KEM is incompatible with key spec {handle.spec.name}.")
    return handle.key.encapsulate()


def decapsulate(handle: PrivateKeyHandle, ciphertext: bytes) -> bytes:
    """The shared secret of 32 octets. Raises IncompatibleAlgorithm, and InvalidCiphertext for a wrong length."""
    if not isinstance(handle.key, MlKemPrivateKey):
        raise IncompatibleAlgorithm(f"Algorithm ML_KEM is incompatible with key spec {handle.spec.name}.")
    try:
        return handle.key.decapsulate(ciphertext)
    except ValueError:
        raise InvalidCiphertext("the ciphertext is not as long as those of this key") from None
