"""Which operation a request asks for, and in which protocol.

* AWS JSON: `POST /`, `X-Amz-Target: <prefix>.<Operation>`, `Content-Type: application/x-amz-json-1.1`
* Smithy RPC v2 CBOR: `POST /service/<prefix>/operation/<Operation>`, `smithy-protocol: rpc-v2-cbor`,
  `Content-Type: application/cbor`, only for services whose model lists it

Query and REST-JSON services will add their own way of finding an operation beside these two.

A wrong content type is a SerializationException, not the bare 404 that some AWS front ends give: the target
was understood, and the text tells what to send.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from greatseal.aws.protocol.codecs import CborCodec, Codec, JsonCodec
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.protocol.models import Protocol as WireProtocol
from greatseal.aws.wire import WireError, serialization_error

_CBOR_PATH = re.compile(rb"/service/([A-Za-z0-9_]{1,128})/operation/([A-Za-z0-9_]{1,128})")
_RPC_V2 = "rpc-v2-cbor"


class Routable(Protocol):
    """What the router looks at."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def raw_path(self) -> bytes:
        """The path as sent."""
        ...

    def header(self, name: str) -> str | None:
        """A header's value."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for."""

    service: Service
    operation: Operation
    codec: Codec


class Router:
    """The services of one door."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._by_prefix = {service.target_prefix: service for service in services}
        self._json = JsonCodec()
        self._cbor = CborCodec()

    def codec_for(self, request: Routable) -> Codec:
        """The codec that the client speaks, also for requests that lead nowhere: errors are answered in it."""
        return self._json if request.header("smithy-protocol") is None else self._cbor

    def route(self, request: Routable) -> Route:
        """Finds service and operation.

        Raises WireError UnknownOperationException (400, 404, 405) or SerializationException.
        """
        codec = self.codec_for(request)
        if codec.protocol is WireProtocol.CBOR:
            prefix, name = self._cbor_target(request)
        else:
            prefix, name = self._json_target(request)
        service = self._by_prefix.get(prefix)
        operation = service.operations.get(name) if service and codec.protocol in service.protocols else None
        if service is None or operation is None:
            raise _unknown_operation(f"{prefix}.{name}")
        _check_content_type(request, codec.media_type(service))
        return Route(service, operation, codec)

    def _json_target(self, request: Routable) -> tuple[str, str]:
        if request.raw_path != b"/":
            raise WireError("UnknownOperationException", "There is nothing at this path.", 404)
        _require_post(request)
        target = request.header("x-amz-target")
        if target is None:
            raise WireError("UnknownOperationException", "The request has no X-Amz-Target header.")
        prefix, _, name = target.rpartition(".")
        return prefix, name

    def _cbor_target(self, request: Routable) -> tuple[str, str]:
        if request.header("smithy-protocol") != _RPC_V2:
            raise WireError("UnknownOperationException", f"The only smithy-protocol is {_RPC_V2}.")
        found = _CBOR_PATH.fullmatch(request.raw_path)
        if found is None:
            raise WireError("UnknownOperationException", "There is nothing at this path.", 404)
        _require_post(request)
        return found.group(1).decode("ascii"), found.group(2).decode("ascii")


def _require_post(request: Routable) -> None:
    if request.method != "POST":
        raise WireError("UnknownOperationException", "Only POST is allowed here.", 405)


def _unknown_operation(target: str) -> WireError:
    return WireError("UnknownOperationException", f"The operation {target[:200]} is not known.")


def _check_content_type(request: Routable, expected: str) -> None:
    given = request.header("content-type") or ""
    if given.partition(";")[0].strip().lower() != expected:
        raise serialization_error(f"The Content-Type must be {expected}.")
