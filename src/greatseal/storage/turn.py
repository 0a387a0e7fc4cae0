"""Whose turn it is to write to a SQLite database: one thread of one process of this machine at a time.

SQLite itself lets a second writer look again after 1, 2, 5, 10 … milliseconds, longer than most transactions take;
processes that share a database would spend their time asleep. The lock file beside the database is looked at far more
often. It is a courtesy: what keeps writers apart is still SQLite.
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from types import TracebackType

_LOOK_EVERY = 0.0002


class Turn:
    """What a writer holds for a whole transaction. Raises TimeoutError when others hold it for `patience` seconds."""

    def __init__(self, path: Path, patience: float) -> None:
        """Raises OSError when the file cannot be made."""
        self._lock = threading.Lock()
        self._patience = patience
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._wait()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._lock.release()

    def close(self) -> None:
        """Lets the file go, which stays: removing it would let two processes hold two locks."""
        os.close(self._descriptor)

    def _wait(self) -> None:
        until = 0.0
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                now = time.monotonic()
                until = until or now + self._patience
                if now > until:
                    raise TimeoutError("another process has been writing to the database for too long") from None
                time.sleep(_LOOK_EVERY)
