"""botocore's serialisers and parsers around a door's codecs, for one operation of a model."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
from botocore.awsrequest import AWSRequest, HeadersDict

from greatseal.aws.protocol.codecs import Answer, Codec
from greatseal.aws.protocol.models import Operation, Service, compile_service
from greatseal.aws.protocol.query import QueryCodec
from greatseal.aws.protocol.rest_json import RestJsonCodec
from greatseal.edge.messages import HttpRequest
from unit.aws.wire import REQUEST_ID, to_http

_CODECS: Mapping[str, Codec] = {"query": QueryCodec(), "rest-json": RestJsonCodec()}


class OtherHalf:
    """One operation, seen from both sides."""

    def __init__(self, model: Mapping[str, Any], operation: str) -> None:
        self.theirs = botocore.model.ServiceModel(model).operation_model(operation)
        self.service: Service = compile_service("test", model)
        self.ours: Operation = self.service.operations[operation]
        protocol = self.service.protocols[0]
        self.codec = _CODECS[protocol]
        self._serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        self._parser = botocore.parsers.create_parser(protocol)

    def request(self, parameters: Mapping[str, Any]) -> HttpRequest:
        """What botocore sends."""
        made = self._serializer.serialize_to_request(parameters, self.theirs)
        url = "https://localhost:8443" + made["url_path"]
        query = made["query_string"]
        if query:
            url += "?" + urlencode(query, doseq=True, safe="-_.~").replace("+", "%20")
        request = AWSRequest(method=made["method"], url=url, headers=made["headers"], data=made["body"])
        return to_http(request.prepare())

    def read(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What we make of what botocore sends."""
        return self.codec.decode(self.ours, self.request(parameters))

    def answer(self, result: Mapping[str, Any] | None) -> Answer:
        """What we send."""
        return self.codec.encode(self.service, self.ours, result, REQUEST_ID)

    def parsed(self, result: Mapping[str, Any] | None) -> dict[str, Any]:
        """What botocore makes of what we send."""
        answer = self.answer(result)
        headers = HeadersDict({name.decode(): value.decode("latin-1") for name, value in answer.headers})
        response = {"status_code": answer.status, "headers": headers, "body": answer.body}
        found: dict[str, Any] = self._parser.parse(response, self.theirs.output_shape)
        metadata = found.pop("ResponseMetadata")
        assert metadata["HTTPStatusCode"] == answer.status
        return found


def model_of(service: str) -> Any:
    """A model as botocore ships it."""
    return botocore.loaders.Loader().load_service_model(service, "service-2")
