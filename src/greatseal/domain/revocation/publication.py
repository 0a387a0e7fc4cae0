"""The publication of revocation lists. The numbers are the steps of docs/revocation.md, which is the law."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.store import authorities
from greatseal.domain.revocation import store
from greatseal.domain.revocation.deltas import Deltas
from greatseal.domain.revocation.lists import (
    BACKDATED,
    ListHead,
    ListState,
    Pace,
    delta_name,
    is_published,
    key_of,
    midpoint,
    next_number,
)
from greatseal.domain.revocation.points import DELTA_JOB, PUBLISH_JOB, DistributionPoints
from greatseal.domain.revocation.press import NOT_MADE, Press
from greatseal.domain.revocation.store import deltas as delta_store
from greatseal.domain.revocation.store import lists as list_store
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx, queue
from greatseal.storage.errors import StorageError
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl_write import TbsRevocationList, encode_tbs_list

log = logging.getLogger(__name__)

_SWEPT = 1000


@dataclass(frozen=True, slots=True)
class Reserved:
    """A number that was taken for a list; its only use is to make the list of that number."""

    state: ListState
    authority: Authority
    head: ListHead


class Publications:
    """Makes complete lists and parts, keeps them, and has them copied to where their owners want them."""

    def __init__(
        self,
        *,
        storage: Storage,
        press: Press,
        points: DistributionPoints,
        clock: Clock,
        pace: Pace | None = None,
    ) -> None:
        self._storage = storage
        self._press = press
        self._points = points
        self._clock = clock
        self._pace = pace or Pace()
        self.deltas = Deltas(storage=storage, press=press, clock=clock, pace=self._pace)

    def publish(self, list_id: str) -> None:
        """Publishes a list under a new number, if its CA may. Idempotent; may run on two nodes at once."""
        reserved = self.reserve(list_id)
        if reserved is None:
            return
        try:
            der = self.make(reserved)
        except (StorageError, SignerUnavailable):
            raise  # nothing is known about the key or the entries: the job comes back
        except Exception:
            log.exception("revocation list not made", extra={"list": list_id})
            self._end(reserved, failure=NOT_MADE)
            return
        if not self.store(reserved, der):
            log.info("a newer revocation list is published already", extra={"list": list_id})
            return
        self._end(reserved, failure=self._copy(reserved, der))

    def reserve(self, list_id: str) -> Reserved | None:
        """Step 1. None when the list is not to be made (any more)."""

        def work(tx: Tx) -> Reserved | None:
            now = self._clock.now()
            state = list_store.find(tx, list_id)
            authority = authorities.find(tx, state.authority_id) if state else None
            if state is None or authority is None or not is_published(authority, now):
                # Whatever makes it wanted again also says so: `DistributionPoints.changed`.
                list_store.set_due(tx, list_id, None)
                return None
            days = authority.revocation.crl.expiration_days
            assert days is not None
            deltas = delta_store.find(tx, list_id)
            # One row of numbers for both kinds (RFC 5280 section 5.2.3).
            taken = max(state.number, deltas.number if deltas else 0)
            head = ListHead(next_number(taken, now), now, now + timedelta(days=days))
            list_store.take_number(tx, list_id, head.number)
            # For the sweep, should this process die more often than the queue has patience.
            list_store.set_due(tx, list_id, now + self._pace.retry)
            return Reserved(state, authority, head)

        return self._storage.transact(work)

    def make(self, reserved: Reserved) -> bytes:
        """Steps 2 to 4: the signed list (DER). Raises ValueError when the signature is not good."""
        authority, head = reserved.authority, reserved.head
        assert authority.certificate is not None
        issuer = Certificate.parse(authority.certificate.der)
        since = reserved.state.generated_at
        if since is not None:
            # A list of the future, from before the clock was set back, says nothing about what has expired.
            since = min(since, head.generated_at)
        entries = self._storage.read(lambda tx: store.entries(tx, reserved.state, since))  # 2
        url = self._points.url_of(reserved.state, authority)
        tbs = encode_tbs_list(
            TbsRevocationList(
                algorithm=authority.signing_algorithm,
                issuer=issuer.subject,
                key_identifier=issuer.key_identifier,
                this_update=head.generated_at - BACKDATED,
                next_update=head.next_update,
                number=head.number,
                distribution_point=reserved.state.url,
                freshest=delta_name(url) if self._pace.deltas else None,
            ),
            entries,
        )
        return self._press.sign(authority, issuer, tbs)  # 3, 4

    def store(self, reserved: Reserved, der: bytes) -> bool:
        """Step 5. False when a list with a higher number was published meanwhile: this one is thrown away."""

        def work(tx: Tx) -> bool:
            list_id, head = reserved.state.id, reserved.head
            if not list_store.publish(tx, list_id, head, der):
                return False
            if not self._pace.deltas:
                delta_store.withdraw(tx, list_id)
                return True
            # For half of a list's life deltas serve those who have an older complete list, too.
            half = (head.next_update - head.generated_at) / 2
            delta_store.rebase(tx, list_id, head, older_than=head.generated_at - half)
            delta_store.set_due(tx, list_id, head.generated_at)
            queue.enqueue(tx, kind=DELTA_JOB, key=list_id, payload={}, due=head.generated_at)
            return True

        return self._storage.transact(work)

    def _copy(self, reserved: Reserved, der: bytes) -> str | None:
        """Step 6. Why the copy failed, or None."""
        key = key_of(reserved.state, reserved.authority)
        return self._press.copy(reserved.authority, key, der, reserved.head)

    def _end(self, reserved: Reserved, *, failure: str | None) -> None:
        """Step 7: tells how it went, and says when the list is made again."""
        list_id = reserved.state.id

        def work(tx: Tx) -> None:
            now = self._clock.now()
            due = midpoint(reserved.head) if failure is None else now + self._pace.retry
            state = list_store.find(tx, list_id)
            if state is not None and state.number != reserved.head.number:
                # Another node works on a newer list. Who of both copied last is not known: once more settles it.
                due = now
            list_store.set_due(tx, list_id, due)
            queue.enqueue(tx, kind=PUBLISH_JOB, key=list_id, payload={}, due=due)
            self._press.tell(tx, reserved.authority, list_id, reserved.head.number, failure)

        self._storage.transact(work)

    def sweep(self) -> int:
        """Puts jobs back for lists that are overdue, and returns how many were; for jobs that were given up."""

        def work(tx: Tx) -> int:
            now = self._clock.now()
            found = list_store.overdue(tx, now, _SWEPT)
            late = delta_store.overdue(tx, now, _SWEPT)
            jobs = [(PUBLISH_JOB, each) for each in found] + [(DELTA_JOB, each) for each in late]
            fresh = sum(queue.ensure(tx, kind=kind, key=key, payload={}, due=now) for kind, key in jobs)
            for kind, key in jobs:
                queue.enqueue(tx, kind=kind, key=key, payload={}, due=now)
            return fresh

        return self._storage.transact(work)

    def head(self, list_id: str) -> ListHead | None:
        """What is published."""
        return self._storage.read(lambda tx: list_store.head(tx, list_id))

    def read(self, list_id: str) -> tuple[ListHead, bytes] | None:
        """What is published, with its DER."""

        def work(tx: Tx) -> tuple[ListHead, bytes] | None:
            head = list_store.head(tx, list_id)
            der = list_store.octets(tx, list_id, head.number) if head else None
            return (head, der) if head and der is not None else None

        return self._storage.read(work)
