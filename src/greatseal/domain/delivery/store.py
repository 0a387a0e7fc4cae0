"""The table of parcels that wait or were given up; a parcel that arrived has no row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from greatseal.domain.delivery.model import Census, DeadLetter, Parcel, Waiting
from greatseal.storage import Tx
from greatseal.storage.schema import job, json_text, metadata, row_id, utc_timestamp

_ALIVE = text("died_at IS NULL")
_DEAD = text("died_at IS NOT NULL")
MESSAGE_ID_LENGTH = 128

delivery = Table(
    "delivery",
    metadata,
    row_id(),
    Column("lane", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("address", json_text(), nullable=False),
    Column("body", Text, nullable=False),
    Column("message_id", String(MESSAGE_ID_LENGTH), nullable=False),
    Column("order_key", Text, nullable=False),
    Column("attributes", json_text(), nullable=False),
    Column("account", String(12), nullable=False),
    Column("posted_at", utc_timestamp(), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", utc_timestamp(), nullable=False),
    Column("error", Text, nullable=False),
    Column("lane_down", Boolean, nullable=False),
    Column("died_at", utc_timestamp()),
    Index("ix_delivery_lane", "lane", "id", sqlite_where=_ALIVE, postgresql_where=_ALIVE),
    Index("ix_delivery_died_at", "died_at", sqlite_where=_DEAD, postgresql_where=_DEAD),
    Index("ix_delivery_account", "account", "died_at", sqlite_where=_DEAD, postgresql_where=_DEAD),
    sqlite_autoincrement=True,
)

_alive = delivery.c.died_at.is_(None)


def add(tx: Tx, parcels: list[Parcel], at: datetime) -> None:
    """Puts parcels behind all others of their lanes."""
    if parcels:
        tx.execute(insert(delivery).inline(), [_values(parcel, at) for parcel in parcels])


def waiting(tx: Tx, *, lane: str, after: int, limit: int) -> list[Waiting]:
    """The parcels of a lane, oldest first, from behind the given place on."""
    query = select(delivery).where(delivery.c.lane == lane, delivery.c.id > after, _alive)
    return [
        Waiting(row.id, _parcel(row), row.posted_at, row.attempts, row.due)
        for row in tx.all(query.order_by(delivery.c.id).limit(limit))
    ]


def next_due(tx: Tx, lane: str) -> datetime | None:
    """When the next parcel of a lane may be carried; None for an empty lane."""
    found: datetime | None = tx.scalar(select(func.min(delivery.c.due)).where(delivery.c.lane == lane, _alive))
    return found


def rests_until(tx: Tx, lane: str) -> datetime | None:
    """Until when a lane is left alone, because its receiver was found to be down; None when it is not."""
    query = select(func.max(delivery.c.due)).where(delivery.c.lane == lane, _alive, delivery.c.lane_down.is_(True))
    found: datetime | None = tx.scalar(query)
    return found


def abandoned(tx: Tx, kind: str, limit: int) -> list[tuple[str, datetime]]:
    """Lanes in which parcels wait but that have no unburied job of this kind, with when their next parcel is due."""
    working = exists().where(and_(job.c.kind == kind, job.c.key == delivery.c.lane, job.c.buried_at.is_(None)))
    query = select(delivery.c.lane, func.min(delivery.c.due).label("due")).where(_alive, ~working)
    return [(row.lane, row.due) for row in tx.all(query.group_by(delivery.c.lane).limit(limit))]


def census(tx: Tx) -> Census:
    """How many parcels wait and since when, and how many were given up."""
    row = tx.one(select(func.count().label("waiting"), func.min(delivery.c.posted_at).label("oldest")).where(_alive))
    return Census(row.waiting, row.oldest, tx.scalar(select(func.count()).where(delivery.c.died_at.is_not(None))))


def arrived(tx: Tx, ids: list[int]) -> None:
    """Forgets parcels that their receivers have."""
    if ids:
        tx.execute(delete(delivery).where(delivery.c.id.in_(ids)))


def failed(tx: Tx, parcel_id: int, *, error: str, due: datetime, lane_down: bool) -> None:
    """Another attempt later."""
    values = {"attempts": delivery.c.attempts + 1, "error": error, "due": due, "lane_down": lane_down}
    tx.execute(update(delivery).where(delivery.c.id == parcel_id, _alive).values(values))


def bury(tx: Tx, parcel_id: int, *, error: str, at: datetime) -> bool:
    """Gives a parcel up. False when it is gone or buried already."""
    values = {"attempts": delivery.c.attempts + 1, "error": error, "died_at": at, "lane_down": False}
    return tx.execute(update(delivery).where(delivery.c.id == parcel_id, _alive).values(values)).rowcount == 1


def dead(tx: Tx, *, account: str | None, limit: int) -> list[DeadLetter]:
    """Dead letters, the newest first."""
    query = select(delivery).where(delivery.c.died_at.is_not(None))
    if account is not None:
        query = query.where(delivery.c.account == account)
    rows = tx.all(query.order_by(delivery.c.died_at.desc(), delivery.c.id.desc()).limit(limit))
    return [DeadLetter(row.id, _parcel(row), row.posted_at, row.attempts, row.error, row.died_at) for row in rows]


def revive(tx: Tx, parcel_id: int, *, at: datetime) -> str | None:
    """Puts a dead letter back, in its old place and as if posted now; its lane, or None when there is none."""
    row = tx.first(select(delivery.c.lane).where(delivery.c.id == parcel_id, delivery.c.died_at.is_not(None)))
    if row is None:
        return None
    values = {"attempts": 0, "error": "", "posted_at": at, "due": at, "died_at": None}
    tx.execute(update(delivery).where(delivery.c.id == parcel_id).values(values))
    lane: str = row.lane
    return lane


def close(tx: Tx, lane: str) -> int:
    """Forgets what waits in a lane whose receiver is gone; how many parcels that were."""
    return tx.execute(delete(delivery).where(delivery.c.lane == lane, _alive)).rowcount


def prune_dead(tx: Tx, *, before: datetime) -> int:
    """Forgets dead letters older than `before`; how many."""
    return tx.execute(delete(delivery).where(delivery.c.died_at < before)).rowcount


def _values(parcel: Parcel, at: datetime) -> Mapping[str, Any]:
    return {
        "lane": parcel.lane,
        "kind": parcel.kind,
        "address": dict(parcel.address),
        "body": parcel.body,
        "message_id": parcel.message_id,
        "order_key": parcel.order_key,
        "attributes": dict(parcel.attributes),
        "account": parcel.account,
        "posted_at": at,
        "attempts": 0,
        "due": at,
        "error": "",
        "lane_down": False,
    }


def _parcel(row: Row[Any]) -> Parcel:
    return Parcel(
        lane=row.lane,
        kind=row.kind,
        address=row.address,
        body=row.body,
        message_id=row.message_id,
        order_key=row.order_key,
        attributes=row.attributes,
        account=row.account,
    )
