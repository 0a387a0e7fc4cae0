"""The table of credentials."""

from sqlalchemy import Column, LargeBinary, String, Table, Text, select

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

credential = Table(
    "credential",
    metadata,
    Column("access_key_id", String(128), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("principal_arn", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
)


def find(tx: Tx, access_key_id: str) -> tuple[str, str, bytes] | None:
    """(account, principal ARN, sealed secret) of a credential."""
    row = tx.first(select(credential).where(credential.c.access_key_id == access_key_id))
    return None if row is None else (row.account, row.principal_arn, row.sealed_secret)


def any_of(tx: Tx, principal_arn: str) -> str | None:
    """The access key id of one credential of a principal."""
    row = tx.first(
        select(credential.c.access_key_id)
        .where(credential.c.principal_arn == principal_arn)
        .order_by(credential.c.created_at)
        .limit(1)
    )
    return None if row is None else str(row.access_key_id)
