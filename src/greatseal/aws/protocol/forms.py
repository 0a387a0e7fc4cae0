"""The flat parameters of the Query protocol, and the tree that they spell along a shape.

`Tags.member.1.Key=a` is the member Key of the first item of the list Tags. Names that the model does not know are
ignored, as AWS ignores them, and take no memory; a known name that goes on in a wrong way is refused. Items are
numbered from 1 without gaps, so that a number can never make a list longer than the form.
"""

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from greatseal.aws.protocol import encoded
from greatseal.aws.protocol.message import Message
from greatseal.aws.protocol.models import Kind, Member, Shape
from greatseal.aws.protocol.scalars import native
from greatseal.aws.protocol.shapes import MAX_DEPTH
from greatseal.aws.wire import WireError, serialization_error

_INDEX = re.compile(r"[1-9][0-9]{0,3}")
# What an empty list, map or structure looks like before it is settled: `Tags=`.
_EMPTY: Mapping[Any, Any] = MappingProxyType({})


def parameters_of(request: Message) -> dict[str, str]:
    """Every parameter of a request, from the query and from the body. Raises WireError SerializationException."""
    found = encoded.pairs(request.raw_query, plus_is_blank=False)
    if request.method == "POST":
        found += encoded.pairs(request.body, plus_is_blank=True)
    elif request.body:
        raise serialization_error(f"A {request.method} request must not have a body.")
    return encoded.unique(found)


def tree_of(shape: Shape, parameters: Mapping[str, str]) -> object:
    """The wire tree of a structure, for `shapes.read`. Raises WireError SerializationException."""
    root: dict[Any, Any] = {}
    for name, text in parameters.items():
        segments = name.split(".", MAX_DEPTH * 2)
        if len(segments) > MAX_DEPTH * 2:
            raise serialization_error("The request is nested too deeply.")
        _place(shape, root, segments, 0, text)
    return _settle(shape, root, "")


def _place(shape: Shape, node: dict[Any, Any], segments: list[str], at: int, text: str) -> None:
    """Puts one value below a structure, a list or a map whose name ends before `segments[at]`."""
    match shape.kind:
        case Kind.STRUCTURE:
            member = _by_wire_name(shape).get(segments[at])
            if member is not None:
                _descend(member.shape, node, member.wire_name, segments, at + 1, text)
        case Kind.LIST:
            assert shape.element is not None
            at = at if shape.flattened else _expect(segments, at, shape.element_name)
            _descend(shape.element, node, _index(segments, at), segments, at + 1, text)
        case _:
            assert shape.element is not None
            assert shape.key is not None
            at = at if shape.flattened else _expect(segments, at, "entry")
            entry = node.setdefault(_index(segments, at), {})
            part = segments[at + 1] if at + 1 < len(segments) else ""
            if part not in (shape.key_name, shape.element_name):
                raise _unexpected(segments)
            child = shape.key if part == shape.key_name else shape.element
            _descend(child, entry, "key" if child is shape.key else "value", segments, at + 2, text)


def _descend(shape: Shape, node: dict[Any, Any], key: object, segments: list[str], at: int, text: str) -> None:
    """Goes on with the child of `node` under `key`, or ends there."""
    nested = shape.kind in (Kind.STRUCTURE, Kind.LIST, Kind.MAP)
    if at == len(segments):
        if nested and text:
            raise serialization_error(f"STRING_VALUE can not be converted to a {shape.kind} at '{_shown(segments)}'")
        if key in node:
            raise _contradiction(segments)
        node[key] = _EMPTY if nested else native(shape, text)
        return
    if not nested:
        raise _unexpected(segments)
    child = node.setdefault(key, {})
    if child is _EMPTY:
        raise _contradiction(segments)
    _place(shape, child, segments, at, text)


def _settle(shape: Shape, node: Any, name: str) -> object:
    """Turns numbered children into lists and entries into maps."""
    match shape.kind:
        case Kind.STRUCTURE:
            members = _by_wire_name(shape)
            return {key: _settle(members[key].shape, child, f"{name}.{key}") for key, child in node.items()}
        case Kind.LIST:
            assert shape.element is not None
            return [_settle(shape.element, child, name) for child in _numbered(node, name)]
        case Kind.MAP:
            return _settle_map(shape, node, name)
        case _:
            return node


def _settle_map(shape: Shape, node: Any, name: str) -> dict[str, object]:
    assert shape.element is not None
    settled: dict[str, object] = {}
    for entry in _numbered(node, name):
        key = entry.get("key")
        if not isinstance(key, str) or "value" not in entry or key in settled:
            raise serialization_error(f"Every entry of '{name[1:129]}' must have a key of its own and a value.")
        settled[key] = _settle(shape.element, entry["value"], name)
    return settled


def _numbered(node: Any, name: str) -> list[Any]:
    try:
        return [node[number] for number in range(1, len(node) + 1)]
    except KeyError:
        raise serialization_error(f"The items of '{name[1:129]}' must be numbered from 1 without gaps.") from None


def _index(segments: list[str], at: int) -> int:
    if at >= len(segments) or not _INDEX.fullmatch(segments[at]):
        raise _unexpected(segments)
    return int(segments[at])


def _expect(segments: list[str], at: int, word: str) -> int:
    if segments[at] != word:
        raise _unexpected(segments)
    return at + 1


@functools.cache
def _by_wire_name(shape: Shape) -> Mapping[str, Member]:
    return {member.wire_name: member for member in shape.members.values()}


def _shown(segments: list[str]) -> str:
    return ".".join(segments)[:128]


def _unexpected(segments: list[str]) -> WireError:
    return serialization_error(f"'{_shown(segments)}' is not the name of a parameter.")


def _contradiction(segments: list[str]) -> WireError:
    return serialization_error(f"'{_shown(segments)}' contradicts another parameter.")
