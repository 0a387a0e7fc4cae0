"""Pages of what an account has in a region, by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, delete, func, select, update

from greatseal.domain.events.model import BusKey
from greatseal.storage import Tx


def named(tx: Tx, table: Table, key: BusKey) -> Row[Any] | None:
    """The row with a name."""
    return tx.first(select(table).where(*_of(table, key), table.c.name == key.name))


def page(
    tx: Tx,
    table: Table,
    key: BusKey,
    *,
    prefix: str = "",
    after: str = "",
    limit: int,
    equal: Mapping[str, object] | None = None,
) -> Sequence[Row[Any]]:
    """Rows of the account and region of `key`, in the order of their names, from behind `after` on."""
    query = select(table).where(*_of(table, key), table.c.name > after)
    for column, value in (equal or {}).items():
        query = query.where(table.c[column] == value)
    return tx.all(query.where(*starts(table, prefix)).order_by(table.c.name).limit(limit))


def starts(table: Table, prefix: str) -> tuple[Any, ...]:
    """That a name starts with a prefix. Not LIKE, which knows no case on SQLite; nor a range, which has a collation."""
    return (func.substr(table.c.name, 1, len(prefix)) == prefix,) if prefix else ()


def count(tx: Tx, table: Table, key: BusKey) -> int:
    """How many rows an account has in a region."""
    return int(tx.scalar(select(func.count()).select_from(table).where(*_of(table, key))))


def add(tx: Tx, table: Table, values: Mapping[str, Any]) -> bool:
    """Adds a row; False when its name is taken."""
    return tx.insert_once(table, values)


def change(tx: Tx, table: Table, arn: str, values: Mapping[str, Any]) -> bool:
    """Changes columns of a row; whether there was one."""
    return tx.execute(update(table).where(table.c.arn == arn).values(dict(values))).rowcount == 1


def remove(tx: Tx, table: Table, arn: str) -> bool:
    """Removes a row; whether there was one."""
    return tx.execute(delete(table).where(table.c.arn == arn)).rowcount == 1


def _of(table: Table, key: BusKey) -> tuple[Any, ...]:
    return table.c.account == key.account, table.c.region == key.region
