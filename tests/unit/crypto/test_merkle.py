"""Merkle trees against the definition of RFC 9162 section 2.1, written down a second time, and published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.crypto import merkle

# The leaves and roots of the test tree that Certificate Transparency implementations share.
ENTRIES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree_head(leaves: list[bytes]) -> bytes:
    """MTH as the RFC defines it."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = max(2**k for k in range(len(leaves).bit_length()) if 2**k < len(leaves))
    return merkle.node_hash(tree_head(leaves[:split]), tree_head(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    assert merkle.root_of(leaves).hex() == ROOTS[size - 1]


leaf_lists = st.integers(1, 70).map(lambda n: [merkle.leaf_hash(bytes([i])) for i in range(n)])


@given(leaf_lists)
def test_roots_agree_with_the_definition(leaves: list[bytes]) -> None:
    assert merkle.root_of(leaves) == tree_head(leaves)


@given(leaf_lists, st.data())
def test_inclusion_is_proved_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.inclusion_proof(index, len(leaves), merkle.subtrees_of(leaves))
    root = tree_head(leaves)
    assert merkle.verify_inclusion(leaves[index], index, len(leaves), proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, len(leaves), proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, len(leaves), (*proof, root), root)
    other = data.draw(st.integers(0, len(leaves) - 1))
    if other != index:
        assert not merkle.verify_inclusion(leaves[index], other, len(leaves), proof, root)
    if proof:
        assert not merkle.verify_inclusion(leaves[index], index, len(leaves), proof[1:], root)


@given(leaf_lists, st.data())
def test_consistency_is_proved_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(leaves)))
    proof = merkle.consistency_proof(first, len(leaves), merkle.subtrees_of(leaves))
    old, new = tree_head(leaves[:first]), tree_head(leaves)
    assert merkle.verify_consistency(first, len(leaves), proof, old, new)
    assert not merkle.verify_consistency(first, len(leaves), proof, merkle.leaf_hash(b"other"), new)
    assert not merkle.verify_consistency(first, len(leaves), proof, old, merkle.leaf_hash(b"other"))
    altered = [*leaves]
    altered[0] = merkle.leaf_hash(b"altered")
    forged = merkle.consistency_proof(first, len(leaves), merkle.subtrees_of(altered))
    assert not merkle.verify_consistency(first, len(leaves), forged, old, tree_head(altered))


def test_what_cannot_be_proved_is_refused() -> None:
    subtree = merkle.subtrees_of([merkle.leaf_hash(b"")])
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(1, 1, subtree)
    with pytest.raises(ValueError, match="does not begin"):
        merkle.consistency_proof(0, 1, subtree)
    assert not merkle.verify_inclusion(b"", 1, 1, (), b"")
    assert not merkle.verify_consistency(2, 1, (), b"", b"")
