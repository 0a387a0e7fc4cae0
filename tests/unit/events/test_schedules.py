"""Schedule expressions, with the examples of the user guide (workflows.md 16)."""

from datetime import UTC, datetime, timedelta

import pytest

from greatseal.domain.events.schedules import InvalidSchedule, compile_schedule

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def upcoming(text, count=3, after=START):
    found = []
    schedule = compile_schedule(text, START)
    at = after
    for _ in range(count):
        at = schedule.following(at)
        if at is None:
            break
        found.append(at.strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("rate(1 minute)", ["2026-01-15 12:01", "2026-01-15 12:02", "2026-01-15 12:03"]),
        ("rate(30 minutes)", ["2026-01-15 12:30", "2026-01-15 13:00", "2026-01-15 13:30"]),
        ("rate(1 hour)", ["2026-01-15 13:00", "2026-01-15 14:00", "2026-01-15 15:00"]),
        ("rate(7 days)", ["2026-01-22 12:00", "2026-01-29 12:00", "2026-02-05 12:00"]),
        ("cron(0 21 * * ? *)", ["2026-01-15 21:00", "2026-01-16 21:00", "2026-01-17 21:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-15 12:15", "2026-01-16 12:15", "2026-01-17 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-15 18:00", "2026-01-16 18:00", "2026-01-19 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00", "2026-04-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-15 12:15", "2026-01-15 12:30", "2026-01-15 12:45"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-15 12:10", "2026-01-15 12:20", "2026-01-15 12:30"]),
        ("cron(0/5 8-17 ? * 2-6 *)", ["2026-01-15 12:05", "2026-01-15 12:10", "2026-01-15 12:15"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-02-02 09:00", "2026-03-02 09:00", "2026-04-06 09:00"]),
        ("cron(0 9 ? * 6L *)", ["2026-01-30 09:00", "2026-02-27 09:00", "2026-03-27 09:00"]),
        ("cron(0 9 15W * ? *)", ["2026-02-16 09:00", "2026-03-16 09:00", "2026-04-15 09:00"]),
        ("cron(0 9 1W 8 ? *)", ["2026-08-03 09:00", "2027-08-02 09:00", "2028-08-01 09:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("cron(0 0 1 JAN ? 2027,2029)", ["2027-01-01 00:00", "2029-01-01 00:00"]),
        ("cron(0 0 30 2 ? *)", []),
        ("cron(0 0 1 1 ? 2020)", []),
    ],
)
def test_when_schedules_fire(text, times):
    assert upcoming(text) == times


def test_a_rate_counts_from_its_start_however_late_it_is_asked():
    schedule = compile_schedule("rate(5 minutes)", START)
    assert schedule.following(START + timedelta(minutes=12)) == START + timedelta(minutes=15)
    assert schedule.following(START + timedelta(minutes=15)) == START + timedelta(minutes=20)
    assert schedule.following(START - timedelta(days=1)) == START + timedelta(minutes=5)


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1.5 hours)",
        "rate(5 seconds)",
        "rate(5  minutes)",
        "rate(5 minutes) ",
        "rate(9999999999 days)",
        "every day",
        "",
        "cron(0 0 * * *)",
        "cron(0 0 * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 * * ? 1969)",
        "cron(0 0 * * ? 2200)",
        "cron(0/0 0 * * ? *)",
        "cron(5-1 0 * * ? *)",
        "cron(\u0661 0 * * ? *)",
        "cron(, 0 * * ? *)",
    ],
)
def test_what_is_no_schedule(text):
    with pytest.raises(InvalidSchedule, match=r"Parameter ScheduleExpression is not valid\."):
        compile_schedule(text, START)


def test_a_rate_of_very_many_days_is_no_crash():
    assert compile_schedule("rate(999999999 days)", START).following(START) is None
