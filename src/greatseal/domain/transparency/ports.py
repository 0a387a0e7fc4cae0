"""What the room needs from outside: places for checkpoints, logs of others, and what the installation issued."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from greatseal.domain.transparency.heads import SignedHead
from greatseal.storage import Tx
from greatseal.x509.certificate import Certificate
from greatseal.x509.sct import Sct

AcceptedRoots = Callable[[], Sequence[bytes]]
"""The roots (DER) whose certificates our logs take."""

IsOurs = Callable[[Tx, Certificate], bool]
"""Whether the installation issued this, or manages it. Of a precertificate only the to-be-signed part can be read."""


class Keeper(Protocol):
    """Keeps the newest checkpoint of each log where a restore of the database does not reach."""

    def last(self, log: str) -> str | None:
        """What was kept last, None when nothing was. Raises OSError: then nobody knows, and nothing is signed."""
        ...

    def keep(self, log: str, checkpoint: str) -> None:
        """Returns when it is on the disk. Raises OSError."""
        ...


class LogFailed(Exception):
    """A log did not answer, or not what it must; the message is the end of a sentence."""


class SubmissionClient(Protocol):
    """A log that takes precertificates."""

    def add_pre_chain(self, chain: Sequence[bytes]) -> Sct:
        """The SCT for a chain (DER, precertificate first), not verified yet. Raises LogFailed."""
        ...


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """An entry as a log hands it out: the MerkleTreeLeaf, which its tree commits to."""

    index: int
    leaf_input: bytes


class LogReader(Protocol):
    """A log that is followed. Nothing that it says is believed before it is verified. All raise LogFailed."""

    def head(self) -> SignedHead:
        """What the log says of its tree now."""
        ...

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """The proof that the tree of `second` entries begins with that of `first`; both are above 0."""
        ...

    def entries(self, start: int, end: int) -> Sequence[SeenEntry]:
        """Entries from `start` on, `end` not included; at least one, and perhaps fewer than asked for."""
        ...

    def frontier(self, size: int) -> Sequence[bytes]:
        """The roots of the complete subtrees of the first `size` entries, the largest first."""
        ...
