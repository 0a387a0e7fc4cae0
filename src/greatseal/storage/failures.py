"""Translates what the two drivers raise into the typed errors of `storage.errors`."""

import sqlite3

from sqlalchemy import exc

from greatseal.storage.errors import (
    ConnectionLost,
    ConstraintViolation,
    OutcomeUnknown,
    ReadOnlyTransaction,
    SerializationFailure,
    StorageError,
    StorageUnavailable,
    UniqueViolation,
)

_SQLITE_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
# PostgreSQL, appendix A: serialization_failure, deadlock_detected.
_PG_RETRY = {"40001", "40P01"}
# Connection, resources, operator intervention, system error; lock_not_available; read-only (a standby).
_PG_UNAVAILABLE_CLASSES = {"08", "53", "57", "58", "XX"}
_PG_UNAVAILABLE = {"55P03", "25006", "40003"}
_PG_READ_ONLY = "25006"


def typed(error: exc.SQLAlchemyError, *, writable: bool, committing: bool) -> StorageError:
    """The typed error for what a driver raised.

    `writable` is whether the transaction may write; `committing` whether the failure came from the commit
    itself, where a lost answer means that nobody knows the outcome.
    """
    if isinstance(error, exc.TimeoutError):
        return StorageUnavailable("no free database connection in time")
    if not isinstance(error, exc.DBAPIError):
        return StorageError(str(error))
    # The text of the driver only: SQLAlchemy's own would carry the statement and its values into the log.
    text = f"{type(error.orig).__name__}: {error.orig}"
    if isinstance(error.orig, sqlite3.Error):
        return _from_sqlite(error.orig, text, writable=writable, committing=committing)
    return _from_postgresql(error, text, writable=writable, committing=committing)


def _from_sqlite(error: sqlite3.Error, text: str, *, writable: bool, committing: bool) -> StorageError:
    extended: int = getattr(error, "sqlite_errorcode", 0)
    primary = extended & 0xFF  # https://www.sqlite.org/rescode.html: the low byte is the primary code
    if extended in _SQLITE_UNIQUE:
        return UniqueViolation(text)
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintViolation(text)
    if primary == sqlite3.SQLITE_READONLY and not writable:
        return ReadOnlyTransaction(text)
    if primary == sqlite3.SQLITE_IOERR and committing:
        return OutcomeUnknown(text)
    if primary in _SQLITE_UNAVAILABLE:
        return StorageUnavailable(text)
    return StorageError(text)


def _from_postgresql(error: exc.DBAPIError, text: str, *, writable: bool, committing: bool) -> StorageError:
    state: str = getattr(error.orig, "sqlstate", None) or ""
    if state in _PG_RETRY:
        return SerializationFailure(text)
    if error.connection_invalidated:
        return OutcomeUnknown(text) if committing and writable else ConnectionLost(text)
    if state == "23505":
        return UniqueViolation(text)
    if state.startswith("23"):
        return ConstraintViolation(text)
    if state == _PG_READ_ONLY and not writable:
        return ReadOnlyTransaction(text)
    # Without a code the driver could not even talk to the server.
    no_server = not state and isinstance(error, exc.OperationalError)
    if no_server or state in _PG_UNAVAILABLE or state[:2] in _PG_UNAVAILABLE_CLASSES:
        return StorageUnavailable(text)
    return StorageError(text)
