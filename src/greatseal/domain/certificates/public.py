"""Public certificates: their names are validated, CAA is looked at again, then they are issued (docs/validation.md).

Requests, renewals and changes of the validation method all begin here. The room of validation tells how they end, by
a job that may run twice: whatever it finds done, it leaves.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from greatseal.domain.certificates.finishing import Finishing, check_not_revoked, is_waiting, waiting
from greatseal.domain.certificates.issuing import pending_csr
from greatseal.domain.certificates.model import FailureReason, ManagedCertificate, Renewal, RenewalStatus, Status
from greatseal.domain.certificates.ports import PublicIssuer, PublicOrder
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.certificates.store import renewals
from greatseal.domain.keys import Keys
from greatseal.domain.validation import (
    SETTLED_JOB,
    Attempt,
    AttemptState,
    Method,
    Reason,
    Subject,
    Validation,
    Wanted,
)
from greatseal.domain.validation.ports import ControlCheck, ControlFailure
from greatseal.kernel.arn import partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InProgress, InvalidState, LimitExceeded, Refusal
from greatseal.storage import Storage, Tx, queue

CHANGE = "dns"
"""The purpose of the attempt that moves a certificate from e-mail to DNS."""

CAA_PATIENCE = timedelta(hours=1)
"""So long silent or broken name servers are asked for CAA again; then their silence forbids (acm.md 6.3)."""

ISSUE_PATIENCE = timedelta(hours=72)
"""So long an issuer or a log that is down is asked again."""

# Well within the lease of a job: whoever outlives it is not alone.
_CAA_LONGEST = timedelta(minutes=3)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _CaaForbids(Exception):
    """CAA does not let us issue for a name."""

    position: int


class Public:
    """Begins attempts in the caller's transaction and carries out what follows from them."""

    def __init__(
        self,
        *,
        storage: Storage,
        validation: Validation,
        control: ControlCheck,
        issuer: PublicIssuer,
        finishing: Finishing,
        keys: Keys,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._validation = validation
        self._control = control
        self._issuer = issuer
        self._finishing = finishing
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    def start(self, tx: Tx, item: ManagedCertificate, caller: Caller, domains: Mapping[str, str] | None = None) -> None:
        """(Re)starts the validation of every name, for the pending key and the generation of `item`.

        `domains` are validation domains of mails by name; without them those of the attempt before are taken again.
        The attempt ends after 72 hours. A renewal that fails leaves the certificate as it is.
        """
        earlier = self._validation.attempts(tx, item.id)
        if domains is None:
            mailed = (each for each in earlier if each.method is Method.EMAIL)
            domains = {name.name: name.domain for attempt in mailed for name in attempt.names}
        self._validation.drop(tx, (each for each in earlier if each.purpose != CHANGE))
        self._validation.start(
            tx,
            subject_of(item, caller),
            str(item.generation),
            Method(item.validation_method),
            [Wanted(name, domains.get(name)) for name in item.names],
            renewal=item.material is not None,
        )

    def remind(self, tx: Tx, item: ManagedCertificate) -> None:
        """Sends the mails of the current attempt once more, for the names that nobody has answered for."""
        attempt = self._validation.find(tx, f"{item.id}/{item.generation}")
        if attempt is None or attempt.method is not Method.EMAIL:
            return
        for name in attempt.names:
            # What cannot be sent again, because it was answered or was sent too often, need not be.
            with suppress(InvalidState, LimitExceeded):
                self._validation.resend(tx, attempt, name.name, name.domain)

    def settle(self, reference: str) -> None:
        """Does what the state of an attempt asks for; the handler of SETTLED_JOB."""

        def look(tx: Tx) -> tuple[Attempt | None, ManagedCertificate | None]:
            attempt = self._validation.find(tx, reference)
            return attempt, store.find(tx, attempt.subject.id) if attempt is not None else None

        attempt, item = self._storage.read(look)
        if attempt is None or item is None:
            return
        if attempt.purpose == CHANGE:
            if attempt.state is AttemptState.VALID:
                self._storage.transact(lambda tx: self._change_method(tx, reference))
            return
        generation = int(attempt.purpose)
        match attempt.state:
            case AttemptState.OPEN:
                self._storage.transact(lambda tx: self._warn(tx, attempt.subject.id, generation))
            case AttemptState.TIMED_OUT:
                self._storage.transact(lambda tx: self._finishing.time_out(tx, attempt.subject.id, generation))
            case AttemptState.FAILED:
                reason = FailureReason[attempt.reason.name] if attempt.reason else FailureReason.OTHER
                self._fail(attempt, reason)
            case AttemptState.VALID:
                if is_waiting(item, generation):
                    self._issue(attempt, item)

    def give_up(self, reference: str) -> None:
        """Ends what the job could not carry out, time after time."""
        attempt = self._storage.read(lambda tx: self._validation.find(tx, reference))
        if attempt is None:
            return
        if attempt.purpose == CHANGE:
            # It can be asked for again.
            self._storage.transact(lambda tx: self._validation.abandon(tx, reference))
        else:
            self._fail(attempt, FailureReason.OTHER)

    def _issue(self, attempt: Attempt, item: ManagedCertificate) -> None:
        assert attempt.ended_at is not None
        try:
            check_not_revoked(item)
            self._check_caa(attempt)
            issued = self._issuer.issue(self._order(item, attempt))
            self._storage.transact(lambda tx: self._finishing.take(tx, item.id, item.generation, issued))
        except InProgress:
            if self._clock.now() < attempt.ended_at + ISSUE_PATIENCE:
                self._later(attempt.reference, attempt.ended_at)
            else:
                self._fail(attempt, FailureReason.OTHER)
        except _CaaForbids as forbidden:
            position = forbidden.position
            self._fail(attempt, FailureReason.CAA_ERROR, position)
        except Refusal as refusal:
            self._fail(attempt, FailureReason.__members__.get(refusal.reason or "", FailureReason.OTHER))

    def _check_caa(self, attempt: Attempt) -> None:
        """Every name, moments before the certificate is made (Baseline Requirements 3.2.2.8). Raises _CaaForbids."""
        assert attempt.ended_at is not None
        begun = self._clock.now()
        for name in attempt.names:
            if self._clock.now() - begun > _CAA_LONGEST:
                raise InProgress("The CAA records of all names cannot be looked up in time now.")
            finding = self._control.caa(
                name.name.removeprefix("*."),
                wildcard=name.name.startswith("*."),
                method=attempt.method.value.lower(),
                account_uri=account_uri(attempt.subject.account, attempt.subject.region),
            )
            if finding.ok:
                continue
            final = finding.failure in (ControlFailure.CAA, ControlFailure.REFUSED_NAME)
            if final or not self._clock.now() < attempt.ended_at + CAA_PATIENCE:
                raise _CaaForbids(name.position)
            raise InProgress(f"The CAA records of {name.name} cannot be looked up now.")

    def _order(self, item: ManagedCertificate, attempt: Attempt) -> PublicOrder:
        assert item.pending_key_id is not None
        return PublicOrder(
            names=item.names,
            key_algorithm=item.key_algorithm,
            csr=pending_csr(self._keys, item),
            logged=item.transparency_logging == "ENABLED",
            token=f"{item.id}/{item.generation}",
            account=item.account,
            region=item.region,
            principal_arn=attempt.subject.principal_arn,
            request_id=attempt.subject.request_id,
            key_id=item.pending_key_id,
        )

    def _fail(self, attempt: Attempt, reason: FailureReason, refused: int | None = None) -> None:
        def work(tx: Tx) -> None:
            if refused is not None and self._validation.find(tx, attempt.reference) is not None:
                self._validation.refuse(tx, attempt.reference, refused, Reason.CAA_ERROR)
            self._finishing.fail(tx, attempt.subject.id, int(attempt.purpose), reason)

        self._storage.transact(work)

    def _warn(self, tx: Tx, item_id: str, generation: int) -> None:
        """A renewal that does not validate by itself: the customer must act (acm.md 9.3)."""
        item = waiting(tx, item_id, generation)
        if item is not None and item.material is not None and item.status is Status.ISSUED:
            renewal = Renewal(RenewalStatus.PENDING_VALIDATION, self._clock.now())
            store.save(tx, replace(item, renewal=renewal))

    def _change_method(self, tx: Tx, reference: str) -> None:
        """Every name was shown by DNS: from now on the certificate is renewed that way (acm.md 8.6)."""
        change = self._validation.find(tx, reference)
        item = store.find(tx, change.subject.id) if change is not None else None
        if change is None or item is None or item.validation_method != Method.EMAIL.value:
            return
        store.save(tx, replace(item, validation_method=change.method.value))
        if item.is_wanted:
            # Inside its window it is renewed at once (acm.md 8.6).
            renewals.plan(tx, item.id, self._clock.now())
        for each in self._validation.attempts(tx, item.id):
            if each.purpose != CHANGE and each.method is Method.EMAIL:
                # A renewal that waits for answers to mails needs them no more.
                self._validation.change_method(tx, each, change.method)

    def _later(self, reference: str, since: datetime) -> None:
        now = self._clock.now()
        full = min(max((now - since) / 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        share = int.from_bytes(self._entropy.token_bytes(2), "big") / (1 << 16)
        due = now + full / 2 + full / 2 * share
        self._storage.transact(lambda tx: queue.enqueue(tx, kind=SETTLED_JOB, key=reference, payload={}, due=due))


def subject_of(item: ManagedCertificate, caller: Caller) -> Subject:
    """What the room of validation knows of a certificate."""
    return Subject(item.id, item.arn, item.account, item.region, caller.principal_arn, caller.request_id)


def account_uri(account: str, region: str) -> str:
    """How CAA records name an account (`accounturi` of RFC 8657): the ARN of its root."""
    return f"arn:{partition_of(region)}:iam::{account}:root"
