"""JSON as policies need it: nothing is lost, nothing is repaired, and every complaint has its place.

The standard reader forgets duplicate keys and rounds numbers; a policy that says two things about one
element must be refused, and a number is compared as it was written (iam.md 3).
"""

import json
from typing import Any, NoReturn

from greatseal.domain.access.language.document import MalformedPolicy, PolicyTooLarge

# Deeper than any statement; without a limit a document of brackets would exhaust the stack.
_MAX_DEPTH = 12
_BROKEN = "This policy contains invalid Json"


class Number(str):
    """A number of the document as it was written; a text only where a value of a condition is expected."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object with all its keys, also those that are there twice."""


def size_of(text: str) -> int:
    """The size that limits count: characters that are not white space (iam.md 3)."""
    return len("".join(text.split()))


def read(text: str, limit: int | None) -> object:
    """The document as dicts, lists, texts, `Number`, booleans and None.

    Raises PolicyTooLarge above `limit` and MalformedPolicy for what is not JSON or names a key twice.
    """
    if limit is not None and size_of(text) > limit:
        raise PolicyTooLarge("", f"Cannot exceed quota for PolicySize: {limit}")
    try:
        tree = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=Number, parse_float=Number, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise MalformedPolicy(f"line {error.lineno} column {error.colno}", _BROKEN) from None
    except (RecursionError, ValueError):
        raise MalformedPolicy("", _BROKEN) from None
    return _checked(tree, "", 0)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _checked(value: Any, place: str, depth: int) -> object:
    if depth > _MAX_DEPTH:
        raise MalformedPolicy(place, "nested too deeply")
    if isinstance(value, _Pairs):
        made: dict[str, object] = {}
        for key, inner in value:
            _text(key, place)
            where = inside(place, key)
            if key in made:
                raise MalformedPolicy(where, "the element is there twice")
            made[key] = _checked(inner, where, depth + 1)
        return made
    if isinstance(value, list):
        return [_checked(inner, f"{place}[{index}]", depth + 1) for index, inner in enumerate(value)]
    if isinstance(value, str):
        _text(value, place)
    return value


def _text(text: str, place: str) -> None:
    """Refuses half a surrogate pair, which JSON can write and no storage can keep."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise MalformedPolicy(place, _BROKEN)


def inside(place: str, key: str) -> str:
    """The place of an element of an object."""
    return f"{place}.{key}" if place else key
