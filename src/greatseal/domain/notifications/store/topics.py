"""The table of topics."""

from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, insert, select, update

from greatseal.domain.notifications.model import Topic
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

topic = Table(
    "topic",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("display_name", Text, nullable=False),
    Column("delivery_policy", Text),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_topic_listing", "account", "region", "name"),
)


def add(tx: Tx, new: Topic) -> None:
    """Stores a topic that is not there yet."""
    _, _, _, region, account, name = new.arn.split(":", 5)
    values = {"account": account, "region": region, "name": name, "created_at": new.created_at}
    tx.execute(insert(topic), {"arn": new.arn, **values, **_values(new)})


def save(tx: Tx, changed: Topic) -> None:
    """Stores the changed values of a topic that was read in the same transaction."""
    tx.execute(update(topic).where(topic.c.arn == changed.arn).values(_values(changed)))


def find(tx: Tx, arn: str) -> Topic | None:
    """The topic with this ARN."""
    row = tx.first(select(topic).where(topic.c.arn == arn))
    return None if row is None else _load(row)


def remove(tx: Tx, arn: str) -> None:
    """Removes a topic; its subscriptions are the caller's business."""
    tx.execute(delete(topic).where(topic.c.arn == arn))


def listing(tx: Tx, account: str, region: str, *, after: str, limit: int) -> list[Topic]:
    """Topics of an account in a region by name."""
    query = select(topic).where(topic.c.account == account, topic.c.region == region, topic.c.name > after)
    return [_load(row) for row in tx.all(query.order_by(topic.c.name).limit(limit))]


def _values(item: Topic) -> dict[str, Any]:
    return {"display_name": item.display_name, "delivery_policy": item.delivery_policy}


def _load(row: Row[Any]) -> Topic:
    return Topic(row.arn, row.created_at, row.display_name, row.delivery_policy)
