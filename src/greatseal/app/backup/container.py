"""The file of a backup: a readable header, then everything else as one sealed stream of messages.

    greatseal-backup/1 LF | length of the header (2) | header, JSON | chunks of 64 KiB and a tag each

The header says which kind of key opens the stream, and is bound to the key, so that not a bit of it can be changed.
Inside, a message is its length (4) and MessagePack.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from greatseal.crypto.sealed_stream import (
    CHUNK_SIZE,
    SALT_SIZE,
    TAG_SIZE,
    StreamOpener,
    StreamSealer,
    secret_from_passphrase,
    stream_key,
)
from greatseal.crypto.wrap import CannotOpen, key_fingerprint, key_from_passphrase
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret

MAGIC = b"greatseal-backup/1\n"
_FAMILY = b"greatseal-backup/"
_SEALED = CHUNK_SIZE + TAG_SIZE
_HEX = 2 * SALT_SIZE


class BackupUnusable(ValueError):
    """The file is not a backup, was altered or cut off, or does not open with what was given. Says which."""


class Manifest(msgspec.Struct, frozen=True, tag="manifest"):
    """The first message: what this is a backup of. `taken_at` is ISO 8601, `schema` the revision of the tables."""

    id: str
    taken_at: str
    version: str
    schema: str
    database: str
    account: str
    missing: int = 0
    """Contents of objects that the database names and that were not there."""


class FilePart(msgspec.Struct, frozen=True, tag="file"):
    """Octets of a file of the data directory; a part with another name than the one before begins a file."""

    name: str
    data: bytes


class TableBegins(msgspec.Struct, frozen=True, tag="table"):
    """A table; rows follow."""

    name: str
    columns: tuple[str, ...]
    counter: int | None


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Some rows of the table that was begun last."""

    rows: list[list[Any]]


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last message, with what there was."""

    tables: int
    rows: int
    files: int


Message = Manifest | FilePart | TableBegins | Rows | End
_DECODER = msgspec.msgpack.Decoder(Message)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a backup is sealed with: a passphrase, or the key-encryption key (with its salt, if a passphrase has it)."""

    passphrase: Secret | None = None
    kek: Secret | None = None
    kek_salt: bytes | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """What may open a backup, of which the header says which is needed."""

    passphrase: Secret | None = None
    kek: Secret | None = None
    kek_passphrase: Secret | None = None


class BackupWriter:
    """Writes messages to a file. Nothing of it opens before `close`, which ends the stream."""

    def __init__(self, file: BinaryIO, lock: Lock, entropy: Entropy) -> None:
        self._file = file
        salt = entropy.token_bytes(SALT_SIZE)
        header: dict[str, str] = {"salt": salt.hex()}
        if lock.passphrase is not None:
            header["key"] = "passphrase"
            secret = secret_from_passphrase(lock.passphrase, salt)
        else:
            assert lock.kek is not None
            header |= {"key": "kek", "kek": key_fingerprint(lock.kek)}
            if lock.kek_salt is not None:
                header["kek_salt"] = lock.kek_salt.hex()
            secret = lock.kek
        text = json.dumps(header, sort_keys=True).encode()
        begin = MAGIC + len(text).to_bytes(2, "big") + text
        file.write(begin)
        self._sealer = StreamSealer(stream_key(secret, salt, begin))
        self._waiting = bytearray()

    def write(self, message: Message) -> None:
        """The next message."""
        encoded = msgspec.msgpack.encode(message)
        self._waiting += len(encoded).to_bytes(4, "big") + encoded
        # A full chunk is kept back: it may be the last one.
        sealed = 0
        while len(self._waiting) - sealed > CHUNK_SIZE:
            self._file.write(self._sealer.seal(bytes(self._waiting[sealed : sealed + CHUNK_SIZE]), last=False))
            sealed += CHUNK_SIZE
        del self._waiting[:sealed]

    def close(self) -> None:
        """Ends the stream. The file is its owner's to close."""
        self._file.write(self._sealer.seal(bytes(self._waiting), last=True))


def read(file: BinaryIO, keys: Keys) -> Iterator[Message]:
    """The messages of a backup from its beginning, ending with `End`. Raises BackupUnusable, also half way."""
    messages = _messages(file, keys)
    first = next(messages, None)
    if not isinstance(first, Manifest):
        raise BackupUnusable("the backup does not begin with its manifest")
    yield first
    last: Message = first
    for last in messages:
        yield last
    if not isinstance(last, End):
        raise BackupUnusable("the backup has no end")


def _messages(file: BinaryIO, keys: Keys) -> Iterator[Message]:
    pending = bytearray()
    for chunk in _chunks(file, _key_of(file, keys)):
        pending += chunk
        used = 0
        while len(pending) - used >= 4:
            end = used + 4 + int.from_bytes(pending[used : used + 4], "big")
            if len(pending) < end:
                break
            try:
                yield _DECODER.decode(memoryview(pending)[used + 4 : end].tobytes())
            except msgspec.DecodeError as error:
                raise BackupUnusable(f"the backup holds what this version does not know: {error}") from None
            used = end
        del pending[:used]
    if pending:
        raise BackupUnusable("the backup ends within a message")


def _chunks(file: BinaryIO, key: Secret) -> Iterator[bytes]:
    opener = StreamOpener(key)
    sealed, opened = file.read(_SEALED), 0
    while True:
        following = file.read(_SEALED)
        try:
            chunk = opener.open(sealed, last=not following)
        except CannotOpen:
            if not opened:
                text = "it was sealed with another key or passphrase, or altered, or cut off"
                raise BackupUnusable(f"the backup does not open: {text}") from None
            raise BackupUnusable(f"the backup was altered or cut off: chunk {opened} does not open") from None
        yield chunk
        opened += 1
        if not following:
            return
        sealed = following


def _key_of(file: BinaryIO, keys: Keys) -> Secret:
    begin = file.read(len(MAGIC))
    if begin != MAGIC:
        other = begin.startswith(_FAMILY)
        raise BackupUnusable("the backup has a later format" if other else "this is not a backup of Greatseal")
    size = file.read(2)
    text = file.read(int.from_bytes(size, "big"))
    try:
        header = msgspec.json.decode(text, type=dict[str, str])
        salt = bytes.fromhex(header["salt"])
        kek_salt = bytes.fromhex(header["kek_salt"]) if "kek_salt" in header else None
        kind, wanted = header["key"], header.get("kek", "")
    except (msgspec.DecodeError, KeyError, ValueError):
        raise BackupUnusable("the header of the backup was altered or cut off") from None
    return stream_key(_secret(kind, wanted, salt, kek_salt, keys), salt, begin + size + text)


def _secret(kind: str, wanted: str, salt: bytes, kek_salt: bytes | None, keys: Keys) -> Secret:
    if kind == "passphrase":
        if keys.passphrase is None:
            raise BackupUnusable("the backup is sealed with a passphrase: name its file with --passphrase-file")
        return secret_from_passphrase(keys.passphrase, salt)
    if kind != "kek":
        raise BackupUnusable("the header of the backup was altered or cut off")
    kek = keys.kek
    if kek is None and keys.kek_passphrase is not None and kek_salt is not None:
        kek = key_from_passphrase(keys.kek_passphrase, kek_salt)
    if kek is None:
        named = "--kek-passphrase-file" if kek_salt is not None else "--kek-file"
        raise BackupUnusable(f"the backup is sealed with the key-encryption key {wanted}: name it with {named}")
    if key_fingerprint(kek) != wanted:
        text = f"the backup is sealed with the key-encryption key {wanted}, and {key_fingerprint(kek)} was given"
        raise BackupUnusable(text)
    return kek
