"""REST-JSON, the protocol of Resource Access Manager and Roles Anywhere."""

from collections.abc import Mapping
from typing import Any

import msgspec

from greatseal.aws.protocol import encoded, locations, models, shapes
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.codecs import Answer, media_type_of, no_result, parse_json, require_media_type
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Kind, Member, Operation, Service, Shape
from greatseal.aws.protocol.scalars import Spelling, TimeFormat
from greatseal.aws.protocol.uris import compile_template
from greatseal.aws.wire import WireError, serialization_error

_JSON = "application/json"
_CONTENT: Headers = ((b"content-type", b"application/json"),)
_RAW = {Kind.BLOB: b"application/octet-stream", Kind.STRING: b"text/plain"}
"""Content types of bodies that are not JSON (Smithy, httpPayload)."""
_BODY = Spelling(TimeFormat.EPOCH)


class RestJsonCodec:
    """Parameters in path, query, headers and a JSON body."""

    protocol = models.Protocol.REST_JSON
    family = Family.REST_JSON

    def check(self, service: Service, request: Message) -> None:
        """A body that says what it is must be JSON; some SDKs give it the name of the other JSON protocol."""
        # Payloads that are not JSON may call themselves anything; no served model has one.
        if request.body and media_type_of(request):
            require_media_type(request, _JSON, "application/x-amz-json-1.1", "application/x-amz-json-1.0")

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters, each from its place and from nowhere else."""
        shape = operation.input
        if shape is None:
            return {}
        around = locations.Surroundings(_labels(operation, request), query_of(request), request)
        members = shape.members.values()
        taken = frozenset(member.wire_name for member in members if member.location == "querystring")
        body = _read_body(shape, request)
        found: dict[str, Any] = {}
        for member in members:
            value = body.get(member.name) if member.location is None else locations.read_member(member, around, taken)
            if value is not None:
                found[member.name] = value
        return found

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """The answer with the status of the model; empty for operations without output."""
        shape = operation.output
        if shape is None:
            no_result(operation, result)
            return Answer(operation.status, (), b"")
        status, headers = operation.status, _content_of(shape)
        inside: dict[str, Any] = {}
        for name, value in (result or {}).items():
            member = shape.members.get(name)
            if member is None or member.location is None:
                inside[name] = value
            elif member.location == "statusCode":
                status = int(value)
            elif value is not None:
                headers = (*headers, *locations.headers_of(member, value))
        return Answer(status, headers, _write_body(shape, inside))

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """The name in `x-amzn-errortype`, the message in the body."""
        headers = (*_CONTENT, (b"x-amzn-errortype", error.code.encode("ascii", "replace")))
        return Answer(error.status, headers, msgspec.json.encode({error.member: error.message, **error.extra}))


def _labels(operation: Operation, request: Message) -> dict[str, str]:
    labels = compile_template(operation.uri).labels(request.raw_path)
    assert labels is not None  # the router has found the operation by this very template
    return labels


def query_of(request: Message) -> dict[str, list[str]]:
    """The values of the query by name, in their order."""
    query: dict[str, list[str]] = {}
    for name, value in encoded.pairs(request.raw_query, plus_is_blank=False):
        query.setdefault(name, []).append(value)
    return query


def _read_body(shape: Shape, request: Message) -> dict[str, Any]:
    """The members that the body carries, by name."""
    if shape.payload is not None:
        value = _read_payload(shape.members[shape.payload], request.body)
        return {} if value is None else {shape.payload: value}
    inside = [member for member in shape.members.values() if member.location is None]
    if not inside or not request.body:
        return {}
    tree = parse_json(request.body)
    if isinstance(tree, dict):
        # What belongs into the path or the query is not taken from the body.
        names = {member.wire_name for member in inside}
        tree = {name: value for name, value in tree.items() if name in names}
    body: dict[str, Any] = shapes.read(shape, tree, _BODY)
    return body


def _read_payload(member: Member, body: bytes) -> Any:
    if member.shape.kind is Kind.BLOB:
        return body or None
    if not body:
        return None
    if member.shape.kind is Kind.STRING:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise serialization_error("The request body is not valid UTF-8.") from None
    return shapes.read(member.shape, parse_json(body), _BODY, member.path, 1)


def _content_of(shape: Shape) -> Headers:
    kind = shape.members[shape.payload].shape.kind if shape.payload else None
    return ((b"content-type", _RAW[kind]),) if kind in _RAW else _CONTENT


def _write_body(shape: Shape, inside: Mapping[str, Any]) -> bytes:
    tree = shapes.write(shape, inside, _BODY)
    if shape.payload is None:
        return msgspec.json.encode(tree)
    member = shape.members[shape.payload]
    value = inside.get(shape.payload)
    if value is None:
        return b""
    if member.shape.kind is Kind.BLOB:
        return bytes(value)
    assert isinstance(tree, dict)
    content = tree[member.wire_name]
    return content.encode() if isinstance(content, str) else msgspec.json.encode(content)
