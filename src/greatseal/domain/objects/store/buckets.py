"""The table of buckets. Names are unique in the installation, as they are in a partition of AWS."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, delete, func, select, update

from greatseal.domain.objects.model import Bucket, Ownership, PublicAccess, Versioning
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

_LONGEST_NAME = 63

bucket = Table(
    "bucket",
    metadata,
    Column("name", String(_LONGEST_NAME), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("versioning", String(16), nullable=False),
    # NULL once the owner removed them.
    Column("ownership", String(32)),
    Column("public_access", json_text()),
    Column("acl", String(32), nullable=False),
    Index("ix_bucket_listing", "account", "name"),
)


def add(tx: Tx, new: Bucket) -> bool:
    """Stores a bucket. False when the name is taken."""
    return tx.insert_once(bucket, _values(new))


def save(tx: Tx, changed: Bucket) -> None:
    """Stores the changed values of a bucket that was read in the same transaction."""
    values = _values(changed)
    tx.execute(update(bucket).where(bucket.c.name == values.pop("name")).values(values))


def find(tx: Tx, name: str) -> Bucket | None:
    """The bucket with this name."""
    row = tx.first(select(bucket).where(bucket.c.name == name))
    return None if row is None else _load(row)


def remove(tx: Tx, name: str) -> None:
    """Removes a bucket that is empty."""
    tx.execute(delete(bucket).where(bucket.c.name == name))


def count(tx: Tx, account: str) -> int:
    """How many buckets an account has, for the quota."""
    return int(tx.scalar(select(func.count()).select_from(bucket).where(bucket.c.account == account)))


def listing(tx: Tx, account: str, *, prefix: str, region: str | None, after: str, limit: int) -> list[Bucket]:
    """Buckets of an account by name."""
    query = select(bucket).where(bucket.c.account == account, bucket.c.name > after)
    if len(prefix) > _LONGEST_NAME:
        # Nothing begins so, and a database need not take a pattern of any length.
        return []
    if prefix:
        query = query.where(bucket.c.name.startswith(prefix, autoescape=True))
    if region is not None:
        query = query.where(bucket.c.region == region)
    return [_load(row) for row in tx.all(query.order_by(bucket.c.name).limit(limit))]


def _values(item: Bucket) -> dict[str, Any]:
    access = item.public_access
    return {
        "name": item.name,
        "account": item.account,
        "region": item.region,
        "created_at": item.created_at,
        "versioning": item.versioning.value,
        "ownership": item.ownership.value if item.ownership else None,
        "public_access": None if access is None else [*access],
        "acl": item.acl,
    }


def _load(row: Row[Any]) -> Bucket:
    created: datetime = row.created_at
    return Bucket(
        name=row.name,
        account=row.account,
        region=row.region,
        created_at=created,
        versioning=Versioning(row.versioning),
        ownership=Ownership(row.ownership) if row.ownership else None,
        public_access=None if row.public_access is None else PublicAccess(*row.public_access),
        acl=row.acl,
    )
