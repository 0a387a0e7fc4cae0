"""Which door answers which path: a small table of prefixes, the longest match first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from greatseal.edge.messages import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


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

    def takes(self, path: bytes) -> bool:
        """Whether this door answers the path."""
        prefix = self.prefix.encode("ascii")
        if prefix.endswith(b"/"):
            return path.startswith(prefix)
        return path == prefix or path.startswith(prefix + b"/")


class Mounts:
    """The doors of one listener."""

    def __init__(self, mounts: Sequence[Mount]) -> None:
        """Raises ValueError when two doors claim the same prefix."""
        prefixes = [mount.prefix for mount in mounts]
        if len(set(prefixes)) != len(prefixes):
            raise ValueError(f"two doors on one prefix: {sorted(prefixes)}")
        self._mounts = tuple(sorted(mounts, key=lambda mount: len(mount.prefix), reverse=True))

    def find(self, path: bytes) -> Mount | None:
        """The door with the longest matching prefix, or None."""
        return next((mount for mount in self._mounts if mount.takes(path)), None)
