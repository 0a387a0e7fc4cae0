"""The ASGI application: one request through limits, a door in a bounded pool, and the access log."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from greatseal.edge.admission import Admission
from greatseal.edge.crew import Crew
from greatseal.edge.express import Express
from greatseal.edge.messages import HeaderList, HttpRequest, HttpResponse, json_response
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.mounts import Mount, Mounts
from greatseal.edge.reading import (
    Disconnected,
    Limits,
    Receive,
    Refused,
    Scope,
    Send,
    headers_of,
    is_small,
    raw_path_of,
    read_body,
    request_of,
)
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid

_log = structlog.get_logger("greatseal.edge")
_access = structlog.get_logger("greatseal.access")

_CLOSE: HeaderList = ((b"connection", b"close"),)
_NO_DOOR = "none"

_Visit = tuple[Mount, HttpRequest]

AccessLog = Callable[[Mapping[str, object]], None]
"""Takes what is known of one answered request: `door`, `method`, `path`, `operation`, `status`, `ms`, …"""


class EdgeApp:
    """An ASGI 3 application for one or more listeners.

    `startup` and `shutdown` are run with the server's lifespan, in order. `close()` ends the threads; the
    lifespan calls it, a server without lifespan must. A server may ask `express` before it parses a request.
    """

    def __init__(
        self,
        mounts: Mounts,
        *,
        limits: Limits,
        metrics: EdgeMetrics,
        entropy: Entropy,
        startup: Sequence[Callable[[], None]] = (),
        shutdown: Sequence[Callable[[], None]] = (),
        access_log: AccessLog = lambda entry: _access.info("request", **entry),
    ) -> None:
        self._mounts = mounts
        self._limits = limits
        self._metrics = metrics
        self.express = Express(mounts, metrics)
        self._entropy = entropy
        self._startup = tuple(startup)
        self._shutdown = tuple(shutdown)
        self._access_log = access_log
        self._crew: Crew[_Visit, HttpResponse | None] = Crew(limits.workers, "greatseal-door", _together)
        self._admission = Admission(workers=limits.workers, queued=limits.queued, seconds=limits.queue_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one ASGI scope."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1002})

    def close(self) -> None:
        """Ends the threads after the handlers that still run."""
        self._crew.close()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = new_uuid(self._entropy)
        mount = self._mounts.find(raw_path_of(scope))
        try:
            response = await self._answer(mount, scope, receive, request_id)
        except Disconnected:
            # 499 is nginx's name for it; nothing is sent.
            response = HttpResponse(499)
        except Refused as refusal:
            # The rest of the body is still on its way: the connection cannot be used again.
            response = _plain_error(refusal.status, refusal.message, request_id, _CLOSE)
        except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
            _log.exception("edge_failed", request_id=request_id)
            response = _plain_error(500, "Internal server error", request_id)
        try:
            if response.status != 499:
                await _send(send, response, head_only=scope["method"] == "HEAD", http2=scope["http_version"] == "2")
        finally:
            self._record(mount, scope, response, request_id, time.perf_counter() - started)

    async def _answer(self, mount: Mount | None, scope: Scope, receive: Receive, request_id: str) -> HttpResponse:
        headers = headers_of(scope, self._limits)
        if mount is None:
            return _plain_error(404, "Not found", request_id)
        if not mount.inline and not is_small(headers) and self._admission.is_full():
            # A body that will be refused need not be carried; but whatever of it is on its way spoils the connection.
            return self._shed(request_id, _CLOSE)
        body_bytes = mount.body_bytes if mount.body_bytes is not None else self._limits.body_bytes
        body = await read_body(receive, headers, body_bytes=body_bytes, seconds=self._limits.body_seconds)
        if not mount.inline and self._admission.is_full():
            return self._shed(request_id)
        request = request_of(scope, headers, body, request_id)
        return _guarded(mount, request) if mount.inline else await self._run(mount, request)

    def _shed(self, request_id: str, more: HeaderList = ()) -> HttpResponse:
        self._metrics.shed.inc()
        return _plain_error(503, "Too many requests are waiting", request_id, ((b"retry-after", b"1"), *more))

    async def _run(self, mount: Mount, request: HttpRequest) -> HttpResponse:
        self._admission.enter()
        self._metrics.in_flight.inc()
        if mount.together is not None and mount.is_quick(request):
            answer = await self._crew.join((mount, request), self._release)
            if answer is not None:
                return answer
            self._admission.enter()
            self._metrics.in_flight.inc()
        answer = await self._crew.run(partial(_guarded, mount, request), self._release)
        assert answer is not None
        return answer

    def _release(self) -> None:
        """The slot is free when the thread is, also when the client's task was cancelled meanwhile."""
        self._admission.leave()
        self._metrics.in_flight.dec()

    def _record(
        self, mount: Mount | None, scope: Scope, response: HttpResponse, request_id: str, seconds: float
    ) -> None:
        door = mount.door if mount else _NO_DOOR
        self._metrics.answered(door, response.operation, response.status, seconds)
        client = scope.get("client")
        # Never the query, the body or a header: they may carry signatures, tokens and keys.
        entry: dict[str, object] = {
            "door": door,
            "method": scope["method"],
            "path": raw_path_of(scope).decode("latin-1"),
            "operation": response.operation,
            "status": response.status,
            "ms": round(seconds * 1000, 2),
            "request_id": request_id,
            "client": client[0] if client else "",
        }
        if response.error:
            entry["error"] = response.error
        self._access_log(entry)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            phase = (await receive())["type"].removeprefix("lifespan.")
            try:
                for hook in self._startup if phase == "startup" else self._shutdown:
                    hook()
            except Exception as error:  # noqa: BLE001 - the server must learn of it as a failed start
                _log.exception("lifespan_failed", phase=phase)
                self.close()
                await send({"type": f"lifespan.{phase}.failed", "message": type(error).__name__})
                return
            if phase == "shutdown":
                self.close()
            await send({"type": f"lifespan.{phase}.complete"})
            if phase == "shutdown":
                return


def _together(visits: Sequence[_Visit]) -> Sequence[HttpResponse | None]:
    """Runs doors on a group; a defect in one becomes opaque answers and a traceback in our own log."""
    answers: dict[str, HttpResponse | None] = {}
    for mount in dict.fromkeys(mount for mount, _ in visits):
        requests = [request for at, request in visits if at is mount]
        assert mount.together is not None
        found: Sequence[HttpResponse | None]
        try:
            found = mount.together(requests)
        except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
            _log.exception("door_failed", door=mount.door)
            found = [_plain_error(500, "Internal server error", request.request_id) for request in requests]
        answers |= {request.request_id: answer for request, answer in zip(requests, found, strict=True)}
    return [answers[request.request_id] for _, request in visits]


def _guarded(mount: Mount, request: HttpRequest) -> HttpResponse:
    """Runs a door; a defect in it becomes an opaque answer and a traceback in our own log."""
    # Not unbound afterwards: whatever this thread does next is another request, which binds its own.
    structlog.contextvars.bind_contextvars(request_id=request.request_id)
    try:
        return mount.handle(request)
    except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
        _log.exception("door_failed", door=mount.door)
        return _plain_error(500, "Internal server error", request.request_id)


def _plain_error(status: int, message: str, request_id: str, extra: HeaderList = ()) -> HttpResponse:
    headers = ((b"x-request-id", request_id.encode("ascii")), *extra)
    return json_response(status, {"message": message, "requestId": request_id}, headers)


async def _send(send: Send, response: HttpResponse, *, head_only: bool, http2: bool) -> None:
    # `connection` is forbidden in HTTP/2 (RFC 9113 section 8.2.2).
    headers = [(name, value) for name, value in response.headers if not (http2 and name == b"connection")]
    # 204 and 304 must not have one (RFC 9110 section 8.6).
    if response.status not in (204, 304) and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(response.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else response.body})
