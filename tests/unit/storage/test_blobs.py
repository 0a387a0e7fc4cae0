"""Contents of objects, in files and in rows: what one store does, the other does."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from greatseal.kernel.entropy import SystemEntropy
from greatseal.storage.blob_rows import PART, BlobRows, Contents, is_in_rows, sizes
from greatseal.storage.blobs import Blobs, BlobStore
from greatseal.storage.tx import Storage
from greatseal.testing.clock import FakeClock

DAY = timedelta(days=1)
SIZES = [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 77]


def rows_of(storage: Storage) -> BlobRows:
    return BlobRows(storage, clock=FakeClock(), entropy=SystemEntropy())


@pytest.fixture(params=["files", "rows"])
def store(request: pytest.FixtureRequest, storage: Storage, tmp_path: Path) -> BlobStore:
    if request.param == "rows":
        return rows_of(storage)
    return Blobs(tmp_path / "objects", clock=FakeClock(), entropy=SystemEntropy())


def octets(size: int) -> bytes:
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


def in_pieces(content: bytes, size: int = 300_001) -> Iterator[bytes]:
    yield from (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("size", SIZES)
def test_a_content_comes_back_whole_and_in_part(store: BlobStore, size: int) -> None:
    content = octets(size)
    blob = store.write(in_pieces(content))
    assert (blob.size, blob.md5) == (size, hashlib.md5(content, usedforsecurity=False).hexdigest())
    assert b"".join(store.parts(blob.name)) == content
    for start in {0, 1, PART - 1, PART, PART + 1, max(0, size - 1)}:
        for length in (0, 1, 2, PART, size):
            if start < max(size, 1):
                assert store.read(blob.name, start, length) == content[start : start + length]


def test_what_is_removed_is_gone_and_removing_again_is_no_error(store: BlobStore) -> None:
    blob, kept = store.write([b"one"]), store.write([b"two"])
    store.remove(blob.name)
    store.remove(blob.name)
    with pytest.raises(FileNotFoundError):
        store.read(blob.name, 0, 1)
    with pytest.raises(FileNotFoundError):
        list(store.parts(blob.name))
    assert store.read(kept.name, 0, 9) == b"two"


def test_a_content_whose_writing_fails_leaves_nothing(store: BlobStore) -> None:
    def broken() -> Iterator[bytes]:
        yield octets(PART + 5)
        raise OSError("the connection broke")

    with pytest.raises(OSError, match="broke"):
        store.write(broken())
    assert list(store.older_than(-DAY)) == []


def test_old_contents_are_found_and_discarded(store: BlobStore) -> None:
    made = {store.write([b"x"]).name for _ in range(3)}
    assert list(store.older_than(DAY)) == []
    assert {name for run in store.older_than(-DAY) for name in run} == made
    store.discard(made.pop())
    assert {name for run in store.older_than(-DAY) for name in run} == made


def test_a_content_that_vanishes_while_it_is_read_is_not_cut_short(storage: Storage) -> None:
    store = rows_of(storage)
    blob = store.write([octets(3 * PART)])
    reading = store.parts(blob.name)
    next(reading)
    store.remove(blob.name)
    with pytest.raises(FileNotFoundError):
        next(reading)


def test_contents_are_found_wherever_they_were_written(storage: Storage, tmp_path: Path) -> None:
    files = Blobs(tmp_path / "objects", clock=FakeClock(), entropy=SystemEntropy())
    before = Contents(files=files, rows=rows_of(storage), new_in_rows=False)
    after = Contents(files=files, rows=rows_of(storage), new_in_rows=True)
    old, new = before.write([b"old"]), after.write([b"new"])
    assert [is_in_rows(each.name) for each in (old, new)] == [False, True]
    for store in (before, after):
        assert [store.read(each.name, 0, 3) for each in (old, new)] == [b"old", b"new"]
        assert {name for run in store.older_than(-DAY) for name in run} == {old.name, new.name}
    assert storage.read(lambda tx: sizes(tx, [old.name, new.name])) == {new.name: 3}
    before.remove(new.name)
    after.discard(old.name)
    assert list(after.older_than(-DAY)) == []
