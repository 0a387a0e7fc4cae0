"""What a timestamp authority says of itself, the times of its keys, and its clock (docs/timestamps.md), pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greatseal.domain.authorities.issued import JournalState

# The policy of installations that name none: a number that was drawn for it and that nobody else has (X.667).
DEFAULT_POLICY = "2.25.187146823497605114763920385211347206331"

LIFETIME = timedelta(days=5 * 365)
"""Of a key's certificate: tokens can be verified with nothing but the root for at least four years."""
USED_FOR = timedelta(days=365)
"""How long a key signs; afterwards it is destroyed, so that nobody signs into the past with it."""
RENEW_BEFORE = timedelta(days=30)
KEPT_AFTER = timedelta(hours=1)
"""A key is destroyed this long after its successor began, when no request that has it is under way any more."""
BACKDATED = timedelta(minutes=60)
RETRY_AFTER = timedelta(minutes=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StampWishes:
    """What the operator wants. `authority` is the ARN of a CA; None for one of the installation's own."""

    policy: str = DEFAULT_POLICY
    accuracy: timedelta = timedelta(seconds=1)
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class StampKey:
    """A key that signs tokens, and what the journal says of its certificate."""

    number: int
    key_id: str
    authority_arn: str
    certificate_arn: str
    state: JournalState
    prepared_at: datetime
    not_after: datetime
    certificate: bytes | None
    issuer_certificate_id: str | None
    revoked: bool

    def is_usable(self, now: datetime) -> bool:
        """Whether a token that it signs now is good."""
        valid = self.prepared_at - BACKDATED <= now < self.not_after
        return self.state is JournalState.ISSUED and not self.revoked and valid


def usable(keys: Sequence[StampKey], now: datetime) -> StampKey | None:
    """The newest key whose tokens are good; `keys` has the newest first."""
    return next((each for each in keys if each.is_usable(now)), None)


def is_due(
    keys: Sequence[StampKey], authority_arn: str, issuer_certificate_id: str, now: datetime, issuer_ends: datetime
) -> bool:
    """Whether another key is needed of this CA with this certificate; `keys` has the newest first."""
    if not keys:
        return True
    newest = keys[0]
    if newest.state is not JournalState.ISSUED:
        # Somebody is at it, or recovery will be; what failed is tried again after a while.
        return newest.state is JournalState.FAILED and newest.prepared_at + RETRY_AFTER <= now
    other = newest.authority_arn != authority_arn or newest.issuer_certificate_id != issuer_certificate_id
    if other or newest.revoked or now < newest.prepared_at - BACKDATED:
        return True
    # Near the CA's own end no successor would live longer.
    ending = newest.not_after - now < RENEW_BEFORE and newest.not_after < issuer_ends
    return ending or newest.prepared_at + USED_FOR - RENEW_BEFORE <= now


def superseded(keys: Sequence[StampKey], now: datetime) -> list[StampKey]:
    """Keys that sign no more: a newer one has been usable for a while, or nothing can come of them."""
    newest = next((each for each in keys if each.state is JournalState.ISSUED and not each.revoked), None)
    if newest is None or now < newest.prepared_at + KEPT_AFTER:
        return []
    return [each for each in keys if each.number < newest.number and each.state is not JournalState.PREPARED]


def next_serial(last: int, now: datetime) -> int:
    """Microseconds since 1970, and more than `last`: no two tokens share a serial, and their times are ordered.

    A database that was restored from a backup does not know its latest serials, but the time exceeds them.
    """
    return max(last + 1, (now - _EPOCH) // timedelta(microseconds=1))


def time_of(serial: int) -> datetime:
    """The time of a token, which is its serial."""
    return _EPOCH + timedelta(microseconds=serial)
