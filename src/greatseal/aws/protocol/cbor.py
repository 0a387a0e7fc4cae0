"""Smithy RPC v2 CBOR."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, NoReturn

import cbor2

from greatseal.aws.protocol import models, shapes
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.codecs import Answer, no_result, require_media_type
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.protocol.scalars import TimeFormat, write_time
from greatseal.aws.wire import WireError, serialization_error

# The protocol is repeated in every answer (Smithy RPC v2).
_PROTOCOL: Headers = ((b"smithy-protocol", b"rpc-v2-cbor"),)
_CONTENT: Headers = (*_PROTOCOL, (b"content-type", b"application/cbor"))


class CborCodec:
    """Smithy RPC v2 CBOR: byte strings, timestamps as tag 1."""

    protocol = models.Protocol.CBOR
    family = Family.AWS_JSON

    def check(self, service: Service, request: Message) -> None:
        """Only `application/cbor`."""
        require_media_type(request, "application/cbor")

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters. No body is an empty map."""
        tree = _parse(request.body) if request.body else {}
        return {} if operation.input is None else shapes.read(operation.input, tree, self)

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """The answer; without output neither body nor content type (Smithy RPC v2)."""
        if operation.output is None:
            no_result(operation, result)
            return Answer(200, _PROTOCOL, b"")
        return Answer(200, _CONTENT, cbor2.dumps(shapes.write(operation.output, result or {}, self)))

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """A map with `__type` and the message."""
        body = cbor2.dumps({"__type": error.code, error.member: error.message, **error.extra})
        return Answer(error.status, _CONTENT, body)

    def read_blob(self, value: object) -> bytes | None:
        """A byte string."""
        return value if isinstance(value, bytes) else None

    def read_timestamp(self, value: object, form: str | None) -> datetime | None:
        """Tag 1, which the parser has made a datetime of."""
        return value if isinstance(value, datetime) else None

    def write_blob(self, value: bytes) -> object:
        """A byte string."""
        return value

    def write_timestamp(self, value: datetime, form: str | None) -> object:
        """Tag 1 with a double (acm-pca.md 1)."""
        return cbor2.CBORTag(1, write_time(value, TimeFormat.EPOCH))


def _refuse_tag(_value: object, _immutable: bool) -> NoReturn:
    raise ValueError("tag not allowed")


# Smithy allows tag 1 and, for types that no served model has, 2 to 4. cbor2 would also build regular expressions,
# mail messages and cyclic structures from a request.
_CBOR_TAGS = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_REFUSED_TAGS = dict.fromkeys(_CBOR_TAGS, _refuse_tag)


def _parse(body: bytes) -> object:
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
