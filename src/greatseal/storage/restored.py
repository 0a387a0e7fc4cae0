"""What a database knows of having been put back from a backup.

A database that a restore is still filling is no installation yet. One that was filled owes something before it may
sign its logs again: the first start pays that (`app.backup.settling`).
"""

from datetime import datetime

import msgspec

from greatseal.storage import installation
from greatseal.storage.errors import DataDirectoryRefused
from greatseal.storage.tx import Tx

_OWED = "restore"
_HISTORY = "restores"


class Restore(msgspec.Struct, frozen=True):
    """Which backup was put back, and when. `closed` are the transparency logs that ended with it."""

    backup: str
    taken_at: str
    restored_at: datetime
    complete: bool = False
    owes: bool = True
    closed: tuple[str, ...] = ()


def begun(tx: Tx, restore: Restore) -> None:
    """The database is being filled, or was filled just now."""
    installation.replace(tx, _OWED, msgspec.json.encode(restore))


def found(tx: Tx) -> Restore | None:
    """The restore that is under way, or owes something still."""
    value = installation.recall(tx, _OWED)
    return None if value is None else msgspec.json.decode(value, type=Restore)


def completed(tx: Tx) -> None:
    """Everything is in its place; what owes nothing is forgotten, but for the history."""
    restore = found(tx)
    if restore is None:
        return
    if restore.owes:
        begun(tx, msgspec.structs.replace(restore, complete=True))
    else:
        settled(tx, restore)


def settled(tx: Tx, restore: Restore) -> None:
    """Nothing is owed any more."""
    past = (*history(tx), msgspec.structs.replace(restore, complete=True, owes=False))
    installation.replace(tx, _HISTORY, msgspec.json.encode(past))
    installation.forget(tx, _OWED)


def history(tx: Tx) -> tuple[Restore, ...]:
    """Every restore that this installation goes back to, the first one first."""
    value = installation.recall(tx, _HISTORY)
    return () if value is None else msgspec.json.decode(value, type=tuple[Restore, ...])


def refuse_unfinished(tx: Tx) -> None:
    """Raises DataDirectoryRefused for a database that a restore began to fill and did not finish."""
    restore = found(tx)
    if restore is not None and not restore.complete:
        raise DataDirectoryRefused(
            f"the restore of the backup of {restore.taken_at} into this database did not end; "
            "empty the database and restore again"
        )
