"""One walker over the shapes of a model, used by every codec.

`read` turns a wire tree (what a JSON or CBOR parser gave, or what `forms` made of text) into the parameters of
an operation; `write` turns an operation's result into a wire tree. What differs between codecs is how blobs and
timestamps look: `WireScalars`. Parameters are plain values: str, int, float, bool, bytes, aware datetime, list,
dict.

Reading is lenient where AWS is (null means absent, unknown members are ignored) and strict elsewhere: a value
of the wrong type is a SerializationException in the service's wording. Writing is strict: a member that the
model does not know or a value of the wrong type is a defect of ours and raises `ResultMismatch`.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from greatseal.aws.protocol.models import Kind, Shape
from greatseal.aws.wire import serialization_error

MAX_DEPTH = 64
"""Nesting that a request may have. The deepest useful one (acm search filters) stays under 20."""

_INTEGER_BITS = {Kind.INTEGER: 31, Kind.LONG: 63}
_ARTICLE = {
    Kind.STRING: "a String",
    Kind.INTEGER: "an Integer",
    Kind.LONG: "a Long",
    Kind.FLOAT: "a Float",
    Kind.DOUBLE: "a Double",
    Kind.BOOLEAN: "a Boolean",
    Kind.BLOB: "a Blob",
    Kind.TIMESTAMP: "a Timestamp",
    Kind.STRUCTURE: "a structure",
    Kind.LIST: "a list",
    Kind.MAP: "a map",
}


class ResultMismatch(Exception):
    """An operation function returned something that its output shape does not allow."""


class WireScalars(Protocol):
    """How one codec spells the two types that protocols do not share.

    The readers return None for a value of the wrong type.
    """

    def read_blob(self, value: object) -> bytes | None:
        """The bytes of a blob."""
        ...

    def read_timestamp(self, value: object, form: str | None) -> datetime | None:
        """The instant, aware, in UTC. `form` is the shape's own format, if it has one."""
        ...

    def write_blob(self, value: bytes) -> object:
        """A blob for the wire tree."""
        ...

    def write_timestamp(self, value: datetime, form: str | None) -> object:
        """An aware instant for the wire tree, with milliseconds where the protocol has them."""
        ...


def read(shape: Shape, tree: object, scalars: WireScalars, path: str = "", depth: int = 0) -> Any:
    """The value of `tree` as the shape has it. Raises WireError SerializationException."""
    if depth > MAX_DEPTH:
        raise serialization_error("The request is nested too deeply.")
    match shape.kind:
        case Kind.STRUCTURE:
            return _read_structure(shape, tree, scalars, path, depth)
        case Kind.LIST:
            return _read_list(shape, tree, scalars, path, depth)
        case Kind.MAP:
            return _read_map(shape, tree, scalars, path, depth)
        case _:
            return _read_scalar(shape, tree, scalars, path)


def _read_structure(shape: Shape, tree: object, scalars: WireScalars, path: str, depth: int) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise _mismatch(shape, tree, path)
    result: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = tree.get(member.wire_name)
        if value is not None:
            where = f"{path}.{member.path}" if path else member.path
            result[name] = read(member.shape, value, scalars, where, depth + 1)
    return result


def _read_list(shape: Shape, tree: object, scalars: WireScalars, path: str, depth: int) -> list[Any]:
    if not isinstance(tree, list):
        raise _mismatch(shape, tree, path)
    assert shape.element is not None
    # A null inside a list stays: validation refuses it with its place ("Member must not be null").
    return [
        None if item is None else read(shape.element, item, scalars, f"{path}.{index}.member", depth + 1)
        for index, item in enumerate(tree, 1)
    ]


def _read_map(shape: Shape, tree: object, scalars: WireScalars, path: str, depth: int) -> dict[str, Any]:
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise _mismatch(shape, tree, path)
    assert shape.element is not None
    return {
        key: read(shape.element, value, scalars, f"{path}.{key}.member", depth + 1)
        for key, value in tree.items()
        if value is not None
    }


def _read_scalar(shape: Shape, tree: object, scalars: WireScalars, path: str) -> Any:
    value: object = None
    match shape.kind:
        case Kind.STRING:
            value = tree if isinstance(tree, str) else None
        case Kind.BOOLEAN:
            value = tree if isinstance(tree, bool) else None
        case Kind.INTEGER | Kind.LONG:
            value = _integer(tree, _INTEGER_BITS[shape.kind])
        case Kind.FLOAT | Kind.DOUBLE:
            value = _float(tree)
        case Kind.BLOB:
            value = scalars.read_blob(tree)
        case Kind.TIMESTAMP:
            value = scalars.read_timestamp(tree, shape.timestamp_format)
    if value is None:
        raise _mismatch(shape, tree, path)
    return value


def _integer(value: object, bits: int) -> int | None:
    if isinstance(value, bool):
        return None
    # 3.0 is an integer that went through JavaScript or CBOR; 3.5 is a mistake that AWS would truncate.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and -(1 << bits) <= value < 1 << bits else None


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _token(value: object) -> str:
    match value:
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case int() | float():
            return "NUMBER_VALUE"
        case bytes():
            return "BYTES_VALUE"
        case None:
            return "NULL_VALUE"
        case _:
            return "VALUE"


def _mismatch(shape: Shape, value: object, path: str) -> Exception:
    place = f" at '{path}'" if path else ""
    # The three texts of AWS's own JSON reader; the place is our addition.
    if isinstance(value, dict):
        return serialization_error(f"Start of structure or map found where not expected{place}.")
    if isinstance(value, list):
        return serialization_error(f"Start of list found where not expected{place}.")
    return serialization_error(f"{_token(value)} can not be converted to {_ARTICLE[shape.kind]}{place}")


def write(shape: Shape, value: Any, scalars: WireScalars, path: str = "") -> object:
    """The wire tree of an operation's result; members that are None are left out. Raises ResultMismatch."""
    match shape.kind:
        case Kind.STRUCTURE:
            return _write_structure(shape, value, scalars, path)
        case Kind.LIST if isinstance(value, list | tuple):
            assert shape.element is not None
            return [write(shape.element, item, scalars, f"{path}[{index}]") for index, item in enumerate(value)]
        case Kind.MAP if isinstance(value, Mapping):
            assert shape.element is not None
            return {key: write(shape.element, item, scalars, f"{path}[{key}]") for key, item in value.items()}
        case _:
            return _write_scalar(shape, value, scalars, path)


def _write_structure(shape: Shape, value: Any, scalars: WireScalars, path: str) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise ResultMismatch(f"{path or shape.name}: {type(value).__name__} is not {_ARTICLE[shape.kind]}")
    tree: dict[str, object] = {}
    for name, item in value.items():
        member = shape.members.get(name)
        if member is None:
            raise ResultMismatch(f"{path or shape.name}: {shape.name} has no member {name!r}")
        if item is not None:
            tree[member.wire_name] = write(member.shape, item, scalars, f"{path}.{name}")
    return tree


def _write_scalar(shape: Shape, value: Any, scalars: WireScalars, path: str) -> object:
    match shape.kind, value:
        case Kind.STRING, str():
            return str(value)
        case Kind.BOOLEAN, bool():
            return value
        case ((Kind.INTEGER | Kind.LONG), int()) if not isinstance(value, bool):
            return int(value)
        case ((Kind.FLOAT | Kind.DOUBLE), (int() | float())) if not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        case Kind.BLOB, bytes():
            return scalars.write_blob(value)
        case Kind.TIMESTAMP, datetime() if value.tzinfo is not None:
            return scalars.write_timestamp(value, shape.timestamp_format)
    # The value itself may be a secret: only its type is told.
    raise ResultMismatch(f"{path or shape.name}: {type(value).__name__} is not {_ARTICLE[shape.kind]}")
