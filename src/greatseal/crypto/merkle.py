"""Merkle trees of RFC 9162 section 2.1: roots, proofs, and the compact form that grows by one leaf.

Pure: a tree of `n` leaves is described by a function that gives the hash of any complete subtree, so the
hashes may lie in memory or in a database. Hashes are SHA-256, 32 bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""(level, index) to the hash of the complete subtree over leaves index*2^level up to (index+1)*2^level."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf; the first octet keeps leaves and nodes apart (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves as the roots of its complete subtrees, the largest first: all that growing needs."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def grown(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf (its hash)."""
        roots, size = list(self.roots), self.size
        while size & 1:
            leaf = node_hash(roots.pop(), leaf)
            size >>= 1
        return Frontier(self.size + 1, (*roots, leaf))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.roots:
            return EMPTY_ROOT
        *rest, accumulated = self.roots
        for root in reversed(rest):
            accumulated = node_hash(root, accumulated)
        return accumulated


def frontier_of_last(size: int, leaf: bytes, path: Sequence[bytes]) -> Frontier:
    """The tree of `size` leaves from the hash and the inclusion proof of its last one: its siblings all lie left.

    Raises ValueError for a path that is not as long as that of the last leaf.
    """
    if size < 1:
        raise ValueError("an empty tree has no last leaf")
    within = (size & -size).bit_length() - 1
    if len(path) != within + size.bit_count() - 1:
        raise ValueError(f"a path of {len(path)} nodes does not lead to the last leaf of {size}")
    for step in path[:within]:
        leaf = node_hash(step, leaf)
    return Frontier(size, (*reversed(path[within:]), leaf))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.grown(leaf)
    return frontier.root


def subtrees_of(leaves: Sequence[bytes]) -> Subtree:
    """The complete subtrees of a tree whose leaf hashes are all at hand."""

    def subtree(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : (index + 1) << level])

    return subtree


def inclusion_proof(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in a tree of `size` leaves (RFC 9162 section 2.1.3.1), nearest node first."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return _path(index, 0, size, subtree)


def consistency_proof(first: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """The proof that the tree of `size` leaves begins with that of `first` (RFC 9162 section 2.1.4.1)."""
    if not 0 < first <= size:
        raise ValueError(f"a tree of {size} does not begin with one of {first}")
    return _subproof(first, 0, size, subtree, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash is at `index` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, computed = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(step, computed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        position, last = position >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether `proof` shows that the first tree is the beginning of the second (RFC 9162 section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, step)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash_of(start: int, size: int, subtree: Subtree) -> bytes:
    """The hash over `size` leaves from `start`, which is a multiple of every complete part inside."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, start >> level)
    left = _split(size)
    return node_hash(_hash_of(start, left, subtree), _hash_of(start + left, size - left, subtree))


def _path(index: int, start: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    if size == 1:
        return ()
    left = _split(size)
    if index < left:
        return (*_path(index, start, left, subtree), _hash_of(start + left, size - left, subtree))
    return (*_path(index - left, start + left, size - left, subtree), _hash_of(start, left, subtree))


def _subproof(first: int, start: int, size: int, subtree: Subtree, *, whole: bool) -> tuple[bytes, ...]:
    if first == size:
        return () if whole else (_hash_of(start, size, subtree),)
    left = _split(size)
    if first <= left:
        below = _subproof(first, start, left, subtree, whole=whole)
        return (*below, _hash_of(start + left, size - left, subtree))
    below = _subproof(first - left, start + left, size - left, subtree, whole=False)
    return (*below, _hash_of(start, left, subtree))
