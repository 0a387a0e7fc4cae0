"""The tables of the Merkle log: its head, its tiles, its checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

# There is one log an installation; the row has a name so that there can never be two.
_LOG = "audit"

audit_head = Table(
    "audit_head",
    metadata,
    Column("log", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)

audit_tile = Table(
    "audit_tile",
    metadata,
    Column("height", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", utc_timestamp(), nullable=False),
    Column("note", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The log as it stands: the roots of its complete subtrees, one behind the other."""

    origin: str
    size: int
    frontier: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it was signed, and the key that signed it."""

    size: int
    at: datetime
    note: str
    spki: bytes
    seal: bytes


def head(tx: Tx) -> Head | None:
    """The head; None before the first record was sequenced."""
    row = tx.first(select(audit_head).where(audit_head.c.log == _LOG))
    return None if row is None else Head(row.origin, row.size, row.frontier, row.seal)


def begin(tx: Tx, first: Head) -> None:
    """Stores the head of an empty log."""
    # Of two nodes that begin at once, the second is told to try again, and then sees the first one's head.
    tx.insert_once(audit_head, {"log": _LOG, **_values(first)})


def advance(tx: Tx, old: Head, new: Head) -> bool:
    """Compare and swap: False when another node extended the log first, and then nothing changed."""
    moved = tx.execute(
        update(audit_head)
        .where(audit_head.c.log == _LOG, audit_head.c.size == old.size, audit_head.c.seal == old.seal)
        .values(_values(new))
    )
    return moved.rowcount == 1


def _values(head: Head) -> dict[str, Any]:
    return {"origin": head.origin, "size": head.size, "frontier": head.frontier, "seal": head.seal}


def tile(tx: Tx, height: int, number: int) -> bytes:
    """The hashes of a tile; empty when there is none."""
    t = audit_tile.c
    found: bytes | None = tx.scalar(select(t.hashes).where(t.height == height, t.number == number))
    return found or b""


def put_tile(tx: Tx, height: int, number: int, hashes: bytes, *, new: bool) -> None:
    """Stores a new tile, or a tile that gained hashes."""
    t = audit_tile.c
    if new:
        tx.execute(insert(audit_tile), {"height": height, "number": number, "hashes": hashes})
    else:
        tx.execute(update(audit_tile).where(t.height == height, t.number == number).values(hashes=hashes))


def tiles_beyond(tx: Tx, height: int, number: int) -> int:
    """How many tiles of a height lie behind the one with this number."""
    t = audit_tile.c
    count: int = tx.scalar(select(func.count()).select_from(audit_tile).where(t.height == height, t.number > number))
    return count


def last_checkpoint(tx: Tx, *, above: int = -1) -> StoredCheckpoint | None:
    """The checkpoint of the largest size, which must be above `above`."""
    c = audit_checkpoint.c
    return _checkpoint(tx.first(select(audit_checkpoint).where(c.size > above).order_by(c.size.desc()).limit(1)))


def checkpoints(tx: Tx, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
    """The checkpoints above a size, the smallest first."""
    c = audit_checkpoint.c
    rows = tx.all(select(audit_checkpoint).where(c.size > above).order_by(c.size).limit(limit))
    return [found for row in rows if (found := _checkpoint(row))]


def add_checkpoint(tx: Tx, new: StoredCheckpoint) -> bool:
    """Stores a checkpoint; False when there is one of this size already."""
    values = {"size": new.size, "at": new.at, "note": new.note, "spki": new.spki, "seal": new.seal}
    return tx.insert_once(audit_checkpoint, values)


def _checkpoint(row: Row[Any] | None) -> StoredCheckpoint | None:
    return None if row is None else StoredCheckpoint(row.size, row.at, row.note, row.spki, row.seal)
