"""The leaves of event patterns: literals and match expressions, each compiled to a test of one value. Pure.

Messages are those of the real service, as far as they are known.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from greatseal.domain.events.tokens import Number

_Test = Callable[[object], bool]
_LARGEST_NUMBER = 5_000_000_000
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda found, wanted: found == wanted,
    "<": lambda found, wanted: found < wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    ">=": lambda found, wanted: found >= wanted,
}
_ONE_KEY = "Only one key allowed in match expression"


class InvalidPattern(ValueError):
    """Text that is not an event pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What an array of a pattern accepts at its path."""

    literals: frozenset[tuple[type, object]]
    tests: tuple[_Test, ...]
    absent: bool
    """Whether nothing at all is accepted too (`{"exists": false}`)."""

    def accepts(self, found: object) -> bool:
        """Whether one value, neither an object nor an array, is accepted."""
        return _key(found) in self.literals or any(test(found) for test in self.tests)

    @property
    def texts(self) -> frozenset[str] | None:
        """The texts that are accepted, when the array holds nothing but texts."""
        if self.tests or self.absent:
            return None
        texts = frozenset(each[1] for each in self.literals if isinstance(each[1], str) and each[0] is str)
        return texts if len(texts) == len(self.literals) else None


def leaf_of(wanted: list[object]) -> Leaf:
    """The leaf in an array. Raises InvalidPattern."""
    if not wanted:
        raise InvalidPattern("Empty arrays are not allowed")
    literals: set[tuple[type, object]] = set()
    tests: list[_Test] = []
    absent = False
    for each in wanted:
        if isinstance(each, dict):
            if each == {"exists": False}:
                absent = True
            else:
                tests.append(_expression(each))
        elif isinstance(each, list):
            raise InvalidPattern("Match value must be String, number, true, false, or null")
        else:
            literals.add(_key(each))
    return Leaf(frozenset(literals), tuple(tests), absent)


def _key(value: object) -> tuple[type, object]:
    """A value with its type: `true` is not `"true"`, and Python would say that it is 1.

    Numbers are compared as numbers, whatever the documentation says of their spelling: so does the real service.
    """
    if isinstance(value, Number):
        number = value.value
        return (float, number) if abs(number) <= _LARGEST_NUMBER else (Number, value.text)
    return type(value), value


def _expression(wanted: Mapping[str, object]) -> _Test:
    if not wanted:
        raise InvalidPattern("Match expression name not found")
    name, operand = next(iter(wanted.items()))
    make = _MATCH_TYPES.get(name)
    if make is None:
        raise InvalidPattern(f"Unrecognized match type {name}")
    test = make(operand)
    if len(wanted) != 1:
        raise InvalidPattern(_ONE_KEY)
    return test


def _exists(operand: object) -> _Test:
    if operand is not True:
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda found: True


def _prefix(operand: object) -> _Test:
    folded, text = _affix(operand, "prefix")
    if folded:
        return lambda found: isinstance(found, str) and found.lower().startswith(text)
    return lambda found: isinstance(found, str) and found.startswith(text)


def _suffix(operand: object) -> _Test:
    folded, text = _affix(operand, "suffix")
    if folded:
        return lambda found: isinstance(found, str) and found.lower().endswith(text)
    return lambda found: isinstance(found, str) and found.endswith(text)


def _affix(operand: object, name: str) -> tuple[bool, str]:
    if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
        return True, _text(operand["equals-ignore-case"], "equals-ignore-case").lower()
    return False, _text(operand, name)


def _ignore_case(operand: object) -> _Test:
    wanted = _text(operand, "equals-ignore-case").lower()
    return lambda found: isinstance(found, str) and found.lower() == wanted


def _exactly(operand: object) -> _Test:
    wanted = _text(operand, "exact")
    return lambda found: found == wanted


def _numeric(operand: object) -> _Test:
    if not isinstance(operand, list):
        raise InvalidPattern("Value of numeric must be an array.")
    bounds = [_bound(operand, 0)]
    if len(operand) > 2:
        if operand[0] not in (">", ">="):
            raise InvalidPattern("Too many elements in numeric expression")
        if not isinstance(operand[2], str):
            raise InvalidPattern(f"Bad value in numeric range: {_shown(operand[2])}")
        if operand[2] not in ("<", "<="):
            raise InvalidPattern(f"Bad numeric range operator: {operand[2]}")
        bounds.append(_bound(operand, 2))
        if len(operand) > 4:
            raise InvalidPattern("Too many terms in numeric range expression")
        if bounds[0][1] >= bounds[1][1]:
            raise InvalidPattern("Bottom must be less than top")
    return lambda found: isinstance(found, Number) and all(compare(found.value, limit) for compare, limit in bounds)


def _bound(operand: list[object], at: int) -> tuple[Callable[[float, float], bool], float]:
    sign = operand[at] if at < len(operand) else None
    if not isinstance(sign, str):
        raise InvalidPattern(f"Invalid member in numeric match: {_shown(sign)}")
    if sign not in _COMPARISONS:
        raise InvalidPattern(f"Unrecognized numeric range operator: {sign}")
    number = operand[at + 1] if at + 1 < len(operand) else None
    if not isinstance(number, Number):
        raise InvalidPattern(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    return _COMPARISONS[sign], _in_range(number)


def _in_range(number: Number) -> float:
    if abs(number.value) > _LARGEST_NUMBER:
        raise InvalidPattern("Value must be between -5.0E9 and 5.0E9, inclusive")
    return number.value


def _anything_but(operand: object) -> _Test:
    if isinstance(operand, dict):
        return _nothing_of(operand)
    if not isinstance(operand, list | str | Number):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    operands = operand if isinstance(operand, list) else [operand]
    if not all(isinstance(each, str | Number) for each in operands):
        raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
    if len({type(each) for each in operands}) != 1:
        raise InvalidPattern(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    refused = frozenset(_key(each) for each in operands)
    for each in operands:
        if isinstance(each, Number):
            _in_range(each)
    return lambda found: _key(found) not in refused


def _nothing_of(operand: Mapping[str, object]) -> _Test:
    """`anything-but` of another match type, with one value or an array of them."""
    name, inner = next(iter(operand.items()), ("", None))
    if name not in _NEGATED:
        raise InvalidPattern(f"Unsupported anything-but pattern: {name}")
    if len(operand) != 1:
        raise InvalidPattern(_ONE_KEY)
    inners = inner if isinstance(inner, list) else [inner]
    if isinstance(inner, dict):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    if not inners:
        raise InvalidPattern("Empty arrays are not allowed")
    for each in inners:
        if not isinstance(each, str):
            raise InvalidPattern(_NEGATED[name])
        if not each and name in ("prefix", "suffix"):
            raise InvalidPattern("Null prefix/suffix not allowed")
    refused = [_MATCH_TYPES[name](each) for each in inners]
    return lambda found: not any(test(found) for test in refused)


_NEGATED: Mapping[str, str] = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "equals-ignore-case": ("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."),
    "wildcard": "wildcard match pattern must be a string",
}
"""What may be negated, and what is said of an operand that is not a text."""


def _wildcard(operand: object) -> _Test:
    pieces = _pieces(_text(operand, "wildcard"))
    return lambda found: isinstance(found, str) and _fits(pieces, found)


def _pieces(text: str) -> list[str]:
    """The texts between the stars; a backslash takes a star or a backslash for itself."""
    pieces, current, at = [], "", 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            if text[at + 1 : at + 2] not in ("*", "\\"):
                raise InvalidPattern(f"Invalid escape character at pos {at + 1}")
            current += text[at + 1]
            at += 1
        elif char == "*":
            if text[at + 1 : at + 2] == "*":
                raise InvalidPattern(f"Consecutive wildcard characters at pos {at + 1}")
            pieces.append(current)
            current = ""
        else:
            current += char
        at += 1
    return [*pieces, current]


def _fits(pieces: list[str], text: str) -> bool:
    """Without going back: the first fit of a piece leaves the most to those behind it. No pattern is catastrophic."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _cidr(operand: object) -> _Test:
    # The real service names the wrong operator here.
    address, slash, bits = _text(operand, "prefix").partition("/")
    if not slash or "/" in bits:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    if not (bits.isascii() and bits.isdigit() and len(bits) <= 3):
        raise InvalidPattern("Malformed CIDR, mask bits must be an integer")
    try:
        base = ipaddress.ip_address(address)
    except ValueError:
        raise InvalidPattern(f"Nonstandard IP address: {address}") from None
    if int(bits) > base.max_prefixlen:
        raise InvalidPattern(f"Malformed CIDR, mask bits must not exceed {base.max_prefixlen}")
    network = ipaddress.ip_network((base, int(bits)), strict=False)

    def test(found: object) -> bool:
        if not isinstance(found, str):
            return False
        try:
            return ipaddress.ip_address(found) in network
        except ValueError:
            return False

    return test


def _text(operand: object, name: str) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return operand


def _shown(value: object) -> str:
    return value.text if isinstance(value, Number) else str(value)


_MATCH_TYPES: Mapping[str, Callable[[object], _Test]] = {
    "exactly": _exactly,
    "exists": _exists,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "numeric": _numeric,
    "anything-but": _anything_but,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
