"""Whether the database has the schema of this version: a look, without a step."""

from enum import Enum
from functools import lru_cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text

from greatseal.storage.tx import Tx

_STEPS = Path(__file__).parent / "migrations"
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
    newest, known = _steps()
    found: str | None = tx.scalar(_QUERY)
    if found == newest:
        return Standing.HEAD
    return Standing.BEHIND if found is None or found in known else Standing.AHEAD


@lru_cache(maxsize=1)
def _steps() -> tuple[str | None, frozenset[str]]:
    directory = ScriptDirectory(str(_STEPS))
    return directory.get_current_head(), frozenset(step.revision for step in directory.walk_revisions())
