"""The table of permissions that CA owners gave to services."""

from sqlalchemy import Column, String, Table, delete, select

from greatseal.domain.authorities.permission import Permission
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

permission = Table(
    "permission",
    metadata,
    Column("authority_id", String(36), primary_key=True),
    Column("principal", String(128), primary_key=True),
    Column("source_account", String(12), primary_key=True),
    Column("actions", json_text(), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
)


def add(tx: Tx, authority_id: str, new: Permission) -> bool:
    """Stores a permission. False when the principal has one already."""
    return tx.insert_once(
        permission,
        {
            "authority_id": authority_id,
            "principal": new.principal,
            "source_account": new.source_account,
            "actions": list(new.actions),
            "created_at": new.created_at,
        },
    )


def remove(tx: Tx, authority_id: str, principal: str, source_account: str) -> bool:
    """Removes a permission. False when there is none."""
    result = tx.execute(
        delete(permission).where(
            permission.c.authority_id == authority_id,
            permission.c.principal == principal,
            permission.c.source_account == source_account,
        )
    )
    return bool(result.rowcount)


def listing(tx: Tx, authority_id: str) -> list[Permission]:
    """The permissions of a CA, by principal and account. There are few of them."""
    rows = tx.all(
        select(permission)
        .where(permission.c.authority_id == authority_id)
        .order_by(permission.c.principal, permission.c.source_account)
    )
    return [Permission(row.principal, row.source_account, tuple(row.actions), row.created_at) for row in rows]
