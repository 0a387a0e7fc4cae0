"""When notices about the end of a certificate are due."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.certificates.notices import days_left, following_notice, notice_at

END = datetime(2027, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDS = st.uuids().map(str)


@given(IDS, st.integers(1, 45), st.integers(0, 59))
def test_a_sweep_within_the_hour_tells_the_days_of_the_notice(name, days, late):
    at = notice_at(name, END, days)
    assert END - days * DAY - 2 * HOUR < at <= END - days * DAY - HOUR
    assert days_left(END, at + timedelta(minutes=late)) == days


@given(IDS, st.integers(0, 60 * 24 * 60))
def test_the_following_notice_is_the_first_one_behind(name, minutes_before):
    now = END - timedelta(minutes=minutes_before)
    all_of_them = [notice_at(name, END, days) for days in range(1, 70)] + [END + timedelta(seconds=1)]
    assert following_notice(name, END, now) == min(at for at in all_of_them if at > now)
