"""When notices about the end of a certificate are due: pure arithmetic, no clock and no table."""

import zlib
from datetime import datetime, timedelta

MOST_DAYS = 45
"""Notices begin this many days before the end, or later."""

_DAY = timedelta(days=1)
_LEAD = timedelta(hours=1)
_SPREAD_SECONDS = 3600


def days_left(not_after: datetime, now: datetime) -> int:
    """DaysToExpiry: whole days until the end, 0 on the last day."""
    return max((not_after - now).days, 0)


def notice_at(certificate_id: str, not_after: datetime, days: int) -> datetime:
    """When the notice of `days` days is due: an hour or two before, so that a late sweep still tells the same number.

    Within that hour certificates are spread by their id, because a batch of them may end in one second.
    """
    spread = timedelta(seconds=zlib.crc32(certificate_id.encode()) % _SPREAD_SECONDS)
    return not_after - days * _DAY - _LEAD - spread


def following_notice(certificate_id: str, not_after: datetime, now: datetime) -> datetime:
    """The first notice behind `now`, which is before the end: that of another day, or the one after the end."""
    last = notice_at(certificate_id, not_after, 0)
    # The largest whole number of days whose notice is still to come.
    days = -((now - last) // _DAY) - 1
    return notice_at(certificate_id, not_after, days) if days >= 1 else not_after + timedelta(seconds=1)
