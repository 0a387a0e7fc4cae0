"""A log of ours: entries get their places in batches, and an SCT leaves only when nothing can take its entry back.

1  entries that wait are taken together; those that the log has keep the SCT that they got
2  the head is read, and compared with the newest checkpoint that was kept elsewhere
3  places, leaves, tiles, SCTs and the new head are computed and signed in memory
4  one transaction compares and swaps the head and stores all of it
5  the checkpoint is kept elsewhere
6  the SCTs leave

A crash before 4 leaves nothing, one between 4 and 6 an entry without an SCT: whoever sends it again gets the stored
one. Of two nodes that reach 4 with the same head one wins, the other begins again at 2: the log never forks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.merkle import HASH_SIZE, Frontier
from greatseal.crypto.signature import Signer
from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, grow, split
from greatseal.domain.transparency import heads
from greatseal.domain.transparency.entries import Candidate, Leaf, fingerprints
from greatseal.domain.transparency.guard import Guard
from greatseal.domain.transparency.heads import TreeHead
from greatseal.domain.transparency.model import LogBehind, LogClosed, LogRecord, milliseconds
from greatseal.domain.transparency.store import logs as store
from greatseal.domain.transparency.store.logs import Head, NewEntry, Stored
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress
from greatseal.storage import Storage, Tx
from greatseal.storage.group_commit import GroupWriter
from greatseal.x509 import sct
from greatseal.x509.sct import Sct

_ALGORITHM = SignatureAlgorithm.SHA256WITHECDSA
# Other nodes may be faster so often in a row; each of their turns is a batch that got its places.
_ATTEMPTS = 32
# Issuers that are known to be stored; CAs come again and again.
_ISSUERS = 1024
# RFC 6962 asks for a tree head that is younger than a day, however quiet the log is.
_FRESH = timedelta(hours=1)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A candidate, and what becomes of it."""

    candidate: Candidate
    stored: Stored | None = field(default=None)


class NotLogged(InProgress):
    """The entry could not be stored now; sending it again is harmless."""


class OwnLog:
    """Takes entries. Any number of nodes may do so over one database."""

    def __init__(
        self, record: LogRecord, *, storage: Storage, clock: Clock, signer: Callable[[], Signer], guard: Guard
    ) -> None:
        self.record = record
        self._storage = storage
        self._clock = clock
        self._signer = signer
        self._guard = guard
        self._issuers: set[bytes] = set()
        self._writer: GroupWriter[_Waiting] = GroupWriter(self._write, failed=NotLogged, largest=512)

    def add(self, candidate: Candidate) -> Sct:
        """The SCT of an entry that is in the log from now on, or has been. Never call it inside a transaction.

        Raises LogClosed; LogBehind, when the log would fork; NotLogged, and then trying again helps.
        """
        waiting = _Waiting(candidate)
        try:
            self._writer.submit(waiting)
        except NotLogged as error:
            cause = error.__cause__
            if isinstance(cause, LogClosed | LogBehind):
                # One for each thread: several wait for the same batch.
                raise type(cause)(cause.message) from error
            raise
        assert waiting.stored is not None
        found = waiting.stored
        return Sct(self.record.log_id, found.timestamp, sct.leaf_index_extension(found.place), found.signature)

    def refresh(self) -> bool:
        """Signs the tree anew when the last head is an hour old; whether it did. Raises LogBehind."""
        head = self._storage.read(lambda tx: store.head(tx, self.record.id))
        if self.record.retired_at is not None or milliseconds(self._clock.now() - _FRESH) < head.timestamp:
            return False
        self._guard.check(head)
        fresh = self._signed(Frontier(head.size, tuple(split(head.frontier))), self._now_after(head))
        if self._storage.transact(lambda tx: store.advance(tx, self.record.id, head, fresh)):
            self._guard.keep(fresh)
        return True

    def _write(self, batch: Sequence[_Waiting]) -> None:
        for _ in range(_ATTEMPTS):
            head, known = self._storage.read(lambda tx: self._read(tx, batch))
            self._guard.check(head)  # 2
            new = {each.candidate.identity: each.candidate for each in batch}
            for identity in known:
                del new[identity]
            if new:
                grown = self._grown(head, list(new.values()))  # 3
                if not self._swap(head, grown):  # 4
                    continue
                head = grown.head
                self._remember(grown.issuers)
                known |= {each.identity: Stored(each.place, each.timestamp, each.signature) for each in grown.entries}
            self._guard.keep(head)  # 5
            for each in batch:
                each.stored = known[each.candidate.identity]
            return
        raise InProgress("Other nodes were faster every time.")

    def _swap(self, old: Head, grown: "_Grown") -> bool:
        return self._storage.transact(lambda tx: self._store(tx, old, grown))

    def _read(self, tx: Tx, batch: Sequence[_Waiting]) -> tuple[Head, dict[bytes, Stored]]:
        head = store.open_head(tx, self.record.id)
        if head is None:
            raise LogClosed(f"The log {self.record.id} takes nothing any more.")
        return head, store.known(tx, self.record.id, {each.candidate.identity for each in batch})

    def _grown(self, head: Head, candidates: Sequence[Candidate]) -> "_Grown":
        signer, timestamp = self._signer(), self._now_after(head)
        issuers: dict[bytes, bytes] = {}
        entries, hashes = [], []
        for index, each in enumerate(candidates, head.size):
            extensions = sct.leaf_index_extension(index)
            prints = fingerprints(each.issuers)
            issuers.update(one for one in zip(prints, each.issuers, strict=True) if one[0] not in self._issuers)
            leaf = Leaf(timestamp, each.entry, extensions, each.precertificate, prints)
            signature = signer.sign(sct.signed_data(timestamp, each.entry, extensions), _ALGORITHM)
            hashes.append(leaf.hash)
            entries.append(NewEntry(index, each.identity, hashes[-1], timestamp, signature, leaf.encode()))
        frontier, gained = grow(Frontier(head.size, tuple(split(head.frontier))), hashes)
        return _Grown(self._signed(frontier, timestamp), entries, gained, issuers)

    def _store(self, tx: Tx, old: Head, grown: "_Grown") -> bool:
        log = self.record.id
        if not store.advance(tx, log, old, grown.head):
            return False
        store.add_issuers(tx, grown.issuers)
        store.add_entries(tx, log, grown.entries)
        for height, hashes in grown.gained.items():
            _append(tx, log, height, old.size >> (TILE_BITS * height), hashes)
        return True

    def _remember(self, issuers: Mapping[bytes, bytes]) -> None:
        if len(self._issuers) > _ISSUERS:
            self._issuers.clear()
        self._issuers.update(issuers)

    def _signed(self, frontier: Frontier, timestamp: int) -> Head:
        signed = heads.sign(TreeHead(frontier.size, frontier.root, timestamp), self._signer())
        note = heads.checkpoint(self.record.origin, self.record.spki, signed)
        return Head(frontier.size, b"".join(frontier.roots), timestamp, note)

    def _now_after(self, head: Head) -> int:
        """Each head is younger than the one before, and no entry is younger than its head (RFC 6962 section 3.5)."""
        return max(milliseconds(self._clock.now()), head.timestamp + 1)


@dataclass(frozen=True, slots=True)
class _Grown:
    """What a batch adds to the log."""

    head: Head
    entries: Sequence[NewEntry]
    gained: Mapping[int, Sequence[bytes]]
    issuers: Mapping[bytes, bytes]
    """Those that may not be stored yet."""


def _append(tx: Tx, log: str, height: int, position: int, hashes: Sequence[bytes]) -> None:
    """Adds hashes to the tiles of a height, of which `position` are there already."""
    rest = list(hashes)
    while rest:
        number, offset = divmod(position, TILE_WIDTH)
        part, rest = rest[: TILE_WIDTH - offset], rest[TILE_WIDTH - offset :]
        before = store.tile(tx, log, height, number) if offset else b""
        if len(before) != offset * HASH_SIZE:
            raise ValueError(f"tile {height}/{number} of the log {log} is damaged")
        store.put_tile(tx, log, height, number, before + b"".join(part), new=offset == 0)
        position += len(part)
