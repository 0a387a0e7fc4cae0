"""The round of managed renewal: looks at what is due, starts attempts, tells owners, and plans the next look.

Every certificate carries the instant of its next look, which is indexed: what is not due is not read. A look, what it
starts and what it tells are one transaction, which judges the certificate as it is then, so that any node may make a
round at any time and nothing is started or told twice. New keys are made before, because they take their time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greatseal.domain.access.standing import of_service_linked_role
from greatseal.domain.authorities.permission import ACM_PRINCIPAL
from greatseal.domain.certificates import Renewing, happenings
from greatseal.domain.certificates.model import Course, ManagedCertificate, Renewal, RenewalStatus, Status, Type
from greatseal.domain.certificates.notices import days_left
from greatseal.domain.certificates.ports import PublicIssuer
from greatseal.domain.certificates.store import certificates, courses
from greatseal.domain.certificates.store import renewals as looks
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys, NewKey
from greatseal.domain.renewal import health
from greatseal.domain.renewal.plan import UNTOLD, Decision, Life, decide
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, queue
from greatseal.x509.certificate import Certificate

SWEEP_JOB = "managed-renewal"

# One transaction, and one turn of the thread that does all other work, is as long as this.
_BATCH = 50
_STORM_PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Round:
    """What one batch did."""

    looked_at: int
    started: int
    has_more: bool


class ManagedRenewal:
    """Renews whatever is in use or was exported, over all accounts and regions."""

    def __init__(
        self,
        *,
        storage: Storage,
        renewing: Renewing,
        keys: Keys,
        events: Events,
        clock: Clock,
        entropy: Entropy,
        job_kinds: Sequence[str],
        issuer: PublicIssuer | None = None,
        most_waiting: int = 200,
    ) -> None:
        """While `most_waiting` jobs of `job_kinds` are due that nobody works on, no further renewal is started."""
        self._storage = storage
        self._renewing = renewing
        self._keys = keys
        self._events = events
        self._clock = clock
        self._entropy = entropy
        self._job_kinds = tuple(job_kinds)
        self._issuer = issuer
        self._most_waiting = most_waiting

    def carry_on(self) -> Round:
        """Looks at one batch; when there is more, a job goes on, so that other work has its turn in between."""
        done = self.look()
        if done.has_more:
            now = self._clock.now()
            pause = timedelta() if done.looked_at else _STORM_PAUSE
            self._storage.transact(lambda tx: queue.enqueue(tx, kind=SWEEP_JOB, key="", payload={}, due=now + pause))
        return done

    def look(self) -> Round:
        """Looks at up to one batch of certificates that are due."""
        now = self._clock.now()

        def work(tx: Tx) -> tuple[list[tuple[ManagedCertificate, Course]], int]:
            found = looks.due(tx, now, _BATCH + 1)
            waiting = queue.due_count(tx, self._job_kinds, now, limit=self._most_waiting)
            return [(item, _course(tx, item)) for item in found], self._most_waiting - waiting

        found, room = self._storage.read(work)
        wanted: dict[str, datetime | None] = {}
        keys: dict[str, NewKey] = {}
        for item, course in found[:_BATCH]:
            asked = self._wanted_at(item)
            decision = _judge(item, asked, course, now)
            if decision is not None and decision.attempt:
                if room <= len(keys):
                    break
                keys[item.id] = self._renewing.new_key(item)
            wanted[item.id] = asked
        if not wanted:
            return Round(0, 0, has_more=bool(found))
        started = self._storage.transact(lambda tx: self._act(tx, wanted, keys))
        return Round(len(wanted), started, has_more=len(found) > len(wanted))

    def _wanted_at(self, item: ManagedCertificate) -> datetime | None:
        """When the issuer of a public certificate wants it renewed. May ask somebody else's machine."""
        if self._issuer is None or item.type is not Type.AMAZON_ISSUED or item.material is None:
            return None
        return self._issuer.renews_at(item.material.certificate)

    def _act(self, tx: Tx, wanted: Mapping[str, datetime | None], keys: Mapping[str, NewKey]) -> int:
        now = self._clock.now()
        started = 0
        for item in looks.among(tx, list(wanted)):
            course = _course(tx, item)
            decision = _judge(item, wanted[item.id], course, now)
            if decision is None:
                looks.plan(tx, item.id, None)
            elif not decision.attempt:
                self._follow(tx, item, course, decision)
            elif item.id in keys:
                self._renewing.start(tx, self._caller(item), item, keys[item.id])
                looks.plan(tx, item.id, decision.next_look)
                started += 1
            # Else it became due for an attempt since the keys were made: it stays due for the next round.
        return started

    def _follow(self, tx: Tx, item: ManagedCertificate, course: Course, decision: Decision) -> None:
        """Tells what is due, ends what has ended, and plans the next look."""
        if decision.over:
            self._give_up(tx, item)
        elif decision.notice_days is not None:
            self._tell(tx, self._needs_action(tx, item), decision.notice_days)
            assert item.not_after is not None
            courses.keep(tx, item.id, item.not_after, replace(course, notified_days=decision.notice_days))
        if decision.remind:
            self._renewing.remind(tx, item)
        looks.plan(tx, item.id, decision.next_look)

    def _tell(self, tx: Tx, item: ManagedCertificate, step: int) -> None:
        assert item.not_after is not None
        now = self._clock.now()
        days = days_left(item.not_after, now)
        self._events.emit(tx, health.not_renewed(item, days, now))
        if step != UNTOLD:
            self._events.emit(tx, happenings.action_required(item, days))

    def _needs_action(self, tx: Tx, item: ManagedCertificate) -> ManagedCertificate:
        """A public certificate whose owner is told waits for the owner, and says so (acm.md 9.3)."""
        renewal = item.renewal
        if item.type is Type.PRIVATE or renewal is None or renewal.status is not RenewalStatus.PENDING_AUTO_RENEWAL:
            return item
        told = replace(item, renewal=replace(renewal, status=RenewalStatus.PENDING_VALIDATION))
        certificates.save(tx, told)
        return told

    def _give_up(self, tx: Tx, item: ManagedCertificate) -> None:
        """The certificate has ended before it could be renewed (acm.md 9.3): EXPIRED is final."""
        if item.renewal is None or item.renewal.status is RenewalStatus.SUCCESS:
            return
        if item.pending_key_id is not None:
            self._keys.destroy(tx, item.pending_key_id)
        now = self._clock.now()
        failed = Renewal(RenewalStatus.FAILED, now, item.renewal.reason)
        certificates.save(tx, replace(item, renewal=failed, pending_key_id=None))
        self._events.emit(tx, health.ended(item, now))

    def _caller(self, item: ManagedCertificate) -> Caller:
        """Nobody asks for a managed renewal: it is done by the service's own role in the account."""
        partition = partition_of(item.region)
        role = of_service_linked_role(item.account, partition, ACM_PRINCIPAL)
        return Caller(
            account=item.account,
            region=item.region,
            principal_arn=str(role.keys["aws:PrincipalArn"]),
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="acm:RenewCertificate",
            at=self._clock.now(),
            source_ip=ACM_PRINCIPAL,
            user_agent=ACM_PRINCIPAL,
            service_principal=ACM_PRINCIPAL,
        )


def _judge(item: ManagedCertificate, wanted_at: datetime | None, course: Course, now: datetime) -> Decision | None:
    """What is to be done; None when the certificate is not one that is renewed."""
    if item.status is not Status.ISSUED or not item.is_wanted or item.material is None:
        return None
    body = Certificate.parse(item.material.certificate)
    life = Life(
        item.id,
        item.type,
        body.not_before,
        body.not_after,
        by_mail=item.type is Type.AMAZON_ISSUED and item.validation_method == "EMAIL",
        wanted_at=wanted_at,
    )
    return decide(life, course, running=item.pending_key_id is not None, now=now)


def _course(tx: Tx, item: ManagedCertificate) -> Course:
    return Course() if item.not_after is None else courses.course_of(tx, item.id, item.not_after)
