"""Validity periods: what the five types of acm-pca.md 6.1 mean, and how long a certificate may live."""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from greatseal.kernel.errors import DurationExceeded, InvalidArgument, ValidationFailed

BACKDATING = timedelta(minutes=60)
"""How far before issuance a certificate starts, so that clocks that are slow accept it (acm-pca.md 6.1)."""
NO_EXPIRY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The end of a certificate that has no well-defined one (RFC 5280 section 4.1.2.5)."""
SHORT_LIVED = timedelta(days=7)
"""The longest life in the mode SHORT_LIVED_CERTIFICATE, from issuance to NotAfter (acm-pca.md 4)."""
_DAY = timedelta(days=1)
# From when on a public certificate may live how long, the latest first (BR section 6.3.2).
_PUBLIC_LIMITS = (
    (datetime(2029, 3, 15, tzinfo=UTC), 47 * _DAY),
    (datetime(2027, 3, 15, tzinfo=UTC), 100 * _DAY),
)
_PUBLIC_LIMIT = 200 * _DAY


class ValidityType(Enum):
    """How the number of a validity is read."""

    END_DATE = "END_DATE"
    ABSOLUTE = "ABSOLUTE"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"


@dataclass(frozen=True, slots=True)
class Validity:
    """A number and its type. END_DATE: digits of a time; ABSOLUTE: Unix seconds; otherwise a count of units."""

    value: int
    type: ValidityType


def validity_period(validity: Validity, not_before: Validity | None, issued_at: datetime) -> tuple[datetime, datetime]:
    """NotBefore and NotAfter, aware, in UTC, in whole seconds.

    NotAfter counts from issuance and not from NotBefore. Raises InvalidArgument for a `not_before` that is
    not ABSOLUTE, ValidationFailed for times that no calendar has or that leave the certificate no life.
    """
    issuance = issued_at.astimezone(UTC).replace(microsecond=0)
    if not_before is None:
        start = issuance - BACKDATING
    elif not_before.type is ValidityType.ABSOLUTE:
        start = _absolute(not_before.value)
    else:
        raise InvalidArgument("The type of ValidityNotBefore must be ABSOLUTE.")
    end = _end(validity, issuance)
    if end <= issuance:
        raise ValidationFailed("The certificate validity ends in the past.")
    if end <= start:
        raise ValidationFailed("The certificate validity ends before it begins.")
    return start, end


def _end(validity: Validity, issuance: datetime) -> datetime:
    if validity.value < 1:
        raise ValidationFailed("The value of a validity must be at least 1.")
    if validity.type is ValidityType.END_DATE:
        return _end_date(validity.value)
    if validity.type is ValidityType.ABSOLUTE:
        return _absolute(validity.value)
    try:
        if validity.type is ValidityType.DAYS:
            return issuance + timedelta(days=validity.value)
        months = validity.value * (12 if validity.type is ValidityType.YEARS else 1)
        return _add_months(issuance, months)
    except (OverflowError, ValueError):
        raise ValidationFailed("The certificate validity ends after the year 9999.") from None


def _absolute(seconds: int) -> datetime:
    if not 1 <= seconds <= int(NO_EXPIRY.timestamp()):
        raise ValidationFailed("An absolute time must be between 1970 and the end of the year 9999, in seconds.")
    return datetime.fromtimestamp(seconds, UTC)


def _end_date(value: int) -> datetime:
    """14 digits are GeneralizedTime; up to 12 are UTCTime whose leading zeros a JSON number has lost."""
    digits = str(value)
    if len(digits) <= 12:
        digits = digits.rjust(12, "0")
        # Two digits of a year mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    if len(digits) != 14:
        raise ValidationFailed("An end date is written YYMMDDHHMMSS or YYYYMMDDHHMMSS.")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise ValidationFailed(f"The end date {value} is not a date of the calendar.") from None


def _add_months(start: datetime, months: int) -> datetime:
    """The same day and time `months` later; the last day of the month when it has no such day."""
    count = start.year * 12 + start.month - 1 + months
    year, month = count // 12, count % 12 + 1
    if year > NO_EXPIRY.year:
        raise OverflowError
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def check_within_issuer(not_after: datetime, issuer_not_after: datetime) -> None:
    """Raises DurationExceeded when a certificate would outlive its issuer; ending together is allowed.

    Never shortened silently: the caller asked for another certificate than it would get (acm-pca.md 6.1).
    """
    if not_after > issuer_not_after:
        raise DurationExceeded("The certificate validity specified exceeds the CA validity.")


def check_short_lived(not_after: datetime, issued_at: datetime) -> None:
    """Raises DurationExceeded when a short-lived CA's certificate would live for more than 7 days.

    Counted from issuance, backdating apart. The CA's own root certificate is exempt: do not call.
    """
    if not_after > issued_at.astimezone(UTC).replace(microsecond=0) + SHORT_LIVED:
        raise DurationExceeded(
            "The certificate validity specified exceeds 7 days, the longest that a CA in the mode "
            "SHORT_LIVED_CERTIFICATE issues."
        )


def public_limit(not_before: datetime) -> timedelta:
    """How long a public certificate that begins then may live, both ends counted (BR section 6.3.2)."""
    return next((limit for since, limit in _PUBLIC_LIMITS if not_before >= since), _PUBLIC_LIMIT)


def public_period(issued_at: datetime, days: int) -> tuple[datetime, datetime]:
    """From midnight of the day of issuance to a second before a midnight `days` later, or the limit (acm.md 7.3)."""
    start = issued_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + min(days * _DAY, public_limit(start)) - timedelta(seconds=1)


def absolute(moment: datetime) -> Validity:
    """A moment as a validity."""
    return Validity(int(moment.timestamp()), ValidityType.ABSOLUTE)
