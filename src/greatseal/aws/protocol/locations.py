"""Members of REST requests and answers that are not in the body: path, query and headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greatseal.aws.protocol import shapes
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Kind, Member, Shape
from greatseal.aws.protocol.scalars import Spelling, TimeFormat, as_text, native
from greatseal.aws.wire import serialization_error

_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([^,"]*+))\s*(?:,|$)')
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SCALARS: Mapping[str, Spelling] = {
    "uri": Spelling(TimeFormat.ISO),
    "querystring": Spelling(TimeFormat.ISO),
    "header": Spelling(TimeFormat.HTTP),
    "headers": Spelling(TimeFormat.HTTP),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A request's path, query and headers, taken apart."""

    labels: Mapping[str, str]
    query: Mapping[str, list[str]]
    request: Message


def read_member(member: Member, around: Surroundings, taken: frozenset[str]) -> Any:
    """The value of a member from its place; None when it is absent.

    `taken` are the names of the query that belong to other members. Raises WireError SerializationException.
    """
    assert member.location is not None
    match member.location:
        case "uri":
            tree: object = native(member.shape, around.labels[member.wire_name])
        case "querystring":
            tree = _from_query(member, around.query, taken)
        case "header":
            tree = _from_header(member.shape, around.request.header(member.wire_name))
        case "headers":
            tree = _from_headers(member.wire_name.lower().encode("ascii"), around.request.headers)
        case _:
            return None
    return None if tree is None else shapes.read(member.shape, tree, _SCALARS[member.location], member.path, 1)


def _from_query(member: Member, query: Mapping[str, list[str]], taken: frozenset[str]) -> object:
    shape = member.shape
    if shape.kind is Kind.MAP:
        return {name: _single(name, values) for name, values in query.items() if name not in taken} or None
    values = query.get(member.wire_name)
    if values is None:
        return None
    if shape.kind is Kind.LIST:
        assert shape.element is not None
        return [native(shape.element, value) for value in values]
    return native(shape, _single(member.wire_name, values))


def _single(name: str, values: list[str]) -> str:
    if len(values) != 1:
        raise serialization_error(f"The parameter {name[:128]} is given more than once.")
    return values[0]


def _from_header(shape: Shape, value: str | None) -> object:
    if value is None or shape.kind is not Kind.LIST:
        return None if value is None else native(shape, value)
    assert shape.element is not None
    items: list[object] = []
    at = 0
    while at < len(value):
        found = _ITEM.match(value, at)
        if found is None or found.end() == at:
            raise serialization_error("A header is not a list of values separated by commas.")
        quoted, plain = found.groups()
        text = plain.strip() if quoted is None else quoted.replace('\\"', '"')
        items.append(native(shape.element, text))
        at = found.end()
    return items


def _from_headers(prefix: bytes, headers: Headers) -> object:
    found: dict[str, object] = {}
    for name, value in headers:
        if name.startswith(prefix):
            key = name[len(prefix) :].decode("latin-1")
            found[key] = f"{found[key]}, {value.decode('latin-1')}" if key in found else value.decode("latin-1")
    return found or None


def headers_of(member: Member, value: Any) -> Headers:
    """The headers that a member of a result becomes. Raises ResultMismatch."""
    assert member.location is not None
    tree: Any = shapes.write(member.shape, value, _SCALARS[member.location], member.name)
    if member.location == "headers":
        return tuple(_header(member.wire_name + key, text) for key, text in tree.items())
    if member.shape.kind is Kind.LIST:
        tree = ",".join(_quoted(as_text(item)) for item in tree)
    return (_header(member.wire_name, tree),)


def _quoted(item: str) -> str:
    return '"' + item.replace('"', '\\"') + '"' if '"' in item or "," in item else item


def _header(name: str, value: object) -> tuple[bytes, bytes]:
    text = as_text(value)
    # Line ends would begin a header of somebody else's making.
    if not _HEADER_TEXT.fullmatch(text):
        raise shapes.ResultMismatch(f"{name}: the value cannot be sent in a header")
    return name.lower().encode("ascii"), text.encode("latin-1")
