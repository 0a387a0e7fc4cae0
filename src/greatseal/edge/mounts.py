"""Which door answers which path: a small table of prefixes, the longest match first."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from greatseal.edge.messages import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]
Together = Callable[[Sequence[HttpRequest]], Sequence[HttpResponse | None]]
"""Answers several requests at once, in their order; None for those that must be asked alone."""
Ready = Callable[[bytes], bytes | None]
"""From the path of a GET to header fields and body of an answer with status 200, if it lies ready; never waits."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One door below one path.

    A prefix that ends with `/` takes everything below it; any other prefix takes that path and what
    follows after a `/`, so that `/healthz` does not swallow `/healthzzz`.
    """

    prefix: str
    door: str
    """The name in log and metrics."""
    handle: Handler
    body_bytes: int | None = None
    """A limit of its own for request bodies; None means the listener's."""
    inline: bool = False
    """Answer on the event loop, also under overload. Only for handlers that never block, as health and metrics."""
    ready: Ready | None = None
    """Answers that need no work: see `express`."""
    pattern: re.Pattern[bytes] | None = None
    """Takes the whole paths below the prefix that match, before every door that has none."""
    together: Together | None = None
    """Answers quick requests that wait at the same time; `is_quick` tells which are."""
    is_quick: Callable[[HttpRequest], bool] = lambda request: False

    def takes(self, path: bytes) -> bool:
        """Whether this door answers the path."""
        prefix = self.prefix.encode("ascii")
        if not path.startswith(prefix):
            return False
        if not prefix.endswith(b"/") and path[len(prefix) :][:1] not in (b"", b"/"):
            return False
        return self.pattern is None or self.pattern.fullmatch(path) is not None


class Mounts:
    """The doors of one listener: those with a pattern come first, then the longest prefix."""

    def __init__(self, mounts: Sequence[Mount]) -> None:
        """Raises ValueError when two doors claim the same prefix."""
        prefixes = [mount.prefix for mount in mounts if mount.pattern is None]
        if len(set(prefixes)) != len(prefixes):
            raise ValueError(f"two doors on one prefix: {sorted(prefixes)}")
        rank = [(mount.pattern is not None, len(mount.prefix), mount) for mount in mounts]
        self._mounts = tuple(each[2] for each in sorted(rank, key=lambda each: each[:2], reverse=True))

    @property
    def with_ready_answers(self) -> tuple[tuple[bytes, str, Ready], ...]:
        """Prefix, door and ready answers of those doors that have some, the longest prefix first."""
        return tuple((each.prefix.encode("ascii"), each.door, each.ready) for each in self._mounts if each.ready)

    def find(self, path: bytes) -> Mount | None:
        """The door of this path, or None."""
        return next((mount for mount in self._mounts if mount.takes(path)), None)
