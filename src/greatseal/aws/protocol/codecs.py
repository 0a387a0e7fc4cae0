"""What a codec is, and AWS JSON 1.1.

A codec turns a request into parameters and a result or an error into an answer. The others are beside this file:
`cbor`, `query` and `rest_json`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from greatseal.aws.protocol import models, query_compatible, shapes
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.protocol.scalars import Spelling, TimeFormat
from greatseal.aws.wire import WireError, serialization_error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a codec makes of a result or an error."""

    status: int
    headers: Headers
    body: bytes


class Codec(Protocol):
    """One wire protocol's requests and answers."""

    protocol: models.Protocol
    family: Family
    """How common errors are named."""

    def check(self, service: Service, request: Message) -> None:
        """Looks at the content type. Raises WireError SerializationException."""
        ...

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters in a request. Raises WireError SerializationException."""
        ...

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """A good answer. Raises ResultMismatch."""
        ...

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """An error; `service` is None when the request leads nowhere."""
        ...


class JsonCodec(Spelling):
    """AWS JSON 1.1: base64 blobs, timestamps as epoch seconds."""

    protocol = models.Protocol.JSON
    family = Family.AWS_JSON

    def __init__(self) -> None:
        super().__init__(TimeFormat.EPOCH)

    def check(self, service: Service, request: Message) -> None:
        """Only `application/x-amz-json-` and the version of the model."""
        require_media_type(request, _media_type(service))

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters. An empty body is an empty object, as the real services take it."""
        tree = parse_json(request.body) if request.body else {}
        return {} if operation.input is None else shapes.read(operation.input, tree, self)

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """The answer; empty for operations without output (acm.md 1), which still has its content type."""
        if operation.output is None:
            no_result(operation, result)
            return Answer(200, _content(service), b"")
        return Answer(200, _content(service), msgspec.json.encode(shapes.write(operation.output, result or {}, self)))

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """`{"__type": name, "message": text}`. Some errors of KMS say nothing (kms.md 1)."""
        told = {error.member: error.message} if error.message else {}
        body = msgspec.json.encode({"__type": error.code, **told, **error.extra})
        return Answer(error.status, (*_content(service), *query_compatible.headers(service, error)), body)


def _media_type(service: Service | None) -> str:
    return f"application/x-amz-json-{service.json_version if service else '1.1'}"


def _content(service: Service | None) -> Headers:
    return ((b"content-type", _media_type(service).encode("ascii")),)


def media_type_of(request: Message) -> str:
    """The content type without parameters, in lower case; empty when there is none."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def require_media_type(request: Message, *expected: str) -> None:
    """Raises WireError SerializationException unless the request has one of the expected content types."""
    if media_type_of(request) not in expected:
        raise serialization_error(f"The Content-Type must be {expected[0]}.")


def no_result(operation: Operation, result: Mapping[str, Any] | None) -> None:
    """Raises ResultMismatch when an operation without output has a result."""
    if result:
        raise shapes.ResultMismatch(f"{operation.name} has no output, but the function returned some")


_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def parse_json(body: bytes) -> object:
    """The wire tree of a JSON body. Raises WireError SerializationException."""
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
