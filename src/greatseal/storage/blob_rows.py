"""Contents of objects in the database, for nodes that have nothing else in common; `Contents` finds either kind.

A content is cut into parts of a mebibyte, a row each and a transaction each, so that no large content is ever held
whole, here or by the database. The last part is shorter than the others, if need be empty: whoever reads sees where the
content ends, and that none of it is missing. A crash in between leaves parts that no object names; as with files, the
name tells when it was begun, so that it can be swept later.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select

from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_ordered_id
from greatseal.storage.blobs import Blob, Blobs, BlobStore
from greatseal.storage.schema import blob_part
from greatseal.storage.tx import Storage, Tx

PART = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = "d"
_RUN = 500


def is_in_rows(name: str) -> bool:
    """Whether a content of this name is in the database. Names of files begin with digits of their time."""
    return name.startswith(_MARK)


class BlobRows:
    """Contents as rows."""

    def __init__(self, storage: Storage, *, clock: Clock, entropy: Entropy) -> None:
        self._storage = storage
        self._clock = clock
        self._entropy = entropy

    def write(self, content: Iterable[bytes]) -> Blob:
        """As in `BlobStore`."""
        name = _MARK + new_ordered_id(self._entropy, self._clock.now())[1:]
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            for number, part in enumerate(_cut(content)):
                self._storage.transact(
                    lambda tx, number=number, part=part: tx.execute(  # type: ignore[misc]
                        insert(blob_part), {"name": name, "number": number, "content": part}
                    )
                )
                digest.update(part)
                size += len(part)
        except BaseException:
            self.remove(name)
            raise
        return Blob(name, size, digest.hexdigest())

    def read(self, name: str, start: int, length: int) -> bytes:
        """As in `BlobStore`."""
        first, last = start // PART, max(start, start + length - 1) // PART
        number = blob_part.c.number
        query = select(blob_part.c.content).where(blob_part.c.name == name, number >= first, number <= last)
        rows = self._storage.read(lambda tx: tx.all(query.order_by(number)))
        if not rows:
            raise FileNotFoundError(name)
        return b"".join(row.content for row in rows)[start - first * PART :][:length]

    def parts(self, name: str) -> Iterator[bytes]:
        """As in `BlobStore`."""
        number = 0
        while True:
            part = self.read(name, number * PART, PART)
            yield part
            if len(part) < PART:
                return
            number += 1

    def remove(self, name: str) -> None:
        """As in `BlobStore`."""
        self._storage.transact(lambda tx: tx.execute(delete(blob_part).where(blob_part.c.name == name)))

    discard = remove

    def older_than(self, age: timedelta) -> Iterator[list[str]]:
        """As in `BlobStore`."""
        return older_than(self._storage, self._clock.now() - age)


def older_than(storage: Storage, at: datetime) -> Iterator[list[str]]:
    """The names of contents in the database that were begun before `at`, in runs."""
    name = blob_part.c.name
    limit = f"{_MARK}{(at - _EPOCH) // timedelta(microseconds=1):015x}"
    after = ""
    while True:
        query = select(name).where(name > after, name < limit, blob_part.c.number == 0).order_by(name).limit(_RUN)
        rows = storage.read(lambda tx, query=query: tx.all(query))  # type: ignore[misc]
        if not rows:
            return
        yield [row.name for row in rows]
        after = rows[-1].name


def sizes(tx: Tx, names: Sequence[str]) -> dict[str, int]:
    """How many octets contents in the database have, of those that are there."""
    total = func.sum(func.length(blob_part.c.content)).label("total")
    query = select(blob_part.c.name, total).where(blob_part.c.name.in_(names)).group_by(blob_part.c.name)
    return {row.name: int(row.total) for row in tx.all(query)}


class Contents:
    """Contents of both kinds: new ones go to where they shall be, old ones are found where they are."""

    def __init__(self, *, files: Blobs, rows: BlobRows, new_in_rows: bool) -> None:
        self._files = files
        self._rows = rows
        self._new_in_rows = new_in_rows

    def write(self, content: Iterable[bytes]) -> Blob:
        """As in `BlobStore`."""
        return self._rows.write(content) if self._new_in_rows else self._files.write(content)

    def read(self, name: str, start: int, length: int) -> bytes:
        """As in `BlobStore`."""
        return self._of(name).read(name, start, length)

    def parts(self, name: str) -> Iterator[bytes]:
        """As in `BlobStore`."""
        return self._of(name).parts(name)

    def remove(self, name: str) -> None:
        """As in `BlobStore`."""
        self._of(name).remove(name)

    def discard(self, name: str) -> None:
        """As in `BlobStore`."""
        self._of(name).discard(name)

    def older_than(self, age: timedelta) -> Iterator[list[str]]:
        """As in `BlobStore`."""
        yield from self._files.older_than(age)
        yield from self._rows.older_than(age)

    def _of(self, name: str) -> BlobStore:
        return self._rows if is_in_rows(name) else self._files


def _cut(content: Iterable[bytes]) -> Iterator[bytes]:
    """The content in parts of `PART` octets and one that is shorter."""
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= PART:
            yield bytes(waiting[:PART])
            del waiting[:PART]
    yield bytes(waiting)
