"""The Query protocol of IAM and STS: form parameters in, XML out."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws.protocol import forms, models, shapes, xml_text
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.codecs import Answer, no_result, require_media_type
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.protocol.scalars import Spelling, TimeFormat, as_text
from greatseal.aws.protocol.xml_text import element, escape
from greatseal.aws.wire import WireError

FORM = "application/x-www-form-urlencoded"

_CONTENT: Headers = ((b"content-type", b"text/xml"),)
_NO_SERVICE = "http://webservices.amazon.com/AWSFault/2005-15-09"
"""The namespace of faults of no service, with the month that AWS gave it."""
_SELECTORS = ("Action", "Version")
# Whole seconds, as IAM and STS print them.
_SCALARS = Spelling(TimeFormat.ISO, fraction=False)


class QueryCodec:
    """One operation a request, named by `Action` and `Version`."""

    protocol = models.Protocol.QUERY
    family = Family.QUERY

    def check(self, service: Service, request: Message) -> None:
        """A body must be a form."""
        if request.body:
            require_media_type(request, FORM)

    def decode(self, operation: Operation, request: Message) -> dict[str, Any]:
        """The parameters, without those that select the operation."""
        if operation.input is None:
            return {}
        given = {name: text for name, text in forms.parameters_of(request).items() if name not in _SELECTORS}
        parameters: dict[str, Any] = shapes.read(operation.input, forms.tree_of(operation.input, given), _SCALARS)
        return parameters

    def encode(
        self, service: Service, operation: Operation, result: Mapping[str, Any] | None, request_id: str
    ) -> Answer:
        """`<OpResponse><OpResult>...</OpResult><ResponseMetadata>...</ResponseMetadata></OpResponse>`."""
        content = ""
        if operation.output is None:
            no_result(operation, result)
        else:
            content = xml_text.content_of(operation.output, shapes.write(operation.output, result or {}, _SCALARS))
            if operation.result_wrapper:
                content = element(operation.result_wrapper, content)
        content += element("ResponseMetadata", element("RequestId", escape(request_id)))
        return Answer(200, _CONTENT, _document(f"{operation.name}Response", service.xml_namespace, content))

    def encode_error(self, service: Service | None, error: WireError, request_id: str) -> Answer:
        """`<ErrorResponse><Error>...</Error><RequestId>...</RequestId></ErrorResponse>`."""
        told = {
            "Type": "Receiver" if error.status >= 500 else "Sender",
            "Code": error.code,
            "Message": error.message,
            **error.extra,
        }
        content = element("Error", "".join(element(name, escape(as_text(value))) for name, value in told.items()))
        content += element("RequestId", escape(request_id))
        namespace = service.xml_namespace if service else _NO_SERVICE
        return Answer(error.status, _CONTENT, _document("ErrorResponse", namespace, content))


def _document(name: str, namespace: str, content: str) -> bytes:
    return f'<{name} xmlns="{escape(namespace)}">{content}</{name}>'.encode()
