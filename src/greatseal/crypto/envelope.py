"""Ciphertext blobs of symmetric KMS keys: who encrypted is written on the outside, under the same tag.

A blob is

    version (1) | length of the key id (1) | key id | material id (32) | nonce (32) | ciphertext and tag

Every message has a key of its own: HKDF-Expand (RFC 5869) over the KMS key gives an AES-256 key and the IV of GCM
from the 32 random octets of the nonce. So the limit of 2^32 messages that random IVs put on one AES-GCM key (NIST SP
800-38D section 8.3) does not bind; two messages share key and IV with probability 2^-128 after 2^64 of them.

The associated data are the header up to the nonce, and the encryption context: its pairs in order of their
keys' UTF-8, each key and each value with its length in front, so that no two contexts look the same.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from greatseal.kernel.secret import Secret

NONCE_SIZE = 32
"""Random octets that each message needs."""

_VERSION = 1
_KEY_SIZE, _IV_SIZE, _TAG_SIZE = 32, 12, 16
_MATERIAL_ID_SIZE = 32
_MAX_KEY_ID = 255
_LABEL = b"greatseal kms envelope 1\x00"


class InvalidCiphertext(ValueError):
    """Octets that do not decrypt: altered, made with another key, or under another encryption context."""


class MalformedCiphertext(InvalidCiphertext):
    """Octets that are not a ciphertext of this service at all."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a blob says about its origin. Nothing of it is proven before `decrypt` has succeeded."""

    key_id: str
    material_id: str
    """64 lower-case hexadecimal digits."""


def encrypt(
    key: Secret, *, key_id: str, material_id: str, context: Mapping[str, str], plaintext: bytes, nonce: bytes
) -> bytes:
    """The blob. `key` is 32 octets; `key_id` 1 to 255 octets of UTF-8, whatever names the key to the caller;
    `material_id` 64 hexadecimal digits in lower case; `nonce` 32 random octets, fresh for each call.
    """
    name, material = key_id.encode(), bytes.fromhex(material_id)
    if not 1 <= len(name) <= _MAX_KEY_ID or len(material) != _MATERIAL_ID_SIZE or material.hex() != material_id:
        raise ValueError("a key id has 1 to 255 octets, a material id is 64 lower-case hexadecimal digits")
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"a nonce has {NONCE_SIZE} octets")
    header = bytes((_VERSION, len(name))) + name + material
    cipher, iv = _message_cipher(key, nonce)
    return header + nonce + cipher.encrypt(iv, plaintext, header + canonical(context))


def parse(blob: bytes) -> Header:
    """Who encrypted, as the blob says. Raises MalformedCiphertext."""
    return _split(blob)[0]


def decrypt(key: Secret, blob: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext. Raises InvalidCiphertext for any change of blob, key or context."""
    _, header, nonce, body = _split(blob)
    cipher, iv = _message_cipher(key, nonce)
    try:
        return cipher.decrypt(iv, body, header + canonical(context))
    except InvalidTag:
        raise InvalidCiphertext("the ciphertext does not decrypt with this key and encryption context") from None


def canonical(context: Mapping[str, str]) -> bytes:
    """The one encoding of an encryption context. Any string has one, also with lone surrogates from JSON."""
    pairs = sorted((_utf8(name), _utf8(value)) for name, value in context.items())
    return b"".join(struct.pack(">I", len(part)) + part for pair in pairs for part in pair)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _split(blob: bytes) -> tuple[Header, bytes, bytes, bytes]:
    """The header as a value and as octets, the nonce, the ciphertext with its tag."""
    if len(blob) < 2 or blob[0] != _VERSION or blob[1] == 0:
        raise MalformedCiphertext("the ciphertext has an unknown form")
    named = 2 + blob[1]
    end = named + _MATERIAL_ID_SIZE
    if len(blob) < end + NONCE_SIZE + _TAG_SIZE:
        raise MalformedCiphertext("the ciphertext is cut off")
    try:
        key_id = blob[2:named].decode()
    except UnicodeDecodeError:
        raise MalformedCiphertext("the ciphertext has an unknown form") from None
    header = Header(key_id, blob[named:end].hex())
    return header, blob[:end], blob[end : end + NONCE_SIZE], blob[end + NONCE_SIZE :]


def _message_cipher(key: Secret, nonce: bytes) -> tuple[AESGCM, bytes]:
    size = _KEY_SIZE + _IV_SIZE
    derived = HKDFExpand(hashes.SHA256(), size, _LABEL + nonce).derive(key.reveal())
    return AESGCM(derived[:_KEY_SIZE]), derived[_KEY_SIZE:]
