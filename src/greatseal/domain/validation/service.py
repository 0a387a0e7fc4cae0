"""The verbs of the room: attempts begin, are weighed, end (docs/validation.md)."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from greatseal.domain.delivery import DELIVERY_TOPIC, Parcel
from greatseal.domain.validation import letters, store
from greatseal.domain.validation.model import (
    Attempt,
    AttemptState,
    Method,
    Name,
    NameState,
    Question,
    Reason,
    Subject,
    without_wildcard,
)
from greatseal.domain.validation.tokens import Tokens
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidDomainValidationOptions, InvalidState, LimitExceeded, Refusal
from greatseal.storage import Storage, Tx, queue

TIME_OUT = timedelta(hours=72)
"""How long an attempt lasts, and a mail is good (acm.md 8.4)."""

LOOK_JOB = "validation-look"
"""Looks at one domain; its key is `<method>/<account>/<domain>`."""

SETTLED_JOB = "validation-settled"
"""Tells whoever started an attempt that something has come of it; its key is the reference."""

# Mails to strangers' mailboxes: enough for whoever lost one, too few to annoy with.
RESEND_PAUSE = timedelta(minutes=1)
MOST_MAILS = 50
_BATCH = 100

CheckName = Callable[[str], None]
"""Raises a Refusal whose `reason` is one of `Reason` for a name that no public certificate may have."""


Publish = Callable[[Tx, str, str], object]
"""Has the CNAME record of a name created, where somebody has entrusted the zone to us."""


class Post(Protocol):
    """Who takes parcels in a transaction."""

    def __call__(self, tx: Tx, parcels: Sequence[Parcel]) -> None:
        """Takes them."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name to validate; `domain` is the validation domain of a mail, when one was chosen."""

    name: str
    domain: str | None = None


class Validation:
    """Begins and ends attempts. What looks at domains is `looks.py`, what answers mails is `approvals.py`."""

    def __init__(
        self,
        *,
        storage: Storage,
        tokens: Tokens,
        check_name: CheckName,
        can_mail: Callable[[], bool],
        post: Post,
        publish: Publish,
        clock: Clock,
        entropy: Entropy,
        mails_per_domain: int = 500,
    ) -> None:
        """`mails_per_domain` is how many approval mails a domain gets in a day (UTC), 0 for any number.

        Those of renewals are not among them: their domain was approved before.
        """
        self.tokens = tokens
        self._mails_per_domain = mails_per_domain
        self._storage = storage
        self._check_name = check_name
        self._can_mail = can_mail
        self._post = post
        self._publish = publish
        self._clock = clock
        self._entropy = entropy

    def start(
        self, tx: Tx, subject: Subject, purpose: str, method: Method, names: Iterable[Wanted], *, renewal: bool = False
    ) -> Attempt:
        """Begins to validate names, in the transaction of what needs them. Replaces an attempt with the same purpose.

        What can never be validated fails at once; the answer comes by the job all the same. Raises LimitExceeded when
        a domain has had its mails of the day.
        """
        now = self._clock.now()
        reference = f"{subject.id}/{purpose}"
        begun = tuple(self._begin(position, each, method) for position, each in enumerate(names))
        attempt = Attempt(
            reference=reference,
            subject=subject,
            method=method,
            renewal=renewal,
            state=AttemptState.OPEN,
            reason=None,
            # Somebody has to answer a mail.
            troubled=renewal and method is Method.EMAIL,
            started_at=now,
            deadline=now + TIME_OUT,
            ended_at=None,
            names=begun,
        )
        if not store.add(tx, attempt):
            store.forget(tx, [reference])
            store.add(tx, attempt)
        if any(each.state is NameState.FAILED for each in begun):
            weigh(tx, reference, now)
        elif method is Method.EMAIL:
            for each in begun:
                self._ask(tx, attempt, each, each.domain)
            if attempt.troubled:
                tell(tx, reference, now)
        else:
            for domain in dict.fromkeys(each.domain for each in begun):
                if method is Method.DNS:
                    record = self.tokens.record(subject.account, domain)
                    self._publish(tx, record.name, record.value)
                look_soon(tx, method, subject.account, domain, now)
        return attempt

    def check_domain(self, name: str, domain: str) -> None:
        """Whether mails about `name` may go to `domain`. Raises InvalidDomainValidationOptions."""
        if domain != name and not f".{without_wildcard(name)}".endswith(f".{domain}"):
            raise InvalidDomainValidationOptions(
                f"The validation domain {domain} is neither {name} nor a superdomain of it."
            )
        if domain != name and not self._is_usable(domain):
            raise InvalidDomainValidationOptions(f"The validation domain {domain} cannot be used for validation.")

    def attempts(self, tx: Tx, subject_id: str) -> list[Attempt]:
        """The attempts for one certificate, the newest first."""
        return store.of(tx, subject_id)

    def domains(self, method: Method) -> list[tuple[str, str]]:
        """Accounts and domains of all certificates that are validated by this method."""
        return self._storage.read(lambda tx: store.domains(tx, method))

    def forget(self, tx: Tx, subject_id: str) -> None:
        """Removes the attempts for a certificate."""
        self.drop(tx, store.of(tx, subject_id))

    def drop(self, tx: Tx, attempts: Iterable[Attempt]) -> None:
        """Removes attempts. Their mails become void."""
        store.forget(tx, [each.reference for each in attempts])

    def resend(self, tx: Tx, attempt: Attempt, name: str, domain: str) -> None:
        """Mails about a name once more, to `domain` this time (acm.md 4.8).

        Raises InvalidDomainValidationOptions, InvalidState when there is nothing to approve, LimitExceeded.
        """
        now = self._clock.now()
        found = next((each for each in attempt.names if each.name == name), None)
        if found is None:
            raise InvalidDomainValidationOptions(f"Parameter Domain does not match certificate domain: {name}")
        self.check_domain(name, domain)
        is_open = attempt.state is AttemptState.OPEN and now < attempt.deadline
        if attempt.method is not Method.EMAIL or not is_open or found.state is not NameState.PENDING_VALIDATION:
            raise InvalidState(f"The domain {name} does not wait for an answer to a validation email.")
        count, last = store.last_mails(tx, attempt.reference, found.position)
        if count >= MOST_MAILS or (last is not None and now - last < RESEND_PAUSE):
            raise LimitExceeded("Rate exceeded")
        self._ask(tx, attempt, found, domain)

    def change_method(self, tx: Tx, attempt: Attempt, method: Method) -> None:
        """Has an attempt show control by another method, by which every name of it was shown just now."""
        now = self._clock.now()
        names = [self._begin(each.position, Wanted(each.name), method) for each in attempt.names]
        store.rename_method(tx, attempt.reference, method, names)
        if attempt.state is AttemptState.OPEN:
            for each in attempt.names:
                store.settle(tx, attempt.reference, each.position, NameState.SUCCESS, reason=None, at=now)
            weigh(tx, attempt.reference, now)

    def abandon(self, tx: Tx, reference: str) -> None:
        """Ends an attempt that nothing came of, though its names may be valid."""
        store.close(tx, reference, AttemptState.FAILED, None, self._clock.now())

    def refuse(self, tx: Tx, reference: str, position: int, reason: Reason) -> None:
        """A name that was valid is refused after all, when the certificate is issued."""
        store.settle(tx, reference, position, NameState.FAILED, reason=reason, at=self._clock.now())

    def find(self, tx: Tx, reference: str) -> Attempt | None:
        """The attempt with this reference."""
        return store.find(tx, reference)

    def end_overdue(self) -> int:
        """Ends the attempts whose time is over; how many. Any node may do it at any time."""
        total = 0
        while True:
            ended = self._storage.transact(self._end_overdue)
            total += ended
            if ended < _BATCH:
                return total

    def _end_overdue(self, tx: Tx) -> int:
        now = self._clock.now()
        store.forget_mails(tx, now.date().isoformat())
        found = store.overdue(tx, now, _BATCH)
        for reference in found:
            store.fail_pending(tx, reference)
            store.close(tx, reference, AttemptState.TIMED_OUT, None, now)
            tell(tx, reference, now)
        return len(found)

    def _begin(self, position: int, wanted: Wanted, method: Method) -> Name:
        base = without_wildcard(wanted.name)
        domain = (wanted.domain or self._mail_domain(base)) if method is Method.EMAIL else base
        try:
            self._check_name(wanted.name)
        except Refusal as refusal:
            reason = Reason(refusal.reason) if refusal.reason else Reason.INVALID_PUBLIC_DOMAIN
            return Name(position, wanted.name, domain, NameState.FAILED, reason, detail=refusal.message)
        if method is Method.EMAIL and not self._can_mail():
            detail = "This installation has no mail server: set [mail] host and sender, or validate by DNS."
            return Name(position, wanted.name, domain, NameState.FAILED, Reason.NO_AVAILABLE_CONTACTS, detail=detail)
        return Name(position, wanted.name, domain, NameState.PENDING_VALIDATION)

    def _mail_domain(self, base: str) -> str:
        """Without a leading `www.`, unless what remains is no domain of anybody, such as `co.uk` (acm.md 8.2)."""
        shorter = base.removeprefix("www.")
        return shorter if shorter == base or self._is_usable(shorter) else base

    def _is_usable(self, domain: str) -> bool:
        try:
            self._check_name(domain)
        except Refusal:
            return False
        return True

    def _ask(self, tx: Tx, attempt: Attempt, name: Name, domain: str) -> None:
        now = self._clock.now()
        rows, parcels = [], []
        mailboxes = letters.mailboxes(without_wildcard(domain))
        if not attempt.renewal:
            self._count(tx, without_wildcard(domain), len(mailboxes), now)
        for mailbox in mailboxes:
            nonce = self._entropy.token_bytes(16).hex()
            subject = attempt.subject
            question = Question(name.name, subject.account, subject.region, subject.arn, attempt.renewal, mailbox)
            parcels.append(letters.letter(question, nonce))
            rows.append(
                {
                    "token_hash": token_hash(self.tokens.approval(nonce)),
                    "reference": attempt.reference,
                    "position": name.position,
                    "mailbox": mailbox,
                    "sent_at": now,
                    "expires_at": min(now + TIME_OUT, attempt.deadline),
                }
            )
        store.add_approvals(tx, rows)
        self._post(tx, parcels)

    def _count(self, tx: Tx, domain: str, mails: int, now: datetime) -> None:
        most = self._mails_per_domain
        if most and not store.count_mails(tx, domain, now.date().isoformat(), mails, most):
            raise LimitExceeded(f"The contacts of {domain} have been sent {most} approval emails today. Try tomorrow.")


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def weigh(tx: Tx, reference: str, now: datetime) -> None:
    """Ends an attempt when its names decide it: one failed for good, or all are valid."""
    attempt = store.find(tx, reference)
    if attempt is None or attempt.state is not AttemptState.OPEN:
        return
    failed = next((each for each in attempt.names if each.state is NameState.FAILED), None)
    if failed is not None:
        store.close(tx, reference, AttemptState.FAILED, failed.reason, now)
    elif all(each.state is NameState.SUCCESS for each in attempt.names):
        store.close(tx, reference, AttemptState.VALID, None, now)
    else:
        return
    tell(tx, reference, now)


def tell(tx: Tx, reference: str, due: datetime) -> None:
    """Has whoever started the attempt look at it."""
    queue.enqueue(tx, kind=SETTLED_JOB, key=reference, payload={}, due=due)
    tx.announce(DELIVERY_TOPIC)


def look_soon(tx: Tx, method: Method, account: str, domain: str, due: datetime) -> None:
    """Has a domain looked at; however many wait for it, it is one look."""
    queue.enqueue(tx, kind=LOOK_JOB, key=f"{method.value}/{account}/{domain}", payload={}, due=due)
    tx.announce(DELIVERY_TOPIC)
