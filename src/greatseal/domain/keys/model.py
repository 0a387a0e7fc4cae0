"""What a stored key is and what it may be used for."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.keypair import encode_public, load_public
from greatseal.kernel.errors import InvalidArgument


class Purpose(Enum):
    """Why a key exists. Only keys of certificates may ever be exported."""

    AUTHORITY = "AUTHORITY"
    CERTIFICATE = "CERTIFICATE"
    AUDIT = "AUDIT"
    """Signs checkpoints of the audit trail."""
    OCSP = "OCSP"
    """Signs OCSP answers for one CA, for some days."""
    TRANSPARENCY = "TRANSPARENCY"
    """Signs the tree heads and timestamps of one log."""
    UPSTREAM = "UPSTREAM"
    """Signs requests to a CA upstream: the key of our account there."""
    TIMESTAMPING = "TIMESTAMPING"
    """Signs timestamp tokens, for a year."""
    KMS = "KMS"
    """Material of a KMS key: a private key or the bytes of a symmetric one."""


SOFTWARE = ""
"""Where a key is that no key store holds: sealed in the database."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is sealed already, or was made in a key store, but is not yet stored."""

    id: str
    algorithm: KeyAlgorithm | None
    """None for an imported key of a size that Greatseal does not generate (RSA 1024 to 16384 bits)."""
    spki: bytes
    sealed: bytes | None
    """None when a key store holds the private half."""
    store: str = SOFTWARE


@dataclass(frozen=True, slots=True)
class NewSecret:
    """Secret bytes without a public half, sealed already but not yet stored."""

    id: str
    sealed: bytes
    spki: None = None
    store: str = SOFTWARE


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A stored key without its private half."""

    id: str
    account: str
    purpose: Purpose
    spki: bytes | None
    created_at: datetime
    store: str = SOFTWARE


@dataclass(frozen=True, slots=True)
class Found:
    """A stored key with what opens its private half."""

    record: KeyRecord
    sealed: bytes | None


class StoreRefuses(InvalidArgument):
    """The key store cannot hold a key of this kind. Nothing weaker or elsewhere is made in its place."""


class KeyAbandoned(Exception):
    """A key that waited too long for what it was made for; its key store may have destroyed it since."""


def fingerprint(spki: bytes) -> str:
    """Names a public key whatever encoding of a point it came in: SHA-256 of the canonical DER, hexadecimal."""
    return hashlib.sha256(encode_public(load_public(spki))).hexdigest()


def identity(key_id: str) -> str:
    """What the sealed private key is bound to."""
    return f"key/{key_id}"
