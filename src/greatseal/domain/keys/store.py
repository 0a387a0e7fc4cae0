"""The table of keys."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, delete, select

from greatseal.domain.keys.model import KeyRecord, NewKey, Purpose
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

key = Table(
    "key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
)


def add(tx: Tx, new: NewKey, *, account: str, purpose: Purpose, at: datetime) -> None:
    """Stores a key."""
    tx.insert_once(
        key,
        {
            "id": new.id,
            "account": account,
            "purpose": purpose.value,
            "spki": new.spki,
            "sealed": new.sealed,
            "created_at": at,
        },
    )


def find(tx: Tx, key_id: str) -> tuple[KeyRecord, bytes] | None:
    """A key and its sealed private half."""
    row = tx.first(select(key).where(key.c.id == key_id))
    if row is None:
        return None
    return KeyRecord(row.id, row.account, Purpose(row.purpose), row.spki, row.created_at), row.sealed


def remove(tx: Tx, key_id: str) -> None:
    """Deletes a key for good."""
    tx.execute(delete(key).where(key.c.id == key_id))
