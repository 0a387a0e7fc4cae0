"""The two codecs of this door: AWS JSON 1.1 and Smithy RPC v2 CBOR.

A codec turns a body into parameters and a result or an error into a body with its headers. Query and REST
codecs will implement the same `Codec` when services that speak them arrive.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NoReturn, Protocol

import cbor2
import msgspec

from greatseal.aws.protocol import models, shapes
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.wire import WireError, serialization_error

Headers = tuple[tuple[bytes, bytes], ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Codec(Protocol):
    """One wire protocol's bodies."""

    protocol: models.Protocol

    def media_type(self, service: Service | None) -> str:
        """The only content type that requests may have and answers carry."""
        ...

    def headers(self, service: Service | None, *, empty: bool) -> Headers:
        """Content headers of an answer; `empty` when it has no body."""
        ...

    def decode(self, operation: Operation, body: bytes) -> dict[str, Any]:
        """The parameters in a body. Raises WireError SerializationException."""
        ...

    def encode(self, operation: Operation, result: Mapping[str, Any] | None) -> bytes:
        """The body of an answer. Raises ResultMismatch."""
        ...

    def encode_error(self, error: WireError) -> bytes:
        """The body of an error."""
        ...


def _round_ms(value: datetime) -> float:
    """Epoch seconds with milliseconds (acm.md 1, acm-pca.md 1)."""
    return round(value.timestamp(), 3)


class JsonCodec:
    """AWS JSON 1.1: base64 blobs, timestamps as epoch seconds."""

    protocol = models.Protocol.JSON

    def media_type(self, service: Service | None) -> str:
        """`application/x-amz-json-` and the version of the model."""
        return f"application/x-amz-json-{service.json_version if service else '1.1'}"

    def headers(self, service: Service | None, *, empty: bool) -> Headers:
        """The content type, also of an empty body, as the real services do."""
        return ((b"content-type", self.media_type(service).encode("ascii")),)

    def decode(self, operation: Operation, body: bytes) -> dict[str, Any]:
        """The parameters. An empty body is an empty object, as the real services take it."""
        tree = _parse_json(body) if body else {}
        return {} if operation.input is None else shapes.read(operation.input, tree, self)

    def encode(self, operation: Operation, result: Mapping[str, Any] | None) -> bytes:
        """The answer; empty for operations without output (acm.md 1)."""
        if operation.output is None:
            return _no_result(operation, result)
        return msgspec.json.encode(shapes.write(operation.output, result or {}, self))

    def encode_error(self, error: WireError) -> bytes:
        """`{"__type": name, "message": text}`."""
        return msgspec.json.encode({"__type": error.code, error.member: error.message, **error.extra})

    def read_blob(self, value: object) -> bytes | None:
        """Strict base64 with padding; None for anything else."""
        if not isinstance(value, str):
            return None
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return None

    def read_timestamp(self, value: object) -> datetime | None:
        """Epoch seconds with fraction."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            return _EPOCH + timedelta(seconds=value)
        except (OverflowError, ValueError):
            return None

    def write_blob(self, value: bytes) -> object:
        """Base64 text."""
        return base64.b64encode(value).decode("ascii")

    def write_timestamp(self, value: datetime) -> object:
        """A number with milliseconds."""
        return _round_ms(value)


class CborCodec:
    """Smithy RPC v2 CBOR: byte strings, timestamps as tag 1."""

    protocol = models.Protocol.CBOR

    def media_type(self, service: Service | None) -> str:
        """`application/cbor`."""
        return "application/cbor"

    def headers(self, service: Service | None, *, empty: bool) -> Headers:
        """The protocol is repeated in every answer; no content type without content (Smithy RPC v2)."""
        protocol = (b"smithy-protocol", b"rpc-v2-cbor")
        return (protocol,) if empty else (protocol, (b"content-type", self.media_type(service).encode("ascii")))

    def decode(self, operation: Operation, body: bytes) -> dict[str, Any]:
        """The parameters. No body is an empty map."""
        tree = _parse_cbor(body) if body else {}
        return {} if operation.input is None else shapes.read(operation.input, tree, self)

    def encode(self, operation: Operation, result: Mapping[str, Any] | None) -> bytes:
        """The answer; empty for operations without output."""
        if operation.output is None:
            return _no_result(operation, result)
        return cbor2.dumps(shapes.write(operation.output, result or {}, self))

    def encode_error(self, error: WireError) -> bytes:
        """A map with `__type` and the message."""
        return cbor2.dumps({"__type": error.code, error.member: error.message, **error.extra})

    def read_blob(self, value: object) -> bytes | None:
        """A byte string."""
        return value if isinstance(value, bytes) else None

    def read_timestamp(self, value: object) -> datetime | None:
        """Tag 1, which the parser has made a datetime of."""
        return value if isinstance(value, datetime) else None

    def write_blob(self, value: bytes) -> object:
        """A byte string."""
        return value

    def write_timestamp(self, value: datetime) -> object:
        """Tag 1 with a double (acm-pca.md 1)."""
        return cbor2.CBORTag(1, _round_ms(value))


def _no_result(operation: Operation, result: Mapping[str, Any] | None) -> bytes:
    if result:
        raise shapes.ResultMismatch(f"{operation.name} has no output, but the function returned some")
    return b""


_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def _parse_json(body: bytes) -> object:
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise serialization_error("The request body is not valid JSON.") from None
    # msgspec keeps the last of two equal keys. Two readers that disagree about which one counts are how a
    # check is passed with one value and the act done with another, so: outside of strings a valid document has
    # exactly one colon for each member.
    if _JSON_STRING.sub(b"", body).count(b":") != _count_members(tree):
        raise serialization_error("The request body contains a duplicate key.")
    return tree


def _count_members(tree: object) -> int:
    count = 0
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            count += len(node)
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
        elif isinstance(node, list):
            waiting.extend(item for item in node if isinstance(item, dict | list))
    return count


def _refuse_tag(_value: object, _immutable: bool) -> NoReturn:
    raise ValueError("tag not allowed")


# Smithy allows tag 1 and, for types that no served model has, 2 to 4. cbor2 would also build regular expressions,
# mail messages and cyclic structures from a request.
_CBOR_TAGS = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_REFUSED_TAGS = dict.fromkeys(_CBOR_TAGS, _refuse_tag)


def _parse_cbor(body: bytes) -> object:
    try:
        decoder = cbor2.CBORDecoder(
            BytesIO(body),
            semantic_decoders=_REFUSED_TAGS,
            tag_hook=_refuse_tag,
            max_depth=shapes.MAX_DEPTH * 2,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        tree = decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError):
        raise serialization_error("The request body is not valid CBOR.") from None
    try:
        decoder.read(1)
    except cbor2.CBORDecodeEOF:
        return _without_undefined(tree)
    raise serialization_error("The request body has data after its end.")


def _without_undefined(tree: object) -> object:
    """CBOR's `undefined` means null here (Smithy RPC v2)."""
    if isinstance(tree, dict):
        return {key: _without_undefined(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_without_undefined(item) for item in tree]
    return None if tree is cbor2.undefined else tree
