"""A log's tree as tiles: 256 hashes a row, of every eighth level (after C2SP tlog-tiles).

A tile at height 0 holds leaf hashes, one at height 1 holds the roots of full tiles at height 0, and so on. Every
complete subtree lies inside one tile or is the root of a part of one, so nothing else is stored. Pure.
"""

from collections.abc import Callable, Mapping, Sequence

from greatseal.crypto.merkle import HASH_SIZE, Frontier, Subtree, node_hash, root_of

TILE_BITS = 8
TILE_WIDTH = 1 << TILE_BITS
_TALLEST = 8
"""256^8 leaves; nobody will see the ninth."""

ReadTile = Callable[[int, int], bytes]
"""(height, number) to the hashes of a tile, one behind the other; empty when there is none."""


def grow(frontier: Frontier, leaves: Sequence[bytes]) -> tuple[Frontier, Mapping[int, list[bytes]]]:
    """The tree with more leaves (hashes), and by height the hashes that its tiles gained.

    Those of height `h` follow the `size >> (8 * h)` that were there before.
    """
    roots, size = list(frontier.roots), frontier.size
    gained: dict[int, list[bytes]] = {}
    for leaf in leaves:
        carried, level, rest = leaf, 0, size
        while True:
            if level % TILE_BITS == 0:
                gained.setdefault(level // TILE_BITS, []).append(carried)
            if not rest & 1:
                break
            carried, level, rest = node_hash(roots.pop(), carried), level + 1, rest >> 1
        roots.append(carried)
        size += 1
    return Frontier(size, tuple(roots)), gained


def sizes(size: int) -> Mapping[int, int]:
    """How many hashes each height of a tree holds."""
    counts = {height: size >> (TILE_BITS * height) for height in range(_TALLEST)}
    return {height: count for height, count in counts.items() if count}


def subtrees(read: ReadTile) -> Subtree:
    """The complete subtrees of a tree that is stored in tiles. The result raises ValueError when a tile is short."""

    def subtree(level: int, index: int) -> bytes:
        height, within = divmod(level, TILE_BITS)
        number, offset = divmod(index << within, TILE_WIDTH)
        part = split(read(height, number))[offset : offset + (1 << within)]
        if len(part) != 1 << within:
            raise ValueError(f"tile {height}/{number} is too short")
        return root_of(part)

    return subtree


def frontier_at(size: int, subtree: Subtree) -> Frontier:
    """The frontier of the first `size` leaves."""
    roots: list[bytes] = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            roots.append(subtree(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(roots))


def split(hashes: bytes) -> list[bytes]:
    """The hashes of a tile or of a stored frontier. Raises ValueError for a length that cannot be."""
    if len(hashes) % HASH_SIZE:
        raise ValueError("the length is not a multiple of a hash")
    return [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
