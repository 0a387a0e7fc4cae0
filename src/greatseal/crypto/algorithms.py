"""THE table of algorithms: one row a key algorithm, one row a signature algorithm.

Names are those of the AWS Private CA model; doors translate other spellings. A new algorithm is a new
row here and its spelling at the doors. Sources: RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8017,
RFC 9881; acm-pca.md section 5.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Family = Literal["RSA", "EC", "ML_DSA"]
Hash = Literal["SHA256", "SHA384", "SHA512"]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """What defines a key algorithm. `size` is the modulus in bits, the curve's size, or the parameter set."""

    family: Family
    size: int
    spki_oid: str
    curve: str | None = None
    """OpenSSL's name of the named curve."""


class KeyAlgorithm(Enum):
    """Every key algorithm that Greatseal generates and certifies with its own keys."""

    RSA_2048 = KeyRow("RSA", 2048, "1.2.840.113549.1.1.1")
    RSA_3072 = KeyRow("RSA", 3072, "1.2.840.113549.1.1.1")
    RSA_4096 = KeyRow("RSA", 4096, "1.2.840.113549.1.1.1")
    EC_prime256v1 = KeyRow("EC", 256, "1.2.840.10045.2.1", "secp256r1")
    EC_secp384r1 = KeyRow("EC", 384, "1.2.840.10045.2.1", "secp384r1")
    EC_secp521r1 = KeyRow("EC", 521, "1.2.840.10045.2.1", "secp521r1")
    ML_DSA_44 = KeyRow("ML_DSA", 44, "2.16.840.1.101.3.4.3.17")
    ML_DSA_65 = KeyRow("ML_DSA", 65, "2.16.840.1.101.3.4.3.18")
    ML_DSA_87 = KeyRow("ML_DSA", 87, "2.16.840.1.101.3.4.3.19")

    @property
    def family(self) -> Family:
        """RSA, EC or ML_DSA."""
        return self._value_.family

    @property
    def size(self) -> int:
        """Bits of the modulus or curve; the parameter set of ML-DSA."""
        return self._value_.size


# The AlgorithmIdentifier of each signature algorithm, complete DER. RSA PKCS#1 carries NULL parameters
# (RFC 4055 section 5), ECDSA and ML-DSA carry none (RFC 5758 section 3.2, RFC 9881 section 2). PSS
# spells hash, MGF1 with the same hash, and a salt as long as the hash (RFC 4055 section 3.1).
_PSS = (
    "3041 06092a864886f70d01010a 3034 a00f300d0609608648016503040{h}0500"
    " a11c301a06092a864886f70d010108300d0609608648016503040{h}0500 a20302 01{s}"
)


def _pss(hash_arc: str, salt: str) -> bytes:
    return bytes.fromhex(_PSS.format(h=hash_arc, s=salt))


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """What defines a signature algorithm; `identifier` is the DER of its AlgorithmIdentifier."""

    family: Family
    hash: Hash | None
    pss: bool
    identifier: bytes


class SignatureAlgorithm(Enum):
    """Every signature algorithm that Greatseal signs with."""

    SHA256WITHRSA = SignatureRow("RSA", "SHA256", False, bytes.fromhex("300d06092a864886f70d01010b0500"))
    SHA384WITHRSA = SignatureRow("RSA", "SHA384", False, bytes.fromhex("300d06092a864886f70d01010c0500"))
    SHA512WITHRSA = SignatureRow("RSA", "SHA512", False, bytes.fromhex("300d06092a864886f70d01010d0500"))
    SHA256WITHRSA_PSS = SignatureRow("RSA", "SHA256", True, _pss("201", "20"))
    SHA384WITHRSA_PSS = SignatureRow("RSA", "SHA384", True, _pss("202", "30"))
    SHA512WITHRSA_PSS = SignatureRow("RSA", "SHA512", True, _pss("203", "40"))
    SHA256WITHECDSA = SignatureRow("EC", "SHA256", False, bytes.fromhex("300a06082a8648ce3d040302"))
    SHA384WITHECDSA = SignatureRow("EC", "SHA384", False, bytes.fromhex("300a06082a8648ce3d040303"))
    SHA512WITHECDSA = SignatureRow("EC", "SHA512", False, bytes.fromhex("300a06082a8648ce3d040304"))
    ML_DSA_44 = SignatureRow("ML_DSA", None, False, bytes.fromhex("300b0609608648016503040311"))
    ML_DSA_65 = SignatureRow("ML_DSA", None, False, bytes.fromhex("300b0609608648016503040312"))
    ML_DSA_87 = SignatureRow("ML_DSA", None, False, bytes.fromhex("300b0609608648016503040313"))

    @property
    def family(self) -> Family:
        """The family of keys that can make this signature."""
        return self._value_.family

    @property
    def identifier(self) -> bytes:
        """The DER of the AlgorithmIdentifier."""
        return self._value_.identifier


_BY_IDENTIFIER = {row.identifier: row for row in SignatureAlgorithm}


def signature_algorithm_of(identifier: bytes) -> SignatureAlgorithm | None:
    """The row with exactly this AlgorithmIdentifier (DER), or None when we would not have written it."""
    return _BY_IDENTIFIER.get(identifier)


def signature_algorithms_for(key: KeyAlgorithm) -> tuple[SignatureAlgorithm, ...]:
    """The signature algorithms that a key can make, in the order of the table.

    Any hash goes with any curve (the superset of acm-pca.md section 5); ML-DSA signs with its own
    parameter set only.
    """
    if key.family == "ML_DSA":
        return (SignatureAlgorithm[key.name],)
    return tuple(row for row in SignatureAlgorithm if row.family == key.family)


def default_signature_algorithm(key: KeyAlgorithm) -> SignatureAlgorithm:
    """The customary signature algorithm of a key: hash as strong as the curve, SHA-256 for RSA."""
    if key.family == "ML_DSA":
        return SignatureAlgorithm[key.name]
    if key.family == "RSA":
        return SignatureAlgorithm.SHA256WITHRSA
    return {
        256: SignatureAlgorithm.SHA256WITHECDSA,
        384: SignatureAlgorithm.SHA384WITHECDSA,
        521: SignatureAlgorithm.SHA512WITHECDSA,
    }[key.size]
