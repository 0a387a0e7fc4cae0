"""Our own logs as others see them, without the way over the network."""

from collections.abc import Sequence

from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, frontier_at, subtrees
from greatseal.domain.transparency.heads import SignedHead
from greatseal.domain.transparency.log import OwnLog
from greatseal.domain.transparency.logs import Logs
from greatseal.domain.transparency.ports import LogFailed, SeenEntry
from greatseal.domain.transparency.reading import LogReading
from greatseal.kernel.errors import Refusal
from greatseal.storage.errors import StorageError
from greatseal.x509.sct import Sct


class OwnClient:
    """Implements `ports.SubmissionClient`."""

    def __init__(self, logs: Logs, log: OwnLog) -> None:
        self._logs = logs
        self._log = log

    def add_pre_chain(self, chain: Sequence[bytes]) -> Sct:
        """The SCT of an entry that is durable. Raises LogFailed."""
        try:
            return self._log.add(self._logs.candidate(chain, precertificate=True))
        except (Refusal, StorageError) as error:
            raise LogFailed(str(error)) from error


class OwnReader:
    """Implements `ports.LogReader`."""

    def __init__(self, reading: LogReading) -> None:
        self._reading = reading

    def head(self) -> SignedHead:
        """The newest head."""
        return self._reading.signed_head()

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """The proof from the stored tiles. Raises LogFailed."""
        try:
            return self._reading.consistency(first, second)
        except (Refusal, ValueError) as error:
            raise LogFailed(str(error)) from error

    def entries(self, start: int, end: int) -> Sequence[SeenEntry]:
        """Entries as get-entries hands them out. Raises LogFailed."""
        try:
            found = self._reading.entries(start, end - 1)
        except (Refusal, ValueError) as error:
            raise LogFailed(str(error)) from error
        return [SeenEntry(start + number, each.leaf.leaf_input) for number, each in enumerate(found)]

    def frontier(self, size: int) -> Sequence[bytes]:
        """From the stored tiles. Raises LogFailed."""

        def tile(height: int, number: int) -> bytes:
            width = min(TILE_WIDTH, (size >> TILE_BITS * height) - TILE_WIDTH * number)
            return self._reading.tile(height, number, width) or b""

        try:
            return frontier_at(size, subtrees(tile)).roots
        except ValueError as error:
            raise LogFailed(str(error)) from error
