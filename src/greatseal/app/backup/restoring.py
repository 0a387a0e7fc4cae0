"""Puts a backup back into an empty place: all of it or nothing that anybody takes for an installation."""

import base64
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from greatseal.app.backup import settling
from greatseal.app.backup.container import BackupUnusable, End, FilePart, Keys, Manifest, Rows, TableBegins, read
from greatseal.app.backup.taking import KEK_FILE, OBJECTS
from greatseal.kernel.clock import Clock
from greatseal.settings.paths import CONFIG_FILE, DataPaths
from greatseal.storage import Tx, open_storage, restored, snapshot
from greatseal.storage.errors import DataDirectoryForeign
from greatseal.storage.migrate import create, upgrade
from greatseal.storage.owner import VacantDirectory
from greatseal.storage.restored import Restore


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a backup goes. Without a database it is SQLite in the directory.

    `moved` says that the service has not run since the backup was taken, so that nothing has to be skipped.
    """

    data: Path
    database: str | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class PutBack:
    """What came back."""

    manifest: Manifest
    restore: Restore
    rows: int
    kek: bool
    """Whether a key-encryption key was in the backup."""
    kept: tuple[str, ...]
    """Files of the directory that were there before and were left alone."""
    aside: bool
    """Whether the settings are in `greatseal.toml.from-backup`, because they name a database."""


def restore(
    backup: Path, keys: Keys, wanted: Wanted, *, clock: Clock, progress: Callable[[str], None] = lambda _: None
) -> PutBack:
    """Puts `backup` back. Raises BackupUnusable, StorageError (DataDirectoryRefused among them) and OSError.

    A process that dies on the way leaves a directory with the file `restore-unfinished`, and an empty database or one
    that no service starts on.
    """
    with backup.open("rb") as file:
        # Before anything is touched: whether this is a backup at all, and whether it opens.
        next(read(file, keys))
    place = VacantDirectory.open(wanted.data)
    try:
        present = frozenset(name for name in (CONFIG_FILE, KEK_FILE) if (place.path / name).exists())
        url = wanted.database or f"sqlite:///{DataPaths(place.path).database}"
        storage = open_storage(url, pool_size=1)
        try:
            put_back = storage.transact(
                lambda tx: _fill(tx, _Source(backup, keys), _Files(place.path, present), wanted, clock.now(), progress)
            )
            place.complete()
            storage.transact(restored.completed)
        finally:
            storage.close()
    finally:
        place.close()
    return put_back


@dataclass(frozen=True, slots=True)
class _Source:
    backup: Path
    keys: Keys


def _fill(
    tx: Tx, source: _Source, files: "_Files", wanted: Wanted, now: datetime, progress: Callable[[str], None]
) -> PutBack:
    """Everything, in one transaction. May run again from the start, and then writes the same files again."""
    if not snapshot.is_empty(tx):
        raise DataDirectoryForeign("the database is not empty; name an empty one")
    with source.backup.open("rb") as file:
        messages = read(file, source.keys)
        manifest = next(messages)
        assert isinstance(manifest, Manifest)
        if now < datetime.fromisoformat(manifest.taken_at):
            raise BackupUnusable(
                f"the backup was taken at {manifest.taken_at}, and it is {now.isoformat()}: set the clock, "
                "from which the numbers of revocation lists follow"
            )
        create(tx, manifest.schema)
        filling = _Filling(tx, files, leap=not wanted.moved, progress=progress)
        for message in messages:
            filling.take(message)
    filling.end()
    upgrade(tx)
    made = Restore(manifest.id, manifest.taken_at, now, owes=not wanted.moved)
    made = settling.prepare(tx, made, now)
    restored.begun(tx, made)
    return PutBack(manifest, made, filling.rows, files.has_kek, tuple(files.kept), files.aside)


class _Files:
    """Writes the files of the data directory. Those that an operator has put there are left alone."""

    def __init__(self, place: Path, present: frozenset[str]) -> None:
        self._place = place
        self._open: BinaryIO | None = None
        self._name = ""
        self.count = 0
        self.kept: list[str] = []
        self.has_kek = self.aside = False
        self._present = present

    def take(self, part: FilePart) -> None:
        if part.name == CONFIG_FILE:
            self.aside |= _names_database(part.data)
        if part.name != self._name:
            self.finish()
            self._name = part.name
            self.count += 1
            self._begin(part.name)
        if self._open is not None:
            self._open.write(base64.b64encode(part.data) + b"\n" if part.name == KEK_FILE else part.data)

    def finish(self) -> None:
        if self._open is not None:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()
            self._open = None

    def _begin(self, name: str) -> None:
        self.has_kek |= name == KEK_FILE
        if name in self._present:
            self.kept = [*dict.fromkeys((*self.kept, name))]
            return
        path = self._place / self._path_of(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        self._open = os.fdopen(descriptor, "wb")

    def _path_of(self, name: str) -> str:
        if name == CONFIG_FILE and self.aside:
            return f"{CONFIG_FILE}.from-backup"
        if name in (CONFIG_FILE, KEK_FILE):
            return name
        blob = name.removeprefix(OBJECTS)
        # A backup that opens was written by somebody with the key, and still cannot write elsewhere.
        if not name.startswith(OBJECTS) or not blob.isalnum():
            raise BackupUnusable(f"the backup holds a file of an unknown name: {name!r}")
        return f"{OBJECTS}{blob[-2:]}/{blob}"


def _names_database(settings: bytes) -> bool:
    """Whether a service with these settings would open another database than the one that was restored."""
    try:
        return "database" in tomllib.loads(settings.decode())
    except ValueError:
        return True


@dataclass(slots=True)
class _Filling:
    tx: Tx
    files: _Files
    leap: bool
    progress: Callable[[str], None]
    rows: int = 0
    _tables: list[TableBegins] = field(default_factory=list)
    _ended: End | None = None

    def take(self, message: object) -> None:
        """The next message."""
        match message:
            case FilePart():
                self.files.take(message)
            case TableBegins():
                self.progress(message.name)
                self._tables.append(message)
            case Rows() if self._tables:
                begun = self._tables[-1]
                snapshot.fill(self.tx, snapshot.Shape(begun.name, begun.columns), message.rows)
                self.rows += len(message.rows)
            case End():
                self._ended = message
            case _:
                raise BackupUnusable("the messages of the backup are in no order")

    def end(self) -> None:
        """All was taken. Raises BackupUnusable when something is missing."""
        self.files.finish()
        assert self._ended is not None
        if (len(self._tables), self.rows, self.files.count) != (
            self._ended.tables,
            self._ended.rows,
            self._ended.files,
        ):
            raise BackupUnusable("the backup does not hold what it says at its end")
        for table in self._tables:
            if table.counter is not None:
                settling.count_on(self.tx, table.name, table.counter, leap=self.leap)
