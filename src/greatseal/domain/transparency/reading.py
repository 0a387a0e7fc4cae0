"""What is read of our logs: heads, tiles, entries and proofs. Everything comes from one snapshot, and needs no key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from greatseal.crypto import merkle
from greatseal.crypto.merkle import HASH_SIZE, Subtree
from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, subtrees
from greatseal.domain.transparency import heads
from greatseal.domain.transparency.entries import Leaf, data_tile, read_tile
from greatseal.domain.transparency.heads import SignedHead, TreeHead
from greatseal.domain.transparency.model import LogRecord, NoSuchEntry
from greatseal.domain.transparency.store import logs as store
from greatseal.kernel.errors import InvalidArgument
from greatseal.storage import Storage, Tx

MAX_ENTRIES = 256
"""Entries of one answer of get-entries; who wants more asks again (RFC 6962 section 4.6)."""
_TALLEST = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with everything that get-entries tells."""

    leaf: Leaf
    extra_data: bytes


class LogReading:
    """Reads one log. Refusals: InvalidArgument for numbers that make no sense, NoSuchEntry for what is not there."""

    def __init__(self, record: LogRecord, storage: Storage) -> None:
        self._record = record
        self._storage = storage

    def checkpoint(self) -> str:
        """The newest signed note."""
        return self._read(lambda tx: store.head(tx, self._record.id).checkpoint)

    def signed_head(self) -> SignedHead:
        """The newest tree head."""
        return heads.read_checkpoint(self.checkpoint(), self._record.origin, self._record.spki)

    def head_of(self, checkpoint: str) -> TreeHead:
        """What a checkpoint of this log says. Raises ValueError for any other text."""
        return heads.read_checkpoint(checkpoint, self._record.origin, self._record.spki).head

    def tile(self, height: int, number: int, width: int) -> bytes | None:
        """The first `width` hashes of a tile; None when it has not so many."""
        if not 0 <= height <= _TALLEST or not 1 <= width <= TILE_WIDTH:
            return None
        found = self._read(lambda tx: store.tile(tx, self._record.id, height, number))
        return found[: width * HASH_SIZE] if len(found) >= width * HASH_SIZE else None

    def data_tile(self, number: int, width: int) -> bytes | None:
        """The first `width` entries of a tile, as tiles carry them; None when it has not so many."""
        if not 1 <= width <= TILE_WIDTH:
            return None
        start = number << TILE_BITS
        found = self._read(lambda tx: store.leaves(tx, self._record.id, start, start + width))
        return data_tile(found) if len(found) == width else None

    def issuer(self, fingerprint: bytes) -> bytes | None:
        """A certificate (DER) that an entry names."""
        return self._read(lambda tx: store.issuer(tx, fingerprint))

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The proof that the tree of `second` entries begins with that of `first`."""

        def work(tx: Tx) -> tuple[bytes, ...]:
            size = store.head(tx, self._record.id).size
            if not 0 <= first <= second <= size:
                raise InvalidArgument(f"first and second must be in order and at most {size}.")
            # Every tree begins with the empty one, which needs no proof.
            return merkle.consistency_proof(first, second, self._subtrees(tx)) if first else ()

        return self._read(work)

    def inclusion(self, leaf_hash: bytes, size: int) -> tuple[int, tuple[bytes, ...]]:
        """The place of a leaf and its path in the tree of `size` entries."""

        def work(tx: Tx) -> tuple[int, tuple[bytes, ...]]:
            self._check_size(tx, size)
            index = store.index_of(tx, self._record.id, leaf_hash)
            if index is None or index >= size:
                raise NoSuchEntry(f"No leaf of the tree of {size} entries has this hash.")
            return index, merkle.inclusion_proof(index, size, self._subtrees(tx))

        return self._read(work)

    def entry_and_proof(self, index: int, size: int) -> tuple[Entry, tuple[bytes, ...]]:
        """An entry and its path in the tree of `size` entries."""

        def work(tx: Tx) -> tuple[Entry, tuple[bytes, ...]]:
            self._check_size(tx, size)
            if not 0 <= index < size:
                raise InvalidArgument(f"leaf_index must be below tree_size, which is {size}.")
            return self._entries(tx, index, index + 1)[0], merkle.inclusion_proof(index, size, self._subtrees(tx))

        return self._read(work)

    def entries(self, start: int, end: int) -> list[Entry]:
        """The entries from `start` to `end`, both included; as many of the first of them as one answer holds."""

        def work(tx: Tx) -> list[Entry]:
            size = store.head(tx, self._record.id).size
            if not 0 <= start <= end:
                raise InvalidArgument("start and end must be numbers in order.")
            if start >= size:
                raise InvalidArgument(f"The log has {size} entries.")
            return self._entries(tx, start, min(end + 1, size, start + MAX_ENTRIES))

        return self._read(work)

    def _entries(self, tx: Tx, start: int, end: int) -> list[Entry]:
        def issuer(fingerprint: bytes) -> bytes:
            found = store.issuer(tx, fingerprint)
            if found is None:
                raise ValueError(f"the log {self._record.id} has lost an issuer")
            return found

        cached = lru_cache(issuer)
        leaves = read_tile(data_tile(store.leaves(tx, self._record.id, start, end)))
        return [Entry(each, each.extra_data(cached)) for each in leaves]

    def _check_size(self, tx: Tx, size: int) -> None:
        newest = store.head(tx, self._record.id).size
        if not 1 <= size <= newest:
            raise InvalidArgument(f"tree_size must be from 1 to {newest}.")

    def _subtrees(self, tx: Tx) -> Subtree:
        """The subtrees of the log, each tile read once."""
        log = self._record.id
        return subtrees(lru_cache(lambda height, number: store.tile(tx, log, height, number)))

    def _read(self, work: Callable[[Tx], T]) -> T:
        return self._storage.read(work)
