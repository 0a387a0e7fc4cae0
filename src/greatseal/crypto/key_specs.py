"""THE table of KMS key specs: what each is for, and what it can do.

Names are those of the KMS model. Left out, and refused at the door: SM2 (China regions only) and ML_KEM_512, for
which our crypto library has no code. Sources: kms.md section 3; FIPS 203, 204; RFC 8017, 8032.
"""

from dataclasses import dataclass
from enum import Enum

from greatseal.crypto.algorithms import KeyAlgorithm


class Kind(Enum):
    """The kind of key material behind a spec."""

    SYMMETRIC = "SYMMETRIC"
    HMAC = "HMAC"
    RSA = "RSA"
    EC = "EC"
    EDWARDS = "EDWARDS"
    ML_DSA = "ML_DSA"
    ML_KEM = "ML_KEM"


class IncompatibleAlgorithm(ValueError):
    """An algorithm that the key spec does not have."""


_SIGN, _ENCRYPT, _MAC = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"
_AGREE, _ENCAPSULATE = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"

_RSA_SIGNING = tuple(f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512))

# Octets that OAEP takes from the modulus besides its two: two hashes (RFC 8017 section 7.1.1).
_OAEP_HASH_SIZES = {"RSAES_OAEP_SHA_1": 20, "RSAES_OAEP_SHA_256": 32}


@dataclass(frozen=True, slots=True)
class SpecRow:
    """What defines a key spec. `size` is in bits, or the parameter set; empty tuples are what it cannot do."""

    kind: Kind
    size: int
    usages: tuple[str, ...]
    signing: tuple[str, ...] = ()
    encryption: tuple[str, ...] = ()
    mac: tuple[str, ...] = ()
    agreement: tuple[str, ...] = ()
    encapsulation: tuple[str, ...] = ()
    curve: str | None = None
    """OpenSSL's name of the named curve."""
    key_algorithm: KeyAlgorithm | None = None


def _rsa(key_algorithm: KeyAlgorithm) -> SpecRow:
    return SpecRow(
        Kind.RSA,
        key_algorithm.size,
        (_ENCRYPT, _SIGN),
        signing=_RSA_SIGNING,
        encryption=tuple(_OAEP_HASH_SIZES),
        key_algorithm=key_algorithm,
    )


def _nist(key_algorithm: KeyAlgorithm, signing: str) -> SpecRow:
    # One hash a curve, although others would be possible (kms.md 3).
    return SpecRow(
        Kind.EC,
        key_algorithm.size,
        (_SIGN, _AGREE),
        signing=(signing,),
        agreement=("ECDH",),
        curve=key_algorithm.value.curve,
        key_algorithm=key_algorithm,
    )


def _hmac(bits: int) -> SpecRow:
    return SpecRow(Kind.HMAC, bits, (_MAC,), mac=(f"HMAC_SHA_{bits}",))


def _ml_dsa(key_algorithm: KeyAlgorithm) -> SpecRow:
    return SpecRow(
        Kind.ML_DSA, key_algorithm.size, (_SIGN,), signing=("ML_DSA_SHAKE_256",), key_algorithm=key_algorithm
    )


def _ml_kem(parameter_set: int) -> SpecRow:
    return SpecRow(Kind.ML_KEM, parameter_set, (_ENCAPSULATE,), encapsulation=("ML_KEM",))


class KeySpec(Enum):
    """Every key spec that Greatseal makes KMS keys of; `name` is the name on the wire."""

    SYMMETRIC_DEFAULT = SpecRow(Kind.SYMMETRIC, 256, (_ENCRYPT,), encryption=("SYMMETRIC_DEFAULT",))
    RSA_2048 = _rsa(KeyAlgorithm.RSA_2048)
    RSA_3072 = _rsa(KeyAlgorithm.RSA_3072)
    RSA_4096 = _rsa(KeyAlgorithm.RSA_4096)
    ECC_NIST_P256 = _nist(KeyAlgorithm.EC_prime256v1, "ECDSA_SHA_256")
    ECC_NIST_P384 = _nist(KeyAlgorithm.EC_secp384r1, "ECDSA_SHA_384")
    ECC_NIST_P521 = _nist(KeyAlgorithm.EC_secp521r1, "ECDSA_SHA_512")
    ECC_SECG_P256K1 = SpecRow(Kind.EC, 256, (_SIGN,), signing=("ECDSA_SHA_256",), curve="secp256k1")
    ECC_NIST_EDWARDS25519 = SpecRow(Kind.EDWARDS, 255, (_SIGN,), signing=("ED25519_SHA_512", "ED25519_PH_SHA_512"))
    ML_DSA_44 = _ml_dsa(KeyAlgorithm.ML_DSA_44)
    ML_DSA_65 = _ml_dsa(KeyAlgorithm.ML_DSA_65)
    ML_DSA_87 = _ml_dsa(KeyAlgorithm.ML_DSA_87)
    ML_KEM_768 = _ml_kem(768)
    ML_KEM_1024 = _ml_kem(1024)
    HMAC_224 = _hmac(224)
    HMAC_256 = _hmac(256)
    HMAC_384 = _hmac(384)
    HMAC_512 = _hmac(512)

    @property
    def kind(self) -> Kind:
        """The kind of key material."""
        return self.value.kind

    @property
    def size(self) -> int:
        """Bits of the modulus, curve or secret; the parameter set of ML-DSA and ML-KEM."""
        return self.value.size

    @property
    def usages(self) -> tuple[str, ...]:
        """The values of KeyUsage that a key of this spec may have."""
        return self.value.usages

    @property
    def signing_algorithms(self) -> tuple[str, ...]:
        """For keys with usage SIGN_VERIFY."""
        return self.value.signing

    @property
    def encryption_algorithms(self) -> tuple[str, ...]:
        """For keys with usage ENCRYPT_DECRYPT."""
        return self.value.encryption

    @property
    def mac_algorithms(self) -> tuple[str, ...]:
        """For keys with usage GENERATE_VERIFY_MAC."""
        return self.value.mac

    @property
    def key_agreement_algorithms(self) -> tuple[str, ...]:
        """For keys with usage KEY_AGREEMENT."""
        return self.value.agreement

    @property
    def encapsulation_algorithms(self) -> tuple[str, ...]:
        """For keys with usage ENCAPSULATE_DECAPSULATE."""
        return self.value.encapsulation

    @property
    def key_algorithm(self) -> KeyAlgorithm | None:
        """The row of `crypto.algorithms` for keys that may also be certified; None for the others."""
        return self.value.key_algorithm

    @property
    def secret_size(self) -> int | None:
        """Octets of the raw secret; None for key pairs."""
        return self.size // 8 if self.kind in (Kind.SYMMETRIC, Kind.HMAC) else None

    def oaep_limit(self, algorithm: str) -> int:
        """The most octets that RSAES-OAEP encrypts with a key of this spec. Raises IncompatibleAlgorithm."""
        if self.kind is not Kind.RSA or algorithm not in _OAEP_HASH_SIZES:
            raise IncompatibleAlgorithm(f"{self.name} does not encrypt with {algorithm}")
        return self.size // 8 - 2 * _OAEP_HASH_SIZES[algorithm] - 2
