"""The contents of objects while a backup reads them: held by a second name, so that no deletion takes them away."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "backup-"
_LOCK = "lock"
_PART = 1 << 16


class Contents:
    """The files of objects that one backup holds."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder

    def hold(self, name: str) -> bool:
        """Keeps a file for this backup; False when it is gone."""
        held = self._folder / name
        if held.exists():
            return True
        path = self._root / name[-2:] / name
        try:
            os.link(path, held)
        except FileNotFoundError:
            return False
        except OSError:
            # A file system without hard links, or a file that has too many.
            try:
                shutil.copyfile(path, held)
            except FileNotFoundError:
                return False
        return True

    def hold_all(self) -> None:
        """Keeps every file that is there now."""
        for folder in self._root.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                if not path.name.endswith(".new"):
                    self.hold(path.name)

    def parts(self, name: str) -> Iterator[bytes]:
        """A file that is held."""
        with (self._folder / name).open("rb") as file:
            part = file.read(_PART)
            yield part
            while part := file.read(_PART):
                yield part


@contextmanager
def held(root: Path, backup: str) -> Iterator[Contents]:
    """The contents below `root` for one backup. What a backup that died has left is removed."""
    if root.is_dir():
        for old in root.glob(f"{_PREFIX}*"):
            _remove_abandoned(old)
    folder = root / f"{_PREFIX}{backup}"
    folder.mkdir(mode=0o700, parents=True)
    # Released with the process, however that ends.
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Contents(root, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(folder: Path) -> None:
    with suppress(OSError):
        lock = os.open(folder / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(lock)
