"""The tables of keys."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    literal,
    select,
    union_all,
    update,
)

from greatseal.domain.keys.model import Found, KeyRecord, NewKey, NewSecret, Purpose, fingerprint, identity
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp
from greatseal.storage.sealed import SealedColumn
from greatseal.storage.statements import delete_by, select_by

key = Table(
    "key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("purpose", String(16), nullable=False),
    # Of the public key; symmetric material has neither.
    Column("spki", LargeBinary),
    Column("fingerprint", String(64)),
    # The name of the key store that holds the private half; empty when it is in `sealed`.
    Column("store", String(64), nullable=False),
    Column("sealed", LargeBinary),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_key_fingerprint", "fingerprint"),
)

SEALED = SealedColumn(key, "id", "sealed", identity)

# Keys in key stores that no row of `key` needs, or does not need yet: they are destroyed there once they are due.
unneeded_key = Table(
    "unneeded_key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("store", String(64), nullable=False),
    Column("due_at", utc_timestamp(), nullable=False),
    Index("ix_unneeded_key_due_at", "due_at"),
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
            "store": new.store,
            "sealed": new.sealed,
            "created_at": at,
        },
    )


def find(tx: Tx, key_id: str) -> Found | None:
    """A key and its sealed private half."""
    row = tx.first(select_by(key.c.id), {"id": key_id})
    if row is None:
        return None
    record = KeyRecord(row.id, row.account, Purpose(row.purpose), row.spki, row.created_at, row.store)
    return Found(record, row.sealed)


def stores_in_use(tx: Tx) -> Sequence[str]:
    """The names of the key stores that hold keys."""
    query = select(key.c.store).where(key.c.store != "").distinct().order_by(key.c.store)
    return [row.store for row in tx.all(query)]


def add_unneeded(tx: Tx, key_id: str, store: str, due: datetime) -> None:
    """A key store is to destroy this key at `due`, unless it is needed until then."""
    tx.insert_once(unneeded_key, {"id": key_id, "store": store, "due_at": due})


def need(tx: Tx, key_id: str, now: datetime) -> bool:
    """The key is needed. False when it is too late to say so."""
    wanted = delete(unneeded_key).where(unneeded_key.c.id == key_id, unneeded_key.c.due_at > now)
    return tx.execute(wanted).rowcount == 1


def stores_of_unneeded(tx: Tx, before: datetime) -> Sequence[str]:
    """The names of the key stores with keys that were due before."""
    query = select(unneeded_key.c.store).where(unneeded_key.c.due_at < before).distinct()
    return [row.store for row in tx.all(query.order_by(unneeded_key.c.store))]


def unneeded(tx: Tx, store: str, before: datetime, limit: int) -> Sequence[str]:
    """Ids of the keys in a key store that were due before, oldest first."""
    query = select(unneeded_key.c.id).where(unneeded_key.c.store == store, unneeded_key.c.due_at < before)
    return [row.id for row in tx.all(query.order_by(unneeded_key.c.due_at).limit(limit))]


def put_off(tx: Tx, key_id: str, due: datetime) -> None:
    """The key is still due, but after all that were due before."""
    tx.execute(update(unneeded_key).where(unneeded_key.c.id == key_id).values(due_at=due))


def gone(tx: Tx, key_id: str) -> None:
    """The key store has destroyed this key."""
    tx.execute(delete(unneeded_key).where(unneeded_key.c.id == key_id))


def holds(tx: Tx, wanted: str) -> bool:
    """Whether the private half of the public key with this fingerprint is kept here."""
    return tx.first(select(key.c.id).where(key.c.fingerprint == wanted).limit(1)) is not None


# Asked of every key that is certified, hence one statement.
_AMONG = bindparam("among", expanding=True, type_=String())
_NOTORIOUS = union_all(
    select(compromised_key.c.fingerprint, literal(True, Boolean).label("compromised")).where(
        compromised_key.c.fingerprint.in_(_AMONG)
    ),
    select(key.c.fingerprint, literal(False, Boolean)).where(
        key.c.fingerprint.in_(_AMONG), key.c.purpose == Purpose.AUTHORITY.value
    ),
)


def notorious(tx: Tx, wanted: Collection[str]) -> tuple[set[str], set[str]]:
    """Which of these fingerprints belong to keys that were reported as compromised, and which to authorities."""
    rows = tx.all(_NOTORIOUS, {"among": sorted(set(wanted))})
    return {row.fingerprint for row in rows if row.compromised}, {
        row.fingerprint for row in rows if not row.compromised
    }


def add_compromised(tx: Tx, reported: str, at: datetime) -> None:
    """Remembers a compromised public key; once is enough."""
    tx.insert_once(compromised_key, {"fingerprint": reported, "reported_at": at})


def remove(tx: Tx, key_id: str) -> None:
    """Deletes a key for good."""
    tx.execute(delete_by(key.c.id), {"id": key_id})
