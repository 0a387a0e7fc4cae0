"""The logs of an installation: begun on first use, found by their address, closed for good when they must be."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.merkle import Frontier
from greatseal.domain.audit import Audit
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.transparency import heads
from greatseal.domain.transparency.chains import Roots, check, roots_of
from greatseal.domain.transparency.entries import Candidate
from greatseal.domain.transparency.guard import Guard
from greatseal.domain.transparency.heads import TreeHead
from greatseal.domain.transparency.log import OwnLog
from greatseal.domain.transparency.model import ChainRefused, LogBehind, LogRecord, OwnLogName, milliseconds
from greatseal.domain.transparency.ports import AcceptedRoots, Keeper
from greatseal.domain.transparency.reading import LogReading
from greatseal.domain.transparency.store import logs as store
from greatseal.domain.transparency.store.logs import Head
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import NotFound
from greatseal.storage import Storage, Tx


class Logs:
    """Every log of ours."""

    def __init__(
        self,
        *,
        storage: Storage,
        keys: Keys,
        audit: Audit,
        clock: Clock,
        wanted: Sequence[OwnLogName],
        account: str,
        keeper: Keeper,
        roots: AcceptedRoots,
        base_url: Callable[[], str],
    ) -> None:
        """`base_url` is where the plain listener is reached; a log keeps for ever the one that it began with."""
        self._storage = storage
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._wanted = tuple(wanted)
        self._account = account
        self._keeper = keeper
        self._accepted = roots
        self._base_url = base_url
        self._lock = threading.Lock()
        self._open: dict[str, OwnLog] = {}
        self._roots: Roots | None = None

    def records(self) -> list[LogRecord]:
        """All logs that there ever were, the oldest first; those that the settings ask for are begun now."""
        found = self._storage.read(store.records)
        running = {each.name for each in found if each.retired_at is None}
        missing = [each for each in self._wanted if each.name not in running]
        for each in missing:
            self._begin(each, sum(other.name == each.name for other in found))
        return self._storage.read(store.records) if missing else found

    def begun(self) -> list[LogRecord]:
        """As `records`, but nothing is begun."""
        return self._storage.read(store.records)

    def active(self) -> list[OwnLog]:
        """The logs that take entries, in the order of the settings."""
        order = [each.name for each in self._wanted]
        running = [each for each in self.records() if each.retired_at is None and each.name in order]
        return [self._log(each) for each in sorted(running, key=lambda each: order.index(each.name))]

    def find(self, log: str) -> OwnLog:
        """A log by its id. Raises NotFound."""
        for each in self.records():
            if each.id == log:
                return self._log(each)
        raise NotFound(f"There is no log {log}.")

    def reading(self, log: str) -> LogReading:
        """What can be read of a log. Raises NotFound."""
        return LogReading(self.find(log).record, self._storage)

    def candidate(self, chain: Sequence[bytes], *, precertificate: bool) -> Candidate:
        """What a chain (DER, leaf first) would be as an entry of our logs. Raises ChainRefused."""
        if self._roots is not None:
            with suppress(ChainRefused):
                return check(chain, self._roots, precertificate=precertificate)
        # Perhaps of a root that is accepted since.
        return check(chain, self.accepted(), precertificate=precertificate)

    def accepted(self) -> Roots:
        """The roots that our logs accept now, by fingerprint."""
        roots = roots_of(self._accepted())
        self._roots = roots
        return roots

    def url(self, record: LogRecord) -> str:
        """Where a log is reached, with a slash at its end: for submissions and for monitors."""
        return f"{self._base_url()}/ct/{record.id}/"

    def retire(self, caller: Caller, log: str) -> LogRecord:
        """Closes a log for good: it can still be read, and another one begins in its place. Raises NotFound."""
        record = self.find(log).record
        if record.retired_at is not None:
            return record
        closed = replace(record, retired_at=self._clock.now())

        def work(tx: Tx) -> None:
            store.retire(tx, closed)
            self._audit.record(tx, caller, log=record.id, log_id=record.log_id.hex())

        self._storage.transact(work)
        with self._lock:
            self._open.pop(log, None)
        return closed

    def refresh(self) -> None:
        """Signs every log anew whose head is old. Raises LogBehind, when the others are done."""
        behind: LogBehind | None = None
        for each in self.begun():
            try:
                self._log(each).refresh()
            except LogBehind as problem:
                behind = problem
        if behind is not None:
            raise behind

    def _log(self, record: LogRecord) -> OwnLog:
        with self._lock:
            log = self._open.get(record.id)
            if log is None or log.record != record:
                log = OwnLog(
                    record,
                    storage=self._storage,
                    clock=self._clock,
                    signer=lambda: self._keys.signer(record.key_id),
                    guard=Guard(record, storage=self._storage, keeper=self._keeper),
                )
                self._open[record.id] = log
            return log

    def _begin(self, wanted: OwnLogName, earlier: int) -> None:
        """Of two nodes that begin the same log, one does; the key of the other is never stored."""
        key = self._keys.generate(KeyAlgorithm.EC_prime256v1, Purpose.TRANSPARENCY)
        now = self._clock.now()
        log = wanted.name if not earlier else f"{wanted.name}-{earlier + 1}"
        where = urlsplit(self._base_url())
        origin = f"{where.netloc}{where.path}/ct/{log}"
        record = LogRecord(log, wanted.name, wanted.operator, origin, key.id, key.spki, now)
        signed = heads.sign(TreeHead(0, Frontier().root, milliseconds(now)), self._keys.signer_of(key))
        head = Head(0, b"", signed.head.timestamp, heads.checkpoint(origin, key.spki, signed))

        def work(tx: Tx) -> None:
            if store.begin(tx, record, head):
                self._keys.add(tx, key, account=self._account, purpose=Purpose.TRANSPARENCY)

        self._storage.transact(work)
