"""The expressions that certificates are looked up and sorted by, as they stand in the indexes.

A planner takes an index of an expression for that very expression only, so that its numbers are never parameters.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, literal_column, type_coerce

# PostgreSQL indexes no text of more than 2704 octets, and a character has up to four.
_LENGTH = 250


def key_of(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a text begins with, without regard to case: equal for equal texts."""
    return func.substr(_lower(text), literal_column("1"), literal_column(str(_LENGTH)))


def time_of(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    """An instant in microseconds, 0 when there is none: never null, so that it sorts alike on both databases."""
    return func.coalesce(type_coerce(instant, BigInteger), literal_column("0"))


def equals(column: ColumnElement[Any], values: Sequence[str | bool]) -> ColumnElement[bool]:
    """The text is one of these, without regard to case."""
    wanted = [literal(str(value)) for value in values]
    return and_(key_of(column).in_([key_of(each) for each in wanted]), _lower(column).in_(map(_lower, wanted)))


def contains(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """The text has this in it, without regard to case. No index helps."""
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return _lower(column).like(_lower(literal(f"%{escaped}%")), escape="\\")


# The database lowers both sides: SQLite leaves what is not ASCII as it is, which Python would not.
def _lower(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.lower(text)
