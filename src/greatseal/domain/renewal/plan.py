"""What is to be done about the renewal of one certificate at one instant: a pure function (acm.md 9.2, 11).

The tables are those of the service. Certificates that live for too short a time for them have the same steps at the
same parts of their window. Every step is due a few hours early and spread by the certificate, so that what is told
there still says the day that the step is named after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.certificates.model import Course, Type
from greatseal.domain.certificates.windows import lead, nominal_lead_days, opens, share_of

STEPS = {Type.PRIVATE: (45, 30, 15, 7, 3, 1), Type.AMAZON_ISSUED: (30, 15, 7, 3, 1)}
"""Days before the end at which what was not renewed is tried anew, and the owner is told when that failed, too."""

UNTOLD = 7
"""At this step mails and health events go out, but no `Renewal Action Required` (acm.md 11)."""

_DAY = timedelta(days=1)
# All of them shrink with the window of a certificate that lives for a short time.
_ATTEMPT = timedelta(hours=72)
_AGAIN = timedelta(hours=24)
_GRACE = timedelta(hours=1)
_EARLY = timedelta(hours=3)
_SPREAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Life:
    """What of a certificate does not change until it is renewed."""

    certificate_id: str
    type: Type
    not_before: datetime
    not_after: datetime
    by_mail: bool = False
    """Whether somebody has to answer a mail: those are sent at the steps only, not day after day."""
    wanted_at: datetime | None = None
    """When its issuer wants it renewed (RFC 9773); without it the window of the tables decides."""

    @property
    def scale(self) -> float:
        """1, or the part of the usual window that a short life leaves."""
        usual = nominal_lead_days(self.type, self.not_before, self.not_after) * _DAY
        return lead(self.type, self.not_before, self.not_after) / usual

    @property
    def begins(self) -> datetime:
        """When the first attempt is due. An issuer that wants it later than the window's last third is not heard."""
        own = opens(self.certificate_id, self.type, self.not_before, self.not_after)
        if self.wanted_at is None:
            return own
        return min(self.wanted_at, self.not_after - lead(self.type, self.not_before, self.not_after) / 3)

    def step_at(self, days: int) -> datetime:
        """When a step is due."""
        early = _EARLY + _SPREAD * share_of(self.certificate_id)
        return self.not_after - self.scale * (days * _DAY + early)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now."""

    attempt: bool = False
    """Start an attempt."""
    notice_days: int | None = None
    """Tell the owner, with the name of this step."""
    remind: bool = False
    """Send the mails of the running attempt, which is older than this step, once more."""
    next_look: datetime | None = None
    """When to ask again; None for never."""
    over: bool = False
    """The certificate has ended; whatever is under way comes too late."""


def decide(life: Life, course: Course, *, running: bool, now: datetime) -> Decision:
    """The next thing to do about a certificate that is eligible for renewal.

    However many steps a clock jumped over: one attempt is started, and of the steps only the last is told. Never asks
    to be asked again at or before `now`.
    """
    if now > life.not_after:
        return Decision(over=True)
    if now < life.begins:
        return Decision(next_look=life.begins)
    step = _owed(life, course, now)
    grace, scale = life.scale * _GRACE, life.scale
    if not running and _is_due(life, course, step, now):
        return Decision(attempt=True, next_look=now + grace)
    began = course.attempted_at or now
    # What has just begun may still succeed, and then nobody needs to act.
    told = step if step is not None and now >= began + grace else None
    looks = [life.step_at(days) for days in STEPS[life.type]]
    looks += [life.not_after + timedelta(seconds=1), began + grace if step is not None else now]
    if not running and not life.by_mail:
        looks.append(began + scale * _AGAIN)
    if running:
        # At the end of an attempt, and then until whoever carries it out has noticed.
        looks.append(max(began + scale * _ATTEMPT, now + grace))
    remind = told is not None and running and life.by_mail and began < life.step_at(told)
    return Decision(notice_days=told, remind=remind, next_look=min(at for at in looks if at > now))


def _owed(life: Life, course: Course, now: datetime) -> int | None:
    """The last step that has passed, unless the owner was told of it."""
    passed = [days for days in STEPS[life.type] if life.step_at(days) <= now]
    if not passed or (course.notified_days is not None and course.notified_days <= passed[-1]):
        return None
    return passed[-1]


def _is_due(life: Life, course: Course, step: int | None, now: datetime) -> bool:
    """Whether an attempt is to be started, while none is running."""
    if course.attempted_at is None:
        return True
    if step is not None and course.attempted_at < life.step_at(step):
        return True
    return not life.by_mail and now >= course.attempted_at + life.scale * _AGAIN
