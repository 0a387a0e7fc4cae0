"""Sign and verify with any row of the table.

A `Signer` is all that other strata see of a private key: its public half and a function. Software
keys are one kind of it; hardware tokens another (`domain/keys`).
"""

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import PrivateKey, PublicKey, algorithm_of, encode_public, load_public

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_DIGESTS = {"SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512}


class SignerUnavailable(Exception):
    """The key cannot be reached now: nothing was signed that anybody has, and asking again may help."""


class SignerLied(Exception):
    """What came back is not a signature by the key that was asked. It goes nowhere."""


class Signer(Protocol):
    """A private key that signs and never leaves."""

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The key's algorithm."""
        ...

    @property
    def spki(self) -> bytes:
        """The DER of the public key's SubjectPublicKeyInfo."""
        ...

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over `data`. Raises ValueError when the key cannot make this kind of signature.

        Raises SignerUnavailable and SignerLied where the key is not in this process.
        """
        ...

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As `sign`, over data of which only the hash is given. Raises ValueError also for ML-DSA, which has none."""
        ...


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A private key in memory. `deterministic` makes ECDSA repeatable (RFC 6979), for golden files."""

    key: PrivateKey
    algorithm: KeyAlgorithm
    spki: bytes
    deterministic: bool = False

    @classmethod
    def of(cls, key: PrivateKey, *, deterministic: bool = False) -> "SoftwareSigner":
        """A signer for a loaded key. Raises ValueError for a size that the table does not have."""
        public = key.public_key()
        algorithm = algorithm_of(public)
        if algorithm is None:
            raise ValueError("the key is of a size that Greatseal does not sign with")
        return cls(key, algorithm, encode_public(public), deterministic)

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over `data` in the form that X.509 carries (ECDSA: DER of r and s)."""
        if algorithm.family != self.algorithm.family:
            raise ValueError(f"a key of type {self.algorithm.name} cannot sign with {algorithm.name}")
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, _padding(algorithm), _hash(algorithm))
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, _ecdsa(algorithm, deterministic=self.deterministic))
        if algorithm.name != self.algorithm.name:
            raise ValueError(f"a key of type {self.algorithm.name} cannot sign with {algorithm.name}")
        return self.key.sign(data)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over data with this hash, in the form that X.509 carries."""
        if algorithm.family != self.algorithm.family:
            raise ValueError(f"a key of type {self.algorithm.name} cannot sign with {algorithm.name}")
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, _padding(algorithm), Prehashed(_hash(algorithm)))
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(digest, _ecdsa(algorithm, prehashed=True, deterministic=self.deterministic))
        raise ValueError(f"{algorithm.name} does not sign hashes")


def digest_of(data: bytes, algorithm: SignatureAlgorithm) -> bytes:
    """The hash of `data` that this algorithm signs. Raises ValueError for ML-DSA, which signs data as it is."""
    if algorithm.value.hash is None:
        raise ValueError(f"{algorithm.name} does not sign hashes")
    return _DIGESTS[algorithm.value.hash](data).digest()


def verify(spki: bytes, algorithm: SignatureAlgorithm, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made by the key in `spki` (DER) with exactly this algorithm."""
    return verify_with(load_public(spki), algorithm, signature, data)


def verify_with(key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, data: bytes) -> bool:
    """As `verify`, for a key that is loaded already."""
    if algorithm.value.hash is not None:
        return verify_digest(key, algorithm, signature, digest_of(data, algorithm))
    row = algorithm_of(key)
    if row is None or algorithm.name != row.name or isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


# Key, algorithm, signature and hash of the data of what verified last, in each thread.
_last: ContextVar[tuple[PublicKey, SignatureAlgorithm, bytes, bytes] | None] = ContextVar("_last", default=None)


def verify_again(key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, data: bytes) -> bool:
    """As `verify_with`, for a signature that was probably verified just now, when it was made.

    If the last one that verified in this thread was this one, with an equal key and over data of the same hash, that
    is the answer: a comparison, where verifying is the dearest part of an issuance. Anything else is verified.
    """
    if algorithm.value.hash is not None:
        # The hash is made anew: what counts are the octets of now.
        digest = digest_of(data, algorithm)
        return _last.get() == (key, algorithm, signature, digest) or verify_digest(key, algorithm, signature, digest)
    return verify_with(key, algorithm, signature, data)


def verify_digest(key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, digest: bytes) -> bool:
    """As `verify_with`, over data with this hash. False for ML-DSA, which signs data as it is.

    Raises ValueError when `digest` is not as long as the algorithm's hash.
    """
    try:
        # The family first: to ask a key of what class it is takes longer.
        if algorithm.family == "RSA" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, _padding(algorithm), Prehashed(_hash(algorithm)))
        elif algorithm.family == "EC" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, _ecdsa(algorithm, prehashed=True))
        else:
            return False
    except InvalidSignature:
        return False
    _last.set((key, algorithm, signature, digest))
    return True


# They never change, and making one takes a tenth of what signing takes.
@cache
def _ecdsa(algorithm: SignatureAlgorithm, *, prehashed: bool = False, deterministic: bool = False) -> ec.ECDSA:
    digest = _hash(algorithm)
    return ec.ECDSA(Prehashed(digest) if prehashed else digest, deterministic_signing=deterministic)


def _hash(algorithm: SignatureAlgorithm) -> hashes.HashAlgorithm:
    name = algorithm.value.hash
    assert name is not None
    return _HASHES[name]()


def _padding(algorithm: SignatureAlgorithm) -> padding.AsymmetricPadding:
    if not algorithm.value.pss:
        return padding.PKCS1v15()
    digest = _hash(algorithm)
    # Salt as long as the hash (RFC 4055 section 3.1; the table's AlgorithmIdentifier says the same).
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
