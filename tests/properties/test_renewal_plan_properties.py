"""The planner of renewals over whole lives: what holds whatever the certificate, the hour and the outcome."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.certificates.model import Course, Type
from greatseal.domain.certificates.windows import lead, opens
from greatseal.domain.renewal.plan import STEPS, Life, decide
from properties.examples import examples

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

lives = st.builds(
    lambda number, type_, seconds, by_mail: Life(
        f"{number:08x}-0000-4000-8000-000000000000",
        type_,
        BEGIN,
        BEGIN + timedelta(seconds=seconds),
        by_mail=by_mail and type_ is Type.AMAZON_ISSUED,
    ),
    st.integers(0, 2**32 - 1),
    st.sampled_from([Type.PRIVATE, Type.AMAZON_ISSUED]),
    st.one_of(st.sampled_from([396 * 86400, 198 * 86400 - 1, 90 * 86400, 7 * 86400]), st.integers(3600, 800 * 86400)),
    st.booleans(),
)


@dataclass
class Told:
    """What the planner had done in one life."""

    attempts: list[datetime] = field(default_factory=list)
    notices: list[tuple[int, datetime]] = field(default_factory=list)
    looks: int = 0


def live(life, *, lasts=timedelta(), start=None, late=lambda look: timedelta()):
    """A life in which every attempt fails after so long, looked at whenever the planner asks, or later."""
    course, running_until, told = Course(), None, Told()
    now = start or BEGIN
    while True:
        running = running_until is not None and now < running_until
        decision = decide(life, course, running=running, now=now)
        told.looks += 1
        assert told.looks < 2000
        if decision.over:
            assert now > life.not_after
            return told
        assert decision.next_look is not None
        assert decision.next_look > now
        if decision.attempt:
            assert not running
            told.attempts.append(now)
            course, running_until = replace(course, attempted_at=now), now + lasts
        if decision.notice_days is not None:
            told.notices.append((decision.notice_days, now))
            course = replace(course, notified_days=decision.notice_days)
        now = decision.next_look + late(told.looks)


@examples(200)
@given(lives)
def test_the_window_opens_in_time_and_within_its_spread(life):
    before = lead(life.type, life.not_before, life.not_after)
    begins = life.not_after - life.begins
    assert timedelta() < before - before / 15 - timedelta(seconds=1) <= begins <= before
    assert before <= (life.not_after - life.not_before) / 3 + timedelta(seconds=1)
    assert before <= 60 * DAY


@examples(200)
@given(lives, st.sampled_from([timedelta(), timedelta(hours=72), timedelta(days=400)]))
def test_every_step_is_told_once_and_in_order_and_only_after_an_attempt(life, lasts):
    told = live(life, lasts=lasts)
    steps = [days for days, _ in told.notices]
    assert steps == list(STEPS[life.type])
    assert told.attempts[0] == life.begins
    for days, at in told.notices:
        assert told.attempts[0] < at < life.not_after
        if life.scale == 1:
            assert (life.not_after - at).days == days
    if lasts == timedelta() and not life.by_mail:
        assert all(later - earlier <= DAY * life.scale for earlier, later in pairwise(told.attempts))


@examples(200)
@given(lives, st.floats(0, 0.999))
def test_a_clock_that_jumps_makes_one_attempt_and_one_notice(life, part):
    now = life.begins + (life.not_after - life.begins) * part
    first = decide(life, Course(), running=False, now=now)
    assert (first.attempt, first.notice_days) == (True, None)
    later = min(first.next_look, life.not_after)
    second = decide(life, Course(attempted_at=now), running=False, now=later)
    passed = [days for days in STEPS[life.type] if life.step_at(days) <= later]
    if passed and life.step_at(passed[-1]) <= now and later == first.next_look:
        assert not second.attempt
        assert second.notice_days == passed[-1]
        third = decide(life, Course(now, second.notice_days), running=False, now=later)
        assert third.notice_days is None


@examples(200)
@given(lives, st.lists(st.integers(0, 20 * 86400), min_size=1, max_size=5), st.integers(0, 96))
def test_late_rounds_never_tell_twice_nor_out_of_order(life, lateness, hours):
    told = live(
        life,
        lasts=timedelta(hours=hours),
        late=lambda look: timedelta(seconds=lateness[look % len(lateness)]) * min(life.scale, 1),
    )
    steps = [days for days, _ in told.notices]
    assert steps == sorted(set(steps), reverse=True)


@examples(200)
@given(lives, st.integers(-400, 400))
def test_what_the_issuer_wants_is_heard_unless_it_is_too_late(life, days):
    heard = replace(life, wanted_at=life.not_after + days * DAY)
    latest = life.not_after - lead(life.type, life.not_before, life.not_after) / 3
    assert heard.begins == min(heard.wanted_at, latest)
    assert heard.begins < life.not_after


def test_a_million_certificates_of_one_hour_do_not_renew_in_one_hour():
    hours: dict[int, int] = {}
    count = 20_000
    for number in range(count):
        new_id = f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012d}"
        at = opens(new_id, Type.AMAZON_ISSUED, BEGIN, BEGIN + 198 * DAY)
        hour = int(at.timestamp()) // 3600
        hours[hour] = hours.get(hour, 0) + 1
    assert max(hours.values()) < count * 0.02
    assert len(hours) >= 72
