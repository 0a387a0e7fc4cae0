"""Contents too large for the database: files in a directory, each written once and then only read or removed.

A file is whole and on the disk before anybody learns its name, so a row that names it can be committed. A crash in
between leaves a file that no row names; its name tells when it was made, so that it can be swept later. Several nodes
over one database need the directory in common, or keep contents as rows (`blob_rows`).
"""

import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_ordered_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME_LENGTH = 32
_PART = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that was written: its name, its size in bytes, the MD5 of its content in hexadecimal."""

    name: str
    size: int
    md5: str


class BlobStore(Protocol):
    """What the room of objects keeps contents in. No verb may be called in a transaction."""

    def write(self, content: Iterable[bytes]) -> Blob:
        """Writes a new content from its parts; it is durable when this returns. Raises OSError or StorageError."""
        ...

    def read(self, name: str, start: int, length: int) -> bytes:
        """Some octets of a content. Raises FileNotFoundError once it was removed."""
        ...

    def parts(self, name: str) -> Iterator[bytes]:
        """The whole content in parts. Raises FileNotFoundError once it was removed."""
        ...

    def remove(self, name: str) -> None:
        """Removes a content; no error when it is gone."""
        ...

    def older_than(self, age: timedelta) -> Iterator[list[str]]:
        """The names of finished and unfinished contents that were begun longer ago, in runs."""
        ...

    def discard(self, name: str) -> None:
        """Removes a content in whatever state a crash has left it."""
        ...


class Blobs:
    """The files of one installation, below `root`, which is made when the first one is written."""

    def __init__(self, root: Path, *, clock: Clock, entropy: Entropy) -> None:
        self._root = root
        self._clock = clock
        self._entropy = entropy

    @classmethod
    def temporary(cls, *, clock: Clock, entropy: Entropy) -> "Blobs":
        """Files in a directory of their own, which goes with this object: for tests and benches."""
        folder = Path(tempfile.mkdtemp(prefix="greatseal-objects-"))
        made = cls(folder, clock=clock, entropy=entropy)
        weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
        return made

    def write(self, content: Iterable[bytes]) -> Blob:
        """Writes a new file from its parts; it is on the disk when this returns. Raises OSError."""
        name = new_ordered_id(self._entropy, self._clock.now())
        path = self._path(name)
        self._make(path.parent)
        unfinished = path.with_name(name + ".new")
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            with unfinished.open("xb") as file:
                for part in content:
                    file.write(part)
                    digest.update(part)
                    size += len(part)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _sync(path.parent)
        return Blob(name, size, digest.hexdigest())

    def read(self, name: str, start: int, length: int) -> bytes:
        """Some octets of a file. Raises FileNotFoundError once it was removed."""
        with self._path(name).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def parts(self, name: str) -> Iterator[bytes]:
        """The whole file, a mebibyte at a time. Raises FileNotFoundError once it was removed."""
        with self._path(name).open("rb") as file:
            while part := file.read(_PART):
                yield part

    def remove(self, name: str) -> None:
        """Removes a file; no error when it is gone."""
        self._path(name).unlink(missing_ok=True)

    def older_than(self, age: timedelta) -> Iterator[list[str]]:
        """The names of finished and unfinished files that were begun longer ago, folder by folder."""
        limit = f"{(self._clock.now() - age - _EPOCH) // timedelta(microseconds=1):016x}"
        for folder in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
            names = {entry.name.removesuffix(".new") for entry in folder.iterdir()}
            if found := sorted(name for name in names if len(name) == _NAME_LENGTH and name < limit):
                yield found

    def discard(self, name: str) -> None:
        """Removes a file in whatever state a crash has left it."""
        self.remove(name)
        path = self._path(name)
        path.with_name(name + ".new").unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        # The last digits are random, so the folders fill evenly.
        return self._root / name[-2:] / name

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(self._root)
        with suppress(OSError):
            _sync(self._root.parent)


def _sync(folder: Path) -> None:
    """The names in a folder survive a power failure only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
