"""The table of deltas: to which complete list each belongs, and the newest, signed (RFC 5280 section 5.2.4)."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, or_, select, update

from greatseal.domain.revocation.lists import DeltaState, ListHead
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

revocation_delta = Table(
    "revocation_delta",
    metadata,
    Column("list_id", String(36), primary_key=True),
    Column("base_number", BigInteger, nullable=False),
    Column("base_at", utc_timestamp(), nullable=False),
    # The last number that was taken for a delta, published or not, and what is published.
    Column("number", BigInteger, nullable=False),
    Column("published_number", BigInteger, nullable=False),
    Column("generated_at", utc_timestamp()),
    Column("next_update", utc_timestamp()),
    Column("due_at", utc_timestamp()),
    Column("der", LargeBinary),
    Index("ix_revocation_delta_due", "due_at"),
)

_STATE = (
    revocation_delta.c.list_id,
    revocation_delta.c.base_number,
    revocation_delta.c.base_at,
    revocation_delta.c.number,
    revocation_delta.c.published_number,
)


def find(tx: Tx, list_id: str) -> DeltaState | None:
    """The deltas of a list; None when it has no base for them."""
    row = tx.first(select(*_STATE).where(revocation_delta.c.list_id == list_id))
    if row is None:
        return None
    return DeltaState(row.list_id, row.base_number, row.base_at, row.number, row.published_number)


def rebase(tx: Tx, list_id: str, base: ListHead, *, older_than: datetime) -> None:
    """Makes a complete list the base of the deltas to come, unless the present base is not `older_than` that."""
    number, at = base.number, base.generated_at
    new = {"list_id": list_id, "base_number": number, "base_at": at, "number": 0, "published_number": 0}
    if not tx.insert_once(revocation_delta, new):
        present = revocation_delta.c
        # Base of the future: the clock was set back since.
        replaced = or_(present.base_at <= older_than, present.base_at > at)
        tx.execute(
            update(revocation_delta).where(present.list_id == list_id, replaced).values(base_number=number, base_at=at)
        )


def withdraw(tx: Tx, list_id: str) -> None:
    """There is to be no delta. The numbers are kept, so that none is used twice."""
    tx.execute(update(revocation_delta).where(revocation_delta.c.list_id == list_id).values(der=None, due_at=None))


def set_due(tx: Tx, list_id: str, due: datetime | None) -> None:
    """When a delta must be made at the latest; None when nobody wants one."""
    tx.execute(update(revocation_delta).where(revocation_delta.c.list_id == list_id).values(due_at=due))


def overdue(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Lists that should have had a delta by now."""
    due = revocation_delta.c.due_at
    rows = tx.all(select(revocation_delta.c.list_id).where(due <= now).order_by(due).limit(limit))
    return [row.list_id for row in rows]


def take_number(tx: Tx, list_id: str, number: int) -> None:
    """Remembers a number as taken, before anything is signed under it."""
    tx.execute(update(revocation_delta).where(revocation_delta.c.list_id == list_id).values(number=number))


def publish(tx: Tx, list_id: str, head: ListHead, der: bytes) -> bool:
    """Replaces the published delta by a newer one. False, and nothing changed, when a newer one is published."""
    newer = tx.execute(
        update(revocation_delta)
        .where(revocation_delta.c.list_id == list_id, revocation_delta.c.published_number < head.number)
        .values(published_number=head.number, generated_at=head.generated_at, next_update=head.next_update, der=der)
    )
    return newer.rowcount == 1


def head(tx: Tx, list_id: str) -> ListHead | None:
    """What is published, without its octets."""
    columns = revocation_delta.c
    row = tx.first(
        select(columns.published_number, columns.generated_at, columns.next_update).where(
            columns.list_id == list_id, columns.der.is_not(None)
        )
    )
    return None if row is None else ListHead(row.published_number, row.generated_at, row.next_update)


def octets(tx: Tx, list_id: str, number: int) -> bytes | None:
    """The published delta (DER), if this is still its number."""
    columns = revocation_delta.c
    found: bytes | None = tx.scalar(
        select(columns.der).where(columns.list_id == list_id, columns.published_number == number)
    )
    return found
