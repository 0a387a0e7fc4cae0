"""The table of import parameters: for each key the wrapping key that was handed out last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, delete, select

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

kms_import = Table(
    "kms_import",
    metadata,
    Column("key_arn", String(256), primary_key=True),
    Column("token_id", String(36), nullable=False),
    Column("secret_id", String(36), nullable=False),
    Column("algorithm", String(64), nullable=False),
    Column("wrapping_spec", String(32), nullable=False),
    Column("valid_to", utc_timestamp(), nullable=False),
    Index("ix_kms_import_valid_to", "valid_to"),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What GetParametersForImport handed out."""

    key_arn: str
    token_id: str
    secret_id: str
    """The private wrapping key, in the keys room."""
    algorithm: str
    wrapping_spec: str
    valid_to: datetime


def replace(tx: Tx, new: Parameters) -> str | None:
    """Stores the parameters of a key instead of those before, whose secret's id is returned."""
    before = remove(tx, new.key_arn)
    tx.insert_once(
        kms_import,
        {
            "key_arn": new.key_arn,
            "token_id": new.token_id,
            "secret_id": new.secret_id,
            "algorithm": new.algorithm,
            "wrapping_spec": new.wrapping_spec,
            "valid_to": new.valid_to,
        },
    )
    return before


def find(tx: Tx, key_arn: str) -> Parameters | None:
    """The parameters of a key, or None."""
    row = tx.first(select(kms_import).where(kms_import.c.key_arn == key_arn))
    if row is None:
        return None
    return Parameters(row.key_arn, row.token_id, row.secret_id, row.algorithm, row.wrapping_spec, row.valid_to)


def remove(tx: Tx, key_arn: str) -> str | None:
    """Forgets the parameters of a key; the id of their secret."""
    found = find(tx, key_arn)
    if found is None:
        return None
    tx.execute(delete(kms_import).where(kms_import.c.key_arn == key_arn))
    return found.secret_id


def expired(tx: Tx, now: datetime, limit: int) -> list[str]:
    """ARNs of keys whose parameters are too old."""
    query = select(kms_import.c.key_arn).where(kms_import.c.valid_to <= now).order_by(kms_import.c.valid_to)
    return [row.key_arn for row in tx.all(query.limit(limit))]
