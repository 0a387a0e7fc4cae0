"""The whole content of a database, table by table: read from one snapshot, written into an empty database.

What is read is the same whichever database it comes from: integers, texts, octets, booleans and NULL. So a copy of
one kind of database can be put into another. Tables are those that the database has, not those that are imported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, Table, column, func, insert, inspect, select, table, text

from greatseal.storage.tx import Tx

_REVISION = "alembic_version"
_AT_ONCE = 50
# One row of these may have tens of megabytes.
_LARGE = frozenset({"revocation_list_document", "revocation_delta", "anywhere_crl"})


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: its columns, and the last number that the database gave to a row, if it numbers them."""

    name: str
    columns: tuple[str, ...]
    counter: int | None = None


def is_empty(tx: Tx) -> bool:
    """Whether the database has no table at all."""
    return not inspect(tx.connection).get_table_names()


def revision(tx: Tx) -> str | None:
    """The revision of the schema; None for a database that was never migrated."""
    if not inspect(tx.connection).has_table(_REVISION):
        return None
    found: str | None = tx.scalar(text(f"SELECT version_num FROM {_REVISION}"))  # noqa: S608 - a constant
    return found


def shapes(tx: Tx) -> list[Shape]:
    """Every table, by name."""
    found = inspect(tx.connection)
    names = sorted(set(found.get_table_names()) - {_REVISION})
    return [
        Shape(
            name, tuple(each["name"] for each in found.get_columns(name)), _counter(tx, name, found.get_columns(name))
        )
        for name in names
    ]


def rows(tx: Tx, shape: Shape) -> Iterator[Sequence[Any]]:
    """The rows of a table in no certain order; few of them are in memory at a time."""
    known = {each["name"]: each["type"] for each in inspect(tx.connection).get_columns(shape.name)}
    # With the types that the database tells: SQLite has no booleans, and would give numbers.
    there = Table(shape.name, MetaData(), *(Column(name, known[name]) for name in shape.columns))
    buffered = 1 if shape.name in _LARGE else _AT_ONCE
    streamed = select(there).execution_options(stream_results=True, max_row_buffer=buffered)
    yield from tx.execute(streamed)


def fill(tx: Tx, shape: Shape, values: Sequence[Sequence[Any]]) -> None:
    """Writes rows into a table."""
    there = table(shape.name, *(column(name) for name in shape.columns))
    tx.execute(insert(there), [dict(zip(shape.columns, row, strict=True)) for row in values])


def count_on(tx: Tx, name: str, last: int) -> None:
    """The database numbers the next row of the table above `last`."""
    if tx.dialect == "sqlite":
        counted = tx.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), _named(name, last))
        if not counted.rowcount:
            tx.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), _named(name, last))
        return
    # A sequence cannot stand at 0: it stands at 1 then, which was not handed out.
    tx.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), max(last, 1), last > 0)))


def _named(name: str, last: int) -> dict[str, Any]:
    return {"name": name, "last": last}


def _counter(tx: Tx, name: str, columns: Sequence[Any]) -> int | None:
    if tx.dialect == "sqlite":
        made = tx.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar_one()
        if "AUTOINCREMENT" not in made:
            return None
        last = tx.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name}).scalar()
        return int(last or 0)
    if not any("nextval" in (each["default"] or "") for each in columns):
        return None
    sequence = tx.scalar(select(func.pg_get_serial_sequence(name, "id")))
    row = tx.one(text(f"SELECT last_value, is_called FROM {sequence}"))  # noqa: S608 - quoted by the database
    return int(row.last_value) if row.is_called else 0
