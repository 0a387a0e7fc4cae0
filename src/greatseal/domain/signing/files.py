"""Contents of files, as digests: large files go through a buffer, several files through several threads."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from greatseal.x509.cms import Digest

_BUFFER = 256 * 1024
_THREAD = threading.local()
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def digests_of(path: Path, wanted: Iterable[Digest]) -> dict[Digest, bytes]:
    """The digests of a file's content, in one reading and constant memory. Raises OSError."""
    sums = {digest: digest.new() for digest in wanted}
    view = _buffer()
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(view):
            for each in sums.values():
                each.update(view[:size])
    return {digest: each.digest() for digest, each in sums.items()}


def _buffer() -> memoryview:
    """One for each thread: a fresh one would cost as much as hashing a small file."""
    found: memoryview | None = getattr(_THREAD, "view", None)
    if found is None:
        found = _THREAD.view = memoryview(bytearray(_BUFFER))
    return found


def in_parallel(
    items: Iterable[_Item], function: Callable[[_Item], _Found], *, workers: int | None = None
) -> Iterator[_Found]:
    """The results in the order of the items; what one raises is raised in its turn. Some items ahead are in work."""
    count = workers or os.cpu_count() or 1
    rest = iter(items)
    with ThreadPoolExecutor(count) as pool:
        running: list[Future[_Found]] = [pool.submit(function, item) for item in islice(rest, 4 * count)]
        try:
            while running:
                found = running.pop(0).result()
                running.extend(pool.submit(function, item) for item in islice(rest, 1))
                yield found
        finally:
            for each in running:
                each.cancel()
