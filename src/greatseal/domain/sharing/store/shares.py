"""The table of resource shares."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Row, String, Table, Text, delete, func, select, update

from greatseal.domain.sharing.model import FeatureSet, Share, ShareFilter, ShareStatus
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

resource_share = Table(
    "resource_share",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("allow_external", Boolean, nullable=False),
    Column("permission", String(128), nullable=False),
    Column("status", String(16), nullable=False),
    Column("feature_set", String(32), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    Index("ix_resource_share_owner", "account", "region", "arn"),
)


def add(tx: Tx, new: Share) -> None:
    """Stores a new share."""
    tx.insert_once(resource_share, _values(new))


def save(tx: Tx, changed: Share) -> None:
    """Stores the changed values of a share that was read in the same transaction."""
    values = _values(changed)
    tx.execute(update(resource_share).where(resource_share.c.arn == values.pop("arn")).values(values))


def find(tx: Tx, arn: str) -> Share | None:
    """The share with this ARN, deleted ones included as long as they are remembered."""
    row = tx.first(select(resource_share).where(resource_share.c.arn == arn))
    return None if row is None else _load(row)


def count(tx: Tx, account: str, region: str) -> int:
    """How many shares an account has in a region, for the quota."""
    query = select(func.count()).where(
        resource_share.c.account == account,
        resource_share.c.region == region,
        resource_share.c.status == ShareStatus.ACTIVE.value,
    )
    return int(tx.scalar(query))


def listing(
    tx: Tx,
    *,
    owner: tuple[str, str] | None,
    arns: Collection[str] | None,
    wanted: ShareFilter,
    after: str,
    limit: int,
) -> list[Share]:
    """Shares by ARN: those of an owner (account, region), or with these ARNs, or both."""
    query = select(resource_share).where(resource_share.c.arn > after)
    if owner is not None:
        query = query.where(resource_share.c.account == owner[0], resource_share.c.region == owner[1])
    if arns is not None:
        query = query.where(resource_share.c.arn.in_(arns))
    if wanted.name is not None:
        query = query.where(resource_share.c.name == wanted.name)
    if wanted.status is not None:
        query = query.where(resource_share.c.status == wanted.status.value)
    if wanted.permission is not None:
        query = query.where(resource_share.c.permission == wanted.permission)
    return [_load(row) for row in tx.all(query.order_by(resource_share.c.arn).limit(limit))]


def ended(tx: Tx, before: datetime) -> list[str]:
    """The ARNs of shares that were deleted before this time."""
    query = select(resource_share.c.arn).where(
        resource_share.c.status == ShareStatus.DELETED.value, resource_share.c.updated_at <= before
    )
    return [row.arn for row in tx.all(query)]


def forget(tx: Tx, arn: str) -> None:
    """Removes the row of a share."""
    tx.execute(delete(resource_share).where(resource_share.c.arn == arn))


def _values(item: Share) -> dict[str, Any]:
    return {
        "arn": item.arn,
        "account": item.account,
        "region": item.region,
        "name": item.name,
        "allow_external": item.allow_external,
        "permission": item.permission,
        "status": item.status.value,
        "feature_set": item.feature_set.value,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def _load(row: Row[Any]) -> Share:
    return Share(
        arn=row.arn,
        account=row.account,
        region=row.region,
        name=row.name,
        allow_external=row.allow_external,
        permission=row.permission,
        status=ShareStatus(row.status),
        feature_set=FeatureSet(row.feature_set),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
