"""Sealing of secrets at rest: AES-256-GCM under a key-encryption key.

A sealed value is `version(1) | nonce(12) | ciphertext and tag`. The identity of what is sealed goes in
as associated data, so that a row copied over another row does not open (DESIGN section 5).
"""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret

KEY_SIZE = 32
NONCE_SIZE = 12
_VERSION = b"\x01"


class CannotOpen(ValueError):
    """The sealed value was altered, moved to another place, or sealed under another key."""


def seal(kek: Secret, plaintext: Secret, *, nonce: bytes, associated: bytes) -> bytes:
    """Encrypts `plaintext`. `nonce` is 12 random bytes, fresh for each call."""
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"a nonce has {NONCE_SIZE} bytes")
    return _VERSION + nonce + AESGCM(kek.reveal()).encrypt(nonce, plaintext.reveal(), _VERSION + associated)


def unseal(kek: Secret, sealed: bytes, *, associated: bytes) -> Secret:
    """Decrypts what `seal` made. Raises CannotOpen."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + NONCE_SIZE + 16:
        raise CannotOpen("the sealed value has an unknown form")
    nonce, body = sealed[1 : 1 + NONCE_SIZE], sealed[1 + NONCE_SIZE :]
    try:
        return Secret(AESGCM(kek.reveal()).decrypt(nonce, body, _VERSION + associated))
    except InvalidTag:
        raise CannotOpen("the sealed value does not open with this key") from None


def key_from_passphrase(passphrase: Secret, salt: bytes) -> Secret:
    """A key-encryption key from a passphrase by scrypt (RFC 7914) with N=2^15, r=8, p=1: about 0.1 s."""
    return Secret(Scrypt(salt=salt, length=KEY_SIZE, n=2**15, r=8, p=1).derive(passphrase.reveal()))


def key_fingerprint(kek: Secret) -> str:
    """Names a key-encryption key without telling anything about it: 16 hex digits."""
    return hashlib.sha256(b"greatseal key-encryption key\0" + kek.reveal()).hexdigest()[:16]


class Sealer:
    """The one mechanism that seals secrets at rest: a key-encryption key and a source of nonces.

    `identity` says what the secret is (table, row), is bound to the sealed value, and must be given
    again to open it.
    """

    def __init__(self, kek: Secret, entropy: Entropy) -> None:
        self._kek = kek
        self._entropy = entropy

    def seal(self, identity: str, secret: Secret) -> bytes:
        """The sealed form of `secret`."""
        return seal(self._kek, secret, nonce=self._entropy.token_bytes(NONCE_SIZE), associated=identity.encode())

    def open(self, identity: str, sealed: bytes) -> Secret:
        """The secret again. Raises CannotOpen."""
        return unseal(self._kek, sealed, associated=identity.encode())
