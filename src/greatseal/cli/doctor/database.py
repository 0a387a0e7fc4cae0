"""Checks of the database: it opens, has this version's schema, takes writes, and was written before now."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import text

from greatseal.cli.doctor.findings import Finding, Level, Patient
from greatseal.cli.doctor.protection import opens
from greatseal.domain.audit import store as audit_store
from greatseal.storage import Storage, Tx, errors, open_storage
from greatseal.storage.installation import remember
from greatseal.storage.migrate import head

_CLOCK_TOLERANCE = timedelta(minutes=1)


class _Undo(Exception):
    """Ends the trial of a write, so that nothing of it is stored."""


def database(patient: Patient) -> Iterator[Finding]:
    """All of the above, each only when the one before it holds."""
    settings = patient.settings
    if not settings.database and not settings.paths.database.exists():
        return  # never started here; opening it would make the file
    try:
        storage = open_storage(settings.database_url, pool_size=1)
    except errors.StorageError as error:
        yield _unusable(error)
        return
    try:
        yield from _examine(storage, patient)
    except errors.StorageError as error:
        yield _unusable(error)
    finally:
        storage.close()


def _examine(storage: Storage, patient: Patient) -> Iterator[Finding]:
    found, wanted = storage.read(lambda tx: tx.scalar(text("SELECT version_num FROM alembic_version"))), head()
    if found != wanted:
        yield Finding(
            "database",
            Level.WARNING,
            f"the schema is revision {found}, this version of Greatseal works on {wanted}",
            "start the service of this version, which migrates it; or run the later version that migrated it",
        )
        return
    try:
        storage.transact(_try_to_write)
    except _Undo:
        yield Finding("database", Level.OK, f"{storage.dialect} opens, has schema {found} and takes writes")
    yield from opens(storage, patient.settings)
    newest = storage.read(lambda tx: audit_store.recent(tx, patient.settings.account_id, 1))
    if newest and newest[0].at > patient.now + _CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            Level.FAILURE,
            f"it is {patient.now:%F %T} UTC, but the newest audit record is of {newest[0].at:%F %T}",
            "set the clock: timedatectl set-ntp true",
        )


def _try_to_write(tx: Tx) -> None:
    remember(tx, "doctor", b"")
    raise _Undo


def _unusable(error: errors.StorageError) -> Finding:
    return Finding(
        "database",
        Level.FAILURE,
        f"cannot be used: {error}",
        "see that the server runs and GREATSEAL_DATABASE is right; restore a damaged file from a backup",
    )
