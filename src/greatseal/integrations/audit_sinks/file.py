"""A copy in a file: appended, synced, private."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class FileSink:
    """Appends lines to a file and returns when the disk has them.

    Several processes may share the file. When it was moved away (logrotate), the next line makes a new one.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._torn = False

    def write(self, lines: Sequence[bytes]) -> None:
        """Raises OSError when the file cannot be opened, written or synced."""
        with self._lock:
            descriptor = self._opened()
            # What a failed write left behind is ended first, so that it can spoil no more than itself.
            data = b"".join((b"\n" if self._torn else b"", *(line + b"\n" for line in lines)))
            self._torn = True
            while data:
                data = data[os.write(descriptor, data) :]
            self._torn = False
            os.fsync(descriptor)

    def close(self) -> None:
        """Closes the file; the next line opens it again."""
        with self._lock:
            self._close()

    def _opened(self) -> int:
        if self._descriptor is not None and not self._is_at_its_place(self._descriptor):
            self._close()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _FLAGS, 0o600)
            size = os.fstat(self._descriptor).st_size
            self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
            # A new file is safe once its directory knows it.
            directory = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return self._descriptor

    def _is_at_its_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path, follow_symlinks=False), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
