"""Which operation a request asks for, and in which protocol.

* AWS JSON: `POST /`, `X-Amz-Target: <prefix>.<Operation>`, `Content-Type: application/x-amz-json-1.1`
* Smithy RPC v2 CBOR: `POST /service/<prefix>/operation/<Operation>`, `smithy-protocol: rpc-v2-cbor`,
  `Content-Type: application/cbor`, only for services whose model lists it
* Query: `POST /` with a form, or `GET /?...`, without a target; `Version` names the service, `Action` the operation
* REST-JSON: any other path, by the templates of the models
* REST-XML (S3): whatever is signed for S3, since every path could be that of an object

Where two services would take the same request, the one that the credential's scope names gets it. The scope is
not verified yet, and need not be: whoever is found here, its own signing name is what the signature must have.

A wrong content type is a SerializationException, not the bare 404 that some AWS front ends give: the target
was understood, and the text tells what to send.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from greatseal.aws.protocol import forms
from greatseal.aws.protocol.cbor import CborCodec
from greatseal.aws.protocol.codecs import Codec, JsonCodec, media_type_of
from greatseal.aws.protocol.message import Message
from greatseal.aws.protocol.models import Operation, Protocol, Service
from greatseal.aws.protocol.query import FORM, QueryCodec
from greatseal.aws.protocol.rest_json import RestJsonCodec
from greatseal.aws.protocol.rest_xml import RestXmlCodec
from greatseal.aws.protocol.s3_routes import S3Routes
from greatseal.aws.protocol.uris import Paths
from greatseal.aws.wire import WireError, method_not_allowed

_CBOR_PATH = re.compile(rb"/service/([A-Za-z0-9_]{1,128})/operation/([A-Za-z0-9_]{1,128})")
_RPC_V2 = "rpc-v2-cbor"
# Bounded, so that a header made of beginnings costs nothing.
_SCOPE = re.compile(r"Credential=[^/,\s]{0,128}/[^/,\s]{0,16}/[^/,\s]{0,64}/([^/,\s]{0,64})/")
_S3 = "s3"
_PRESIGNED = re.compile(rb"X-Amz-Credential=[^&]{0,256}(?:%2F|/)s3(?:%2F|/)aws4_request")
# Clients of SQS may send what they have to say to a queue to its URL (workflows.md 0.1).
_QUEUE_PATH = re.compile(rb"/\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?")
_QUEUES = "AmazonSQS."
_ACTION = re.compile(rb"(?:^|&)Action=")

Target = tuple[Service, Operation]


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for."""

    service: Service
    operation: Operation
    codec: Codec


class Router:
    """The services of one door."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._by_prefix = {service.target_prefix: service for service in services if service.target_prefix}
        self._queries = [service for service in services if Protocol.QUERY in service.protocols]
        self._paths = Paths(service for service in services if Protocol.REST_JSON in service.protocols)
        self._json = JsonCodec()
        self._cbor = CborCodec()
        self._query = QueryCodec()
        self._rest = RestJsonCodec()
        self._xml = RestXmlCodec()
        self._objects = [S3Routes(service) for service in services if Protocol.REST_XML in service.protocols]

    def codec_for(self, request: Message) -> Codec:
        """The codec that the client speaks, also for requests that lead nowhere: errors are answered in it."""
        if self._objects and _scope_of(request) == _S3:
            return self._xml
        if request.header("smithy-protocol") is not None:
            return self._cbor
        if request.raw_path != b"/" and not _is_for_queue(request):
            if self._paths.fit(request.raw_path):
                return self._rest
            # Who did not sign for another service may want an object.
            return self._xml if self._objects and _scope_of(request) is None else self._json
        return self._query if self._queries and _is_query(request) else self._json

    def route(self, request: Message) -> Route:
        """Finds service and operation.

        Raises WireError UnknownOperationException (400, 404, 405), MissingAction or SerializationException.
        """
        codec = self.codec_for(request)
        match codec.protocol:
            case Protocol.QUERY:
                service, operation = self._query_target(request)
            case Protocol.REST_JSON:
                service, operation = self._rest_target(request)
            case Protocol.REST_XML:
                service, operation = self._objects[0].service, self._objects[0].find(request)
            case Protocol.CBOR:
                service, operation = self._named(*self._cbor_target(request), codec)
            case Protocol.JSON:
                service, operation = self._named(*self._json_target(request), codec)
        codec.check(service, request)
        return Route(service, operation, codec)

    def _named(self, prefix: str, name: str, codec: Codec) -> Target:
        service = self._by_prefix.get(prefix)
        operation = service.operations.get(name) if service and codec.protocol in service.protocols else None
        if service is None or operation is None:
            raise WireError("UnknownOperationException", f"The operation {f'{prefix}.{name}'[:200]} is not known.")
        return service, operation

    def _json_target(self, request: Message) -> tuple[str, str]:
        if request.raw_path != b"/" and not _is_for_queue(request):
            raise WireError("UnknownOperationException", "There is nothing at this path.", 404)
        _require_post(request)
        target = request.header("x-amz-target")
        if target is None:
            raise WireError("UnknownOperationException", "The request has no X-Amz-Target header.")
        prefix, _, name = target.rpartition(".")
        return prefix, name

    def _cbor_target(self, request: Message) -> tuple[str, str]:
        if request.header("smithy-protocol") != _RPC_V2:
            raise WireError("UnknownOperationException", f"The only smithy-protocol is {_RPC_V2}.")
        found = _CBOR_PATH.fullmatch(request.raw_path)
        if found is None:
            raise WireError("UnknownOperationException", "There is nothing at this path.", 404)
        _require_post(request)
        return found.group(1).decode("ascii"), found.group(2).decode("ascii")

    def _query_target(self, request: Message) -> Target:
        if request.method not in ("GET", "POST"):
            raise method_not_allowed("GET", "POST")
        parameters = forms.parameters_of(request)
        action = parameters.get("Action")
        version = parameters.get("Version", "NO_VERSION_SPECIFIED")
        if not action:
            raise WireError("MissingAction", "The request must contain the parameter Action.")
        found = [
            (service, service.operations[action])
            for service in self._queries
            if service.version == version and action in service.operations
        ]
        if not found:
            text = f"Could not find operation {action[:128]} for version {version[:64]}"
            raise WireError("UnknownOperationException", text)
        return _preferred(request, found)

    def _rest_target(self, request: Message) -> Target:
        fitting = self._paths.fit(request.raw_path)
        found = [target for target in fitting if target[1].method == request.method]
        if not found:
            raise method_not_allowed(*sorted({operation.method for _, operation in fitting}))
        return _preferred(request, found)


def _is_query(request: Message) -> bool:
    if request.header("x-amz-target") is not None:
        return False
    return media_type_of(request) == FORM or _ACTION.search(request.raw_query) is not None


def _is_for_queue(request: Message) -> bool:
    target = request.header("x-amz-target") or ""
    return target.startswith(_QUEUES) and _QUEUE_PATH.fullmatch(request.raw_path) is not None


def _preferred(request: Message, found: list[Target]) -> Target:
    name = _scope_of(request)
    return next((target for target in found if target[0].signing_name == name), found[0])


def _scope_of(request: Message) -> str | None:
    """The service that the signature is meant for, in the header or in the query."""
    scope = _SCOPE.search(request.header("authorization") or "")
    if scope is not None:
        return scope.group(1)
    # Refused all the same, but in the language of whoever made the link.
    return _S3 if _PRESIGNED.search(request.raw_query) else None


def _require_post(request: Message) -> None:
    if request.method != "POST":
        raise method_not_allowed("POST")
