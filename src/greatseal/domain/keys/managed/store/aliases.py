"""The table of aliases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, delete, func, select, update

from greatseal.domain.access.store import generation
from greatseal.domain.keys.managed.model import Alias
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

kms_alias = Table(
    "kms_alias",
    metadata,
    Column("arn", String(400), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("target_arn", String(256), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    Index("ix_kms_alias_account", "account", "region", "arn"),
    Index("ix_kms_alias_target", "target_arn"),
)


def add(tx: Tx, new: Alias, *, account: str, region: str) -> bool:
    """Stores an alias. False when the name is taken."""
    generation.raise_(tx)
    return tx.insert_once(
        kms_alias,
        {
            "arn": new.arn,
            "account": account,
            "region": region,
            "target_arn": new.target_arn,
            "created_at": new.created_at,
            "updated_at": new.updated_at,
        },
    )


def find(tx: Tx, arn: str) -> Alias | None:
    """The alias with this ARN, or None."""
    row = tx.first(select(kms_alias).where(kms_alias.c.arn == arn))
    return None if row is None else _load(row)


def point(tx: Tx, arn: str, target_arn: str, at: datetime) -> None:
    """Lets an alias name another key."""
    tx.execute(update(kms_alias).where(kms_alias.c.arn == arn), {"target_arn": target_arn, "updated_at": at})
    generation.raise_(tx)


def remove(tx: Tx, arn: str) -> None:
    """Deletes an alias."""
    tx.execute(delete(kms_alias).where(kms_alias.c.arn == arn))
    generation.raise_(tx)


def remove_of(tx: Tx, target_arn: str) -> None:
    """Deletes the aliases of a key."""
    tx.execute(delete(kms_alias).where(kms_alias.c.target_arn == target_arn))
    generation.raise_(tx)


def count(tx: Tx, target_arn: str) -> int:
    """How many aliases a key has."""
    found: int = tx.scalar(select(func.count()).select_from(kms_alias).where(kms_alias.c.target_arn == target_arn))
    return found


def names(tx: Tx, target_arn: str) -> Sequence[str]:
    """The ARNs of a key's aliases."""
    query = select(kms_alias.c.arn).where(kms_alias.c.target_arn == target_arn).order_by(kms_alias.c.arn)
    return [row.arn for row in tx.all(query)]


def listing(tx: Tx, account: str, region: str, *, target_arn: str | None, after: str, limit: int) -> list[Alias]:
    """Aliases of an account and region, or of one key, by ARN."""
    query = select(kms_alias).where(
        kms_alias.c.account == account, kms_alias.c.region == region, kms_alias.c.arn > after
    )
    if target_arn is not None:
        query = query.where(kms_alias.c.target_arn == target_arn)
    return [_load(row) for row in tx.all(query.order_by(kms_alias.c.arn).limit(limit))]


def _load(row: Row[Any]) -> Alias:
    return Alias(row.arn, row.target_arn, row.created_at, row.updated_at)
