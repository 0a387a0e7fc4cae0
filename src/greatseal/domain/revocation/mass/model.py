"""What a mass revocation is: what it covers, how far it has come, and what becomes of each certificate. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greatseal.domain.authorities.issued import JournalEntry
from greatseal.domain.authorities.model import Authority, Status
from greatseal.domain.revocation.model import RevocationReason


class Kind(Enum):
    """How the certificates are named."""

    AUTHORITY = "AUTHORITY"
    """Everything that a CA issued."""
    KEY = "KEY"
    """Every certificate of one public key, whichever CA issued it."""
    LIST = "LIST"
    """Each by itself."""


class State(Enum):
    """LOADING and WAITING come before the first revocation, DONE and CANCELLED after the last."""

    LOADING = "LOADING"
    """A list is being read. A list whose reader died stays so: nothing of it is revoked."""
    WAITING = "WAITING"
    """For certificates that were being issued when it was asked for."""
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be revoked."""
        return self in (State.DONE, State.CANCELLED)


class Outcome(Enum):
    """What becomes of one certificate; all but the first two are reasons to leave it out."""

    REVOKED = "revoked"
    ALREADY_REVOKED = "already revoked"
    EXPIRED = "expired"
    SELF_SIGNED = "self-signed"
    RESPONDER = "of an OCSP responder"
    NOT_ISSUED = "not issued by this CA"
    NOT_SELECTED = "not selected by the filters"
    AUTHORITY_STATE = "its CA is neither ACTIVE nor DISABLED"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which certificates are revoked, and why."""

    kind: Kind
    target: str
    """The ARN of the CA, the fingerprint of the key, or the name of the list for people."""
    reason: RevocationReason
    recursive: bool = False
    """Of a CA: also what its subordinate CAs issued, at any depth."""
    template: str | None = None
    """Limits, as `journal.Wanted` has them."""
    issued_after: datetime | None = None
    issued_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class MassRevocation:
    """A mass revocation and how far it has come."""

    id: str
    selection: Selection
    state: State
    account: str
    region: str
    principal_arn: str
    """Who asked; the trail of this account and region says so."""
    asked_at: datetime
    finished_at: datetime | None = None
    total: int | None = None
    """How many certificates it covers, known from RUNNING on. What is issued meanwhile may add to it."""
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    position: int = 0
    """The CA that it is at, among those that it covers."""
    serial: str = ""
    """The last serial number of that CA that it has dealt with."""

    @property
    def done(self) -> int:
        """How many certificates were dealt with."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one certificate. `arn` is that of the certificate."""

    arn: str
    outcome: Outcome


# What Greatseal's own certificates have in the journal instead of a service of AWS.
_OWN = "greatseal"


def judge(
    authority: Authority, entry: JournalEntry | None, *, kind: Kind, revoked: bool, selected: bool, now: datetime
) -> Outcome:
    """What becomes of a certificate; None stands for one that was never issued.

    The rules are those of a single revocation (docs/revocation.md).
    """
    if entry is None:
        return Outcome.NOT_ISSUED
    if not selected:
        return Outcome.NOT_SELECTED
    if revoked:
        return Outcome.ALREADY_REVOKED
    if authority.status_at(now) not in (Status.ACTIVE, Status.DISABLED):
        return Outcome.AUTHORITY_STATE
    if entry.issuer_certificate_id is None:
        return Outcome.SELF_SIGNED
    if entry.not_after < now:
        return Outcome.EXPIRED
    # Nobody asked for it; without it the CA would only make the next one. Who wants it gone names it or its key.
    if entry.service_principal == _OWN and kind is Kind.AUTHORITY:
        return Outcome.RESPONDER
    return Outcome.REVOKED
