"""The table of revocations. A row is never changed or removed: revocation is for good."""

from sqlalchemy import Column, String, Table, select

from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

revocation = Table(
    "revocation",
    metadata,
    Column("authority_id", String(36), primary_key=True),
    Column("serial", String(40), primary_key=True),
    Column("revoked_at", utc_timestamp(), nullable=False),
    Column("reason", String(40), nullable=False),
)


def add(tx: Tx, new: Revocation) -> bool:
    """Records a revocation. False when the certificate is revoked already."""
    return tx.insert_once(
        revocation,
        {
            "authority_id": new.authority_id,
            "serial": new.serial,
            "revoked_at": new.revoked_at,
            "reason": new.reason.name,
        },
    )


def find(tx: Tx, authority_id: str, serial: str) -> Revocation | None:
    """The revocation of a certificate."""
    row = tx.first(select(revocation).where(revocation.c.authority_id == authority_id, revocation.c.serial == serial))
    if row is None:
        return None
    return Revocation(row.authority_id, row.serial, row.revoked_at, RevocationReason[row.reason])
