"""Delta lists: what was revoked since an earlier complete list (RFC 5280 section 5.2.4).

The steps are those of docs/revocation.md for complete lists. A delta needs a base; the publication of a complete list
makes one.
"""

import logging
from dataclasses import dataclass

from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.store import authorities
from greatseal.domain.revocation import store
from greatseal.domain.revocation.lists import (
    BACKDATED,
    DELTA_LIFE,
    DELTA_OVERLAP,
    DeltaState,
    ListHead,
    ListState,
    Pace,
    delta_name,
    is_published,
    key_of,
    midpoint,
    next_number,
)
from greatseal.domain.revocation.points import DELTA_JOB
from greatseal.domain.revocation.press import NOT_MADE, Press
from greatseal.domain.revocation.store import deltas as delta_store
from greatseal.domain.revocation.store import lists as list_store
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx, queue
from greatseal.storage.errors import StorageError
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl_write import TbsRevocationList, encode_tbs_list

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReservedDelta:
    """A number that was taken for a delta; its only use is to make the delta of that number."""

    state: ListState
    base: DeltaState
    authority: Authority
    head: ListHead


class Deltas:
    """Makes deltas, keeps the newest of each list, and has them copied beside their lists."""

    def __init__(self, *, storage: Storage, press: Press, clock: Clock, pace: Pace) -> None:
        self._storage = storage
        self._press = press
        self._clock = clock
        self._pace = pace

    def publish(self, list_id: str) -> None:
        """Publishes a delta under a new number, if there is to be one. Idempotent; may run on two nodes at once."""
        reserved = self.reserve(list_id)
        if reserved is None:
            return
        try:
            der = self.make(reserved)
        except (StorageError, SignerUnavailable):
            raise  # nothing is known about the key or the entries: the job comes back
        except Exception:
            log.exception("delta list not made", extra={"list": list_id})
            self._end(reserved, failure=NOT_MADE)
            return
        if not self.store(reserved, der):
            log.info("a newer delta list is published already", extra={"list": list_id})
            return
        key = delta_name(key_of(reserved.state, reserved.authority))
        self._end(reserved, failure=self._press.copy(reserved.authority, key, der, reserved.head))

    def reserve(self, list_id: str) -> ReservedDelta | None:
        """Step 1. None when there is no base, or no delta is wanted (any more)."""

        def work(tx: Tx) -> ReservedDelta | None:
            now = self._clock.now()
            state, base = list_store.find(tx, list_id), delta_store.find(tx, list_id)
            authority = authorities.find(tx, state.authority_id) if state else None
            wanted = self._pace.deltas and authority is not None and is_published(authority, now)
            if state is None or base is None or authority is None or not wanted:
                delta_store.set_due(tx, list_id, None)
                return None
            number = next_number(max(state.number, base.number), now)
            delta_store.take_number(tx, list_id, number)
            delta_store.set_due(tx, list_id, now + self._pace.retry)
            return ReservedDelta(state, base, authority, ListHead(number, now, now + DELTA_LIFE))

        return self._storage.transact(work)

    def make(self, reserved: ReservedDelta) -> bytes:
        """Steps 2 to 4: the signed delta (DER). Raises ValueError when the signature is not good."""
        authority, head = reserved.authority, reserved.head
        assert authority.certificate is not None
        issuer = Certificate.parse(authority.certificate.der)
        since = reserved.base.base_at - DELTA_OVERLAP
        entries = self._storage.read(lambda tx: store.entries_since(tx, reserved.state, since))  # 2
        tbs = encode_tbs_list(
            TbsRevocationList(
                algorithm=authority.signing_algorithm,
                issuer=issuer.subject,
                key_identifier=issuer.key_identifier,
                this_update=head.generated_at - BACKDATED,
                next_update=head.next_update,
                number=head.number,
                distribution_point=reserved.state.url,
                base_number=reserved.base.base_number,
            ),
            entries,
        )
        return self._press.sign(authority, issuer, tbs)  # 3, 4

    def store(self, reserved: ReservedDelta, der: bytes) -> bool:
        """Step 5. False when a delta with a higher number was published meanwhile: this one is thrown away."""
        return self._storage.transact(lambda tx: delta_store.publish(tx, reserved.state.id, reserved.head, der))

    def _end(self, reserved: ReservedDelta, *, failure: str | None) -> None:
        """Step 7: tells how it went, and says when the next one is made."""
        list_id = reserved.state.id

        def work(tx: Tx) -> None:
            now = self._clock.now()
            due = midpoint(reserved.head) if failure is None else now + self._pace.retry
            base = delta_store.find(tx, list_id)
            if base is not None and base.number != reserved.head.number:
                # As for complete lists: who of two nodes copied last is not known, once more settles it.
                due = now
            delta_store.set_due(tx, list_id, due)
            queue.enqueue(tx, kind=DELTA_JOB, key=list_id, payload={}, due=due)
            number, based = reserved.head.number, reserved.base.base_number
            self._press.tell(tx, reserved.authority, list_id, number, failure, base=based)

        self._storage.transact(work)

    def head(self, list_id: str) -> ListHead | None:
        """The delta that is published."""
        return self._storage.read(lambda tx: delta_store.head(tx, list_id))

    def read(self, list_id: str) -> tuple[ListHead, bytes] | None:
        """The delta that is published, with its DER."""

        def work(tx: Tx) -> tuple[ListHead, bytes] | None:
            head = delta_store.head(tx, list_id)
            der = delta_store.octets(tx, list_id, head.number) if head else None
            return (head, der) if head and der is not None else None

        return self._storage.read(work)
