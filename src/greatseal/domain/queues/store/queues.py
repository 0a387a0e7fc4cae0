"""The table of queues."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, insert, select, update

from greatseal.domain.queues.model import Queue, Redrive, RedriveAllowance, Settings
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

queue = Table(
    "queue",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(80), nullable=False),
    Column("settings", json_text(), nullable=False),
    # Whose messages are given up lands there: found by the other queue.
    Column("dead_letter_arn", Text),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("modified_at", utc_timestamp(), nullable=False),
    Column("purged_at", utc_timestamp()),
    Index("ix_queue_listing", "account", "region", "name"),
    Index("ix_queue_dead_letter_arn", "dead_letter_arn", "arn"),
)


def add(tx: Tx, new: Queue) -> None:
    """Stores a queue that is not there yet."""
    tx.execute(insert(queue), {"arn": new.arn, **_place(new), **_values(new)})


def save(tx: Tx, changed: Queue) -> None:
    """Stores the changed values of a queue that was read in the same transaction."""
    tx.execute(update(queue).where(queue.c.arn == changed.arn).values(_values(changed)))


def find(tx: Tx, arn: str) -> Queue | None:
    """The queue with this ARN."""
    row = tx.first(select(queue).where(queue.c.arn == arn))
    return None if row is None else _load(row)


def remove(tx: Tx, arn: str) -> None:
    """Removes a queue; its messages are the caller's business."""
    tx.execute(delete(queue).where(queue.c.arn == arn))


def listing(tx: Tx, account: str, region: str, *, prefix: str, after: str, limit: int) -> list[Queue]:
    """Queues of an account in a region by name."""
    query = select(queue).where(queue.c.account == account, queue.c.region == region, queue.c.name > after)
    if prefix:
        query = query.where(queue.c.name.startswith(prefix, autoescape=True))
    return [_load(row) for row in tx.all(query.order_by(queue.c.name).limit(limit))]


def sources(tx: Tx, arn: str, *, after: str, limit: int) -> list[Queue]:
    """Queues that give their dead letters to this one, by ARN."""
    query = select(queue).where(queue.c.dead_letter_arn == arn, queue.c.arn > after)
    return [_load(row) for row in tx.all(query.order_by(queue.c.arn).limit(limit))]


def page(tx: Tx, *, after: str, limit: int) -> list[Queue]:
    """All queues by ARN, for the sweep."""
    return [_load(row) for row in tx.all(select(queue).where(queue.c.arn > after).order_by(queue.c.arn).limit(limit))]


def _place(item: Queue) -> Mapping[str, str]:
    _, _, _, region, account, name = item.arn.split(":", 5)
    return {"account": account, "region": region, "name": name}


def _values(item: Queue) -> dict[str, Any]:
    return {
        "settings": asdict(item.settings),
        "dead_letter_arn": item.settings.redrive.target_arn if item.settings.redrive else None,
        "created_at": item.created_at,
        "modified_at": item.modified_at,
        "purged_at": item.purged_at,
    }


def _load(row: Row[Any]) -> Queue:
    found = dict(row.settings)
    redrive, allowance = found.pop("redrive"), found.pop("allowance")
    return Queue(
        arn=row.arn,
        created_at=row.created_at,
        modified_at=row.modified_at,
        settings=Settings(
            **found,
            redrive=None if redrive is None else Redrive(**redrive),
            allowance=None
            if allowance is None
            else RedriveAllowance(allowance["permission"], tuple(allowance["source_arns"])),
        ),
        purged_at=row.purged_at,
    )
