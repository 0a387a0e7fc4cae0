"""The table of revocations. A row is never changed or removed: revocation is for good."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, select, type_coerce
from sqlalchemy.types import NullType

from greatseal.domain.revocation.lists import ListState
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.store import marks
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp
from greatseal.storage.statements import select_by

revocation = Table(
    "revocation",
    metadata,
    Column("authority_id", String(36), primary_key=True),
    Column("serial", String(40), primary_key=True),
    Column("revoked_at", utc_timestamp(), nullable=False),
    Column("reason", String(40), nullable=False),
    # The rest is what lists need, so that making one reads nothing else.
    Column("not_after", utc_timestamp(), nullable=False),
    Column("partition", String(36)),
    Column("entry", LargeBinary, nullable=False),
    Index("ix_revocation_partition", "partition", "serial"),
    # For deltas, which have the latest of very many.
    Index("ix_revocation_recent", "authority_id", "revoked_at"),
    # Kept in the order of the key, in which lists read it.
    sqlite_with_rowid=False,
)

# Rows read at once: few enough for any memory, many enough for the price of a query not to count.
_RUN = 20_000


def add(tx: Tx, new: Revocation) -> bool:
    """Records a revocation. False when the certificate is revoked already."""
    added = tx.insert_once(
        revocation,
        {
            "authority_id": new.authority_id,
            "serial": new.serial,
            "revoked_at": new.revoked_at,
            "reason": new.reason.name,
            "not_after": new.not_after,
            "partition": new.partition,
            "entry": new.entry,
        },
    )
    if added:
        marks.leave(tx, new.authority_id, new.serial)
    return added


def find(tx: Tx, authority_id: str, serial: str) -> Revocation | None:
    """The revocation of a certificate."""
    by = select_by(revocation.c.authority_id, revocation.c.serial)
    row = tx.first(by, {"authority_id": authority_id, "serial": serial})
    if row is None:
        return None
    return Revocation(
        row.authority_id, row.serial, row.revoked_at, RevocationReason[row.reason], row.not_after, row.partition
    )


def among(tx: Tx, authority_id: str, serials: Collection[str]) -> dict[str, tuple[datetime, RevocationReason]]:
    """When and why, by serial number, for those that are revoked."""
    rows = tx.all(
        select(revocation.c.serial, revocation.c.revoked_at, revocation.c.reason).where(
            revocation.c.authority_id == authority_id, revocation.c.serial.in_(serials)
        )
    )
    return {row.serial: (row.revoked_at, RevocationReason[row.reason]) for row in rows}


def entries(tx: Tx, state: ListState, since: datetime | None) -> list[bytes]:
    """The encoded entries of a list in the order of their serials, in runs of many.

    Left out are certificates that had expired at `since`, when the list before this one was made: that list had
    them for the last time (RFC 5280 section 3.3: once beyond their validity).
    """
    covered = revocation.c.partition == state.id if state.is_part else revocation.c.authority_id == state.authority_id
    # As the driver gives them: a conversion of each would cost as much as the query.
    query = select(type_coerce(revocation.c.entry, NullType())).where(covered)
    if since is not None:
        query = query.where(revocation.c.not_after >= since)
    return [b"".join(run) for run in tx.column(query.order_by(revocation.c.serial), run=_RUN)]


def entries_since(tx: Tx, state: ListState, since: datetime) -> list[bytes]:
    """The encoded entries of what was revoked at `since` or later, in the order of their serials.

    Expired certificates stay in: the complete list after their expiry may be the first that has them.
    """
    covered = revocation.c.partition == state.id if state.is_part else revocation.c.authority_id == state.authority_id
    query = select(revocation.c.entry).where(covered, revocation.c.revoked_at >= since).order_by(revocation.c.serial)
    return [row.entry for row in tx.all(query)]
