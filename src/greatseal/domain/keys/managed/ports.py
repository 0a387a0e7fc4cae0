"""What the room needs from outside: the proxies in front of key managers that hold the outer keys of KMS keys.

The words are those of the public specification of the proxy's API (docs/kms-external-keys.md), "the XKS API" below.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from greatseal.kernel.secret import Secret


class Fault(Enum):
    """Why a proxy did not do what it was asked for."""

    INVALID_RESPONSE = auto()
    """Its answer cannot be understood, or breaks the rules of the XKS API."""
    KEY_DISABLED = auto()
    INVALID_CIPHERTEXT = auto()
    KEY_USAGE = auto()
    AUTHENTICATION = auto()
    ACCESS_DENIED = auto()
    KEY_NOT_FOUND = auto()
    URI_PATH = auto()
    UNSUPPORTED = auto()
    DEPENDENCY_TIMEOUT = auto()
    """It answered that its key manager did not."""
    THROTTLED = auto()
    INTERNAL = auto()
    UNREACHABLE = auto()
    TLS = auto()
    TIMED_OUT = auto()
    """It did not answer in time."""
    UNAVAILABLE = auto()
    """It answered that none of its key managers works."""


class ProxyFailed(Exception):
    """A call of a proxy that came to nothing."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class KeyProxy:
    """Where a proxy is, and who we are there."""

    endpoint: str
    """`https://HOST`"""
    path: str
    """`/PREFIX/kms/xks/v1`"""
    region: str
    """The region of the key store: requests are signed for it."""
    access_key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which call of KMS makes us ask: a proxy logs it, and may decide by it."""

    operation: str
    """`Encrypt`, `CreateKey`, …"""
    request_id: str
    principal: str | None = None
    """The ARN of the caller; None where the XKS API does not tell it (health)."""
    key_arn: str | None = None
    via_service: str | None = None


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """What a proxy says of a key."""

    spec: str
    """`AES_256`"""
    usages: frozenset[str]
    """`ENCRYPT`, `DECRYPT`, and others."""
    enabled: bool


@dataclass(frozen=True, slots=True)
class ExternalCiphertext:
    """What a proxy made of a plaintext; all parts are needed to decrypt."""

    iv: bytes
    """12 or 16 octets."""
    metadata: bytes
    """At most 20 octets of the proxy's own."""
    tag: bytes
    """16 octets."""
    ciphertext: bytes


class KeyProxies(Protocol):
    """Speaks with proxies. Every method raises ProxyFailed, and may be called by many threads at once."""

    def check(self, proxy: KeyProxy, occasion: Occasion) -> None:
        """Returns when the proxy answers and at least one of its key managers works."""
        ...

    def describe(self, proxy: KeyProxy, key_id: str, occasion: Occasion) -> ExternalKey:
        """The key that the key manager knows by this id."""
        ...

    def encrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, plaintext: bytes, associated: bytes
    ) -> ExternalCiphertext:
        """At most 4300 octets of plaintext, bound to at most 8192 octets of associated data."""
        ...

    def decrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, sealed: ExternalCiphertext, associated: bytes
    ) -> bytes:
        """What `encrypt` was given."""
        ...
