"""A data directory has one owner process at a time, and nobody else's files in it."""

import fcntl
import logging
import os
import stat
from pathlib import Path
from types import TracebackType

from greatseal.storage.errors import DataDirectoryForeign, DataDirectoryRefused, DataDirectoryTaken

_log = logging.getLogger(__name__)
_LOCK = "lock"
_MARKER = "greatseal-data"
UNFINISHED = "restore-unfinished"
_UNFINISHED_TEXT = b"A restore began here and did not end. Remove this directory and restore again.\n"
_MARKER_TEXT = b"This directory belongs to Greatseal. Format 1\n"
# A file system's own directory at the root of a fresh volume; our own start, cut short; what an operator
# puts there before the first start.
_AS_GOOD_AS_EMPTY = {"lost+found", _LOCK, "greatseal.toml", "kek"}


class DataDirectory:
    """A data directory held by this process, until `close` or until the process ends, however it ends.

    `path` is absolute; `new` tells that this call initialised it.
    """

    def __init__(self, path: Path, descriptor: int, *, new: bool) -> None:
        self.path = path
        self.new = new
        self._descriptor: int | None = descriptor

    @classmethod
    def open(cls, path: Path | str) -> "DataDirectory":
        """Takes the directory, making it (mode 0700) when it is absent or empty.

        Raises DataDirectoryTaken while another process holds it, DataDirectoryForeign when it holds files that are not
        ours, DataDirectoryRefused when the operating system says no.
        """
        path = Path(path).expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _is_new(path)  # before the lock is made: nothing is left behind in a foreign directory
            # Not inherited by programs that we start (PEP 446), so that they cannot keep the lock alive.
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                _take(path, descriptor)
                new = _is_new(path)  # again: a rival may have been quicker
                if new:
                    _initialise(path)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise DataDirectoryRefused(f"cannot use the data directory {path}: {error.strerror}") from error
        return cls(path, descriptor, new=new)

    def close(self) -> None:
        """Lets the directory go. The lock file stays: removing it would let two processes hold two locks."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def leave(self) -> None:
        """In a process that the owner has forked: the directory stays the owner's alone."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "DataDirectory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class VacantDirectory:
    """A directory that is being filled by a restore: until `complete`, no process takes it for a data directory."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> "VacantDirectory":
        """Takes a directory that is absent or as good as empty. Raises DataDirectoryRefused and its kin."""
        path = path.expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_vacant(path)
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                _take(path, descriptor)
                _check_vacant(path)
                _write_new(path / UNFINISHED, _UNFINISHED_TEXT)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise DataDirectoryRefused(f"cannot use the directory {path}: {error.strerror}") from error
        return cls(path, descriptor)

    def complete(self) -> None:
        """From now on it is a data directory."""
        (self.path / UNFINISHED).unlink()
        _initialise(self.path)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Lets the directory go, finished or not."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _check_vacant(path: Path) -> None:
    if not _is_new(path):
        raise DataDirectoryForeign(f"{path} is a data directory already; name an empty or a new directory")


def _is_new(path: Path) -> bool:
    names = {entry.name for entry in path.iterdir()}
    if UNFINISHED in names:
        raise DataDirectoryForeign(f"a restore into {path} did not end; remove the directory and restore again")
    if _MARKER in names:
        if (path / _MARKER).read_bytes() != _MARKER_TEXT:
            raise DataDirectoryRefused(f"the data directory {path} has a format that this version does not know")
        return False
    foreign = sorted(names - _AS_GOOD_AS_EMPTY)
    if foreign:
        raise DataDirectoryForeign(
            f"{path} is not empty and not a Greatseal data directory (it holds {foreign[0]!r}); "
            "name an empty or a new directory"
        )
    return True


def _take(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        pid = int(text) if text.isdigit() else None
        who = f"process {pid}" if pid is not None else "another process"
        raise DataDirectoryTaken(
            f"the data directory {path} is in use by {who}; stop it first or name another directory", pid
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _initialise(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        try:
            path.chmod(0o700)
        except PermissionError:
            # A mounted volume may belong to somebody else; our files in it are private by their own mode.
            _log.warning("cannot make the data directory private: %s", path)
    _write_new(path / _MARKER, _MARKER_TEXT)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
