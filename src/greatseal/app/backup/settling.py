"""What a restore must change so that no number is given out twice, and what the first start must do once it has keys.

At the restore, without any key: row numbers leap, leases are freed, lists are withdrawn until they are made anew, and
transparency logs are closed. At the first start, in one transaction: the audit log begins a new epoch, and records it.
"""

from dataclasses import replace
from datetime import datetime

import msgspec

from greatseal.app.own_acts import recorder
from greatseal.app.rooms import Rooms
from greatseal.domain.revocation import returning
from greatseal.domain.transparency.store import logs
from greatseal.domain.zones import store as zones
from greatseal.storage import Storage, Tx, queue, restored, snapshot
from greatseal.storage.restored import Restore

_LEAP = 1 << 40
"""More rows than any table gains between a backup and its restore; 2^63 has room for eight million restores."""


def count_on(tx: Tx, table: str, last: int, *, leap: bool) -> None:
    """The rows of a table are numbered above `last`, and above all that were numbered since the backup."""
    snapshot.count_on(tx, table, last + (_LEAP if leap else 0))


def prepare(tx: Tx, restore: Restore, now: datetime) -> Restore:
    """Changes the restored rows; what the first start has to know."""
    queue.free_all(tx)
    if not restore.owes:
        return restore
    returning.withdraw_lists(tx, now)
    zones.leap(tx)
    closed = []
    for record in logs.records(tx):
        if record.retired_at is None:
            logs.retire(tx, replace(record, retired_at=now))
            closed.append(record.id)
    return msgspec.structs.replace(restore, closed=tuple(closed))


def settle(rooms: Rooms, region: str) -> bool:
    """Pays what a restored database owes; False when it owes nothing. Of several nodes one does it."""
    if rooms.storage.read(restored.found) is None:
        return False
    record = recorder(rooms.audit, clock=rooms.clock, entropy=rooms.entropy, region=region)

    def work(tx: Tx) -> bool:
        restore = restored.found(tx)
        if restore is None:
            return False
        ended = rooms.audit_log.begin_epoch(tx)
        details = {
            "backup": restore.backup,
            "taken_at": restore.taken_at,
            "restored_at": restore.restored_at.isoformat(),
            "closed_logs": " ".join(restore.closed),
        }
        if ended is not None:
            details |= {"ended_log": ended.origin, "ended_at": str(ended.size)}
        record(tx, "RestoreBackup", details)
        restored.settled(tx, restore)
        return True

    return rooms.storage.transact(work)


def refuse_unfinished(storage: Storage) -> None:
    """Raises DataDirectoryRefused for a database that a restore did not finish to fill."""
    storage.read(restored.refuse_unfinished)
