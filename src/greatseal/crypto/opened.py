"""Keys of every KMS spec, opened: parsed once, checked against their spec, ready for many uses.

A private key of a KMS key is PKCS#8 DER, a public key the DER of a SubjectPublicKeyInfo. Parsing RSA costs more
than using it, so callers keep what `open_key` and `open_public` return.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa

from greatseal.crypto.key_specs import KeySpec, Kind
from greatseal.crypto.keypair import UnusableKey
from greatseal.kernel.secret import Secret

MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
MlKemPrivateKey = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey
MlKemPublicKey = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey
AnyPrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | MlDsaPrivateKey | MlKemPrivateKey
)
AnyPublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | MlDsaPublicKey | MlKemPublicKey

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
_ML_PUBLIC: dict[KeySpec, type[AnyPublicKey]] = {
    KeySpec.ML_DSA_44: mldsa.MLDSA44PublicKey,
    KeySpec.ML_DSA_65: mldsa.MLDSA65PublicKey,
    KeySpec.ML_DSA_87: mldsa.MLDSA87PublicKey,
    KeySpec.ML_KEM_768: mlkem.MLKEM768PublicKey,
    KeySpec.ML_KEM_1024: mlkem.MLKEM1024PublicKey,
}
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class PrivateKeyHandle:
    """A private key that was opened. It prints nothing of the key; it may be used by several threads at once."""

    spec: KeySpec
    key: AnyPrivateKey

    @property
    def spki(self) -> bytes:
        """The DER of the public half's SubjectPublicKeyInfo."""
        return _encode_public(self.key.public_key())


@dataclass(frozen=True, slots=True)
class PublicKeyHandle:
    """A public key that was opened."""

    spec: KeySpec
    key: AnyPublicKey


def open_key(spec: KeySpec, secret: Secret) -> PrivateKeyHandle:
    """Opens PKCS#8 DER. Raises UnusableKey for anything but one consistent key of this spec."""
    key = _parsed(lambda: serialization.load_der_private_key(secret.reveal(), password=None), "private")
    if not isinstance(key, AnyPrivateKey) or not _is_of(spec, key.public_key()):
        raise UnusableKey(f"The private key is not of the key spec {spec.name}.")
    return PrivateKeyHandle(spec, key)


def open_public(spec: KeySpec, spki: bytes) -> PublicKeyHandle:
    """Opens the DER of a SubjectPublicKeyInfo. Raises UnusableKey, also for a point that is not on its curve."""
    key = _parsed(lambda: serialization.load_der_public_key(spki), "public")
    if not isinstance(key, AnyPublicKey) or not _is_of(spec, key):
        raise UnusableKey(f"The public key is not of the key spec {spec.name}.")
    return PublicKeyHandle(spec, key)


def _parsed(load: Callable[[], object], half: str) -> object:
    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey(f"The {half} key cannot be read.") from None


def _is_of(spec: KeySpec, key: AnyPublicKey) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        # KMS keys have this exponent only (kms.md 3).
        return spec.kind is Kind.RSA and key.key_size == spec.size and key.public_numbers().e == _EXPONENT
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name == spec.value.curve
    if isinstance(key, ed25519.Ed25519PublicKey):
        return spec.kind is Kind.EDWARDS
    return spec in _ML_PUBLIC and isinstance(key, _ML_PUBLIC[spec])


def _encode_public(key: AnyPublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
