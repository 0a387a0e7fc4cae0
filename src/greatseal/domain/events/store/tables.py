"""The tables of the room of events, and the number that tells routers to read them again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
    text,
    update,
)

from greatseal.domain.events.model import BusKey
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, row_id, utc_timestamp

_SCHEDULED = text("next_at IS NOT NULL")

event_bus = Table(
    "event_bus",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(256), nullable=False),
    Column("description", Text),
    Column("dead_letter_arn", Text),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("modified_at", utc_timestamp(), nullable=False),
    UniqueConstraint("account", "region", "name"),
)

event_rule = Table(
    "event_rule",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("bus_arn", Text, nullable=False),
    Column("bus_name", String(256), nullable=False),
    Column("name", String(64), nullable=False),
    Column("pattern", Text),
    Column("schedule", Text),
    Column("state", String(64), nullable=False),
    Column("description", Text),
    Column("role_arn", Text),
    Column("created_by", String(12), nullable=False),
    Column("schedule_from", utc_timestamp()),
    Column("next_at", utc_timestamp()),
    UniqueConstraint("bus_arn", "name"),
    Index("ix_event_rule_next_at", "next_at", sqlite_where=_SCHEDULED, postgresql_where=_SCHEDULED),
)

event_target = Table(
    "event_target",
    metadata,
    Column("rule_arn", Text, primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("bus_arn", Text, nullable=False),
    Column("arn", Text, nullable=False),
    Column("settings", json_text(), nullable=False),
    Index("ix_event_target_arn", "bus_arn", "arn"),
)

event_archive = Table(
    "event_archive",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("bus_arn", Text, nullable=False),
    Column("description", Text),
    Column("pattern", Text),
    Column("retention_days", Integer, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    UniqueConstraint("account", "region", "name"),
)

event_archived = Table(
    "event_archived",
    metadata,
    row_id(),
    Column("archive_arn", Text, nullable=False),
    Column("at", utc_timestamp(), nullable=False),
    Column("order_key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_event_archived_place", "archive_arn", "at", "id"),
    sqlite_autoincrement=True,
)

event_replay = Table(
    "event_replay",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("archive_arn", Text, nullable=False),
    Column("bus_arn", Text, nullable=False),
    Column("filter_arns", json_text(), nullable=False),
    Column("description", Text),
    Column("start", utc_timestamp(), nullable=False),
    Column("end", utc_timestamp(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("started_at", utc_timestamp(), nullable=False),
    Column("ended_at", utc_timestamp()),
    Column("last_event_at", utc_timestamp()),
    Column("last_event_id", BigInteger, nullable=False),
    UniqueConstraint("account", "region", "name"),
)

event_connection = Table(
    "event_connection",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", Text),
    Column("authorization", String(32), nullable=False),
    Column("public", json_text(), nullable=False),
    Column("sealed_secrets", LargeBinary),
    Column("authorized", Boolean, nullable=False),
    Column("authorized_at", utc_timestamp()),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("modified_at", utc_timestamp(), nullable=False),
    UniqueConstraint("account", "region", "name"),
)

event_destination = Table(
    "event_destination",
    metadata,
    Column("arn", Text, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", Text),
    Column("connection_arn", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("method", String(8), nullable=False),
    Column("rate", Integer),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("modified_at", utc_timestamp(), nullable=False),
    UniqueConstraint("account", "region", "name"),
    Index("ix_event_destination_connection_arn", "connection_arn"),
)

event_generation = Table(
    "event_generation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

event_router = Table(
    "event_router",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("until", utc_timestamp(), nullable=False),
)

event_cursor = Table(
    "event_cursor",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("place", BigInteger, nullable=False),
)


def generation(tx: Tx) -> int:
    """The generation of what routers remember; 0 before the first change."""
    return int(tx.scalar(select(event_generation.c.value)) or 0)


def changed(tx: Tx) -> None:
    """Tells every router that what it remembers is old, once this transaction commits."""
    if tx.execute(update(event_generation).values(value=event_generation.c.value + 1)).rowcount == 0:
        tx.execute(insert(event_generation), {"id": 1, "value": 1})


def owned(key: BusKey) -> dict[str, str]:
    """The columns that say whose a row is."""
    return {"account": key.account, "region": key.region, "name": key.name}
