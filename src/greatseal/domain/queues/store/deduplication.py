"""What was sent to ordered queues lately, so that a repetition is known even after its message was deleted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, Text, delete, insert, select

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

deduplication = Table(
    "queue_deduplication",
    metadata,
    Column("queue_arn", Text, primary_key=True),
    # The id, with the group before it where ids are counted by group.
    Column("key", Text, primary_key=True),
    Column("message_id", String(64), nullable=False),
    Column("sequence", String(20), nullable=False),
    Column("at", utc_timestamp(), nullable=False),
    Index("ix_queue_deduplication_at", "at"),
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The message that a repetition repeats."""

    message_id: str
    sequence: str


def find(tx: Tx, queue_arn: str, key: str, since: datetime) -> Earlier | None:
    """What was sent under this key after `since`."""
    table = deduplication.c
    row = tx.first(
        select(table.message_id, table.sequence).where(table.queue_arn == queue_arn, table.key == key, table.at > since)
    )
    return None if row is None else Earlier(row.message_id, row.sequence)


def remember(tx: Tx, queue_arn: str, key: str, sent: Earlier, at: datetime) -> None:
    """Replaces what an older message left under this key."""
    tx.execute(delete(deduplication).where(deduplication.c.queue_arn == queue_arn, deduplication.c.key == key))
    values = {"queue_arn": queue_arn, "key": key, "message_id": sent.message_id, "sequence": sent.sequence, "at": at}
    tx.execute(insert(deduplication), values)


def forget(tx: Tx, queue_arn: str) -> None:
    """For a queue that is emptied or removed."""
    tx.execute(delete(deduplication).where(deduplication.c.queue_arn == queue_arn))


def prune(tx: Tx, before: datetime) -> int:
    """Forgets what no repetition can be of; how many."""
    return tx.execute(delete(deduplication).where(deduplication.c.at <= before)).rowcount
