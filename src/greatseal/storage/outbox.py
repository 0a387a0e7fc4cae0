"""Messages for the world outside, written in the transaction of what they tell about and sent after it.

Delivery is at least once and in order for each `(topic, key)`. One deliverer works at a time because it runs
as a leased job; the table itself does not lock readers out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ScalarSelect, bindparam, case, delete, func, insert, select, update

from greatseal.storage.schema import outbox
from greatseal.storage.tx import Tx

OUTBOX_TOPIC = "outbox"
"""What `Storage.after_commit` hears when a commit put a message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits. `at` never goes back within one key, even when the clocks of two nodes differ."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]
    at: datetime


def _of_last(column: Column[Any]) -> ScalarSelect[Any]:
    """A column of the message that is the last of its topic and key."""
    same = select(column).where(outbox.c.topic == bindparam("topic"), outbox.c.key == bindparam("key"))
    return same.order_by(outbox.c.position.desc()).limit(1).scalar_subquery()


# Built once, and one statement: every event of every call goes through it. Positions are counted per key, because
# numbers of a sequence are not handed out in the order of commits.
_AT = bindparam("at", type_=outbox.c.at.type)
_INSERT = (
    insert(outbox)
    .inline()
    .values(
        topic=bindparam("topic"),
        key=bindparam("key"),
        payload=bindparam("payload", type_=outbox.c.payload.type),
        delivered=False,
        position=func.coalesce(_of_last(outbox.c.position), 0) + 1,
        at=case((_of_last(outbox.c.at) > _AT, _of_last(outbox.c.at)), else_=_AT),
    )
)


def put(tx: Tx, *, topic: str, at: datetime, messages: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Adds messages, each a key and a payload, in their order behind all others of their `(topic, key)`.

    Two transactions that put for one key at once cannot both be ordered: `transact` retries one of them.
    """
    tx.execute(_INSERT, [{"topic": topic, "key": key, "payload": payload, "at": at} for key, payload in messages])
    tx.announce(OUTBOX_TOPIC)


def pending(tx: Tx, *, limit: int, topics: Collection[str] | None = None) -> list[Message]:
    """Up to `limit` messages to deliver, the oldest first and each key in its order.

    A deliverer that fails on one message must hold back the later ones of the same key.
    """
    query = select(outbox).where(outbox.c.delivered.is_(False))
    if topics is not None:
        query = query.where(outbox.c.topic.in_(sorted(topics)))
    query = query.order_by(outbox.c.at, outbox.c.topic, outbox.c.key, outbox.c.position).limit(limit)
    return [Message(row.id, row.topic, row.key, row.payload, row.at) for row in tx.all(query)]


def since(tx: Tx, *, at: datetime, topic: str, limit: int) -> list[Message]:
    """The newest messages from an instant on, delivered or not, the oldest of them first."""
    # Both values are named so that the index of (delivered, at) serves.
    query = select(outbox).where(outbox.c.delivered.in_([False, True]), outbox.c.at >= at, outbox.c.topic == topic)
    rows = tx.all(query.order_by(outbox.c.at.desc(), outbox.c.id.desc()).limit(limit))
    return [Message(row.id, row.topic, row.key, row.payload, row.at) for row in reversed(rows)]


def delivered(tx: Tx, ids: Iterable[int]) -> int:
    """Marks messages as delivered; how many were not marked before."""
    marked = update(outbox).where(outbox.c.id.in_(list(ids)), outbox.c.delivered.is_(False))
    return tx.execute(marked.values(delivered=True)).rowcount


def prune(tx: Tx, *, before: datetime) -> int:
    """Forgets delivered messages older than `before`; how many."""
    return tx.execute(delete(outbox).where(outbox.c.delivered.is_(True), outbox.c.at < before)).rowcount
