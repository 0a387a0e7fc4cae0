"""The operators of conditions: each compares one value of a request with the values of a policy (iam.md 4).

An operator is built from the policy's values once and then answers whether a request's value equals, is
like, or stands in order to *one* of them. Negation, missing keys and sets belong to `conditions`. A value
of a request that cannot be read as the operator's type matches nothing; one of a policy is refused when the
policy is saved (`readable`), because the operator could never be true of it.
"""

import base64
import binascii
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from greatseal.domain.access.language.match import arn_matcher, first_of, is_arn_pattern
from greatseal.domain.access.language.values import Network, address_of, instant_of, network_of, number_of
from greatseal.domain.access.language.wildcards import Matcher, Tokens, matcher, text_of

NULL = "Null"
"""The operator that asks about the key and not about its value; it is not among `OPERATORS`."""

T = TypeVar("T")
Build = Callable[[tuple[Tokens, ...]], Matcher]


@dataclass(frozen=True, slots=True)
class Operator:
    """How an operator compares; `negated` says that the answer is turned round (iam.md 4)."""

    build: Build
    readable: Callable[[Tokens], bool]
    negated: bool = False
    has_variables: bool = False


_TRUTHS = {"true": True, "false": False}


def _always(_tokens: Tokens) -> bool:
    return True


def _equal(patterns: tuple[Tokens, ...]) -> Matcher:
    return frozenset(map(text_of, patterns)).__contains__


def _equal_ignoring_case(patterns: tuple[Tokens, ...]) -> Matcher:
    values = frozenset(text_of(pattern).lower() for pattern in patterns)
    return lambda text: text.lower() in values


def _like(patterns: tuple[Tokens, ...]) -> Matcher:
    return first_of([matcher(pattern) for pattern in patterns])


def _arn_like(patterns: tuple[Tokens, ...]) -> Matcher:
    return first_of([arn_matcher(pattern) for pattern in patterns])


def _compared(read: Callable[[str], T | None], compare: Callable[[T, T], bool]) -> Build:
    """Reads both sides and is true when `compare(request, policy)` is for one of the policy's values."""

    def build(patterns: tuple[Tokens, ...]) -> Matcher:
        values = tuple(value for value in (read(text_of(each)) for each in patterns) if value is not None)

        def matches(text: str) -> bool:
            given = read(text)
            if given is not None:
                for value in values:
                    if compare(given, value):
                        return True
            return False

        return matches

    return build


def _reads(read: Callable[[str], object | None]) -> Callable[[Tokens], bool]:
    return lambda tokens: read(text_of(tokens)) is not None


def truth_of(text: str) -> bool | None:
    """`true` and `false` in any case; None for anything else."""
    return _TRUTHS.get(text.lower())


def _bytes_of(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _ip(patterns: tuple[Tokens, ...]) -> Matcher:
    read = (network_of(text_of(each)) for each in patterns)
    networks: tuple[Network, ...] = tuple(each for each in read if each is not None)

    def matches(text: str) -> bool:
        address = address_of(text)
        if address is None:
            return False
        version, number = address
        for of, start, mask in networks:  # noqa: SIM110  a generator costs more than the comparisons
            if version == of and number & mask == start:
                return True
        return False

    return matches


def _string(build: Build, *, negated: bool = False) -> Operator:
    return Operator(build, _always, negated, has_variables=True)


def _ordered(family: str, read: Callable[[str], T | None]) -> dict[str, Operator]:
    orders: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    made = {family + name: Operator(_compared(read, order), _reads(read)) for name, order in orders.items()}
    made[f"{family}NotEquals"] = Operator(_compared(read, operator.eq), _reads(read), negated=True)
    return made


OPERATORS: dict[str, Operator] = {
    "StringEquals": _string(_equal),
    "StringNotEquals": _string(_equal, negated=True),
    "StringEqualsIgnoreCase": _string(_equal_ignoring_case),
    "StringNotEqualsIgnoreCase": _string(_equal_ignoring_case, negated=True),
    "StringLike": _string(_like),
    "StringNotLike": _string(_like, negated=True),
    **_ordered("Numeric", number_of),
    **_ordered("Date", instant_of),
    "Bool": Operator(_compared(truth_of, operator.eq), _reads(truth_of), has_variables=True),
    "BinaryEquals": Operator(_compared(_bytes_of, operator.eq), _reads(_bytes_of)),
    "IpAddress": Operator(_ip, _reads(network_of)),
    "NotIpAddress": Operator(_ip, _reads(network_of), negated=True),
    # AWS defines ArnEquals as ArnLike: both take wildcards.
    "ArnEquals": Operator(_arn_like, is_arn_pattern, has_variables=True),
    "ArnLike": Operator(_arn_like, is_arn_pattern, has_variables=True),
    "ArnNotEquals": Operator(_arn_like, is_arn_pattern, negated=True, has_variables=True),
    "ArnNotLike": Operator(_arn_like, is_arn_pattern, negated=True, has_variables=True),
}
"""Every operator but `NULL`."""
