"""The table of tags."""

from sqlalchemy import Column, Index, String, Table, Text, delete, insert, select

from greatseal.domain.tags.model import Tag
from greatseal.storage import Tx
from greatseal.storage.schema import metadata

tag = Table(
    "tag",
    metadata,
    Column("resource_arn", Text, primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", String(256)),
    Index("ix_tag_holders", "key", "value", "resource_arn"),
)


def load(tx: Tx, resource_arn: str) -> tuple[Tag, ...]:
    """The tags of a resource, by key."""
    rows = tx.all(select(tag.c.key, tag.c.value).where(tag.c.resource_arn == resource_arn).order_by(tag.c.key))
    return tuple(Tag(row.key, row.value) for row in rows)


def holders(tx: Tx, wanted: Tag, *, after: str, limit: int) -> list[str]:
    """The ARNs after `after` with this key and this value, in their order."""
    rows = tx.all(
        select(tag.c.resource_arn)
        .where(tag.c.key == wanted.key, tag.c.value == wanted.value, tag.c.resource_arn > after)
        .order_by(tag.c.resource_arn)
        .limit(limit)
    )
    return [row.resource_arn for row in rows]


def remove(tx: Tx, resource_arn: str, keys: list[str]) -> None:
    """Removes the tags with these keys."""
    if keys:
        tx.execute(delete(tag).where(tag.c.resource_arn == resource_arn, tag.c.key.in_(keys)))


def remove_all(tx: Tx, resource_arn: str) -> None:
    """Removes every tag of a resource that ceases to exist."""
    tx.execute(delete(tag).where(tag.c.resource_arn == resource_arn))


def add(tx: Tx, resource_arn: str, tags: list[Tag]) -> None:
    """Sets tags, overwriting those with the same key."""
    remove(tx, resource_arn, [item.key for item in tags])
    for item in tags:
        tx.execute(insert(tag), {"resource_arn": resource_arn, "key": item.key, "value": item.value})
