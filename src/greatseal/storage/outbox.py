"""Messages for the world outside, written in the transaction of what they tell about and sent after it.

Delivery is at least once and in order for each `(topic, key)`. One deliverer works at a time because it runs
as a leased job; the table itself does not lock readers out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

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


# Built once: every event of every call goes through them.
_LAST = (
    select(outbox.c.position, outbox.c.at)
    .where(outbox.c.topic == bindparam("of_topic"), outbox.c.key == bindparam("of_key"))
    .order_by(outbox.c.position.desc())
    .limit(1)
)
_INSERT = insert(outbox).inline()


def put(tx: Tx, *, topic: str, key: str, payload: Mapping[str, Any], at: datetime) -> None:
    """Adds a message behind all others of its `(topic, key)`.

    Two transactions that put for one key at once cannot both be ordered: `transact` retries one of them.
    """
    # Counted per key, because numbers of a sequence are not handed out in the order of commits.
    last = tx.first(_LAST, {"of_topic": topic, "of_key": key})
    values = {"topic": topic, "key": key, "payload": payload, "delivered": False}
    position = 1 if last is None else last.position + 1
    moment = at if last is None else max(at, last.at)
    tx.execute(_INSERT, {**values, "position": position, "at": moment})
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
