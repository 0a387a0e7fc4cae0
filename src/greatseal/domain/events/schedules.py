"""Schedule expressions: `rate(5 minutes)` and `cron(0 21 * * ? *)`, in UTC (workflows.md 16). Pure."""

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_RATE = re.compile(r"rate\(([0-9]{1,9}) (minutes?|hours?|days?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# Sunday is 1, as the real service has it.
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class InvalidSchedule(ValueError):
    """Text that is not a schedule expression."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rule fires. `following(after)` is the first instant behind another one; None when there is none."""

    following: Callable[[datetime], datetime | None]


@lru_cache(maxsize=1024)
def compile_schedule(text: str, start: datetime) -> Schedule:
    """The schedule in this text; rates count from `start`. Raises InvalidSchedule."""
    rate = _RATE.fullmatch(text)
    if rate:
        return _rate(int(rate[1]), rate[2], start)
    cron = _CRON.fullmatch(text)
    if cron:
        return _cron(cron[1].split())
    raise InvalidSchedule("Parameter ScheduleExpression is not valid.")


def _rate(count: int, unit: str, start: datetime) -> Schedule:
    # `rate(1 minutes)` and `rate(5 minute)` are errors of the real service too.
    if count == 0 or (count == 1) != (not unit.endswith("s")):
        raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
    step = _UNITS[unit.removesuffix("s")] * count

    def following(after: datetime) -> datetime | None:
        try:
            return start + step * max((after - start) // step + 1, 1)
        except OverflowError:
            # Beyond the year 9999.
            return None

    return Schedule(following)


@dataclass(frozen=True, slots=True)
class _Fields:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    days: Callable[[int, int], list[int]]
    """The days of a month (year, month) on which it fires."""


def _cron(words: list[str]) -> Schedule:
    if len(words) != 6:
        raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
    minutes, hours, month_days, months, week_days, years = words
    if (month_days == "?") == (week_days == "?"):
        raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
    fields = _Fields(
        minutes=_set(minutes, 0, 59),
        hours=_set(hours, 0, 23),
        months=_set(months, 1, 12, _MONTHS),
        years=_set(years, _FIRST_YEAR, _LAST_YEAR),
        days=_month_days(month_days) if week_days == "?" else _week_days(week_days),
    )
    return Schedule(lambda after: _next(fields, after))


def _next(fields: _Fields, after: datetime) -> datetime | None:
    at = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for year in sorted(each for each in fields.years if each >= at.year):
        for month in sorted(fields.months):
            if (year, month) < (at.year, at.month):
                continue
            for day in fields.days(year, month):
                if (year, month, day) < (at.year, at.month, at.day):
                    continue
                found = _time(fields, datetime(year, month, day, tzinfo=UTC), at)
                if found is not None:
                    return found
    return None


def _time(fields: _Fields, day: datetime, at: datetime) -> datetime | None:
    for hour in sorted(fields.hours):
        for minute in sorted(fields.minutes):
            found = day.replace(hour=hour, minute=minute)
            if found >= at:
                return found
    return None


def _month_days(word: str) -> Callable[[int, int], list[int]]:
    if word == "L":
        return lambda year, month: [calendar.monthrange(year, month)[1]]
    near = re.fullmatch(r"([0-9]{1,2})W", word)
    if near:
        wanted = _number(near[1], 1, 31, {})
        return lambda year, month: _nearest_weekday(year, month, wanted)
    chosen = _set(word, 1, 31)
    return lambda year, month: [day for day in sorted(chosen) if day <= calendar.monthrange(year, month)[1]]


def _nearest_weekday(year: int, month: int, wanted: int) -> list[int]:
    last = calendar.monthrange(year, month)[1]
    if wanted > last:
        return []
    weekday = calendar.weekday(year, month, wanted)
    if weekday == calendar.SATURDAY:
        return [wanted - 1 if wanted > 1 else wanted + 2]
    if weekday == calendar.SUNDAY:
        return [wanted + 1 if wanted < last else wanted - 2]
    return [wanted]


def _week_days(word: str) -> Callable[[int, int], list[int]]:
    counted = re.fullmatch(r"([A-Z0-9]+)#([1-5])", word)
    if counted:
        weekday, number = _number(counted[1], 1, 7, _WEEKDAYS), int(counted[2])
        return lambda year, month: _of_weekday(year, month, {weekday})[number - 1 : number]
    final = re.fullmatch(r"([A-Z0-9]+)L", word)
    if final:
        weekday = _number(final[1], 1, 7, _WEEKDAYS)
        return lambda year, month: _of_weekday(year, month, {weekday})[-1:]
    chosen = _set(word, 1, 7, _WEEKDAYS)
    return lambda year, month: _of_weekday(year, month, chosen)


def _of_weekday(year: int, month: int, wanted: set[int] | frozenset[int]) -> list[int]:
    days = range(1, calendar.monthrange(year, month)[1] + 1)
    # Python counts from Monday as 0.
    return [day for day in days if (calendar.weekday(year, month, day) + 1) % 7 + 1 in wanted]


def _set(word: str, low: int, high: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    chosen: set[int] = set()
    for part in word.split(","):
        span, slash, every = part.partition("/")
        step = _number(every, 1, high, {}) if slash else 1
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, low, high, names or {})
            last = _number(end, low, high, names or {}) if dash else (high if slash else first)
        if first > last:
            raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
        chosen |= set(range(first, last + 1, step))
    return frozenset(chosen)


def _number(word: str, low: int, high: int, names: Mapping[str, int]) -> int:
    found = names.get(word)
    if found is None and word.isascii() and word.isdigit() and len(word) <= 4:
        found = int(word)
    if found is None or not low <= found <= high:
        raise InvalidSchedule("Parameter ScheduleExpression is not valid.")
    return found
