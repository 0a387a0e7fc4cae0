"""The table of messages: those that wait, those in somebody's hands, and who had them when.

`visible_at` alone decides whether a message can be received. A message leaves by being deleted, by going over to the
queue for dead letters, or by growing too old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from greatseal.domain.queues.model import Attribute, Counts, NewMessage, attributes_in, attributes_out
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, row_id, utc_timestamp

message = Table(
    "queue_message",
    metadata,
    row_id(),
    Column("queue_arn", Text, nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("attributes", json_text(), nullable=False),
    Column("trace_header", Text),
    Column("sender_id", Text, nullable=False),
    Column("sent_at", utc_timestamp(), nullable=False),
    Column("visible_at", utc_timestamp(), nullable=False),
    Column("receptions", Integer, nullable=False),
    Column("received_at", utc_timestamp()),
    Column("first_received_at", utc_timestamp()),
    Column("group_id", Text),
    Column("deduplication_id", Text),
    Column("dead_source_arn", Text),
    Index("ix_queue_message_visible", "queue_arn", "visible_at", "id"),
    Index("ix_queue_message_group", "queue_arn", "group_id", "id"),
    Index("ix_queue_message_age", "queue_arn", "sent_at"),
    sqlite_autoincrement=True,
)

_Attributes = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Stored:
    """A row, as the receiving verbs need it."""

    id: int
    message_id: str
    body: str
    attributes: _Attributes
    trace_header: str | None
    sender_id: str
    sent_at: datetime
    visible_at: datetime
    receptions: int
    received_at: datetime | None
    first_received_at: datetime | None
    group: str | None
    deduplication_id: str | None
    dead_source_arn: str | None


def add(
    tx: Tx, queue_arn: str, new: NewMessage, *, message_id: str, sender_id: str, at: datetime, visible_at: datetime
) -> int:
    """Stores a message; its number, which grows."""
    values = {
        "queue_arn": queue_arn,
        "message_id": message_id,
        "body": new.body,
        "attributes": attributes_out(new.attributes),
        "trace_header": new.trace_header,
        "sender_id": sender_id,
        "sent_at": at,
        "visible_at": visible_at,
        "receptions": 0,
        "group_id": new.group,
        "deduplication_id": new.deduplication_id,
    }
    return int(tx.scalar(insert(message).values(values).returning(message.c.id)))


def visible(
    tx: Tx, queue_arn: str, *, now: datetime, not_before: datetime, ordered: bool, limit: int, lock: bool
) -> list[Stored]:
    """Messages that can be received and were sent after `not_before`, the longest visible first; `lock` to take them.

    In an ordered queue nothing is taken of a group of which an earlier message is in somebody's hands or delayed.
    """
    query = select(message).where(
        message.c.queue_arn == queue_arn, message.c.visible_at <= now, message.c.sent_at > not_before
    )
    if ordered:
        earlier = message.alias()
        held = exists().where(
            earlier.c.queue_arn == queue_arn,
            earlier.c.group_id == message.c.group_id,
            earlier.c.id < message.c.id,
            earlier.c.visible_at > now,
            earlier.c.sent_at > not_before,
        )
        query = query.where(~held).order_by(message.c.id)
    else:
        query = query.order_by(message.c.visible_at, message.c.id)
    query = query.limit(limit)
    if lock:
        # A row that another receiver is taking is left to it. SQLite has one writer and no such clause.
        query = query.with_for_update(skip_locked=not ordered)
    return [_load(row) for row in tx.all(query)]


def received(tx: Tx, found: Stored, *, now: datetime, visible_at: datetime) -> None:
    """Puts a message into somebody's hands until `visible_at`."""
    values = {
        "visible_at": visible_at,
        "receptions": found.receptions + 1,
        "received_at": now,
        "first_received_at": found.first_received_at or now,
    }
    tx.execute(update(message).where(message.c.id == found.id).values(values))


def give_up(tx: Tx, found: Stored, *, source_arn: str, target_arn: str, now: datetime, ordered: bool) -> None:
    """Moves a message to the queue for dead letters, where it is counted anew.

    Its age goes on counting, except in ordered queues, where it is as new as it is there.
    """
    values = {
        "queue_arn": target_arn,
        "dead_source_arn": source_arn,
        "visible_at": now,
        "receptions": 0,
        "received_at": None,
        "first_received_at": None,
        **({"sent_at": now} if ordered else {}),
    }
    tx.execute(update(message).where(message.c.id == found.id).values(values))


def find(tx: Tx, queue_arn: str, number: int) -> Stored | None:
    """The message with this number."""
    row = tx.first(select(message).where(message.c.id == number, message.c.queue_arn == queue_arn))
    return None if row is None else _load(row)


def show_at(tx: Tx, number: int, visible_at: datetime) -> None:
    """Changes from when on others see a message."""
    tx.execute(update(message).where(message.c.id == number).values(visible_at=visible_at))


def remove(tx: Tx, number: int) -> None:
    """Deletes a message."""
    tx.execute(delete(message).where(message.c.id == number))


def remove_all(tx: Tx, queue_arn: str) -> int:
    """Empties a queue; how many messages that were."""
    return tx.execute(delete(message).where(message.c.queue_arn == queue_arn)).rowcount


def expire(tx: Tx, queue_arn: str, before: datetime) -> int:
    """Deletes the messages that were sent before; how many."""
    return tx.execute(delete(message).where(message.c.queue_arn == queue_arn, message.c.sent_at <= before)).rowcount


def counts(tx: Tx, queue_arn: str, *, now: datetime, not_before: datetime) -> Counts:
    """How many messages are in which state."""
    hidden = message.c.visible_at > now
    query = select(
        func.count().label("all"),
        func.sum(case((and_(hidden, message.c.receptions > 0), 1), else_=0)).label("in_flight"),
        func.sum(case((and_(hidden, message.c.receptions == 0), 1), else_=0)).label("delayed"),
    ).where(message.c.queue_arn == queue_arn, message.c.sent_at > not_before)
    row = tx.one(query)
    in_flight, delayed = int(row.in_flight or 0), int(row.delayed or 0)
    return Counts(int(row.all) - in_flight - delayed, in_flight, delayed)


def _load(row: Row[Any]) -> Stored:
    return Stored(
        id=row.id,
        message_id=row.message_id,
        body=row.body,
        attributes=attributes_in(row.attributes),
        trace_header=row.trace_header,
        sender_id=row.sender_id,
        sent_at=row.sent_at,
        visible_at=row.visible_at,
        receptions=row.receptions,
        received_at=row.received_at,
        first_received_at=row.first_received_at,
        group=row.group_id,
        deduplication_id=row.deduplication_id,
        dead_source_arn=row.dead_source_arn,
    )
