"""The publication of revocation lists. The numbers are the steps of docs/revocation.md, which is the law."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from greatseal.crypto import signature
from greatseal.domain.audit import Audit
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.store import authorities
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys
from greatseal.domain.revocation import store
from greatseal.domain.revocation.lists import (
    BACKDATED,
    ListHead,
    ListState,
    Pace,
    is_published,
    key_of,
    midpoint,
    next_number,
)
from greatseal.domain.revocation.points import PUBLISH_JOB
from greatseal.domain.revocation.ports import Copied, CrlTarget, TargetUnavailable
from greatseal.domain.revocation.store import lists as list_store
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, queue
from greatseal.storage.errors import StorageError
from greatseal.x509.certificate import Certificate, assemble
from greatseal.x509.crl_write import TbsRevocationList, encode_tbs_list

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/pkix-crl"
# acm-pca.md 13.1
_DENIED = "Failed to write CRL to S3. Check your S3 bucket permissions."
_NOT_WRITTEN = "Failed to write CRL to S3. Internal failure."
_NOT_MADE = "Failed to generate CRL. Internal failure."
_SERVICE = "acm-pca.amazonaws.com"
_SWEPT = 1000


@dataclass(frozen=True, slots=True)
class Reserved:
    """A number that was taken for a list; its only use is to make the list of that number."""

    state: ListState
    authority: Authority
    head: ListHead


class Publications:
    """Makes lists, keeps them, and copies them to where their owners want them.

    Without a `target` they are served from here only.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        keys: Keys,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        target: CrlTarget | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._target = target
        self._pace = pace or Pace()

    def publish(self, list_id: str) -> None:
        """Publishes a list under a new number, if its CA may. Idempotent; may run on two nodes at once."""
        reserved = self.reserve(list_id)
        if reserved is None:
            return
        try:
            der = self.make(reserved)
        except StorageError:
            raise  # nothing is known about the key or the entries: the job comes back
        except Exception:
            log.exception("revocation list not made", extra={"list": list_id})
            self._end(reserved, failure=_NOT_MADE)
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
            head = ListHead(next_number(state, now), now, now + timedelta(days=days))
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
        entries = self._storage.read(lambda tx: store.entries(tx, reserved.state, reserved.state.generated_at))  # 2
        algorithm = authority.signing_algorithm
        tbs = encode_tbs_list(
            TbsRevocationList(
                algorithm=algorithm,
                issuer=issuer.subject,
                key_identifier=issuer.key_identifier,
                this_update=head.generated_at - BACKDATED,
                next_update=head.next_update,
                number=head.number,
                distribution_point=reserved.state.url,
            ),
            entries,
        )
        signed = self._keys.signer(authority.key_id).sign(tbs, algorithm)  # 3
        # 4: with the public key of the certificate, which is what clients will do.
        if not signature.verify(issuer.spki, algorithm, signed, tbs):
            raise ValueError("the signature of a revocation list does not verify with the CA's certificate")
        return assemble(tbs, algorithm, signed)

    def store(self, reserved: Reserved, der: bytes) -> bool:
        """Step 5. False when a list with a higher number was published meanwhile: this one is thrown away."""
        return self._storage.transact(lambda tx: list_store.publish(tx, reserved.state.id, reserved.head, der))

    def _copy(self, reserved: Reserved, der: bytes) -> str | None:
        """Step 6. Why the copy failed, or None."""
        crl = reserved.authority.revocation.crl
        if self._target is None:
            return None
        assert crl.bucket is not None
        assert crl.object_acl is not None
        try:
            self._target.put(
                Copied(reserved.authority.account, reserved.authority.arn, crl.bucket, crl.object_acl.value),
                key_of(reserved.state, reserved.authority),
                der,
                content_type=CONTENT_TYPE,
                expires=reserved.head.next_update,
            )
        except TargetUnavailable as error:
            log.warning("revocation list not copied: %s", error, extra={"list": reserved.state.id})
            return _DENIED if error.denied else _NOT_WRITTEN
        return None

    def _end(self, reserved: Reserved, *, failure: str | None) -> None:
        """Step 7: tells how it went, and says when the list is made again."""
        authority, list_id = reserved.authority, reserved.state.id
        result = {"result": "success"} if failure is None else {"result": "failure", "reason": failure}
        caller = self._caller(authority)

        def work(tx: Tx) -> None:
            now = self._clock.now()
            due = midpoint(reserved.head) if failure is None else now + self._pace.retry
            state = list_store.find(tx, list_id)
            if state is not None and state.number != reserved.head.number:
                # Another node works on a newer list. Who of both copied last is not known: once more settles it.
                due = now
            list_store.set_due(tx, list_id, due)
            queue.enqueue(tx, kind=PUBLISH_JOB, key=list_id, payload={}, due=due)
            self._events.emit(
                tx,
                Event(
                    "aws.acm-pca",
                    "ACM Private CA CRL Generation",
                    authority.account,
                    authority.region,
                    (authority.arn,),
                    result,
                ),
            )
            number = str(reserved.head.number)
            self._audit.record(tx, caller, authority.arn, list=list_id, number=number, outcome=failure or "success")

        self._storage.transact(work)

    def sweep(self) -> int:
        """Puts jobs back for lists that are overdue, and returns how many were; for jobs that were given up."""

        def work(tx: Tx) -> int:
            now = self._clock.now()
            found = list_store.overdue(tx, now, _SWEPT)
            return sum(queue.ensure(tx, kind=PUBLISH_JOB, key=each, payload={}, due=now) for each in found)

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

    def _caller(self, authority: Authority) -> Caller:
        """The service itself, in the account of the CA."""
        return Caller(
            account=authority.account,
            region=authority.region,
            principal_arn=f"arn:{partition_of(authority.region)}:iam::{authority.account}:root",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="acm-pca:GenerateCRL",
            at=self._clock.now(),
            source_ip=_SERVICE,
            service_principal=_SERVICE,
        )
