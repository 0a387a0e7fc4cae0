"""Constraints of the model, all violations at once, in the service's own wording (acm.md 1.2, acm-pca.md 1.1).

Lengths of strings are counted in code points. (Java counts UTF-16 units; the two differ only for characters
outside the Basic Multilingual Plane, where AWS's own clients disagree as well.)
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from greatseal.aws.protocol.models import Kind, Shape
from greatseal.aws.protocol.patterns import compile_java
from greatseal.aws.wire import WireError, validation_error


class Style(Enum):
    """How a service names the value in a violation."""

    QUOTED = "Value 'x' at"
    """The older style; `Value at` where the value must not or cannot be shown (kms.md 1)."""
    INPUT = "Value of the input at"
    """The style of 2025 and later."""


STYLES: Mapping[str, Style] = {"acm": Style.INPUT}
"""By service; the older style where nothing is said."""

_NO_NUL = "Member must not contain a null character"
_NOT_NULL = "Member must not be null"
_ECHO_LENGTH = 1024
_LONGEST_UNBOUNDED = 65536


def validate(shape: Shape | None, parameters: Mapping[str, Any], style: Style = Style.QUOTED) -> None:
    """Checks required members, lengths, ranges, patterns, enumerations and unions.

    Raises one WireError with all violations.
    """
    if shape is None:
        return
    found = list(_structure(shape, parameters, "", style, sensitive=False))
    if found:
        raise refused(found)


def refused(violations: list[str]) -> WireError:
    """The error for one or more violations, as `violation` words them."""
    noun = "error" if len(violations) == 1 else "errors"
    return validation_error(f"{len(violations)} validation {noun} detected: {'; '.join(violations)}")


def violation(path: str, constraint: str, shown: str) -> str:
    """One violation; `shown` is the beginning, for instance `Value null` or `Value 'x'`."""
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _structure(shape: Shape, value: Mapping[str, Any], prefix: str, style: Style, *, sensitive: bool) -> Iterator[str]:
    for name, member in shape.members.items():
        path = prefix + member.path
        item = value.get(name)
        if item is not None:
            yield from _value(member.shape, item, path, style, sensitive=sensitive or shape.sensitive)
        elif name in shape.required:
            yield violation(path, _NOT_NULL, "Value null")
    if shape.union and sum(item is not None for item in value.values()) != 1:
        where = prefix.removesuffix(".")
        yield violation(where, "Member must have exactly one member set", "Value")


def _value(shape: Shape, value: Any, path: str, style: Style, *, sensitive: bool) -> Iterator[str]:
    sensitive = sensitive or shape.sensitive
    match shape.kind:
        case Kind.STRUCTURE:
            yield from _structure(shape, value, f"{path}.", style, sensitive=sensitive)
            return
        case Kind.LIST:
            yield from _list(shape, value, path, style, sensitive=sensitive)
        case Kind.MAP:
            yield from _map(shape, value, path, style, sensitive=sensitive)
    for constraint in broken(shape, value):
        yield violation(path, constraint, _shown(shape, value, style, sensitive=sensitive))


def _list(shape: Shape, value: list[Any], path: str, style: Style, *, sensitive: bool) -> Iterator[str]:
    element = shape.element
    assert element is not None
    if _far_too_long(shape, len(value)):
        # That is a violation already; an answer with one more for every item helps nobody.
        return
    if element.kind in (Kind.STRUCTURE, Kind.LIST, Kind.MAP):
        for index, item in enumerate(value, 1):
            place = f"{path}.{index}.member"
            if item is None:
                yield violation(place, _NOT_NULL, "Value null")
            else:
                yield from _value(element, item, place, style, sensitive=sensitive)
    elif any(item is None or broken(element, item) for item in value):
        # One violation for the whole list, with every constraint of its members.
        constraints = _said_of(element, value) + ([_NOT_NULL] if None in value else [])
        hidden = sensitive or element.sensitive or element.kind is Kind.BLOB
        shown = "Value" if hidden else f"Value '{_echo(value)}'"
        yield violation(path, f"Member must satisfy constraint: [{', '.join(constraints)}]", shown)


def _map(shape: Shape, value: Mapping[str, Any], path: str, style: Style, *, sensitive: bool) -> Iterator[str]:
    assert shape.element is not None
    if shape.key is not None and any(broken(shape.key, key) for key in value):
        yield violation(path, f"Map keys must satisfy constraint: [{', '.join(_said_of(shape.key, value))}]", "Value")
    if shape.element.kind in (Kind.STRUCTURE, Kind.LIST, Kind.MAP):
        for key, item in value.items():
            yield from _value(shape.element, item, f"{path}.{key}.member", style, sensitive=sensitive)
    elif any(broken(shape.element, item) for item in value.values()):
        listed = ", ".join(_said_of(shape.element, value.values()))
        yield violation(path, f"Map value must satisfy constraint: [{listed}]", "Value")


def _shown(shape: Shape, value: Any, style: Style, *, sensitive: bool) -> str:
    if style is Style.INPUT:
        return "Value of the input"
    scalars = shape.kind is Kind.LIST and not any(isinstance(item, dict | list | bytes) for item in value)
    if sensitive or shape.kind in (Kind.BLOB, Kind.MAP) or (shape.kind is Kind.LIST and not scalars):
        return "Value"
    return f"Value '{_echo(value)}'"


def _echo(value: Any) -> str:
    """A value as Java prints it. Long ones are cut, so that an answer cannot be made larger than useful."""
    if isinstance(value, list):
        text = f"[{', '.join('null' if item is None else _plain(item) for item in value)}]"
    else:
        text = _plain(value)
    return text if len(text) <= _ECHO_LENGTH else text[:_ECHO_LENGTH] + "…"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _far_too_long(shape: Shape, size: float) -> bool:
    """Whether a length is so far over the maximum that the value is not looked into."""
    return shape.maximum is not None and size > shape.maximum * 4


def _matches(shape: Shape, text: str) -> bool:
    """Some patterns take quadratic time: without a maximum, a text beyond any use is refused without trying."""
    if shape.pattern is None or _far_too_long(shape, len(text)):
        return True
    if shape.maximum is None and len(text) > _LONGEST_UNBOUNDED:
        return False
    return compile_java(shape.pattern).fullmatch(text) is not None


def _said_of(shape: Shape, values: Iterable[Any]) -> list[str]:
    """Every constraint of the shape, and the one of all texts when one of the values breaks it."""
    return constraints_of(shape) + ([_NO_NUL] if any(isinstance(v, str) and "\0" in v for v in values) else [])


def constraints_of(shape: Shape) -> list[str]:
    """Every constraint of a shape in words, whether or not a value breaks it; in the order of the real service."""
    what = "value" if shape.kind in (Kind.INTEGER, Kind.LONG, Kind.FLOAT, Kind.DOUBLE) else "length"
    phrases = []
    if shape.maximum is not None:
        phrases.append(f"Member must have {what} less than or equal to {shape.maximum}")
    if shape.minimum is not None:
        phrases.append(f"Member must have {what} greater than or equal to {shape.minimum}")
    if shape.pattern is not None:
        phrases.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    if shape.enum:
        phrases.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    return phrases


def broken(shape: Shape, value: Any) -> list[str]:
    """The constraints that a value breaks, in words. Of structures only their members can break any."""
    numeric = shape.kind in (Kind.INTEGER, Kind.LONG, Kind.FLOAT, Kind.DOUBLE)
    if not numeric and shape.kind in (Kind.STRUCTURE, Kind.BOOLEAN, Kind.TIMESTAMP):
        return []
    what, size = ("value", value) if numeric else ("length", len(value))
    phrases = []
    if shape.maximum is not None and size > shape.maximum:
        phrases.append(f"Member must have {what} less than or equal to {shape.maximum}")
    if shape.minimum is not None and size < shape.minimum:
        phrases.append(f"Member must have {what} greater than or equal to {shape.minimum}")
    if shape.pattern is not None and not _matches(shape, value):
        phrases.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    if shape.enum and value not in shape.enum:
        phrases.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    # Some models let it pass; no text that a database or a header can hold has one.
    if shape.kind is Kind.STRING and "\0" in value:
        phrases.append(_NO_NUL)
    return phrases
