"""What can go wrong below a room: defects and operational failures, never refusals of a request.

None of these derives from `kernel.errors.Refusal`: at a door they become an opaque internal failure
(or "try again" for `StorageUnavailable`), and their texts go to the log only.

    StorageError
    ├── ConstraintViolation          a NOT NULL, CHECK or foreign key said no
    │   └── UniqueViolation
    ├── ReadOnlyTransaction          a write inside Storage.read
    ├── StorageUnavailable           disk full, read-only, locked, connection lost
    │   ├── SerializationFailure     still contended after all retries
    │   ├── ConnectionLost           before the commit: nothing was stored
    │   └── OutcomeUnknown           during the commit: nobody knows
    ├── UnsupportedDatabase
    ├── SchemaTooNew
    └── DataDirectoryRefused
        ├── DataDirectoryTaken
        └── DataDirectoryForeign
"""


class StorageError(Exception):
    """The database refused or could not do something that the code expected to work."""


class ConstraintViolation(StorageError):
    """A constraint of the schema said no."""


class UniqueViolation(ConstraintViolation):
    """A row with the same unique key exists; the transaction is over and nothing of it is stored."""


class ReadOnlyTransaction(StorageError):
    """A write was tried inside `Storage.read`."""


class StorageUnavailable(StorageError):
    """The database cannot work now: disk full, read-only file system, lock timeout, no connection."""


class SerializationFailure(StorageUnavailable):
    """Concurrent transactions cannot be ordered; seen by callers only when every retry failed."""


class ConnectionLost(StorageUnavailable):
    """The connection broke before the commit was sent: nothing was stored."""


class OutcomeUnknown(StorageUnavailable):
    """The commit was sent and its answer never came: it may or may not have been stored.

    The caller must look before it acts again; `transact` never retries this one.
    """


class UnsupportedDatabase(StorageError):
    """The URL does not name a database that Greatseal runs on."""


class SchemaTooNew(StorageError):
    """The database was migrated by a later version of Greatseal than this one."""


class DataDirectoryRefused(StorageError):
    """The data directory cannot be used; the message says why and what to do."""


class DataDirectoryTaken(DataDirectoryRefused):
    """Another process owns the data directory. `pid` is its number, or None when it could not be read."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class DataDirectoryForeign(DataDirectoryRefused):
    """The directory holds files that Greatseal did not put there."""
