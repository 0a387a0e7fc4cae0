"""Listings of a bucket: keys in the order of their octets, folded at a delimiter, a page at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from greatseal.domain.objects.buckets import load
from greatseal.domain.objects.model import Version
from greatseal.domain.objects.store import versions as store
from greatseal.storage import Storage, Tx

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after this key or common prefix, or after this version of the key."""

    key: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list. `limit` 0 lists nothing."""

    prefix: str = ""
    delimiter: str = ""
    after: Place | None = None
    limit: int = MAX_PAGE


@dataclass(frozen=True, slots=True)
class Found:
    """A page: versions, common prefixes, and where the next page begins when there is one."""

    versions: tuple[Version, ...]
    prefixes: tuple[str, ...]
    next: Place | None = None


_Read = Callable[[Tx, bytes, int | None, bytes | None, int], list[Version]]


class Listings:
    """Lists the objects of a bucket, or all their versions."""

    def __init__(self, *, storage: Storage) -> None:
        self._storage = storage

    def objects(self, bucket: str, wanted: Wanted) -> Found:
        """Current objects. Raises NoSuchBucket."""

        def read(tx: Tx, low: bytes, below: int | None, high: bytes | None, limit: int) -> list[Version]:
            return store.listing(tx, bucket, low=low, high=high, limit=limit)

        return self._storage.read(lambda tx: _page(tx, bucket, wanted, read, every=False))

    def versions(self, bucket: str, wanted: Wanted) -> Found:
        """All versions and delete markers, the newest first of each key. Raises NoSuchBucket."""

        def read(tx: Tx, low: bytes, below: int | None, high: bytes | None, limit: int) -> list[Version]:
            return store.version_listing(tx, bucket, low=low, below=below, high=high, limit=limit)

        return self._storage.read(lambda tx: _page(tx, bucket, wanted, read, every=True))


def _page(tx: Tx, bucket: str, wanted: Wanted, read: _Read, *, every: bool) -> Found:
    load(tx, bucket)
    limit = min(wanted.limit, MAX_PAGE)
    versions: list[Version] = []
    prefixes: list[str] = []
    high = _behind(wanted.prefix.encode())
    low, below = _start(wanted, every=every)
    last: Place | None = None
    # One more than fits tells whether there is another page.
    while limit > 0 and (rows := read(tx, low, below, high, limit + 1 - len(versions) - len(prefixes))):
        for row in rows:
            if len(versions) + len(prefixes) == limit:
                return Found(tuple(versions), tuple(prefixes), last)
            folded = _folded(row.key, wanted)
            if folded is not None:
                prefixes.append(folded)
                last = Place(folded)
                end = _behind(folded.encode())
                if end is None:
                    return Found(tuple(versions), tuple(prefixes))
                low, below = end, None
                break
            versions.append(row)
            last = Place(row.key, row.number if every else None)
            low, below = (row.key.encode(), row.number) if every else (row.key.encode() + b"\0", None)
    return Found(tuple(versions), tuple(prefixes))


def _start(wanted: Wanted, *, every: bool) -> tuple[bytes, int | None]:
    first = wanted.prefix.encode()
    if wanted.after is None:
        return first, None
    key = wanted.after.key.encode()
    if wanted.delimiter and _folded(wanted.after.key, wanted) == wanted.after.key:
        # A common prefix was the last of its page: what is in it was told.
        return max(first, _behind(key) or key), None
    if every and wanted.after.number is not None and key >= first:
        return key, wanted.after.number
    return max(first, key + b"\0"), None


def _folded(key: str, wanted: Wanted) -> str | None:
    """The common prefix that hides this key, if one does."""
    if not wanted.delimiter or not key.startswith(wanted.prefix):
        return None
    head, found, _ = key[len(wanted.prefix) :].partition(wanted.delimiter)
    return wanted.prefix + head + found if found else None


def _behind(prefix: bytes) -> bytes | None:
    """The first key behind all that begin with `prefix`; None when there is no end."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
