"""Key pairs: generate, load, name, and encode them.

A private key travels between strata as unencrypted PKCS#8 DER inside a `Secret`; a public key as the
DER of its SubjectPublicKeyInfo. The classes of `cryptography` do not leave this package and `x509`.
"""

from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.kernel.secret import Secret

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | mldsa.MLDSA44PrivateKey
    | mldsa.MLDSA65PrivateKey
    | mldsa.MLDSA87PrivateKey
)
PublicKey = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
}
_MLDSA_GENERATE: dict[int, Callable[[], PrivateKey]] = {
    44: mldsa.MLDSA44PrivateKey.generate,
    65: mldsa.MLDSA65PrivateKey.generate,
    87: mldsa.MLDSA87PrivateKey.generate,
}
_MLDSA_PUBLIC: dict[int, type[PublicKey]] = {
    44: mldsa.MLDSA44PublicKey,
    65: mldsa.MLDSA65PublicKey,
    87: mldsa.MLDSA87PublicKey,
}
_BY_SIZE: dict[tuple[str, int], KeyAlgorithm] = {(row.family, row.size): row for row in KeyAlgorithm}
_BY_CURVE = {row.value.curve: row for row in KeyAlgorithm if row.value.curve}


class UnusableKey(ValueError):
    """Bytes that are not a key of a kind that Greatseal handles."""


def generate(algorithm: KeyAlgorithm) -> Secret:
    """A new private key as PKCS#8 DER. RSA keys take up to a second; callers that cannot wait use the pool."""
    key: PrivateKey
    if algorithm.family == "RSA":
        key = rsa.generate_private_key(public_exponent=65537, key_size=algorithm.size)
    elif algorithm.value.curve:
        key = ec.generate_private_key(_CURVES[algorithm.value.curve]())
    else:
        key = _MLDSA_GENERATE[algorithm.size]()
    return encode_private(key)


def encode_private(key: PrivateKey) -> Secret:
    """PKCS#8 DER without encryption. ML-DSA keys are kept as their seed (RFC 9881 section 6)."""
    return Secret(
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def load_private(pkcs8: Secret) -> PrivateKey:
    """The key inside our own PKCS#8 DER. Raises UnusableKey."""
    try:
        key = serialization.load_der_private_key(pkcs8.reveal(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("The private key cannot be read.") from None
    return accept_private(key)


def accept_private(key: object) -> PrivateKey:
    """Narrows a key of `cryptography` to those that Greatseal handles. Raises UnusableKey."""
    if isinstance(key, PrivateKey):
        return key
    raise UnusableKey(f"Keys of type {type(key).__name__} are not supported.")


def accept_public(key: object) -> PublicKey:
    """As `accept_private`, for public keys."""
    if isinstance(key, PublicKey):
        return key
    raise UnusableKey(f"Keys of type {type(key).__name__} are not supported.")


def encode_public(key: PublicKey) -> bytes:
    """The DER of the SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


# Reading a key takes longer than verifying a signature with it, and whoever certifies one reads it again and again.
@lru_cache(maxsize=256)
def load_public(spki: bytes) -> PublicKey:
    """The key inside a SubjectPublicKeyInfo. Raises UnusableKey, also for a point that is not on its curve."""
    try:
        return accept_public(serialization.load_der_public_key(spki))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("The public key cannot be read.") from None


def algorithm_of(key: PublicKey) -> KeyAlgorithm | None:
    """The row of the table that a public key belongs to; None for another size or curve."""
    if isinstance(key, rsa.RSAPublicKey):
        return _BY_SIZE.get(("RSA", key.key_size))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _BY_CURVE.get(key.curve.name)
    for size, kind in _MLDSA_PUBLIC.items():
        if isinstance(key, kind):
            return _BY_SIZE[("ML_DSA", size)]
    return None


def encrypt_private(pkcs8: Secret, passphrase: Secret) -> bytes:
    """The key as EncryptedPrivateKeyInfo (RFC 5958), PBES2 with AES-256-CBC and PBKDF2 (RFC 8018)."""
    return load_private(pkcs8).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.reveal()),
    )


def pem_private(key: PrivateKey) -> Secret:
    """The key as unencrypted PKCS#8 PEM, for programs of this machine that take no other form."""
    return Secret(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
