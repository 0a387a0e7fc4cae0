"""The tables of revocation lists: which exist, how far they are published, and the newest of each, signed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    and_,
    or_,
    select,
    update,
)

from greatseal.domain.revocation.lists import ListHead, ListState
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

revocation_list = Table(
    "revocation_list",
    metadata,
    # The CA's own id for its complete list, a random one for a part.
    Column("id", String(36), primary_key=True),
    Column("authority_id", String(36), nullable=False),
    # Of a part only: where it is for ever, because certificates say so.
    Column("place", Text),
    Column("url", Text),
    Column("key", Text),
    Column("bound", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    # The last number that was taken, published or not, and what is published.
    Column("number", BigInteger, nullable=False),
    Column("published_number", BigInteger, nullable=False),
    Column("generated_at", utc_timestamp()),
    Column("due_at", utc_timestamp()),
    Index("ix_revocation_list_authority", "authority_id"),
    Index("ix_revocation_list_due", "due_at"),
)

revocation_list_document = Table(
    "revocation_list_document",
    metadata,
    Column("list_id", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("generated_at", utc_timestamp(), nullable=False),
    Column("next_update", utc_timestamp(), nullable=False),
    Column("der", LargeBinary, nullable=False),
)

_NEVER_NUMBERED = 0


def add(tx: Tx, new: ListState, *, due: datetime) -> bool:
    """Keeps a list that is not published yet. False when it exists."""
    return tx.insert_once(
        revocation_list,
        {
            "id": new.id,
            "authority_id": new.authority_id,
            "place": new.place,
            "url": new.url,
            "key": new.key,
            "bound": 0,
            "open": True,
            "number": _NEVER_NUMBERED,
            "published_number": _NEVER_NUMBERED,
            "due_at": due,
        },
    )


def find(tx: Tx, list_id: str) -> ListState | None:
    """One list."""
    row = tx.first(select(revocation_list).where(revocation_list.c.id == list_id))
    return None if row is None else _load(row)


def open_part(tx: Tx, authority_id: str, place: str) -> ListState | None:
    """The part at this place that takes certificates now."""
    row = tx.first(
        select(revocation_list).where(
            revocation_list.c.authority_id == authority_id,
            revocation_list.c.place == place,
            revocation_list.c.open.is_(True),
        )
    )
    return None if row is None else _load(row)


def count_bound(tx: Tx, part: ListState, more: int, *, full_at: int) -> None:
    """Counts certificates of a part, and closes it when it is full."""
    bound = part.bound + more
    tx.execute(update(revocation_list).where(revocation_list.c.id == part.id).values(bound=bound, open=bound < full_at))


def ids_of(tx: Tx, authority_id: str) -> list[str]:
    """Every list of a CA."""
    rows = tx.all(select(revocation_list.c.id).where(revocation_list.c.authority_id == authority_id))
    return [row.id for row in rows]


def existing(tx: Tx, ids: Collection[str]) -> list[str]:
    """Those of `ids` that are lists."""
    rows = tx.all(select(revocation_list.c.id).where(revocation_list.c.id.in_(sorted(ids))))
    return [row.id for row in rows]


def overdue(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Lists that should have been published by now, or were published in a future that the clock has left again."""
    early = and_(revocation_list.c.due_at.is_not(None), revocation_list.c.generated_at > now)
    rows = tx.all(
        select(revocation_list.c.id)
        .where(or_(revocation_list.c.due_at <= now, early))
        .order_by(revocation_list.c.due_at)
        .limit(limit)
    )
    return [row.id for row in rows]


def set_due(tx: Tx, list_id: str, due: datetime | None) -> None:
    """When the list must be looked at again at the latest; None when nobody wants it."""
    tx.execute(update(revocation_list).where(revocation_list.c.id == list_id).values(due_at=due))


def take_number(tx: Tx, list_id: str, number: int) -> None:
    """Remembers a number as taken, before anything is signed under it."""
    tx.execute(update(revocation_list).where(revocation_list.c.id == list_id).values(number=number))


def publish(tx: Tx, list_id: str, head: ListHead, der: bytes) -> bool:
    """Replaces the published list by a newer one. False, and nothing changed, when a newer one is published."""
    newer = tx.execute(
        update(revocation_list)
        .where(revocation_list.c.id == list_id, revocation_list.c.published_number < head.number)
        .values(published_number=head.number, generated_at=head.generated_at)
    )
    if newer.rowcount != 1:
        return False
    values: dict[str, Any] = {
        "number": head.number,
        "generated_at": head.generated_at,
        "next_update": head.next_update,
        "der": der,
    }
    if not tx.insert_once(revocation_list_document, {"list_id": list_id, **values}):
        document = revocation_list_document
        tx.execute(update(document).where(document.c.list_id == list_id).values(**values))
    return True


def head(tx: Tx, list_id: str) -> ListHead | None:
    """What is published, without its octets."""
    document = revocation_list_document
    row = tx.first(
        select(document.c.number, document.c.generated_at, document.c.next_update).where(document.c.list_id == list_id)
    )
    return None if row is None else ListHead(row.number, row.generated_at, row.next_update)


def published(tx: Tx, authority_id: str, limit: int) -> list[tuple[ListState, datetime]]:
    """The lists of a CA that are published, and until when each is good; the newest first."""
    document = revocation_list_document
    rows = tx.all(
        select(revocation_list, document.c.next_update)
        .join(document, document.c.list_id == revocation_list.c.id)
        .where(revocation_list.c.authority_id == authority_id)
        .order_by(document.c.generated_at.desc(), revocation_list.c.id)
        .limit(limit)
    )
    return [(_load(row), row.next_update) for row in rows]


def octets(tx: Tx, list_id: str, number: int) -> bytes | None:
    """The published list (DER), if this is still its number."""
    document = revocation_list_document
    found: bytes | None = tx.scalar(
        select(document.c.der).where(document.c.list_id == list_id, document.c.number == number)
    )
    return found


def _load(row: Row[Any]) -> ListState:
    return ListState(
        id=row.id,
        authority_id=row.authority_id,
        place=row.place,
        url=row.url,
        key=row.key,
        bound=row.bound,
        number=row.number,
        published_number=row.published_number,
        generated_at=row.generated_at,
    )
