"""The table of the logs that the monitor follows: what was seen of each, and how far it was read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, Row, String, Table, Text, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

ct_followed = Table(
    "ct_followed",
    metadata,
    # The SHA-256 of the log's key in hexadecimal: another key is another log.
    Column("log_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    # The newest head that was verified and continues all before it.
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    # How far entries were read, and the roots of the complete subtrees up to there.
    Column("read_size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("checked_at", utc_timestamp(), nullable=False),
    Column("good_at", utc_timestamp(), nullable=False),
    Column("trouble", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known of a log. `trouble` is empty while all is well, `seen` counts reported certificates."""

    log_id: str
    name: str
    size: int
    root: bytes
    timestamp: int
    signature: bytes
    read_size: int
    frontier: bytes
    checked_at: datetime
    good_at: datetime
    trouble: str = ""
    seen: int = 0


_FIELDS = tuple(Followed.__dataclass_fields__)


def find(tx: Tx, log_id: str) -> Followed | None:
    """What is known of a log; None before it was first looked at."""
    row = tx.first(select(ct_followed).where(ct_followed.c.log_id == log_id))
    return None if row is None else _followed(row)


def everything(tx: Tx) -> list[Followed]:
    """All logs that were ever followed, by name."""
    return [_followed(row) for row in tx.all(select(ct_followed).order_by(ct_followed.c.name, ct_followed.c.log_id))]


def begin(tx: Tx, new: Followed) -> bool:
    """Stores what is known of a log that nothing was known of; False when another node was faster."""
    return tx.insert_once(ct_followed, _values(new))


def advance(tx: Tx, old: Followed, new: Followed) -> bool:
    """Compare and swap: False when another node went on first, and then nothing changed."""
    c = ct_followed.c
    same = (c.log_id == old.log_id, c.timestamp == old.timestamp, c.size == old.size, c.read_size == old.read_size)
    return tx.execute(update(ct_followed).where(*same).values(_values(new))).rowcount == 1


def _values(state: Followed) -> dict[str, Any]:
    return {name: getattr(state, name) for name in _FIELDS}


def _followed(row: Row[Any]) -> Followed:
    return Followed(**{name: getattr(row, name) for name in _FIELDS})
