"""Encryption of a stream of any length, a chunk at a time: AES-256-GCM in the STREAM construction.

STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of a chunk is its number and whether it is the last one,
so that chunks cannot be changed, removed, repeated, reordered or cut off. Every stream has a key of its own, derived
from a secret, a random salt and everything that stands before the chunks.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from greatseal.crypto.wrap import KEY_SIZE, CannotOpen
from greatseal.kernel.secret import Secret

CHUNK_SIZE = 1 << 16
"""Octets of plaintext in every chunk but the last, which has at most as many."""
TAG_SIZE = 16
SALT_SIZE = 32
_NUMBER_SIZE = 11


def stream_key(secret: Secret, salt: bytes, header: bytes) -> Secret:
    """The key of one stream (HKDF-SHA256): another salt, or another header, gives another key."""
    return Secret(HKDF(SHA256(), KEY_SIZE, salt, b"greatseal stream\0" + header).derive(secret.reveal()))


def secret_from_passphrase(passphrase: Secret, salt: bytes) -> Secret:
    """What a passphrase stands for, by scrypt (RFC 7914) with N=2^17, r=8, p=1: half a second and 128 MiB."""
    return Secret(Scrypt(salt=salt, length=KEY_SIZE, n=2**17, r=8, p=1).derive(passphrase.reveal()))


class StreamSealer:
    """Seals the chunks of one stream, in order. The key is never used for another one."""

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(key.reveal())
        self._number = 0

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        """The next chunk. Raises ValueError for a size that it cannot have."""
        if len(chunk) > CHUNK_SIZE or (not last and len(chunk) < CHUNK_SIZE):
            raise ValueError("every chunk but the last is full")
        nonce = _nonce(self._number, last=last)
        self._number += 1
        return self._cipher.encrypt(nonce, chunk, None)


class StreamOpener:
    """Opens what `StreamSealer` sealed, in order."""

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(key.reveal())
        self._number = 0

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        """The next chunk; `last` when nothing follows it. Raises CannotOpen."""
        nonce = _nonce(self._number, last=last)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, sealed, None)
        except InvalidTag:
            raise CannotOpen(f"chunk {self._number - 1} does not open") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_NUMBER_SIZE, "big") + bytes([last])
