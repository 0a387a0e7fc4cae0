"""What a key is asked to sign: the names of KMS for signature algorithms, and messages that fit into its requests.

KMS takes 4,096 octets. What is longer is hashed here, or for ML-DSA made into its message representative, which gives
the same signature (kms.md 4).
"""

from dataclasses import dataclass
from functools import lru_cache

from greatseal.crypto.algorithms import SignatureAlgorithm, signature_algorithm_of
from greatseal.crypto.key_specs import IncompatibleAlgorithm, KeySpec
from greatseal.crypto.keypair import UnusableKey
from greatseal.crypto.message_signature import MessageType, message_representative, prepared, sign_with
from greatseal.crypto.opened import PrivateKeyHandle, open_key, open_public
from greatseal.domain.signing.ports import KeyFailed
from greatseal.kernel.secret import Secret
from greatseal.x509 import der

LARGEST_MESSAGE = 4096
_ED25519 = der.sequence(der.oid("1.3.101.112"))
_SIGNING = tuple(spec for spec in KeySpec if spec.signing_algorithms)


@lru_cache(maxsize=64)
def kms_algorithm(identifier: bytes) -> str:
    """The name that KMS has for an AlgorithmIdentifier (DER). Raises KeyFailed for one that it has not."""
    if identifier == _ED25519:
        return "ED25519_SHA_512"
    row = signature_algorithm_of(identifier)
    if row is None:
        raise KeyFailed("no key signs with this algorithm")
    if row.family == "ML_DSA":
        return "ML_DSA_SHAKE_256"
    bits = (row.value.hash or "").removeprefix("SHA")
    if row.family == "EC":
        return f"ECDSA_SHA_{bits}"
    return f"RSASSA_{'PSS' if row.value.pss else 'PKCS1_V1_5'}_SHA_{bits}"


def identifier_of(algorithm: str, spec: KeySpec) -> SignatureAlgorithm:
    """The row of the certificate world for a KMS algorithm of a key of this spec. Raises KeyFailed."""
    for row in SignatureAlgorithm:
        fits = kms_algorithm(row.identifier) == algorithm and algorithm in spec.signing_algorithms
        if fits and (row.family != "ML_DSA" or row.name == spec.name):
            return row
    raise KeyFailed(f"a key of spec {spec.name} cannot sign a request with {algorithm}")


def message_for(spec: KeySpec, spki: bytes, algorithm: str, data: bytes) -> tuple[bytes, MessageType]:
    """Message and message type of a Sign request over `data`. Raises KeyFailed."""
    if len(data) <= LARGEST_MESSAGE:
        return data, MessageType.RAW
    if algorithm == "ML_DSA_SHAKE_256":
        return message_representative(open_public(spec, spki), data), MessageType.EXTERNAL_MU
    if algorithm == "ED25519_SHA_512":
        raise KeyFailed(f"Ed25519 needs the whole message, and KMS takes {LARGEST_MESSAGE} octets")
    return prepared(algorithm, data, MessageType.RAW), MessageType.DIGEST


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A private key of this process. It prints nothing of the key."""

    name: str
    spki: bytes
    handle: PrivateKeyHandle

    @classmethod
    def open(cls, name: str, pkcs8: Secret) -> "LocalKey":
        """A key in PKCS#8 DER, or in the older form of RSA and EC keys. Raises KeyFailed."""
        for spec in _SIGNING:
            try:
                handle = open_key(spec, pkcs8)
            except UnusableKey:
                continue
            return cls(name, handle.spki, handle)
        raise KeyFailed("it is not a private key that signs, or is under a passphrase")

    def sign(self, data: bytes, identifier: bytes) -> bytes:
        """The signature over `data`. Raises KeyFailed."""
        try:
            return sign_with(self.handle, kms_algorithm(identifier), data, MessageType.RAW)
        except IncompatibleAlgorithm as error:
            raise KeyFailed(str(error).rstrip(".")) from None
