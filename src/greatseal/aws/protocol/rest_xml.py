"""REST-XML, the protocol of S3."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws.protocol import locations, models, s3_payload, s3_routes, shapes, xml_text, xml_tree
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.codecs import Answer, no_result
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Kind, Member, Operation, Service, Shape
from greatseal.aws.protocol.rest_json import query_of
from greatseal.aws.protocol.scalars import Spelling, TimeFormat, as_text
from greatseal.aws.protocol.xml_text import element, escape
from greatseal.aws.wire import WireError, serialization_error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_CONTENT: Headers = ((b"content-type", b"application/xml"),)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_BODY = Spelling(TimeFormat.ISO)
_ROOTS: Mapping[str, str] = {
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetObjectAcl": "AccessControlPolicy",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
}
"""What S3 calls the root element of answers, which the model does not tell."""


class RestXmlCodec:
    """Parameters in path, query, headers and an XML body; or a body that is the object itself."""

    protocol = models.Protocol.REST_XML
    family = Family.REST_XML

    def check(self, service: Service, request: Message) -> None:
        """Bodies may call themselves anything: for an object it is a property of its own."""

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters, each from its place, of a body whose checksums are right."""
        unpacked = s3_payload.unpack(request)
        shape = operation.input
        if shape is None:
            return {}
        around = locations.Surroundings(s3_routes.labels_of(request), query_of(request), unpacked)
        members = shape.members.values()
        taken = frozenset(member.wire_name for member in members if member.location == "querystring")
        found: dict[str, Any] = {}
        for member in members:
            if member.location is not None:
                value = locations.read_member(member, around, taken)
            else:
                value = _read_payload(member, unpacked.body) if member.name == shape.payload else None
            if value is not None:
                found[member.name] = value
        return found

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """The answer; 206 for a part of an object."""
        shape = operation.output
        headers: Headers = ((b"x-amz-request-id", request_id.encode("ascii")),)
        if shape is None:
            no_result(operation, result)
            return Answer(operation.status, headers, b"")
        inside: dict[str, Any] = {}
        for name, value in (result or {}).items():
            member = shape.members.get(name)
            if member is None or member.location is None:
                inside[name] = value
            elif value is not None:
                headers = (*headers, *locations.headers_of(member, value))
        status = 206 if (result or {}).get("ContentRange") else operation.status
        content, body = _write_body(operation, shape, inside)
        return Answer(status, (*content, *headers), body)

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """`<Error><Code>…</Code><Message>…</Message>…</Error>`, without a namespace."""
        if error.status == 304:
            return Answer(304, (), b"")
        told = {"Code": error.code, "Message": error.message, **error.extra, "RequestId": request_id}
        content = "".join(element(name, escape(as_text(value))) for name, value in told.items())
        headers = (*_CONTENT, (b"x-amz-request-id", request_id.encode("ascii")))
        return Answer(error.status, headers, (_DECLARATION + element("Error", content)).encode())


def _read_payload(member: Member, body: bytes) -> Any:
    if member.shape.kind is Kind.BLOB:
        return body
    if not body:
        return None
    if member.shape.kind is Kind.STRING:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise serialization_error("The request body is not valid UTF-8.") from None
    root = xml_tree.parse(body)
    if root.name != member.wire_name:
        raise serialization_error(f"The root element must be {member.wire_name}.")
    return shapes.read(member.shape, xml_tree.tree_of(member.shape, root), _BODY, member.path, 1)


def _write_body(operation: Operation, shape: Shape, inside: Mapping[str, Any]) -> tuple[Headers, bytes]:
    tree = shapes.write(shape, inside, _BODY)
    assert isinstance(tree, dict)
    if operation.name == "GetBucketLocation":
        # The one answer whose root element is its only member.
        return _CONTENT, _document("LocationConstraint", escape(tree.get("LocationConstraint", "")))
    if shape.payload is not None:
        member = shape.members[shape.payload]
        value = inside.get(shape.payload)
        if value is None:
            return (), b""
        if member.shape.kind in (Kind.BLOB, Kind.STRING):
            return (), bytes(value) if isinstance(value, bytes) else str(value).encode()
        return _CONTENT, _document(member.wire_name, xml_text.content_of(member.shape, tree[member.wire_name]))
    if all(member.location is not None for member in shape.members.values()):
        return (), b""
    root = _ROOTS.get(operation.name, f"{operation.name}Result")
    return _CONTENT, _document(root, xml_text.content_of(shape, tree))


def _document(root: str, content: str) -> bytes:
    return f'{_DECLARATION}<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()
