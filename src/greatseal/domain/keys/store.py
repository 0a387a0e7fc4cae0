"""The table of keys."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, delete, select

from greatseal.domain.keys.model import KeyRecord, NewKey, NewSecret, Purpose, fingerprint
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

key = Table(
    "key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("purpose", String(16), nullable=False),
    # Of the public key; symmetric material has neither.
    Column("spki", LargeBinary),
    Column("fingerprint", String(64)),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_key_fingerprint", "fingerprint"),
)

# Public keys whose private half is known to strangers. Rows stay for ever: such a key does not heal.
compromised_key = Table(
    "compromised_key",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("reported_at", utc_timestamp(), nullable=False),
)


def add(tx: Tx, new: NewKey | NewSecret, *, account: str, purpose: Purpose, at: datetime) -> None:
    """Stores a key."""
    tx.insert_once(
        key,
        {
            "id": new.id,
            "account": account,
            "purpose": purpose.value,
            "spki": new.spki,
            "fingerprint": None if new.spki is None else fingerprint(new.spki),
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


def has_authority_key(tx: Tx, wanted: str) -> bool:
    """Whether the public key with this fingerprint belongs to an authority."""
    query = select(key.c.id).where(key.c.fingerprint == wanted, key.c.purpose == Purpose.AUTHORITY.value).limit(1)
    return tx.first(query) is not None


def has_compromised(tx: Tx, wanted: str) -> bool:
    """Whether the public key with this fingerprint was reported as compromised."""
    return tx.first(select(compromised_key).where(compromised_key.c.fingerprint == wanted)) is not None


def add_compromised(tx: Tx, reported: str, at: datetime) -> None:
    """Remembers a compromised public key; once is enough."""
    tx.insert_once(compromised_key, {"fingerprint": reported, "reported_at": at})


def remove(tx: Tx, key_id: str) -> None:
    """Deletes a key for good."""
    tx.execute(delete(key).where(key.c.id == key_id))
