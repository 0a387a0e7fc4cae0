"""The door of the AWS wire: one request from bytes to bytes, stage by stage.

    route -> authenticate -> decode -> validate -> operation function -> encode

Each stage hands the next one a new value. Errors of every stage are translated in one place, `AwsDoor.handle`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import structlog

from greatseal.aws.errors import from_refusal
from greatseal.aws.protocol.codecs import Codec
from greatseal.aws.protocol.models import Service
from greatseal.aws.protocol.router import Route, Router
from greatseal.aws.protocol.sigv4 import Credential, Verified, verify
from greatseal.aws.protocol.trail import request_parameters
from greatseal.aws.protocol.validate import STYLES, Style, validate
from greatseal.aws.wire import WireError, internal_failure
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal

_log = structlog.get_logger("greatseal.aws")

OperationFunction = Callable[[Caller, dict[str, Any]], Mapping[str, Any] | None]
"""One operation: plain parameters in, a plain result out; raises a `Refusal` or, for wire matters, a `WireError`."""

Implementations = Mapping[str, Mapping[str, OperationFunction]]
"""Operation functions by service and operation name."""

NotYet = Mapping[str, Mapping[str, str]]
"""Operations of served models that are not offered, with the reason that callers read."""


class AwsDoor:
    """Answers AWS requests for a set of services."""

    def __init__(
        self,
        *,
        services: Sequence[Service],
        implementations: Implementations,
        not_yet: NotYet,
        credentials: Callable[[str], Credential | None],
        regions: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        """Raises ValueError unless every operation of every service is implemented or named in `not_yet`."""
        for service in services:
            _check_complete(service, implementations.get(service.name, {}), not_yet.get(service.name, {}))
        self._router = Router(services)
        self._implementations = implementations
        self._not_yet = not_yet
        self._credentials = credentials
        self._regions = regions
        self._clock = clock

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to one request. Raises nothing: a defect is logged and answered as InternalFailure."""
        now = self._clock.now()
        codec = self._router.codec_for(request)
        route: Route | None = None
        try:
            route = self._router.route(request)
            verified = verify(request, self._credentials, now, route.service.signing_name, self._regions)
            body = self._perform(route, verified, request, now)
        except WireError as error:
            return _error_response(codec, route, error, request, now)
        except Refusal as refusal:
            assert route is not None  # only operation functions refuse
            return _error_response(codec, route, from_refusal(route.service, refusal), request, now)
        except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
            _log.exception("operation_failed", request_id=request.request_id, operation=_label(route))
            return _error_response(codec, route, internal_failure(request.request_id), request, now)
        return HttpResponse(200, _headers(codec, route, body, request, now), body, _label(route))

    def _perform(self, route: Route, verified: Verified, request: HttpRequest, now: datetime) -> bytes:
        service, operation = route.service, route.operation
        reason = self._not_yet.get(service.name, {}).get(operation.name)
        if reason is not None:
            # Not a 5xx: SDKs would try again.
            raise WireError("UnsupportedOperation", f"{service.name}:{operation.name} is not supported: {reason}")
        parameters = route.codec.decode(operation, request.body)
        validate(operation.input, parameters, STYLES.get(service.name, Style.QUOTED))
        caller = _caller(route, verified, request, parameters, now)
        result = self._implementations[service.name][operation.name](caller, parameters)
        return route.codec.encode(operation, result)


def _check_complete(service: Service, functions: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    known = service.operations.keys()
    for problem, names in (
        ("has no function and no reason for", known - functions.keys() - reasons.keys()),
        ("does not know", (functions.keys() | reasons.keys()) - known),
        ("has both a function and a reason for", functions.keys() & reasons.keys()),
    ):
        if names:
            raise ValueError(f"{service.name} {problem} {', '.join(sorted(names))}")


def _caller(
    route: Route, verified: Verified, request: HttpRequest, parameters: dict[str, Any], now: datetime
) -> Caller:
    return Caller(
        account=verified.credential.account,
        region=verified.region,
        principal_arn=verified.credential.principal_arn,
        access_key_id=verified.access_key_id,
        request_id=request.request_id,
        operation=_label(route),
        at=now,
        source_ip=request.client_ip,
        user_agent=request.header("user-agent") or "",
        request_parameters=request_parameters(route.operation.input, parameters),
    )


def _label(route: Route | None) -> str:
    """`service:Operation` as IAM writes it; nothing for a request that leads nowhere, so that labels stay few."""
    return f"{route.service.signing_name}:{route.operation.name}" if route else ""


def _error_response(
    codec: Codec, route: Route | None, error: WireError, request: HttpRequest, now: datetime
) -> HttpResponse:
    body = codec.encode_error(error)
    headers = _headers(codec, route, body, request, now)
    if error.status == 405:
        # RFC 9110 section 15.5.6
        headers = (*headers, (b"allow", b"POST"))
    return HttpResponse(error.status, headers, body, _label(route))


def _headers(codec: Codec, route: Route | None, body: bytes, request: HttpRequest, now: datetime) -> HeaderList:
    return (
        *codec.headers(route.service if route else None, empty=not body),
        (b"x-amzn-requestid", request.request_id.encode("ascii")),
        (b"content-length", str(len(body)).encode("ascii")),
        # SDKs correct their clock by it when a signature is refused for its time (iam.md 7).
        (b"date", format_datetime(now, usegmt=True).encode("ascii")),
        (b"cache-control", b"no-store"),
    )
