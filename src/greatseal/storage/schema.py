"""The shared MetaData, the column types that mean the same on both databases, and storage's own tables.

A room declares its tables on `metadata` in its own `store` module. Types to use: `utc_timestamp()`,
`json_text()`, `sqlalchemy.Text`, `LargeBinary`, `BigInteger`, `Boolean`. Primary keys are text or composite;
`row_id()` is for rows that nobody outside names.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Dialect, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTimestamp(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970-01-01T00:00:00Z.

    An integer sorts and compares the same on both databases; PostgreSQL's own type would meet a text on SQLite.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Raises ValueError for a datetime without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """An aware datetime in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class JsonText(TypeDecorator[Any]):
    """A JSON value as compact text with sorted members, so that equal values are equal texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        """None is SQL's NULL. Raises TypeError for what JSON cannot say."""
        return None if value is None else msgspec.json.encode(value, order="sorted").decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        """Plain dicts, lists, texts and numbers."""
        return None if value is None else msgspec.json.decode(value)


def utc_timestamp() -> TypeEngine[datetime]:
    """The column type of an instant."""
    return UtcTimestamp()


def json_text() -> TypeEngine[Any]:
    """The column type of a JSON value."""
    return JsonText()


def row_id() -> Column[int]:
    """A primary key `id` that the database numbers: unique for ever, neither gapless nor in commit order.

    On SQLite the table also needs `sqlite_autoincrement=True`, or the number of a deleted row comes back.
    """
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


installation = Table(
    "installation",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

_UNBURIED = text("buried_at IS NULL")

job = Table(
    "job",
    metadata,
    row_id(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload", json_text(), nullable=False),
    Column("due", utc_timestamp(), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("owner", Text),
    Column("leased_until", utc_timestamp()),
    Column("again_at", utc_timestamp()),
    Column("last_error", Text),
    Column("buried_at", utc_timestamp()),
    Index("uq_job_unfinished", "kind", "key", unique=True, sqlite_where=_UNBURIED, postgresql_where=_UNBURIED),
    Index("ix_job_due", "due", sqlite_where=_UNBURIED, postgresql_where=_UNBURIED),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("payload", json_text(), nullable=False),
    Column("at", utc_timestamp(), nullable=False),
    Column("delivered", Boolean, nullable=False),
    Index("uq_outbox_topic_key_position", "topic", "key", "position", unique=True),
    Index("ix_outbox_delivered_at", "delivered", "at"),
    sqlite_autoincrement=True,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("expires", utc_timestamp(), nullable=False),
    Index("ix_idempotency_expires", "expires"),
)

# Contents of objects, cut into parts (blob_rows).
blob_part = Table(
    "blob_part",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
