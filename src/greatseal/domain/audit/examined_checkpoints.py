"""The half of an examination that looks at checkpoints, those of the database and the one that was kept elsewhere."""

import sys
from collections.abc import Sequence

from greatseal.crypto.merkle import EMPTY_ROOT, Frontier
from greatseal.domain.audit import note
from greatseal.domain.audit.epochs import Epoch
from greatseal.domain.audit.findings import Findings, Kind
from greatseal.domain.audit.note import SignedCheckpoint
from greatseal.domain.audit.seal import CHECKPOINT, Seals
from greatseal.domain.audit.store import log as store
from greatseal.domain.audit.store.log import Head, StoredCheckpoint
from greatseal.storage import Storage

_PAGE = 256


class Checkpoints:
    """Hands out the sizes at which roots are wanted, in order, and compares when they are reached."""

    def __init__(
        self,
        storage: Storage,
        seals: Seals,
        head: Head,
        kept: SignedCheckpoint | None,
        found: Findings,
        ended: Sequence[Epoch] = (),
    ) -> None:
        """`ended` are the logs that this one goes on with, the first one first."""
        self._ended = tuple(ended)
        self._storage = storage
        self._seals = seals
        self._head = head
        self._kept = kept
        self._found = found
        self._queue: list[StoredCheckpoint] = []
        self._read_to = 0
        self._good = 0
        self.count = 0
        self.keys: set[bytes] = set()
        self._check_kept_frame()

    def next_size(self, position: int) -> int:
        """The next size above `position` that a checkpoint is over; beyond every log when there is none."""
        while self._refill() and self._queue[0].size <= position:
            self._queue.pop(0)
        sizes = [self._queue[0].size] if self._queue else []
        if self._kept is not None and self._kept.checkpoint.size > position:
            sizes.append(self._kept.checkpoint.size)
        return min(sizes, default=sys.maxsize)

    def reached(self, frontier: Frontier) -> None:
        """The tree has this size now."""
        if self._refill() and self._queue[0].size == frontier.size:
            self._compare(self._queue.pop(0), frontier)
        if self._kept is not None and self._kept.checkpoint.size == frontier.size:
            self._compare_kept(self._kept, frontier.root)

    def finish(self) -> None:
        """Looks at what needs all keys to be known, and at a kept checkpoint of the empty log."""
        if self._kept is None:
            return
        if self._kept.checkpoint.size == 0:
            self._compare_kept(self._kept, EMPTY_ROOT)
        if not any(self._kept.signed_by(spki) for spki in self.keys):
            text = "no key that signed a checkpoint of this log signed the kept one"
            self._found.add(Kind.CHECKPOINT, text)

    def _refill(self) -> bool:
        """Reads on when all are used; False when there is none left within the log."""
        if not self._queue and self._read_to < self._head.size:
            above = self._read_to
            page = self._storage.read(lambda tx: store.checkpoints(tx, above=above, limit=_PAGE))
            self._queue = [each for each in page if each.size <= self._head.size]
            self._read_to = page[-1].size if page else self._head.size
        return bool(self._queue)

    def _compare(self, stored: StoredCheckpoint, frontier: Frontier) -> None:
        self.count += 1
        self.keys.add(stored.spki)
        what = f"the checkpoint over {stored.size} records"
        try:
            signed = note.parse(stored.note)
        except ValueError:
            self._found.add(Kind.CHECKPOINT, f"{what} cannot be read", index=stored.size)
            return
        said = signed.checkpoint
        if (said.origin, said.size, said.at) != (self._origin_at(stored.size), stored.size, stored.at):
            self._found.add(Kind.CHECKPOINT, f"{what} says something else than its row", index=stored.size)
        elif not signed.signed_by(stored.spki):
            self._found.add(Kind.CHECKPOINT, f"the signature of {what} does not verify", index=stored.size)
        elif not self._seals.holds(stored.seal, CHECKPOINT, stored.note.encode(), stored.spki):
            self._found.add(Kind.CHECKPOINT, f"{what} was not signed by this installation", index=stored.size)
        elif said.root != frontier.root:
            text = (
                f"the log is not the one that was signed: {what} has another root, that over {self._good} was "
                f"right, so the change is at places {self._good} to {stored.size - 1}"
            )
            self._found.add(Kind.CHECKPOINT, text, index=stored.size)
        else:
            self._good = stored.size

    def _check_kept_frame(self) -> None:
        if self._kept is None:
            return
        said = self._kept.checkpoint
        ended = next((each for each in self._ended if each.origin == said.origin), None)
        if ended is not None:
            if said.size > ended.size:
                text = (
                    f"the kept checkpoint covers {said.size} records, but its log ended with {ended.size}, "
                    f"when a backup was put back: {said.size - ended.size} records are lost"
                )
                self._found.add(Kind.TRUNCATED, text, index=ended.size)
                self._kept = None  # what follows here is another log
            return
        if said.origin != self._head.origin:
            text = f"the kept checkpoint is of the log {said.origin}, this one is {self._head.origin or 'empty'}"
            self._found.add(Kind.CHECKPOINT, text)
        if said.size > self._head.size:
            text = f"the kept checkpoint covers {said.size} records, but the log has {self._head.size}"
            self._found.add(Kind.TRUNCATED, text, index=self._head.size)

    def _origin_at(self, size: int) -> str:
        """Of which log a checkpoint over so many records is."""
        return next((each.origin for each in self._ended if size <= each.size), self._head.origin)

    def _compare_kept(self, kept: SignedCheckpoint, root: bytes) -> None:
        if kept.checkpoint.root != root:
            text = (
                f"the first {kept.checkpoint.size} records are not those of the kept checkpoint of "
                f"{kept.checkpoint.at:%F %T} UTC: the log was rewritten"
            )
            self._found.add(Kind.CHECKPOINT, text, index=kept.checkpoint.size)
