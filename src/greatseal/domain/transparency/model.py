"""What a log of ours is, what others are to us, and the refusals of the room. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.kernel.errors import InvalidArgument, InvalidState, NotFound
from greatseal.x509.sct import log_id_of

MERGE_DELAY = timedelta(days=1)
"""What a log promises at the latest (RFC 6962 section 3). Ours merge before they promise."""


class ChainRefused(InvalidArgument):
    """A chain that a log does not take."""


class NoSuchEntry(NotFound):
    """Nothing in the tree has this hash or place."""


class LogClosed(InvalidState):
    """The log takes nothing any more."""


class LogBehind(InvalidState):
    """The database holds less, or another tree, than the log has signed: whatever it signed now would be a fork."""


@dataclass(frozen=True, slots=True)
class OwnLogName:
    """A log that an installation has: a name for its address, and who is said to run it."""

    name: str
    operator: str


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log of ours. `id` is part of its address: the name, and from the second on a number."""

    id: str
    name: str
    operator: str
    origin: str
    key_id: str
    spki: bytes
    created_at: datetime
    retired_at: datetime | None = None

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the key."""
        return log_id_of(self.spki)


def milliseconds(at: datetime) -> int:
    """An instant as logs write it."""
    return int(at.timestamp() * 1000)
