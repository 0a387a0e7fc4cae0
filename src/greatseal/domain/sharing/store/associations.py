"""The table of what is tied to shares: resources and principals."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Row, Select, String, Table, Text, and_, delete, insert, or_, select

from greatseal.domain.sharing.model import (
    Association,
    AssociationFilter,
    AssociationStatus,
    AssociationType,
    ShareStatus,
)
from greatseal.domain.sharing.store.shares import resource_share
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

share_association = Table(
    "share_association",
    metadata,
    Column("share_arn", Text, primary_key=True),
    Column("type", String(16), primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("grantee", String(68), nullable=False),
    Column("policy_name", Text, nullable=False),
    Column("external", Boolean, nullable=False),
    Column("organization", String(34), nullable=False),
    Column("expires_at", utc_timestamp()),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    Index("ix_share_association_grantee", "grantee"),
    Index("ix_share_association_entity", "entity"),
)
_table = share_association


def put(tx: Tx, item: Association) -> None:
    """Stores an association, in place of an earlier one of the same resource or principal."""
    same = (_table.c.share_arn == item.share_arn, _table.c.type == item.type.value, _table.c.entity == item.entity)
    tx.execute(delete(_table).where(*same))
    row = {
        "share_arn": item.share_arn,
        "type": item.type.value,
        "entity": item.entity,
        "status": item.status.value,
        "grantee": item.grantee,
        "policy_name": item.policy_name,
        "external": item.external,
        "organization": item.organization,
        "expires_at": item.expires_at,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    tx.execute(insert(_table), row)


def of_share(tx: Tx, share_arn: str, type: AssociationType | None = None) -> list[Association]:
    """The associations of one share, ended ones included, by type and entity."""
    query = _select().where(_table.c.share_arn == share_arn)
    if type is not None:
        query = query.where(_table.c.type == type.value)
    return [_load(row) for row in tx.all(query.order_by(_table.c.type, _table.c.entity))]


def listing(
    tx: Tx,
    *,
    type: AssociationType,
    owner: tuple[str, str] | None,
    wanted: AssociationFilter,
    now: datetime,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
) -> list[Association]:
    """Associations by share and entity, of the shares of an owner (account, region) or of named shares."""
    share_arn, entity = after
    query = _select().where(
        _table.c.type == type.value,
        or_(_table.c.share_arn > share_arn, and_(_table.c.share_arn == share_arn, _table.c.entity > entity)),
    )
    if owner is not None:
        query = query.where(resource_share.c.account == owner[0], resource_share.c.region == owner[1])
    if wanted.shares is not None:
        query = query.where(_table.c.share_arn.in_(wanted.shares))
    if wanted.entities is not None:
        query = query.where(_table.c.entity.in_(wanted.entities))
    if wanted.status is not None:
        query = query.where(_shows(wanted.status, now))
    return [_load(row) for row in tx.all(query.order_by(_table.c.share_arn, _table.c.entity).limit(limit))]


def live_resources(tx: Tx, entity: str | None = None) -> list[Association]:
    """The associations of resources that are shared now, or those of one resource."""
    query = _select().where(
        _table.c.type == AssociationType.RESOURCE.value, _table.c.status == AssociationStatus.ASSOCIATED.value
    )
    if entity is not None:
        query = query.where(_table.c.entity == entity)
    return [_load(row) for row in tx.all(query.order_by(_table.c.entity, _table.c.share_arn))]


def granted(tx: Tx, grantees: Collection[str], region: str) -> list[Association]:
    """The associations of principals that these accounts, organizations or units are behind, in live shares."""
    query = _select().where(
        _table.c.grantee.in_(grantees),
        _table.c.type == AssociationType.PRINCIPAL.value,
        _table.c.status == AssociationStatus.ASSOCIATED.value,
        resource_share.c.region == region,
        resource_share.c.status == ShareStatus.ACTIVE.value,
    )
    return [_load(row) for row in tx.all(query)]


def forget(tx: Tx, before: datetime, shares: Collection[str]) -> None:
    """Removes associations that ended before this time, and all of these shares."""
    ended = and_(_table.c.status == AssociationStatus.DISASSOCIATED.value, _table.c.updated_at <= before)
    tx.execute(delete(_table).where(or_(ended, _table.c.share_arn.in_(shares))))


def _select() -> Select[Any]:
    joined = _table.join(resource_share, resource_share.c.arn == _table.c.share_arn)
    return select(_table, resource_share.c.name.label("share_name")).select_from(joined)


def _shows(status: AssociationStatus, now: datetime) -> Any:
    """As `Association.status_at`, in SQL."""
    waits = and_(_table.c.status == AssociationStatus.ASSOCIATING.value, _table.c.expires_at <= now)
    if status is AssociationStatus.FAILED:
        return or_(_table.c.status == status.value, waits)
    if status is AssociationStatus.ASSOCIATING:
        return and_(_table.c.status == status.value, _table.c.expires_at > now)
    return _table.c.status == status.value


def _load(row: Row[Any]) -> Association:
    return Association(
        share_arn=row.share_arn,
        type=AssociationType(row.type),
        entity=row.entity,
        status=AssociationStatus(row.status),
        grantee=row.grantee,
        policy_name=row.policy_name,
        external=row.external,
        organization=row.organization,
        expires_at=row.expires_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        share_name=row.share_name,
    )
