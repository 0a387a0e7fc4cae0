"""ML-DSA and ML-KEM private keys that carry their expanded form beside the seed.

This is what `openssl genpkey` writes unless told otherwise, and what our crypto library does not read (RFC 9881
section 6, RFC 9935 section 6: the alternative "both"). The seed is the key; the expanded form must come from it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem
from cryptography.x509 import ObjectIdentifier

from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.opened import MlDsaPrivateKey, MlKemPrivateKey
from greatseal.kernel.secret import Secret


@asn1.sequence
class _OneAsymmetricKey:
    version: int
    algorithm: list[asn1.TLV]
    private_key: bytes


@asn1.sequence
class _Both:
    seed: bytes
    expanded: bytes


@dataclass(frozen=True, slots=True)
class _Form:
    """Sizes in octets; `dimensions` are k and l of FIPS 204 table 1, which its key generation hashes."""

    oid: str
    from_seed: Callable[[bytes], MlDsaPrivateKey | MlKemPrivateKey]
    seed_size: int
    expanded_size: int
    dimensions: bytes = b""


_FORMS = {
    KeySpec.ML_DSA_44: _Form("2.16.840.1.101.3.4.3.17", mldsa.MLDSA44PrivateKey.from_seed_bytes, 32, 2560, b"\x04\x04"),
    KeySpec.ML_DSA_65: _Form("2.16.840.1.101.3.4.3.18", mldsa.MLDSA65PrivateKey.from_seed_bytes, 32, 4032, b"\x06\x05"),
    KeySpec.ML_DSA_87: _Form("2.16.840.1.101.3.4.3.19", mldsa.MLDSA87PrivateKey.from_seed_bytes, 32, 4896, b"\x08\x07"),
    KeySpec.ML_KEM_768: _Form("2.16.840.1.101.3.4.4.2", mlkem.MLKEM768PrivateKey.from_seed_bytes, 64, 2400),
    KeySpec.ML_KEM_1024: _Form("2.16.840.1.101.3.4.4.3", mlkem.MLKEM1024PrivateKey.from_seed_bytes, 64, 3168),
}


def from_both(spec: KeySpec, pkcs8: Secret) -> MlDsaPrivateKey | MlKemPrivateKey | None:
    """The key of a PKCS#8 DER with seed and expanded form; None when it is something else.

    Raises UnusableKey when the two halves belong to different keys.
    """
    form = _FORMS.get(spec)
    if form is None:
        return None
    try:
        outer = asn1.decode_der(_OneAsymmetricKey, pkcs8.reveal())
        both = asn1.decode_der(_Both, outer.private_key)
        oid = outer.algorithm[0].parse(ObjectIdentifier).dotted_string if len(outer.algorithm) == 1 else None
    except ValueError:
        return None
    if (oid, len(both.seed), len(both.expanded)) != (form.oid, form.seed_size, form.expanded_size):
        return None
    key = form.from_seed(both.seed)
    if not _agree(key, both, form.dimensions):
        raise UnusableKey("The seed and the expanded form of the private key belong to different keys.")
    return key


def _agree(key: MlDsaPrivateKey | MlKemPrivateKey, both: _Both, dimensions: bytes) -> bool:
    # Compares what names the seed and the public key; the rest of the expanded form is computed anew from the seed.
    public = key.public_key().public_bytes_raw()
    if isinstance(key, MlDsaPrivateKey):
        # FIPS 204 algorithms 6 and 24: rho, K and tr are in front.
        derived = hashlib.shake_256(both.seed + dimensions).digest(128)
        return both.expanded.startswith(derived[:32] + derived[96:] + hashlib.shake_256(public).digest(64))
    # FIPS 203 algorithm 16: ek, H(ek) and z are at the end.
    return both.expanded.endswith(public + hashlib.sha3_256(public).digest() + both.seed[32:])
