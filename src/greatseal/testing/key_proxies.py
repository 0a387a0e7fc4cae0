"""A proxy of external key stores without a network, for installations in one process.

It stands at `https://xks.example.com`, with any path and credential, before a key manager that has every key whose id
does not begin with `missing`.
"""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from greatseal.domain.keys.managed.ports import (
    ExternalCiphertext,
    ExternalKey,
    Fault,
    KeyProxy,
    Occasion,
    ProxyFailed,
)
from greatseal.kernel.entropy import Entropy

ENDPOINT = "https://xks.example.com"


class FakeKeyProxies:
    """Implements `domain.keys.managed.ports.KeyProxies`."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def check(self, proxy: KeyProxy, occasion: Occasion) -> None:
        """Every other host cannot be reached."""
        if proxy.endpoint != ENDPOINT:
            raise ProxyFailed(Fault.UNREACHABLE)

    def describe(self, proxy: KeyProxy, key_id: str, occasion: Occasion) -> ExternalKey:
        """An AES-256 key that is enabled."""
        self.check(proxy, occasion)
        _key(key_id)
        return ExternalKey("AES_256", frozenset({"ENCRYPT", "DECRYPT"}), True)

    def encrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, plaintext: bytes, associated: bytes
    ) -> ExternalCiphertext:
        """AES-GCM."""
        self.check(proxy, occasion)
        iv = self._entropy.token_bytes(12)
        made = _key(key_id).encrypt(iv, plaintext, associated)
        return ExternalCiphertext(iv, b"", made[-16:], made[:-16])

    def decrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, sealed: ExternalCiphertext, associated: bytes
    ) -> bytes:
        """AES-GCM."""
        self.check(proxy, occasion)
        try:
            return _key(key_id).decrypt(sealed.iv, sealed.ciphertext + sealed.tag, associated)
        except InvalidTag:
            raise ProxyFailed(Fault.INVALID_CIPHERTEXT) from None


def _key(key_id: str) -> AESGCM:
    if key_id.startswith("missing"):
        raise ProxyFailed(Fault.KEY_NOT_FOUND)
    return AESGCM(hashlib.sha256(key_id.encode()).digest())
