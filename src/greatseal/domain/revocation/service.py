"""The verbs of the revocation room."""

from collections.abc import Collection, Sequence

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.issued import JournalEntry, JournalState, serial_from_text
from greatseal.domain.authorities.model import Authority, require
from greatseal.domain.authorities.report import Revoked
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys
from greatseal.domain.revocation import store
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.points import DistributionPoints
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import AlreadyProcessed, InProgress, InvalidRequest, NotFound
from greatseal.storage import Storage, Tx, queue

# The job that tells other rooms; its payload is {"certificate_arns": […]}.
REVOKED_JOB = "certificate-revoked"


class Revocations:
    """Revokes certificates."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        keys: Keys,
        events: Events,
        audit: Audit,
        points: DistributionPoints,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._keys = keys
        self._events = events
        self._audit = audit
        self._points = points
        self._clock = clock

    def revoke(self, caller: Caller, arn: str, *, serial: str, reason: RevocationReason) -> None:
        """Revokes a certificate of a CA by its serial number; for good (acm-pca.md 2.9)."""
        wanted = serial_from_text(serial)

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "revoke", now)
            entry = journal.find(tx, authority.id, wanted)
            if entry is None or entry.state is JournalState.FAILED:
                raise NotFound(f"Could not find a certificate with serial {serial} issued by {arn}")
            # A precertificate can be revoked, whatever becomes of its certificate (BR section 4.9.1.1).
            if entry.in_the_world is None:
                raise InProgress("The certificate is still being issued.")
            if entry.issuer_certificate_id is None:
                raise InvalidRequest("Self-signed certificate can not be revoked")
            if entry.not_after < now:
                raise InvalidRequest("An expired certificate can not be revoked")
            if not self.enter(tx, caller, authority, entry, reason):
                raise AlreadyProcessed("The certificate has already been revoked")
            self.tell(tx, authority, [entry])

        self._storage.transact(work)

    def enter(
        self, tx: Tx, caller: Caller, authority: Authority, entry: JournalEntry, reason: RevocationReason, **detail: str
    ) -> bool:
        """Records the revocation of a certificate that may be revoked, with its event and its audit record.

        False, and nothing is recorded, when it is revoked already. The same transaction must call `tell`.
        """
        now = self._clock.now()
        new = Revocation(authority.id, entry.serial, now, reason, entry.not_after, entry.partition)
        if not store.add(tx, new):
            return False
        if reason is RevocationReason.KEY_COMPROMISE:
            self._keys.report_compromise(tx, entry.key_fingerprint)
        self._events.emit(
            tx,
            Event(
                "aws.acm-pca",
                "ACM Private CA Certificate Revocation",
                authority.account,
                authority.region,
                (authority.arn, entry.arn),
                {"result": "success"},
            ),
        )
        self._audit.record(tx, caller, authority.arn, entry.arn, response=None, serial=entry.serial, **detail)
        return True

    def tell(self, tx: Tx, authority: Authority, entries: Sequence[JournalEntry]) -> None:
        """Has the lists that cover some revoked certificates of a CA made soon, and other rooms told."""
        for partition in sorted({entry.partition for entry in entries}, key=lambda each: each or ""):
            self._points.revoked(tx, authority, partition)
        arns = [entry.arn for entry in entries]
        queue.enqueue(tx, kind=REVOKED_JOB, key=arns[0], payload={"certificate_arns": arns}, due=self._clock.now())

    def find(self, tx: Tx, authority_id: str, serial: str) -> Revocation | None:
        """The revocation of a certificate, if it is revoked."""
        return store.find(tx, authority_id, serial)

    def among(self, tx: Tx, authority_id: str, serials: Collection[str]) -> dict[str, Revoked]:
        """The revocations among these certificates, by serial number, for an audit report."""
        found = store.among(tx, authority_id, serials)
        return {serial: Revoked(at, reason.name) for serial, (at, reason) in found.items()}
