"""Takes a backup while the service runs: one snapshot of the database, and the files that it names."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Select, column, select, table

from greatseal import __version__
from greatseal.app.backup.container import BackupWriter, End, FilePart, Lock, Manifest, Rows, TableBegins
from greatseal.app.backup.contents import Contents, held
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_ordered_id
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.settings.paths import CONFIG_FILE
from greatseal.storage import Storage, Tx, snapshot
from greatseal.storage.blob_rows import is_in_rows

KEK_FILE = "kek"
OBJECTS = "objects/"
_AT_ONCE = 500
_RUN = 1 << 18
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be in a backup, and what seals it. `kek` goes into it when it is given."""

    settings: Settings
    lock: Lock
    kek: Secret | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds."""

    manifest: Manifest
    tables: int
    rows: int
    files: int
    size: int


class _Moved(Exception):
    """Contents that the snapshot names were removed before they could be held: another snapshot is needed."""

    def __init__(self, missing: frozenset[str]) -> None:
        self.missing = missing


class _Packer:
    """Counts what goes into a backup."""

    def __init__(self, writer: BackupWriter, progress: Callable[[str], None]) -> None:
        self._writer = writer
        self._progress = progress
        self.tables = self.rows = self.files = 0

    def begin(self, manifest: Manifest, order: Order) -> None:
        self._writer.write(manifest)
        config = order.settings.paths.config
        if config.is_file():
            self.file(CONFIG_FILE, iter([config.read_bytes()]))
        if order.kek is not None:
            self.file(KEK_FILE, iter([order.kek.reveal()]))

    def file(self, name: str, parts: Iterator[bytes]) -> None:
        for part in parts:
            self._writer.write(FilePart(name, part))
        self.files += 1

    def table(self, tx: Tx, shape: snapshot.Shape) -> None:
        self._progress(shape.name)
        self._writer.write(TableBegins(shape.name, shape.columns, shape.counter))
        for run in _runs(snapshot.rows(tx, shape)):
            self._writer.write(Rows(run))
            self.rows += len(run)
        self.tables += 1

    def end(self) -> None:
        self._writer.write(End(self.tables, self.rows, self.files))
        self._writer.close()


def take(
    storage: Storage,
    order: Order,
    out: Path,
    *,
    clock: Clock,
    entropy: Entropy,
    progress: Callable[[str], None] = lambda _: None,
) -> Taken:
    """Writes the backup to `out`, which must not exist, and does not before it is whole.

    `progress` hears the name of each table. Raises OSError, FileExistsError among them, and StorageError.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists; a backup never replaces a file")
    now = clock.now()
    identity = new_ordered_id(entropy, now)
    unfinished = out.with_name(f"{out.name}.{identity}.new")
    manifest = Manifest(identity, now.isoformat(), __version__, "", storage.dialect, order.settings.account_id)
    with held(order.settings.paths.objects, identity) as contents:

        def work(tx: Tx, known: frozenset[str]) -> Taken:
            missing = frozenset(name for name in _named(tx) if not contents.hold(name))
            if missing - known:
                raise _Moved(missing)
            schema = snapshot.revision(tx)
            assert schema is not None
            made = msgspec.structs.replace(manifest, schema=schema, missing=len(missing))
            with _private(unfinished) as file:
                packer = _Packer(BackupWriter(file, order.lock, entropy), progress)
                packer.begin(made, order)
                for name in _named(tx):
                    if name not in missing:
                        packer.file(f"{OBJECTS}{name}", contents.parts(name))
                for shape in snapshot.shapes(tx):
                    packer.table(tx, shape)
                packer.end()
                file.flush()
                os.fsync(file.fileno())
                return Taken(made, packer.tables, packer.rows, packer.files, file.tell())

        try:
            taken = _until_still(storage, work, contents)
            _put_in_place(unfinished, out)
        finally:
            unfinished.unlink(missing_ok=True)
    _sync(out.parent)
    return taken


def _until_still(storage: Storage, work: Callable[[Tx, frozenset[str]], Taken], contents: Contents) -> Taken:
    """Tries snapshots until all that one names is held. What is missing twice was missing before."""
    known: frozenset[str] = frozenset()
    for _ in range(_ATTEMPTS):
        contents.hold_all()
        try:
            return storage.read(_given(work, known))
        except _Moved as moved:
            known = moved.missing
    raise OSError("objects are replaced faster than they can be read; try again in a calmer minute")


def _given(work: Callable[[Tx, frozenset[str]], Taken], known: frozenset[str]) -> Callable[[Tx], Taken]:
    return lambda tx: work(tx, known)


def _named(tx: Tx) -> Iterator[str]:
    """The files that objects have as contents, each once; contents in rows come with their table."""
    query: Select[Any] = (
        select(column("blob")).select_from(table("object_version")).where(column("blob") != "").distinct()
    )
    for names in tx.column(query, run=1000):
        yield from (name for name in names if not is_in_rows(name))


def _runs(rows: Iterator[Sequence[Any]]) -> Iterator[list[list[Any]]]:
    """Rows in runs that are small both in number and in octets."""
    run: list[list[Any]] = []
    size = 0
    for row in rows:
        run.append(list(row))
        size += sum(len(value) if isinstance(value, bytes | str) else 8 for value in row)
        if len(run) >= _AT_ONCE or size >= _RUN:
            yield run
            run, size = [], 0
    if run:
        yield run


def _put_in_place(made: Path, path: Path) -> None:
    """Raises FileExistsError rather than replace what somebody else has just written."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(f"{path} exists; a backup never replaces a file") from None
        made.rename(path)  # a file system without hard links


def _private(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
