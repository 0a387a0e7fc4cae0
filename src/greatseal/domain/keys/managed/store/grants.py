"""The table of grants."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, func, insert, select

from greatseal.domain.keys.managed.grant import Constraints, Grant
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

kms_grant = Table(
    "kms_grant",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_arn", String(256), nullable=False),
    # A user or a role by its unique id; everybody else by ARN.
    Column("grantee", String(2048), nullable=False),
    Column("retiring", String(2048)),
    Column("operations", json_text(), nullable=False),
    Column("equals", json_text(), nullable=False),
    Column("subset", json_text(), nullable=False),
    Column("name", Text),
    Column("issuing_account", String(12), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_kms_grant_key", "key_arn", "id"),
    Index("ix_kms_grant_grantee", "key_arn", "grantee"),
    Index("ix_kms_grant_name", "key_arn", "name"),
    Index("ix_kms_grant_retiring", "retiring", "id"),
)

_grant = select(kms_grant)


def add(tx: Tx, new: Grant) -> None:
    """Stores a grant."""
    tx.execute(
        insert(kms_grant),
        {
            "id": new.id,
            "key_arn": new.key_arn,
            "grantee": new.grantee,
            "retiring": new.retiring,
            "operations": list(new.operations),
            "equals": dict(new.constraints.equals),
            "subset": dict(new.constraints.subset),
            "name": new.name,
            "issuing_account": new.issuing_account,
            "created_at": new.created_at,
        },
    )


def find(tx: Tx, grant_id: str) -> Grant | None:
    """The grant with this id, or None."""
    row = tx.first(_grant.where(kms_grant.c.id == grant_id))
    return None if row is None else _load(row)


def named(tx: Tx, key_arn: str, name: str) -> list[Grant]:
    """The grants of a key with this name."""
    return [_load(row) for row in tx.all(_grant.where(kms_grant.c.key_arn == key_arn, kms_grant.c.name == name))]


def naming(tx: Tx, key_arn: str, principals: Sequence[str]) -> list[Grant]:
    """The grants of a key to any of these principals."""
    query = _grant.where(kms_grant.c.key_arn == key_arn, kms_grant.c.grantee.in_(principals))
    return [_load(row) for row in tx.all(query.order_by(kms_grant.c.id))]


def count(tx: Tx, key_arn: str) -> int:
    """How many grants a key has."""
    found: int = tx.scalar(select(func.count()).select_from(kms_grant).where(kms_grant.c.key_arn == key_arn))
    return found


def of_key(tx: Tx, key_arn: str, *, grant_id: str | None, grantee: str | None, after: str, limit: int) -> list[Grant]:
    """Grants of a key by id, all or those that match."""
    query = _grant.where(kms_grant.c.key_arn == key_arn, kms_grant.c.id > after)
    if grant_id is not None:
        query = query.where(kms_grant.c.id == grant_id)
    if grantee is not None:
        query = query.where(kms_grant.c.grantee == grantee)
    return [_load(row) for row in tx.all(query.order_by(kms_grant.c.id).limit(limit))]


def retirable(tx: Tx, retiring: str, key_prefix: str, *, after: str, limit: int) -> list[Grant]:
    """Grants that a principal may retire, of keys whose ARN begins so, by id."""
    query = _grant.where(
        kms_grant.c.retiring == retiring, kms_grant.c.key_arn.startswith(key_prefix), kms_grant.c.id > after
    )
    return [_load(row) for row in tx.all(query.order_by(kms_grant.c.id).limit(limit))]


def remove(tx: Tx, grant_id: str) -> None:
    """Deletes a grant."""
    tx.execute(delete(kms_grant).where(kms_grant.c.id == grant_id))


def remove_of(tx: Tx, key_arn: str) -> None:
    """Deletes the grants of a key."""
    tx.execute(delete(kms_grant).where(kms_grant.c.key_arn == key_arn))


def _load(row: Row[Any]) -> Grant:
    return Grant(
        id=row.id,
        key_arn=row.key_arn,
        grantee=row.grantee,
        operations=tuple(row.operations),
        issuing_account=row.issuing_account,
        created_at=row.created_at,
        retiring=row.retiring,
        constraints=Constraints(row.equals, row.subset),
        name=row.name,
    )
