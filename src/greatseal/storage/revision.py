"""Whether the database has the schema of this version: a look without alembic, which is for those who take steps."""

from enum import Enum
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from greatseal.storage.tx import Tx

_STEPS = Path(__file__).parent / "migrations" / "versions"
_QUERY = text("SELECT version_num FROM alembic_version")


class Standing(Enum):
    """How the schema of a database stands to the code."""

    HEAD = "head"
    AHEAD = "ahead"
    """A later version has migrated it: this one goes on, because steps leave what the version before them needs."""
    BEHIND = "behind"
    """An older schema came back, from a backup for instance: this version cannot work on it."""


def standing(tx: Tx) -> Standing:
    """How the database stands now."""
    known = steps()
    found: str | None = tx.scalar(_QUERY)
    if found == known[-1]:
        return Standing.HEAD
    return Standing.BEHIND if found is None or found in known else Standing.AHEAD


def found_in(connection: Connection) -> set[str]:
    """The revision that a database has; none for one that was never migrated."""
    return set(connection.scalars(_QUERY)) if inspect(connection).has_table("alembic_version") else set()


@lru_cache(maxsize=1)
def steps() -> tuple[str, ...]:
    """The revisions that this version knows, the newest last: the numbers of the files."""
    return tuple(sorted(path.name.partition("_")[0] for path in _STEPS.glob("[0-9]*_*.py")))
