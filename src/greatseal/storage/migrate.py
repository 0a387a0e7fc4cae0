"""Brings a database to the schema of this version; the steps are in `migrations/versions`.

Every step must leave a schema that the version before it can still run on (expand first, contract a release later).
"""

import threading
from pathlib import Path

from sqlalchemy import Connection

from greatseal.storage.errors import SchemaTooNew, StorageError, StorageUnavailable
from greatseal.storage.revision import found_in, steps
from greatseal.storage.tx import Storage, Tx

_STEPS = Path(__file__).parent / "migrations"
_RIVALS = 3
_ALEMBIC = threading.Lock()  # alembic.context is a global of the process


def migrate(storage: Storage) -> str:
    """Upgrades to the newest schema in one transaction; the revision that the database has then.

    Safe to call from several nodes at once. Raises SchemaTooNew for a database that a later version has migrated.
    """
    for rival in range(_RIVALS):
        try:
            return storage.transact(lambda tx: _upgrade(tx.connection))
        except (SchemaTooNew, StorageUnavailable):
            raise
        except StorageError:
            # Two nodes that create the same table at once: the loser's error is not a serialization failure.
            # By now the winner has committed, and the next look tells whether anything is left to do.
            if storage.dialect == "sqlite" or rival == _RIVALS - 1:
                raise
    raise AssertionError("unreachable")


def head() -> str:
    """The revision that this version of the code works on."""
    return steps()[-1]


def create(tx: Tx, revision: str) -> None:
    """Makes the tables of a revision in an empty database, in the caller's transaction. Raises SchemaTooNew."""
    if revision not in steps():
        raise SchemaTooNew(f"the schema revision {revision} is that of a later version of Greatseal; use that one")
    _run(tx.connection, revision)


def upgrade(tx: Tx) -> str:
    """As `migrate`, in the caller's transaction."""
    return _upgrade(tx.connection)


def _run(connection: Connection, target: str) -> None:
    # Most starts find nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Config interpolates percent signs, which a path may hold.
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, target)


def _upgrade(connection: Connection) -> str:
    newest = head()
    current = found_in(connection)
    unknown = current.difference(steps())
    if unknown:
        found = ", ".join(sorted(unknown))
        raise SchemaTooNew(
            f"the database has schema revision {found}, which this version of Greatseal does not know "
            f"(its newest is {newest}); run the later version that migrated it, or restore a backup"
        )
    if current != {newest}:
        _run(connection, "head")
    return newest
