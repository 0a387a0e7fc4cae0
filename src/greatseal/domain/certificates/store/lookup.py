"""The expressions that certificates are looked up by, as they stand in the indexes.

A planner takes an index of an expression for that very expression only, so that its numbers are never parameters.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, literal_column, type_coerce

# PostgreSQL indexes no text of more than 2704 octets; four make the longest character.
_LENGTH = 250


def key_of(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a name begins with, without regard to case; equal names have equal keys, and nearly always the reverse."""
    # The database lowers: SQLite leaves what is not ASCII as it is, which Python would not.
    return func.substr(func.lower(text), literal_column("1"), literal_column(str(_LENGTH)))


def time_of(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    """An instant in microseconds, 0 when there is none: never null, so that it sorts alike on both databases."""
    return func.coalesce(type_coerce(instant, BigInteger), literal_column("0"))
