"""Statements that are built once and take their values as parameters, for rows that are looked up all the time.

Building a statement, and working out whether it was compiled before, costs more than running it.
"""

from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Delete, Select, Table, Update, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import Executable


@cache
def select_by(*columns: Column[Any]) -> Select[Any]:
    """The rows in which these columns, all of one table, equal the parameters of their names."""
    return select(columns[0].table).where(*(_equal(each, each.name) for each in columns))


@cache
def select_among(column: Column[Any]) -> Select[Any]:
    """The rows in which the column is one of the list in the parameter `among`, in no order."""
    return select(column.table).where(column.in_(bindparam("among", expanding=True, type_=column.type)))


@cache
def delete_by(*columns: Column[Any]) -> Delete:
    """Removes the rows that `select_by` finds."""
    return delete(_table(columns)).where(*(_equal(each, each.name) for each in columns))


@cache
def update_by(*columns: Column[Any]) -> Update:
    """Changes the rows in which these columns equal the parameters `this_<name>`; other parameters are new values."""
    return update(_table(columns)).where(*(_equal(each, f"this_{each.name}") for each in columns))


@cache
def insert_unless_there(table: Table, dialect: str) -> Executable:
    """Inserts a row unless it would break a unique key; the row count is the answer."""
    upsert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    # `inline` keeps SQLAlchemy from asking for the new primary key.
    return upsert(table).on_conflict_do_nothing().inline().execution_options(preserve_rowcount=True)


def _equal(column: Column[Any], name: str) -> ColumnElement[bool]:
    return column == bindparam(name, type_=column.type)


def _table(columns: tuple[Column[Any], ...]) -> Table:
    table = columns[0].table
    assert isinstance(table, Table)
    return table
