"""The tables of our logs: the log and its head, its tiles, its entries, and the issuers that entries name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from greatseal.domain.transparency.model import LogRecord
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

ct_log = Table(
    "ct_log",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("operator", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("key_id", String(36), nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("retired_at", utc_timestamp()),
    # The head. Whoever extends the log compares and swaps it.
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

ct_tile = Table(
    "ct_tile",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("height", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

ct_entry = Table(
    "ct_entry",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("identity", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("uq_ct_entry_identity", "log", "identity", unique=True),
    Index("ix_ct_entry_leaf_hash", "log", "leaf_hash"),
)

ct_issuer = Table(
    "ct_issuer",
    metadata,
    Column("fingerprint", LargeBinary, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
)

_RECORD = tuple(LogRecord.__dataclass_fields__)
_HEAD = ("size", "frontier", "timestamp", "checkpoint")
_NEW_ENTRY = ("place", "identity", "leaf_hash", "timestamp", "signature", "leaf")
_TILE = (
    ct_tile.c.log == bindparam("this_log"),
    ct_tile.c.height == bindparam("this_height"),
    ct_tile.c.number == bindparam("this_number"),
)
# What each batch runs is built once: building a statement costs more than running it.
_SELECT_HEAD = select(*(ct_log.c[name] for name in _HEAD), ct_log.c.retired_at).where(
    ct_log.c.id == bindparam("this_log")
)
_SELECT_KNOWN = select(ct_entry.c.identity, ct_entry.c.place, ct_entry.c.timestamp, ct_entry.c.signature).where(
    ct_entry.c.log == bindparam("this_log"),
    ct_entry.c.identity.in_(bindparam("identities", expanding=True, type_=LargeBinary)),
)
_SELECT_TILE = select(ct_tile.c.hashes).where(*_TILE)
_UPDATE_TILE = update(ct_tile).where(*_TILE).values(hashes=bindparam("hashes"))
_INSERT_TILE, _INSERT_ENTRY = insert(ct_tile), insert(ct_entry)
_ADVANCE = (
    update(ct_log)
    .where(
        ct_log.c.id == bindparam("this_log"),
        ct_log.c.size == bindparam("old_size"),
        ct_log.c.checkpoint == bindparam("old_checkpoint"),
        ct_log.c.retired_at.is_(None),
    )
    .values({name: bindparam(name) for name in _HEAD})
)


@dataclass(frozen=True, slots=True)
class Head:
    """A log as it stands: size, the roots of its complete subtrees one behind the other, time, signed checkpoint."""

    size: int
    frontier: bytes
    timestamp: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry that has its place: what its SCT consists of."""

    place: int
    timestamp: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that gets its place; `leaf` is its encoding in tiles."""

    place: int
    identity: bytes
    leaf_hash: bytes
    timestamp: int
    signature: bytes
    leaf: bytes


def records(tx: Tx) -> list[LogRecord]:
    """All logs that there ever were, the oldest first."""
    query = select(*(ct_log.c[name] for name in _RECORD)).order_by(ct_log.c.created_at, ct_log.c.id)
    return [_record(row) for row in tx.all(query)]


def begin(tx: Tx, record: LogRecord, head: Head) -> bool:
    """Stores a new log; False when there is one with this id."""
    values = {name: getattr(record, name) for name in _RECORD}
    return tx.insert_once(ct_log, {**values, **_head_values(head)})


def retire(tx: Tx, record: LogRecord) -> None:
    """The log takes nothing from now on."""
    tx.execute(update(ct_log).where(ct_log.c.id == record.id).values(retired_at=record.retired_at))


def head(tx: Tx, log: str) -> Head:
    """The head of a log that there is."""
    return _head(tx.one(_SELECT_HEAD, {"this_log": log}))


def open_head(tx: Tx, log: str) -> Head | None:
    """The head of a log that takes entries; None when it takes none any more."""
    row = tx.one(_SELECT_HEAD, {"this_log": log})
    return _head(row) if row.retired_at is None else None


def advance(tx: Tx, log: str, old: Head, new: Head) -> bool:
    """Compare and swap: False when another node extended or closed the log first, and then nothing changed."""
    was = {"this_log": log, "old_size": old.size, "old_checkpoint": old.checkpoint}
    return tx.execute(_ADVANCE, {**was, **_head_values(new)}).rowcount == 1


def tile(tx: Tx, log: str, height: int, number: int) -> bytes:
    """The hashes of a tile; empty when there is none."""
    found: bytes | None = tx.scalar(_SELECT_TILE, {"this_log": log, "this_height": height, "this_number": number})
    return found or b""


def put_tile(tx: Tx, log: str, height: int, number: int, hashes: bytes, *, new: bool) -> None:
    """Stores a new tile, or a tile that gained hashes."""
    if new:
        tx.execute(_INSERT_TILE, {"log": log, "height": height, "number": number, "hashes": hashes})
    else:
        tx.execute(_UPDATE_TILE, {"this_log": log, "this_height": height, "this_number": number, "hashes": hashes})


def add_entries(tx: Tx, log: str, entries: Sequence[NewEntry]) -> None:
    """Stores entries that got their places."""
    tx.execute(_INSERT_ENTRY, [{"log": log, **{name: getattr(each, name) for name in _NEW_ENTRY}} for each in entries])


def known(tx: Tx, log: str, identities: Collection[bytes]) -> dict[bytes, Stored]:
    """Which of these the log has."""
    rows = tx.all(_SELECT_KNOWN, {"this_log": log, "identities": list(identities)})
    return {row.identity: Stored(row.place, row.timestamp, row.signature) for row in rows}


def leaves(tx: Tx, log: str, start: int, end: int) -> list[bytes]:
    """The encoded entries from `start` on, `end` not included."""
    c = ct_entry.c
    rows = tx.all(select(c.leaf).where(c.log == log, c.place >= start, c.place < end).order_by(c.place))
    return [row.leaf for row in rows]


def index_of(tx: Tx, log: str, leaf_hash: bytes) -> int | None:
    """The place of a leaf by its hash, None when the log has no such leaf."""
    c = ct_entry.c
    found: int | None = tx.scalar(select(c.place).where(c.log == log, c.leaf_hash == leaf_hash).limit(1))
    return found


def add_issuers(tx: Tx, certificates: Mapping[bytes, bytes]) -> None:
    """Stores issuers by fingerprint, those that are not there yet."""
    for fingerprint, each in certificates.items():
        tx.insert_once(ct_issuer, {"fingerprint": fingerprint, "certificate": each})


def issuer(tx: Tx, fingerprint: bytes) -> bytes | None:
    """An issuer (DER) that an entry names."""
    found: bytes | None = tx.scalar(select(ct_issuer.c.certificate).where(ct_issuer.c.fingerprint == fingerprint))
    return found


def _head(row: Row[Any]) -> Head:
    return Head(row.size, row.frontier, row.timestamp, row.checkpoint)


def _head_values(head: Head) -> dict[str, Any]:
    return {name: getattr(head, name) for name in _HEAD}


def _record(row: Row[Any]) -> LogRecord:
    return LogRecord(**{name: getattr(row, name) for name in _RECORD})
