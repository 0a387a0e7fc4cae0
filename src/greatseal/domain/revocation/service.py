"""The verbs of the revocation room."""

from collections.abc import Collection

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.issued import JournalState, serial_from_text
from greatseal.domain.authorities.model import require
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
from greatseal.x509.certificate import Certificate

# The job that tells other rooms; its payload is {"certificate_arn": …}.
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
            if entry.state is JournalState.PREPARED:
                raise InProgress("The certificate is still being issued.")
            if entry.issuer_certificate_id is None:
                raise InvalidRequest("Self-signed certificate can not be revoked")
            if entry.not_after < now:
                raise InvalidRequest("An expired certificate can not be revoked")
            new = Revocation(authority.id, wanted, now, reason, entry.not_after, entry.partition)
            if not store.add(tx, new):
                raise AlreadyProcessed("The certificate has already been revoked")
            self._points.revoked(tx, authority, entry.partition)
            if reason is RevocationReason.KEY_COMPROMISE:
                assert entry.certificate is not None
                self._keys.report_compromise(tx, Certificate.parse(entry.certificate).spki)
            self._events.emit(
                tx,
                Event(
                    "aws.acm-pca",
                    "ACM Private CA Certificate Revocation",
                    authority.account,
                    authority.region,
                    (arn, entry.arn),
                    {"result": "success"},
                ),
            )
            queue.enqueue(tx, kind=REVOKED_JOB, key=entry.arn, payload={"certificate_arn": entry.arn}, due=now)
            self._audit.record(tx, caller, arn, entry.arn, serial=wanted)

        self._storage.transact(work)

    def find(self, tx: Tx, authority_id: str, serial: str) -> Revocation | None:
        """The revocation of a certificate, if it is revoked."""
        return store.find(tx, authority_id, serial)

    def among(self, tx: Tx, authority_id: str, serials: Collection[str]) -> dict[str, Revoked]:
        """The revocations among these certificates, by serial number, for an audit report."""
        found = store.among(tx, authority_id, serials)
        return {serial: Revoked(at, reason.name) for serial, (at, reason) in found.items()}
