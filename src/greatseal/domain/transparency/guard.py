"""Keeps a log from signing a tree that does not continue what it has signed, whatever happened to its database.

The newest checkpoint is kept outside the database before an SCT leaves. A database that was put back from a backup is
smaller than that, or has another tree: then nothing is signed any more, and the error says what can be done.
"""

from functools import lru_cache

from greatseal.crypto.merkle import Frontier
from greatseal.crypto.tiles import frontier_at, split, subtrees
from greatseal.domain.transparency import heads
from greatseal.domain.transparency.model import LogBehind, LogRecord
from greatseal.domain.transparency.ports import Keeper
from greatseal.domain.transparency.store import logs as store
from greatseal.domain.transparency.store.logs import Head
from greatseal.storage import Storage

_REMEDY = (
    "Put the newer database back, or retire the log for good: `greatseal transparency retire {id}` begins a new one."
)


class Guard:
    """Of one log."""

    def __init__(self, record: LogRecord, *, storage: Storage, keeper: Keeper) -> None:
        self._record = record
        self._storage = storage
        self._keeper = keeper
        self._good: str | None = None
        """The checkpoint that was compared, or written, last."""

    def check(self, head: Head) -> None:
        """Raises LogBehind unless the database continues the newest checkpoint that was kept."""
        kept = self._last()
        if kept is None or (kept == self._good and _size_of(kept) <= head.size):
            return
        try:
            before = heads.read_checkpoint(kept, self._record.origin, self._record.spki).head
        except ValueError as error:
            raise self._behind(f"the checkpoint that was kept cannot be used: {error}") from None
        if before.size > head.size:
            raise self._behind(f"it has signed {before.size} entries, and the database holds {head.size}")
        try:
            root = self._root_at(before.size, head)
        except ValueError as error:
            raise self._behind(f"its tree is damaged: {error}") from None
        if root != before.root:
            raise self._behind(f"the first {before.size} entries are not those that it has signed")
        self._good = kept

    def keep(self, head: Head) -> None:
        """Returns when the checkpoint of a committed head is on the disk. Raises OSError."""
        if head.checkpoint == self._good:
            return
        kept = self._last()
        # Of two nodes with one folder, the slower one must not put an older checkpoint over a newer one.
        if kept is None or _size_of(kept) <= head.size:
            self._keeper.keep(self._record.id, head.checkpoint)
            self._good = head.checkpoint

    def _last(self) -> str | None:
        return self._keeper.last(self._record.id)

    def _root_at(self, size: int, head: Head) -> bytes:
        if size == head.size:
            return Frontier(size, tuple(split(head.frontier))).root
        log = self._record.id
        return self._storage.read(
            lambda tx: (
                frontier_at(size, subtrees(lru_cache(lambda height, number: store.tile(tx, log, height, number)))).root
            )
        )

    def _behind(self, reason: str) -> LogBehind:
        return LogBehind(f"The log {self._record.id} signs nothing: {reason}. {_REMEDY.format(id=self._record.id)}")


def _size_of(checkpoint: str) -> int:
    """How many entries a checkpoint counts that was verified before."""
    return int(checkpoint.split("\n", 2)[1])


class ProcessKeeper:
    """Keeps checkpoints as long as the process lives: for tests, and where there is no data directory."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def last(self, log: str) -> str | None:
        """As `Keeper.last`."""
        return self._kept.get(log)

    def keep(self, log: str, checkpoint: str) -> None:
        """As `Keeper.keep`."""
        self._kept[log] = checkpoint
