"""GetFindings' filters and orders as predicates and keys over documents. Pure.

Filters on different attributes must all hold. Of those on one attribute, one of the positive ones (EQUALS, PREFIX,
CONTAINS …) must hold and every negative one (NOT_EQUALS …); ranges of numbers, times and addresses are alternatives.
"""

import ipaddress
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import total_ordering
from typing import Any

from greatseal.domain.findings.attributes import PATHS
from greatseal.domain.findings.model import Document, instant
from greatseal.kernel.errors import InvalidArgument

Predicate = Callable[[Document], bool]
Filters = Mapping[str, Sequence[Mapping[str, Any]]]

_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "PREFIX": lambda value, wanted: value.startswith(wanted),
    "CONTAINS": lambda value, wanted: wanted in value,
    "CONTAINS_WORD": lambda value, wanted: _has_word(value, wanted),
}
_NEGATIONS = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}
_MAX_FILTERS = 20


def predicate(filters: Filters, now: datetime) -> Predicate:
    """Whether a finding passes all filters. Raises InvalidArgument for filters that mean nothing."""
    tests = [_test(name, conditions, now) for name, conditions in filters.items() if conditions]
    return lambda document: all(test(document) for test in tests)


def equalities(filters: Filters, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The filters on `names` that are nothing but EQUALS, for a store that can narrow by them."""
    found = {}
    for name in names:
        conditions = filters.get(name) or ()
        if conditions and all(each.get("Comparison") == "EQUALS" and "Value" in each for each in conditions):
            found[name] = frozenset(each["Value"] for each in conditions)
    return found


def sort_key(criteria: Sequence[Mapping[str, Any]]) -> Callable[[Document], list[str | int]]:
    """The values that a finding is sorted by, as text and whole numbers that a page token can keep."""
    names = [_known(each["Field"]) for each in criteria]
    return lambda document: [_sortable(next(values(document, name), None)) for name in names]


@total_ordering
class Ranked:
    """Sort values with a direction for each: what `heapq` compares."""

    __slots__ = ("directions", "values")

    def __init__(self, values: Sequence[str | int], directions: Sequence[bool]) -> None:
        """`directions` are True for descending; values behind the directions ascend."""
        self.values = values
        self.directions = directions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranked) and self.values == other.values

    def __lt__(self, other: "Ranked") -> bool:
        for at, (mine, theirs) in enumerate(zip(self.values, other.values, strict=True)):
            if mine != theirs:
                descending = at < len(self.directions) and self.directions[at]
                # Numbers before texts, so that every pair has an order.
                smaller = (isinstance(mine, str), mine) < (isinstance(theirs, str), theirs)
                return smaller != descending
        return False

    __hash__ = None  # type: ignore[assignment]


def values(document: Document, name: str) -> Iterator[Any]:
    """The values of an attribute; several where its path leads through lists."""
    found: list[Any] = [document]
    for step in PATHS[name]:
        found = [below for each in found if isinstance(each, dict) and (below := each.get(step)) is not None]
        found = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return iter(found)


def _known(field: str) -> str:
    # Callers write `Severity.Label` as the format has it, or `SeverityLabel` as the filters have it.
    for name, path in PATHS.items():
        if field in (name, ".".join(path)):
            return name
    raise InvalidArgument(f"Invalid parameter 'SortCriteria'. {field} is not an attribute that findings are sorted by.")


def _sortable(value: Any) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool | int):
        return int(value)
    return math.floor(value * 1000) if isinstance(value, float) else str(value)


def _test(name: str, conditions: Sequence[Mapping[str, Any]], now: datetime) -> Predicate:
    if len(conditions) > _MAX_FILTERS:
        raise InvalidArgument(f"Invalid parameter 'Filters'. {name} has more than {_MAX_FILTERS} values.")
    if name == "Keyword":
        words = [each["Value"].lower() for each in conditions if "Value" in each]
        return lambda document: any(word in text.lower() for text in _texts(document) for word in words)
    if name not in PATHS:
        raise InvalidArgument(f"Invalid parameter 'Filters'. {name} is not supported.")
    first = conditions[0]
    if "Key" in first or name in ("ProductFields", "UserDefinedFields", "ResourceTags", "ResourceDetailsOther"):
        return _of_map(name, conditions)
    if "Comparison" in first:
        return _of_text(lambda document: values(document, name), name, conditions)
    if "Cidr" in first:
        networks = [_network(each["Cidr"]) for each in conditions]
        return lambda document: any(_inside(value, networks) for value in values(document, name))
    if any(key in first for key in ("Start", "End", "DateRange")):
        ranges = [_dates(each, now) for each in conditions]
        return lambda document: any(_when(value, ranges) for value in values(document, name))
    if any(key in first for key in ("Gte", "Lte", "Eq", "Gt", "Lt")):
        return lambda document: any(_number(value, conditions) for value in values(document, name))
    if isinstance(first.get("Value"), bool):
        wanted = {each["Value"] for each in conditions}
        return lambda document: next(values(document, name), False) in wanted
    raise InvalidArgument(f"Invalid parameter 'Filters'. A value of {name} is not complete.")


def _of_text(
    read: Callable[[Document], Iterator[Any]], name: str, conditions: Sequence[Mapping[str, Any]]
) -> Predicate:
    positive, negative = [], []
    for each in conditions:
        comparison, wanted = each.get("Comparison"), each.get("Value")
        if comparison is None or wanted is None:
            raise InvalidArgument(f"Invalid parameter 'Filters'. {name} needs Value and Comparison.")
        if comparison in _NEGATIONS:
            negative.append((_STRINGS[_NEGATIONS[comparison]], wanted))
        else:
            positive.append((_STRINGS[comparison], wanted))
    if {each["Comparison"] for each in conditions} >= {"EQUALS", "NOT_EQUALS"}:
        raise InvalidArgument(f"Invalid parameter 'Filters'. {name} cannot have both EQUALS and NOT_EQUALS.")

    def test(document: Document) -> bool:
        texts = [str(value) for value in read(document)]
        if any(check(text, wanted) for text in texts for check, wanted in negative):
            return False
        return not positive or any(check(text, wanted) for text in texts for check, wanted in positive)

    return test


def _of_map(name: str, conditions: Sequence[Mapping[str, Any]]) -> Predicate:
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for each in conditions:
        if "Key" not in each:
            raise InvalidArgument(f"Invalid parameter 'Filters'. {name} needs Key, Value and Comparison.")
        by_key.setdefault(each["Key"], []).append(each)

    def reader(key: str) -> Callable[[Document], Iterator[Any]]:
        return lambda document: iter([each[key] for each in values(document, name) if key in each])

    tests = [_of_text(reader(key), name, some) for key, some in by_key.items()]
    return lambda document: all(test(document) for test in tests)


def _number(value: Any, conditions: Sequence[Mapping[str, float]]) -> bool:
    return any(
        value >= each.get("Gte", -math.inf)
        and value > each.get("Gt", -math.inf)
        and value <= each.get("Lte", math.inf)
        and value < each.get("Lt", math.inf)
        and value == each.get("Eq", value)
        for each in conditions
    )


def _dates(condition: Mapping[str, Any], now: datetime) -> tuple[datetime | None, datetime | None]:
    span = condition.get("DateRange")
    if span is not None:
        try:
            edge = now - timedelta(days=span.get("Value", 0))
        except OverflowError:
            raise InvalidArgument("Invalid parameter 'Filters'. The date range is too long.") from None
        return (None, edge) if span.get("Comparison") == "OLDER_THAN" else (edge, None)
    try:
        return tuple(instant(condition[key]) if key in condition else None for key in ("Start", "End"))  # type: ignore[return-value]
    except ValueError as error:
        raise InvalidArgument(f"Invalid parameter 'Filters'. {error}.") from None


def _when(value: Any, ranges: Sequence[tuple[datetime | None, datetime | None]]) -> bool:
    try:
        at = instant(value)
    except ValueError:
        return False
    return any((start is None or at >= start) and (end is None or at <= end) for start, end in ranges)


def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        raise InvalidArgument(f"Invalid parameter 'Filters'. {cidr} is not a CIDR block.") from None


def _inside(value: Any, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        return any(ipaddress.ip_address(value) in network for network in networks)
    except ValueError:
        return False


def _has_word(value: str, wanted: str) -> bool:
    start = value.find(wanted)
    while start >= 0:
        before, after = value[start - 1 : start] if start else "", value[start + len(wanted) :][:1]
        if not before.isalnum() and not after.isalnum():
            return True
        start = value.find(wanted, start + 1)
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
