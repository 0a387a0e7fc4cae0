"""The table of custom key stores."""

from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, delete, func, insert, select, update

from greatseal.domain.access.store import generation
from greatseal.domain.keys.managed.custom_store import CustomStore, StoreState
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

kms_custom_store = Table(
    "kms_custom_store",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("endpoint", String(128), nullable=False),
    Column("path", String(128), nullable=False),
    Column("uri", String(256), nullable=False),
    Column("access_key_id", String(30), nullable=False),
    Column("secret_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", String(64)),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("uq_kms_custom_store_name", "account", "region", "name", unique=True),
    Index("uq_kms_custom_store_uri", "account", "region", "uri", unique=True),
)

_store = select(kms_custom_store)


def add(tx: Tx, new: CustomStore) -> None:
    """Stores a custom key store."""
    tx.execute(insert(kms_custom_store), {"id": new.id, **_values(new)})


def save(tx: Tx, changed: CustomStore) -> None:
    """Writes every column of one that exists."""
    tx.execute(update(kms_custom_store).where(kms_custom_store.c.id == changed.id), _values(changed))
    generation.raise_(tx)


def remove(tx: Tx, store_id: str) -> None:
    """Forgets one."""
    tx.execute(delete(kms_custom_store).where(kms_custom_store.c.id == store_id))
    generation.raise_(tx)


def find(tx: Tx, store_id: str) -> CustomStore | None:
    """The one with this id, or None."""
    row = tx.first(_store.where(kms_custom_store.c.id == store_id))
    return None if row is None else _load(row)


def named(tx: Tx, account: str, region: str, name: str) -> CustomStore | None:
    """The one with this name in an account and region, or None."""
    table = kms_custom_store.c
    row = tx.first(_store.where(table.account == account, table.region == region, table.name == name))
    return None if row is None else _load(row)


def at(tx: Tx, account: str, region: str, uri: str) -> CustomStore | None:
    """The one behind this proxy in an account and region, or None."""
    table = kms_custom_store.c
    row = tx.first(_store.where(table.account == account, table.region == region, table.uri == uri))
    return None if row is None else _load(row)


def count(tx: Tx, account: str, region: str) -> int:
    """How many an account has in a region."""
    table = kms_custom_store.c
    query = select(func.count()).select_from(kms_custom_store).where(table.account == account, table.region == region)
    found: int = tx.scalar(query)
    return found


def listing(tx: Tx, account: str, region: str, *, after: str, limit: int) -> list[CustomStore]:
    """Those of an account and region, by id."""
    table = kms_custom_store.c
    query = _store.where(table.account == account, table.region == region, table.id > after)
    return [_load(row) for row in tx.all(query.order_by(table.id).limit(limit))]


def _values(store: CustomStore) -> dict[str, Any]:
    return {
        "account": store.account,
        "region": store.region,
        "name": store.name,
        "endpoint": store.endpoint,
        "path": store.path,
        "uri": store.uri,
        "access_key_id": store.access_key_id,
        "secret_id": store.secret_id,
        "state": store.state.value,
        "error": store.error,
        "created_at": store.created_at,
    }


def _load(row: Row[Any]) -> CustomStore:
    return CustomStore(
        id=row.id,
        account=row.account,
        region=row.region,
        name=row.name,
        endpoint=row.endpoint,
        path=row.path,
        access_key_id=row.access_key_id,
        secret_id=row.secret_id,
        created_at=row.created_at,
        state=StoreState(row.state),
        error=row.error,
    )
