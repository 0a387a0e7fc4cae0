"""Ciphertext blobs of keys in external key stores: what our own key encrypted, encrypted again outside. Pure.

A blob is

    version (1) | length of the key id (1) | key id | material id (32) |
    length of IV (1) | IV | length of metadata (1) | metadata | tag (16) | ciphertext

where the ciphertext is a whole blob of `crypto.envelope`. Outside, it is bound to the header up to the material id and
to a digest of the encryption context: the key manager learns nothing about the context, and its limit of 8192 octets
does not become ours. The inner blob is bound to the context itself.
"""

import hashlib
from collections.abc import Mapping

from greatseal.crypto import envelope
from greatseal.domain.keys.managed.ports import ExternalCiphertext

VERSION = 2
"""The first octet; that of `crypto.envelope` is 1."""

_MATERIAL_ID_SIZE, _TAG_SIZE = 32, 16


def header(key_id: str, material_id: str) -> bytes:
    """The octets in front, from which a key is found again."""
    name = key_id.encode()
    return bytes((VERSION, len(name))) + name + bytes.fromhex(material_id)


def associated(key_id: str, material_id: str, context: Mapping[str, str]) -> bytes:
    """What the outer encryption is bound to."""
    return header(key_id, material_id) + hashlib.sha256(envelope.canonical(context)).digest()


def pack(key_id: str, material_id: str, sealed: ExternalCiphertext) -> bytes:
    """The blob."""
    parts = bytes((len(sealed.iv),)) + sealed.iv + bytes((len(sealed.metadata),)) + sealed.metadata
    return header(key_id, material_id) + parts + sealed.tag + sealed.ciphertext


def parse(blob: bytes) -> tuple[envelope.Header, ExternalCiphertext]:
    """The parts of a blob; nothing is proven of them yet. Raises envelope.MalformedCiphertext."""
    reader = _Reader(blob)
    if reader.take(1)[0] != VERSION:
        raise envelope.MalformedCiphertext("the ciphertext has an unknown form")
    try:
        key_id = reader.counted().decode()
    except UnicodeDecodeError:
        raise envelope.MalformedCiphertext("the ciphertext has an unknown form") from None
    material_id = reader.take(_MATERIAL_ID_SIZE).hex()
    iv, metadata, tag = reader.counted(), reader.counted(), reader.take(_TAG_SIZE)
    return envelope.Header(key_id, material_id), ExternalCiphertext(iv, metadata, tag, reader.rest())


class _Reader:
    """Takes octets from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def take(self, size: int) -> bytes:
        taken = self._octets[self._at : self._at + size]
        if len(taken) != size:
            raise envelope.MalformedCiphertext("the ciphertext is cut off")
        self._at += size
        return taken

    def counted(self) -> bytes:
        return self.take(self.take(1)[0])

    def rest(self) -> bytes:
        return self._octets[self._at :]
