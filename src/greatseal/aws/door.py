"""The door of the AWS wire: one request from bytes to bytes, stage by stage.

    route -> authenticate -> weigh -> decode -> weigh -> validate -> operation function -> encode

Each stage hands the next one a new value. Errors of every stage are translated in one place, `AwsDoor.handle`, and
spelled in the client's protocol.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, Protocol

import structlog
from msgspec import structs

from greatseal.aws.errors import from_refusal, spelled, trail_code
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.codecs import Answer
from greatseal.aws.protocol.models import Service
from greatseal.aws.protocol.router import Route, Router
from greatseal.aws.protocol.sigv4 import Anonymous, Credential, Sessions, Verified, resolver, verify
from greatseal.aws.protocol.trail import elements
from greatseal.aws.protocol.validate import STYLES, Style, validate
from greatseal.aws.throttling import Throttle, Throttled
from greatseal.aws.wire import WireError, internal_failure
from greatseal.crypto.signature import SignerUnavailable
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal
from greatseal.kernel.group import Waits, grouped, waits
from greatseal.kernel.later import Later, Settled, settle

_log = structlog.get_logger("greatseal.aws")

OperationFunction = Callable[[Caller, dict[str, Any]], Mapping[str, Any] | Later[Any, Any] | None]
"""One operation: plain parameters in, a plain result out, now or `Later`.

Raises a `Refusal` or, for wire matters, a `WireError`.
"""

_Steps = Generator[Later[Any, Any] | None, Settled | None, HttpResponse]
"""The answer to one request. Between stages it pauses (None), and it may ask for what is made together with others."""

_Begun = dict[int, tuple[_Steps, Later[Any, Any]]]
"""Requests that ask for what is made together, by their place in the group."""

Implementations = Mapping[str, Mapping[str, OperationFunction]]
"""Operation functions by service and operation name."""

NotYet = Mapping[str, Mapping[str, str]]
"""Operations of served models that are not offered, with the reason that callers read."""


class CallTrail(Protocol):
    """Where calls are recorded: the audit room."""

    def recorded(self, caller: Caller) -> bool:
        """Whether a verb recorded this call on this thread, in the transaction of its effect."""
        ...

    def record_call(
        self,
        caller: Caller,
        *,
        error_code: str | None = None,
        error_message: str | None = None,
        response: Callable[[], str] | None = None,
    ) -> None:
        """Records a call that no verb recorded; returns once that is stored. `response` is asked if it is kept."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Calls that this thread records inside are stored at its end."""
        ...


class AwsDoor:
    """Answers AWS requests for a set of services."""

    _joins = True
    """Whether requests may have something done together; otherwise those that would are asked alone."""

    def __init__(
        self,
        *,
        services: Sequence[Service],
        implementations: Implementations,
        not_yet: NotYet,
        regions: Callable[[str], bool],
        clock: Clock,
        credentials: Callable[[str], Credential | None],
        sessions: Sessions | None = None,
        region: str = "us-east-1",
        trail: CallTrail | None = None,
        glance: Callable[[], AbstractContextManager[None]] = nullcontext,
        throttle: Throttle | None = None,
    ) -> None:
        """Raises ValueError unless every operation of every service is implemented or named in `not_yet`.

        `credentials` finds a long-term key, `sessions` a temporary one by its id and token; without `sessions` every
        token is refused. `region` is where callers are who did not sign. Without `trail` nothing is recorded. Within
        a `glance` the policies are those of its beginning. Without `throttle` nobody asks too often.
        """
        for service in services:
            _check_complete(service, implementations.get(service.name, {}), not_yet.get(service.name, {}))
        self._router = Router(services)
        self._implementations = implementations
        self._not_yet = not_yet
        self._credentials = resolver(credentials, sessions)
        self._regions = regions
        self._clock = clock
        self._region = region
        self._trail = trail
        self._glance = glance
        self._throttle = throttle or Throttle()

    def handle_together(self, requests: Sequence[HttpRequest]) -> list[HttpResponse | None]:
        """The answers to requests, in their order; None for one that must be asked alone.

        They share one look at what authorization reads and one write to the trail, before the first is answered. Those
        of them that change something do it together after that.
        """
        answers: dict[int, HttpResponse | None] = {}
        try:
            with self._glance(), self._trail.together() if self._trail else nullcontext(), grouped():
                begun = self._begin(requests, answers) if self._joins else self._each(requests, answers)
        except Exception:  # noqa: BLE001 - whatever went wrong: no answer without a record
            _log.exception("audit_failed", requests=len(requests))
            return [self._opaque(request) for request in requests]
        answers |= self._end(requests, begun)
        return [answers[position] for position in range(len(requests))]

    def _begin(self, requests: Sequence[HttpRequest], answers: dict[int, HttpResponse | None]) -> _Begun:
        """Answers what needs nobody else; what is done together is told.

        All of them go through a stage before the first goes on to the next one: what a stage needs is then near the
        processor. One request after the other costs a quarter more.
        """
        begun: _Begun = {}
        going = {position: self._steps(request) for position, request in enumerate(requests)}
        while going:
            for position, steps in list(going.items()):
                structlog.contextvars.bind_contextvars(request_id=requests[position].request_id)
                try:
                    found = _next(steps)
                except Waits:
                    answers[position] = None
                else:
                    if found is None:
                        continue
                    if isinstance(found, HttpResponse):
                        answers[position] = found
                    else:
                        begun[position] = steps, found
                del going[position]
        return begun

    def _each(self, requests: Sequence[HttpRequest], answers: dict[int, HttpResponse | None]) -> _Begun:
        """Answers one after the other, by whatever `handle` is."""
        for position, request in enumerate(requests):
            structlog.contextvars.bind_contextvars(request_id=request.request_id)
            try:
                answers[position] = self.handle(request)
            except Waits:
                answers[position] = None
        return {}

    def _end(self, requests: Sequence[HttpRequest], begun: _Begun) -> dict[int, HttpResponse | None]:
        """The answers to what is done together; None for one that must be asked alone."""
        answers: dict[int, HttpResponse | None] = {}
        if not begun:
            return answers
        outcomes = settle([later for _, later in begun.values()])
        try:
            with self._trail.together() if self._trail else nullcontext():
                for (position, (steps, _)), outcome in zip(begun.items(), outcomes, strict=True):
                    structlog.contextvars.bind_contextvars(request_id=requests[position].request_id)
                    try:
                        answer = _next(steps, outcome)
                    except Waits:
                        answer = None
                    assert answer is None or isinstance(answer, HttpResponse)
                    answers[position] = answer
        except Exception:  # noqa: BLE001 - whatever went wrong: no answer without a record
            _log.exception("audit_failed", requests=len(begun))
            return {position: self._opaque(requests[position]) for position in begun}
        return answers

    def _opaque(self, request: HttpRequest) -> HttpResponse:
        codec = self._router.codec_for(request)
        error = spelled(internal_failure(request.request_id), codec.family, None)
        return _response(codec.encode_error(None, error, request.request_id), None, request, self._clock.now(), error)

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to one request. A defect is logged and answered as InternalFailure; in a group, raises Waits."""
        steps = self._steps(request)
        outcome: Settled | Exception | None = None
        while not isinstance(found := _next(steps, outcome), HttpResponse):
            outcome = None
            if found is not None:
                try:
                    waits()
                    outcome = settle([found])[0]
                except Waits as wait:
                    outcome = wait
        return found

    def _steps(self, request: HttpRequest) -> _Steps:
        now = self._clock.now()
        codec = self._router.codec_for(request)
        route: Route | None = None
        caller: Caller | None = None
        parameters: dict[str, Any] = {}
        try:
            route = self._router.route(request)
            caller = _caller(route, self._authenticate(route, request, now), request, now)
            yield None
            self._throttle.enter(caller)
            parameters = self._parameters(route, request)
            self._throttle.admit(caller, parameters)
            caller = structs.replace(
                caller, request_parameters=elements(route.service.name, route.operation.input, parameters)
            )
            validate(route.operation.input, parameters, STYLES.get(route.service.name, Style.QUOTED))
            yield None
            result = self._implementations[route.service.name][route.operation.name](caller, parameters)
            if isinstance(result, Later):
                settled = yield result
                assert settled is not None
                result, is_recorded = settled.result, settled.is_recorded or self._recorded(caller)
            else:
                # Now: a thread remembers nothing but its last call.
                is_recorded = self._recorded(caller)
                yield None
            answer = route.codec.encode(route.service, route.operation, result, request.request_id)
            if self._trail is not None and not is_recorded:
                told = partial(elements, route.service.name, route.operation.output, result) if result else None
                self._trail.record_call(caller, response=told)
            return _response(answer, route, request, now)
        except WireError as found:
            error = found
        except Refusal as refusal:
            assert route is not None  # only operation functions refuse
            error = from_refusal(route.service, refusal)
        except Waits:
            assert caller is not None  # only operation functions wait
            self._throttle.give_back(caller, parameters)
            raise
        except SignerUnavailable:
            _log.exception("key_store_unavailable", request_id=request.request_id, operation=_label(route))
            error = WireError("ServiceUnavailable", "The private key cannot be used now. Try again later.", 503)
        except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
            _log.exception("operation_failed", request_id=request.request_id, operation=_label(route))
            error = internal_failure(request.request_id)
        service = route.service if route else None
        error = spelled(error, codec.family, service)
        if caller is not None and not self._record_failure(caller, error):
            error = spelled(internal_failure(request.request_id), codec.family, service)
        answer = codec.encode_error(service, error, request.request_id)
        return _response(answer, route, request, now, error)

    def _recorded(self, caller: Caller) -> bool:
        """Whether nothing is left to record: there is one record for each call of somebody known, and verbs write it
        with their effect.
        """
        return self._trail is None or not caller.account or self._trail.recorded(caller)

    def _record_failure(self, caller: Caller, error: WireError) -> bool:
        """Whether the failed call could be recorded; otherwise its answer must tell nothing.

        Of calls that came too often one a minute is recorded: nothing was done, and a write for each would be the load
        that they are refused for.
        """
        if self._trail is None or not caller.account or (isinstance(error, Throttled) and error.told):
            return True
        try:
            self._trail.record_call(caller, error_code=trail_code(error.code), error_message=error.message)
        except Exception:  # noqa: BLE001 - whatever went wrong: no answer without a record
            _log.exception("audit_failed", request_id=caller.request_id, operation=caller.operation)
            return False
        return True

    def _authenticate(self, route: Route, request: HttpRequest, now: datetime) -> Verified | Anonymous:
        """Who asks. An operation that the model calls unsigned is asked by nobody, also when the request is signed."""
        if route.operation.unsigned:
            return Anonymous(self._region)
        service = route.service

        def accepted(region: str) -> bool:
            return region in service.global_regions or self._regions(region)

        return verify(request, self._credentials, now, service.signing_name, accepted, route.codec.family)

    def _parameters(self, route: Route, request: HttpRequest) -> dict[str, Any]:
        service, operation = route.service, route.operation
        reason = self._not_yet.get(service.name, {}).get(operation.name)
        if reason is not None:
            # Not a 5xx: SDKs would try again.
            raise WireError("UnsupportedOperation", f"{service.name}:{operation.name} is not supported: {reason}")
        return route.codec.decode(operation, request)


def _next(steps: _Steps, outcome: Settled | Exception | None = None) -> HttpResponse | Later[Any, Any] | None:
    """Goes on with a request: to its answer, to what it asks for first, or (None) to its next stage. Raises Waits."""
    try:
        return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as end:
        answer: HttpResponse = end.value
        return answer


def _check_complete(service: Service, functions: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    known = service.operations.keys()
    for problem, names in (
        ("has no function and no reason for", known - functions.keys() - reasons.keys()),
        ("does not know", (functions.keys() | reasons.keys()) - known),
        ("has both a function and a reason for", functions.keys() & reasons.keys()),
    ):
        if names:
            raise ValueError(f"{service.name} {problem} {', '.join(sorted(names))}")


def _caller(route: Route, who: Verified | Anonymous, request: HttpRequest, now: datetime) -> Caller:
    """Who asks, for the operation function. A caller who did not sign has no account, no principal and no key."""
    signer = who.credential if isinstance(who, Verified) else None
    return Caller(
        account=signer.account if signer else "",
        region=who.region,
        principal_arn=signer.principal_arn if signer else "",
        principal_id=signer.principal_id if signer else "",
        session=signer.session if signer else None,
        access_key_id=who.access_key_id if isinstance(who, Verified) else "",
        secure=request.scheme == "https",
        request_id=request.request_id,
        operation=_label(route),
        at=now,
        source_ip=request.client_ip,
        user_agent=request.header("user-agent") or "",
    )


def _label(route: Route | None) -> str:
    """`service:Operation` as IAM writes it; nothing for a request that leads nowhere, so that labels stay few."""
    return f"{route.service.signing_name}:{route.operation.name}" if route else ""


def _response(
    answer: Answer, route: Route | None, request: HttpRequest, now: datetime, error: WireError | None = None
) -> HttpResponse:
    headers = (
        *answer.headers,
        *(error.headers if error else ()),
        (b"x-amzn-requestid", request.request_id.encode("ascii")),
        *_length(answer),
        # SDKs correct their clock by it when a signature is refused for its time (iam.md 7).
        (b"date", format_datetime(now, usegmt=True).encode("ascii")),
        # What is an object's own to say is not said for it.
        *(() if route and route.codec.family is Family.REST_XML else ((b"cache-control", b"no-store"),)),
    )
    # What the answer to HEAD would have been is told by its headers alone (RFC 9110 section 9.3.2).
    body = b"" if request.method == "HEAD" else answer.body
    return HttpResponse(answer.status, headers, body, _label(route), error.code if error else "")


def _length(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    """Not for a status that has no content, nor where the codec has told it (an object that HEAD does not send)."""
    if answer.status in (204, 304) or any(name == b"content-length" for name, _ in answer.headers):
        return ()
    return ((b"content-length", str(len(answer.body)).encode("ascii")),)
