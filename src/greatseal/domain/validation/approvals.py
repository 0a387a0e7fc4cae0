"""Answers to the mails: who has the token may say yes or no, once (acm.md 8.2)."""

from collections.abc import Callable

from greatseal.domain.audit import Audit
from greatseal.domain.validation import store
from greatseal.domain.validation.model import Attempt, AttemptState, Name, NameState, Question, Reason
from greatseal.domain.validation.service import token_hash, weigh
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import NotFound
from greatseal.storage import Storage, Tx

_Found = tuple[Attempt, Name, str]


class Approvals:
    """What the page of a mail asks and does."""

    def __init__(self, *, storage: Storage, audit: Audit, clock: Clock) -> None:
        self._storage = storage
        self._audit = audit
        self._clock = clock

    def asked(self, token: str) -> Question | None:
        """What the token is for; None when it is good for nothing (any more). Changes nothing."""
        found = self._storage.read(lambda tx: self._find(tx, token))
        return None if found is None else _question(*found)

    def decide(self, token: str, *, approve: bool, by: Callable[[str], Caller]) -> Question:
        """Approves a name, or declines it for good. `by` makes who acts, from the ARN. Raises NotFound."""

        def work(tx: Tx) -> Question:
            now = self._clock.now()
            found = self._find(tx, token)
            if found is None:
                raise NotFound("This link is not good any more.")
            attempt, name, mailbox = found
            state = NameState.SUCCESS if approve else NameState.FAILED
            reason = None if approve else Reason.DOMAIN_VALIDATION_DENIED
            store.settle(tx, attempt.reference, name.position, state, reason=reason, at=now)
            weigh(tx, attempt.reference, now)
            arn = attempt.subject.arn
            decision = "approved" if approve else "declined"
            self._audit.record(tx, by(arn), arn, domain=name.name, mailbox=mailbox, decision=decision)
            return _question(*found)

        return self._storage.transact(work)

    def _find(self, tx: Tx, token: str) -> _Found | None:
        now = self._clock.now()
        row = store.find_approval(tx, token_hash(token))
        if row is None or row.expires_at <= now:
            return None
        attempt = store.find(tx, row.reference)
        if attempt is None or attempt.state is not AttemptState.OPEN or attempt.deadline <= now:
            return None
        name = attempt.names[row.position]
        # Once one mailbox has answered, the others' mails are void.
        return (attempt, name, row.mailbox) if name.state is NameState.PENDING_VALIDATION else None


def _question(attempt: Attempt, name: Name, mailbox: str) -> Question:
    subject = attempt.subject
    return Question(name.name, subject.account, subject.region, subject.arn, attempt.renewal, mailbox)
