"""The material of KMS keys: made new, or taken from outside and checked.

A key pair is kept as PKCS#8 DER (ML-DSA, ML-KEM and Ed25519 as their seed), a secret as its raw octets.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa

from greatseal.crypto.key_specs import KeySpec, Kind
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.opened import CURVES, AnyPrivateKey, PrivateKeyHandle, open_key
from greatseal.crypto.seed_forms import from_both
from greatseal.kernel.secret import Secret

_ML_GENERATE: dict[KeySpec, Callable[[], AnyPrivateKey]] = {
    KeySpec.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeySpec.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeySpec.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
    KeySpec.ML_KEM_768: mlkem.MLKEM768PrivateKey.generate,
    KeySpec.ML_KEM_1024: mlkem.MLKEM1024PrivateKey.generate,
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a KMS key is made of: the secret, and the public half (SubjectPublicKeyInfo DER) of a key pair."""

    spec: KeySpec
    secret: Secret
    spki: bytes | None


def generate(spec: KeySpec, random: Callable[[int], bytes]) -> Material:
    """New material. `random` gives that many octets, for secrets; key pairs come from OpenSSL's own generator.

    An RSA key takes up to some seconds.
    """
    if spec.secret_size is not None:
        return Material(spec, Secret(random(spec.secret_size)), None)
    return _pair(PrivateKeyHandle(spec, _generated(spec)))


def load(spec: KeySpec, secret: Secret) -> Material:
    """Material from outside: raw octets of exactly the spec's length, or PKCS#8 DER of one consistent key.

    Raises UnusableKey. The result is in our own encoding, whatever optional parts the input had; PKCS#1 and SEC1,
    the older encodings of RSA and EC keys, become PKCS#8.
    """
    if spec.secret_size is None:
        key = from_both(spec, secret)
        return _pair(open_key(spec, secret) if key is None else PrivateKeyHandle(spec, key))
    if len(secret.reveal()) != spec.secret_size:
        raise UnusableKey(f"The key material of a {spec.name} key has {spec.secret_size} bytes.")
    return Material(spec, Secret(secret.reveal()), None)


def _generated(spec: KeySpec) -> AnyPrivateKey:
    if spec.kind is Kind.RSA:
        return rsa.generate_private_key(public_exponent=65537, key_size=spec.size)
    if spec.value.curve is not None:
        return ec.generate_private_key(CURVES[spec.value.curve]())
    if spec.kind is Kind.EDWARDS:
        return ed25519.Ed25519PrivateKey.generate()
    return _ML_GENERATE[spec]()


def _pair(handle: PrivateKeyHandle) -> Material:
    pkcs8 = handle.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Material(handle.spec, Secret(pkcs8), handle.spki)
