"""The Merkle log over the records: a sequencer that is called, and checkpoints. docs/audit.md has the steps."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from greatseal.crypto import merkle
from greatseal.crypto.merkle import HASH_SIZE, Frontier
from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, grow, split
from greatseal.domain.audit import epochs, note, reading
from greatseal.domain.audit.epochs import Epoch
from greatseal.domain.audit.model import LogDamaged
from greatseal.domain.audit.note import Checkpoint
from greatseal.domain.audit.ports import SignerOf
from greatseal.domain.audit.seal import CHECKPOINT, HEAD, RECORD, Seals
from greatseal.domain.audit.store import log as store
from greatseal.domain.audit.store import raw, records
from greatseal.domain.audit.store.log import Head, StoredCheckpoint
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx
from greatseal.storage.errors import SerializationFailure

_log = logging.getLogger(__name__)


class AuditLog:
    """Extends the log and signs it. Any number of nodes may do so over one database."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        entropy: Entropy,
        seals: Seals,
        signer: SignerOf,
        every: timedelta = timedelta(minutes=1),
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._seals = seals
        self._signer = signer
        self._every = every
        self._seen = 0

    def sequence(self, limit: int = 1000) -> int:
        """Gives up to `limit` records without a place the next places, in the order of their ids; how many.

        One step of what the clock's door repeats. 0 also when another node was faster. Raises LogDamaged.
        """
        head = self._storage.read(_ready_head) or self._begin()
        self._check(head)
        batch = self._gather(limit)
        if not batch:
            return 0
        frontier, gained = grow(Frontier(head.size, tuple(split(head.frontier))), [hash for _, hash in batch])
        new = self._sealed(head.origin, frontier)

        def work(tx: Tx) -> bool:
            if not store.advance(tx, head, new):
                return False
            if records.place(tx, [id for id, _ in batch], head.size) != len(batch):
                raise LogDamaged("a record vanished, or got a place from elsewhere, while the log was extended")
            for height, hashes in gained.items():
                _append(tx, height, head.size >> (TILE_BITS * height), hashes)
            return True

        return len(batch) if self._storage.transact(work) else 0

    def catch_up(self, limit: int = 1000) -> int:
        """`sequence` until nothing waits, then `checkpoint`: one call of the clock's door; how many got a place."""
        total = 0
        while placed := self.sequence(limit):
            total += placed
        self.checkpoint()
        return total

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint, signed now when the log grew and the last one is old enough; None at first.

        Raises LogDamaged rather than sign what does not continue the last checkpoint.
        """
        head, last = self._storage.read(lambda tx: (_ready_head(tx), store.last_checkpoint(tx)))
        if head is None or head.size == 0:
            return None
        self._check(head)
        root = Frontier(head.size, tuple(split(head.frontier))).root
        if last is not None:
            now = self._clock.now()
            if last.size == head.size or (last.size < head.size and now - last.at < self._every):
                return last.note
            self._check_continues(last, head, root)
        new = Checkpoint(head.origin, head.size, root, self._clock.now())
        signer = self._signer()
        text = note.sign(new, signer)
        seal = self._seals.of(CHECKPOINT, text.encode(), signer.spki)
        stored = StoredCheckpoint(new.size, new.at, text, signer.spki, seal)
        if not self._storage.transact(lambda tx: store.add_checkpoint(tx, stored)):
            return reading.newest_checkpoint(self._storage)  # another node signed the same log in this moment
        return text

    def begin_epoch(self, tx: Tx) -> Epoch | None:
        """The log goes on under another origin, in the caller's transaction; what ended, None before the first record.

        For a database that was put back from a backup. Raises LogDamaged.
        """
        head = store.head(tx)
        if head is None:
            return None
        self._check(head)
        ended = Epoch(head.origin, head.size)
        new = self._sealed(self._new_origin(), Frontier(head.size, tuple(split(head.frontier))))
        if not store.advance(tx, head, new):
            raise SerializationFailure("the audit log was extended while it began anew")
        try:
            epochs.end(tx, self._seals, ended)
        except ValueError as error:
            raise LogDamaged(str(error)) from error
        return ended

    def _new_origin(self) -> str:
        return f"greatseal/audit/{new_uuid(self._entropy)}"

    def _begin(self) -> Head:
        first = self._sealed(self._new_origin(), Frontier())

        def work(tx: Tx) -> Head:
            present = store.head(tx)
            if present is not None:
                return present  # another node was faster
            if raw.outside(tx, 0, 1) or store.last_checkpoint(tx) is not None:
                raise LogDamaged("the head of the audit log is gone, although records were sequenced")
            store.begin(tx, first)
            return first

        return self._storage.transact(work)

    def _sealed(self, origin: str, frontier: Frontier) -> Head:
        roots = b"".join(frontier.roots)
        return Head(origin, frontier.size, roots, self._seals.of(HEAD, *head_parts(origin, frontier.size, roots)))

    def _check(self, head: Head) -> None:
        if len(head.frontier) != head.size.bit_count() * HASH_SIZE or not self._seals.holds(
            head.seal, HEAD, *head_parts(head.origin, head.size, head.frontier)
        ):
            raise LogDamaged("the head of the audit log was altered")
        if head.size < self._seen:
            # Said once for each time that it happens; the log goes on, because a restored backup must.
            _log.error("the audit log shrank from %d to %d records while the service ran", self._seen, head.size)
        self._seen = head.size

    def _check_continues(self, last: StoredCheckpoint, head: Head, root: bytes) -> None:
        if last.size > head.size:
            raise LogDamaged(f"the audit log has {head.size} records, but a checkpoint was signed over {last.size}")
        try:
            old = note.parse(last.note).checkpoint
            proof = self._storage.read(
                lambda tx: merkle.consistency_proof(last.size, head.size, reading.stored_subtrees(tx))
            )
        except ValueError as error:
            raise LogDamaged(f"the audit log does not continue its last checkpoint: {error}") from error
        if old.size != last.size or not merkle.verify_consistency(last.size, head.size, proof, old.root, root):
            raise LogDamaged("the audit log does not continue its last checkpoint")

    def _gather(self, limit: int) -> list[tuple[str, bytes]]:
        """The next records that we wrote ourselves. One that we did not must never be signed: it is passed over."""
        after = ""
        while rows := self._waiting(after, limit):
            ours = [
                (row.id, row.leaf_hash)
                for row in rows
                if len(row.leaf_hash) == HASH_SIZE and self._seals.holds(row.seal, RECORD, row.leaf_hash)
            ]
            if len(ours) < len(rows):
                _log.error("%d audit records were not written by this service; see audit verify", len(rows) - len(ours))
            if ours:
                return ours
            after = rows[-1].id
        return []

    def _waiting(self, after: str, limit: int) -> Sequence[records.Waiting]:
        return self._storage.read(lambda tx: records.unsequenced(tx, after=after, limit=limit))


def _ready_head(tx: Tx) -> Head | None:
    if epochs.awaited(tx):
        raise LogDamaged("the database was put back from a backup: the audit log goes on once the service was started")
    return store.head(tx)


def head_parts(origin: str, size: int, frontier: bytes) -> Sequence[bytes]:
    """What the seal of a head covers."""
    return origin.encode(), str(size).encode(), frontier


def _append(tx: Tx, height: int, position: int, hashes: Sequence[bytes]) -> None:
    """Adds hashes to the tiles of a height, of which `position` are there already."""
    rest = list(hashes)
    while rest:
        number, offset = divmod(position, TILE_WIDTH)
        old = store.tile(tx, height, number) if offset else b""
        if len(old) != offset * HASH_SIZE:
            raise LogDamaged(f"tile {height}/{number} of the audit log was altered")
        fresh, rest = rest[: TILE_WIDTH - offset], rest[TILE_WIDTH - offset :]
        store.put_tile(tx, height, number, old + b"".join(fresh), new=not offset)
        position += len(fresh)
