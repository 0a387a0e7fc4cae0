"""The verbs of the audit room that write records and read them back."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from greatseal.crypto.merkle import leaf_hash
from greatseal.domain.audit import cloudtrail, leaf, search
from greatseal.domain.audit.drafts import Drafts
from greatseal.domain.audit.model import Act, AuditFailed, AuditRecord, Lookup, Outcome, SinkFailed, describe, reads
from greatseal.domain.audit.ports import AuditSink, IdentityOf
from greatseal.domain.audit.seal import RECORD, Seals
from greatseal.domain.audit.store import records as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_ordered_id, new_ordered_uuid
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx
from greatseal.storage.group_commit import GroupWriter


class _Heard(threading.local):
    """The call that this thread recorded last, and for which accounts."""

    def __init__(self) -> None:
        self._request_id = ""
        self._accounts: set[str] = set()

    def add(self, caller: Caller) -> None:
        if caller.request_id != self._request_id:
            self._request_id, self._accounts = caller.request_id, set()
        self._accounts.add(caller.account)

    def has(self, caller: Caller) -> bool:
        return caller.request_id == self._request_id and caller.account in self._accounts


class _Group(threading.local):
    """The records of this thread that are stored together, while there is such a group."""

    records: list[AuditRecord] | None = None


class Audit:
    """Writes the trail and reads it back. `storage` is needed by the verbs that open transactions of their own."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        storage: Storage | None = None,
        seals: Seals | None = None,
        sinks: Sequence[AuditSink] = (),
        tokens: PageTokens | None = None,
        identity: IdentityOf = lambda caller: "{}",
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._storage = storage
        self._seals = seals or Seals(None)
        self._sinks = tuple(sinks)
        self._tokens = tokens
        self._identity = identity
        self._drafts = Drafts()
        self._heard = _Heard()
        self._group = _Group()
        self._writer: GroupWriter[AuditRecord] = GroupWriter(self._write_calls, failed=AuditFailed)

    def record(
        self, tx: Tx, caller: Caller, *resources: str, response: Mapping[str, object] | None = None, **detail: str
    ) -> None:
        """Records what `caller` does to `resources` (ARNs), in the transaction that does it.

        `response` is what the caller is told, under the names of our own language (`certificate_arn`); the record
        spells them as CloudTrail does. Raises SinkFailed, which must end the transaction.
        """
        self.record_all(tx, [Act(caller, resources, response, detail)])

    def record_all(self, tx: Tx, acts: Sequence[Act]) -> None:
        """As `record` for each act, with one statement."""
        self._append(tx, [self._record_of(tx, act) for act in acts])
        for act in acts:
            tx.on_commit(partial(self._heard.add, act.caller))

    def _record_of(self, tx: Tx, act: Act) -> AuditRecord:
        told = None if act.response is None else cloudtrail.response_elements(act.response)
        outcome = Outcome(response=told, read_only=False)
        make = partial(self._make, act.caller, act.resources, act.detail, outcome)
        return self._drafts.take(tx, act.caller, act.resources, act.detail, told, make)

    def recorded(self, caller: Caller) -> bool:
        """Whether this thread committed a record of this very call for the caller's account."""
        return self._heard.has(caller)

    def record_call(
        self,
        caller: Caller,
        *resources: str,
        error_code: str | None = None,
        error_message: str | None = None,
        response: Callable[[], str] | None = None,
        read_only: bool | None = None,
        **detail: str,
    ) -> None:
        """Records a call that changed nothing: it failed, was denied, or only read. Returns once it is stored.

        What a reading call answered is not kept, so that `response` is not even asked. Calls of many threads share a
        transaction. Never call it inside one. Raises AuditFailed.
        """
        only_reads = reads(caller.operation) if read_only is None else read_only
        told = None if only_reads or response is None else response()
        outcome = Outcome(error_code, error_message, told, only_reads)
        record = self._make(caller, resources, detail, outcome)
        if self._group.records is None:
            self._writer.submit(record)
        else:
            self._group.records.append(record)
        self._heard.add(caller)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread records of calls inside is stored at the end, in one go.

        Nobody may be answered before that. Raises AuditFailed.
        """
        records: list[AuditRecord] = []
        self._group.records = records
        try:
            yield
        finally:
            self._group.records = None
        if records:
            self._writer.submit(*records)

    def recent(self, tx: Tx, account: str, limit: int) -> Sequence[AuditRecord]:
        """The newest records of an account, newest first."""
        return store.recent(tx, account, limit)

    def last_use(self, tx: Tx, account: str, access_key_id: str, *, since: datetime) -> AuditRecord | None:
        """The newest record of a call that was signed with this key; `since` is when the key was made."""
        return store.last_with_key(tx, account, access_key_id, since)

    def last_act(self, account: str, resource: str, names: Sequence[str], *, since: datetime) -> AuditRecord | None:
        """The newest record of a call with one of these names that succeeded with a resource (ARN)."""
        return self._open().read(lambda tx: store.last_with_resource(tx, account, resource, names, since))

    def lookup(
        self, account: str, region: str, wanted: Lookup, *, limit: int = search.LARGEST_PAGE, token: str | None = None
    ) -> Page[AuditRecord]:
        """Records of an account and region, newest first. A page may be short and still have a successor.

        Raises InvalidLookup, InvalidTimeRange and InvalidToken.
        """
        if self._tokens is None:
            raise RuntimeError("lookups need page tokens")
        return search.run(self._open(), self._tokens, account, region, wanted, limit=limit, token=token)

    def _make(
        self, caller: Caller, resources: tuple[str, ...], detail: Mapping[str, str], outcome: Outcome
    ) -> AuditRecord:
        at = self._clock.now()
        return describe(
            caller,
            id=new_ordered_id(self._entropy, at),
            event_id=new_ordered_uuid(self._entropy, at),
            at=at,
            resources=resources,
            detail=detail,
            outcome=outcome,
            identity=self._identity(caller),
        )

    def _write_calls(self, batch: Sequence[AuditRecord]) -> None:
        self._open().transact(lambda tx: self._append(tx, batch))

    def _append(self, tx: Tx, batch: Sequence[AuditRecord]) -> None:
        leaves = [leaf.encode(record) for record in batch]
        hashes = [leaf_hash(each) for each in leaves]
        store.append(
            tx, [(record, hash, self._seals.of(RECORD, hash)) for record, hash in zip(batch, hashes, strict=True)]
        )
        for sink in self._sinks:
            try:
                sink.write(leaves)
            except OSError as error:
                raise SinkFailed(f"a blocking copy of the audit trail cannot be written: {error}") from error

    def _open(self) -> Storage:
        if self._storage is None:
            raise RuntimeError("this verb needs a storage")
        return self._storage
