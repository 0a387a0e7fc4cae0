"""How an issuance or a renewal ends: the certificate is taken, or the attempt has failed."""

from dataclasses import replace

from greatseal.domain.authorities.issued import IssuedCertificate
from greatseal.domain.certificates import happenings
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.model import (
    FailureReason,
    ManagedCertificate,
    Material,
    Renewal,
    RenewalStatus,
    Status,
)
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidRequest
from greatseal.storage import Tx
from greatseal.x509.certificate import Certificate


class Finishing:
    """Ends attempts, each exactly once: a second run of a job finds nothing that waits."""

    def __init__(self, *, inventory: Inventory, keys: Keys, events: Events, clock: Clock) -> None:
        self._inventory = inventory
        self._keys = keys
        self._events = events
        self._clock = clock

    def take(self, tx: Tx, item_id: str, generation: object, issued: IssuedCertificate) -> None:
        """The certificate, its key and its status change together, so that nobody sees a pair that does not fit."""
        item = waiting(tx, item_id, generation)
        if item is None:
            return
        assert item.pending_key_id is not None
        check_not_revoked(item)
        now = self._clock.now()
        is_renewal = item.material is not None
        taken = replace(
            item,
            status=Status.ISSUED,
            material=Material(issued.certificate, issued.chain or (), item.pending_key_id),
            issued_at=now,
            pending_key_id=None,
            exported_at=None,
            renewal=Renewal(RenewalStatus.SUCCESS, now) if is_renewal else None,
            not_after=Certificate.parse(issued.certificate).not_after,
        )
        store.save_body(tx, taken, issued.arn)
        if item.material is not None:
            self._keys.destroy(tx, item.material.key_id)
        self._events.emit(tx, happenings.available(taken, "RENEWAL" if is_renewal else "ISSUANCE", now))
        # Its CA may have revoked it before it became known here.
        self._inventory.take_revocation(tx, issued.arn)

    def fail(self, tx: Tx, item_id: str, generation: object, reason: FailureReason) -> None:
        """The request becomes FAILED; a renewal that failed leaves the certificate as it is."""
        self._end(tx, item_id, generation, Status.FAILED, Renewal(RenewalStatus.FAILED, self._clock.now(), reason))

    def time_out(self, tx: Tx, item_id: str, generation: object) -> None:
        """Nobody has shown control of the domains in time: another request or attempt may be made (acm.md 6.1, 9.2)."""
        pending = Renewal(RenewalStatus.PENDING_VALIDATION, self._clock.now())
        self._end(tx, item_id, generation, Status.VALIDATION_TIMED_OUT, pending)

    def _end(self, tx: Tx, item_id: str, generation: object, status: Status, renewal: Renewal) -> None:
        item = waiting(tx, item_id, generation)
        if item is None:
            return
        assert item.pending_key_id is not None
        self._keys.destroy(tx, item.pending_key_id)
        if item.material is None:
            changed = replace(item, status=status, failure_reason=renewal.reason, pending_key_id=None)
        else:
            changed = replace(item, renewal=renewal, pending_key_id=None)
        store.save(tx, changed)


def waiting(tx: Tx, item_id: str, generation: object) -> ManagedCertificate | None:
    """The certificate while it waits for this attempt; None once it was deleted or an earlier run came this far."""
    item = store.find(tx, item_id)
    return item if item is not None and is_waiting(item, generation) else None


def is_waiting(item: ManagedCertificate, generation: object) -> bool:
    """Whether a certificate waits for this attempt."""
    return item.pending_key_id is not None and item.generation == generation


def check_not_revoked(item: ManagedCertificate) -> None:
    """REVOKED is final (acm.md 6.1): a renewal that was under way does not bring the certificate back."""
    if item.status is Status.REVOKED:
        raise InvalidRequest(f"Certificate {item.arn} was revoked, so it is not renewed.")
