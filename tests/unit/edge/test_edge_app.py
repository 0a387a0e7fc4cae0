"""The edge on two ASGI servers, over real sockets: limits, deadlines, shedding, log and metrics."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import h2corn
import pytest
import structlog
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest

from greatseal.edge import EdgeApp, EdgeMetrics, HttpRequest, HttpResponse, Limits, Mount, Mounts, TlsInfo
from greatseal.kernel.entropy import SystemEntropy

SMALL = Limits(body_bytes=100, header_count=20, header_bytes=2000, body_seconds=20, workers=2, queued=0)


def echo(request: HttpRequest) -> HttpResponse:
    told = {
        "method": request.method,
        "path": request.raw_path.decode(),
        "query": request.raw_query.decode(),
        "body": request.body.decode(),
        "host": request.header("Host"),
        "ip": request.client_ip,
        "twice": request.header("x-twice"),
    }
    return HttpResponse(200, ((b"content-type", b"application/json"),), json.dumps(told).encode(), "echo")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


class Edge:
    """An application with its registry, for one test."""

    def __init__(self, *mounts: Mount, limits: Limits = SMALL, **hooks: Any) -> None:
        self.registry = CollectorRegistry()
        self.app = EdgeApp(
            Mounts(mounts or (Mount("/", "echo", echo), Mount("/broken", "broken", broken))),
            limits=limits,
            metrics=EdgeMetrics(self.registry),
            entropy=SystemEntropy(),
            **hooks,
        )

    def metrics(self) -> str:
        return generate_latest(self.registry).decode()


class StartedUvicorn(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def on_uvicorn(app: Any) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="on", date_header=False, server_header=False)
    server = StartedUvicorn(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await server.listening.wait()
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()


@asynccontextmanager
async def on_h2corn(app: Any) -> AsyncIterator[int]:
    server = h2corn.Server(app, h2corn.Config(bind=("127.0.0.1:0",), lifespan="on", access_log=False))
    serving = asyncio.create_task(server.serve())
    try:
        await server.wait_started()
        yield int(server.addresses[0].rpartition(":")[2].rstrip("/"))
    finally:
        server.shutdown()
        await serving


SERVERS = {"h2corn": on_h2corn, "uvicorn": on_uvicorn}


@pytest.fixture(params=SERVERS)
def serve(request: pytest.FixtureRequest) -> Any:
    return SERVERS[request.param]


class Answer:
    """A response read from a socket."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def json(self) -> Any:
        return json.loads(self.body)


async def exchange(port: int, raw: bytes, *, eof: bool = False) -> Answer:
    """Sends bytes and reads until the server closes or has answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        if eof:
            writer.write_eof()
        return await answered(reader)
    finally:
        writer.close()


async def answered(reader: asyncio.StreamReader) -> Answer:
    """The next answer on a connection."""
    async with asyncio.timeout(20):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return Answer(error.partial)
        length = Answer(head).headers.get("content-length", "0")
        return Answer(head + await reader.readexactly(int(length)))


def head(path: str = "/", method: str = "POST", *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: greatseal.test:8443", *lines, "", "")).encode()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 30))  # type: ignore[arg-type]


def test_whole_request(serve: Any) -> None:
    edge = Edge()

    async def work() -> None:
        async with serve(edge.app) as port:
            raw = head("/a%2Fb//c?x=%20&y", "POST", "Content-Length: 3", "X-Twice: a", "X-Twice: b") + b"abc"
            answer = await exchange(port, raw)
            assert answer.status == 200
            assert answer.json() == {
                "method": "POST",
                "path": "/a%2Fb//c",
                "query": "x=%20&y",
                "body": "abc",
                "host": "greatseal.test:8443",
                "ip": "127.0.0.1",
                "twice": "a, b",
            }
            chunked = head("/", "POST", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            assert (await exchange(port, chunked)).json()["body"] == "abcde"

    run(work)
    assert 'greatseal_http_requests_total{door="echo",operation="echo",status="200"} 2.0' in edge.metrics()
    assert "greatseal_http_in_flight 0.0" in edge.metrics()


def test_body_limit(serve: Any) -> None:
    async def work() -> None:
        async with serve(Edge().app) as port:
            declared = await exchange(port, head("/", "POST", "Content-Length: 101"))
            assert (declared.status, declared.json()["message"]) == (413, "Request body too large")
            # A body without a length and without an end. Servers hand it over in pieces of their own size.
            chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            endless = await exchange(port, head("/", "POST", "Transfer-Encoding: chunked") + chunk * 4)
            assert endless.status == 413
            assert (await exchange(port, head("/", "POST", "Content-Length: 100") + b"x" * 100)).status == 200

    run(work)


def test_lying_lengths(serve: Any) -> None:
    seen: list[bytes] = []

    def note(request: HttpRequest) -> HttpResponse:
        seen.append(request.body)
        return HttpResponse(204)

    async def work() -> None:
        async with serve(Edge(Mount("/", "note", note), limits=Limits(body_bytes=100)).app) as port:
            # Less than declared and then the end: no door ever sees half a request.
            await exchange(port, head("/", "POST", "Content-Length: 50") + b"abc", eof=True)
            both = head("/", "POST", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
            assert (await exchange(port, both)).status == 400
            two = head("/", "POST", "Content-Length: 3", "Content-Length: 4") + b"abcd"
            assert (await exchange(port, two)).status == 400

    run(work)
    assert seen == []


def test_headers(serve: Any) -> None:
    async def work() -> None:
        async with serve(Edge().app) as port:
            many = await exchange(port, head("/", "GET", *(f"X-{number}: y" for number in range(25))))
            assert (many.status, many.json()["message"]) == (431, "Too many header fields")
            large = await exchange(port, head("/", "GET", "X-Large: " + "y" * 3000))
            assert large.status == 431

    run(work)


def test_slow_body(serve: Any) -> None:
    async def work() -> None:
        async with serve(Edge(limits=Limits(body_seconds=0.05)).app) as port:
            answer = await exchange(port, head("/", "POST", "Content-Length: 10") + b"abc")
            assert answer.status == 408
            assert answer.headers["connection"] == "close"

    run(work)


def test_shedding(serve: Any) -> None:
    entered, release = threading.Semaphore(0), threading.Event()

    def wait(request: HttpRequest) -> HttpResponse:
        entered.release()
        assert release.wait(20)
        return HttpResponse(200)

    edge = Edge(
        Mount("/", "wait", wait),
        Mount("/healthz", "health", lambda _: HttpResponse(200, body=b"ok"), inline=True),
        limits=Limits(workers=2, queued=0),
    )

    async def work() -> None:
        async with serve(edge.app) as port:
            waiting = [asyncio.create_task(exchange(port, head("/", "GET"))) for _ in range(2)]
            for _ in waiting:
                assert await asyncio.to_thread(entered.acquire, timeout=20)
            assert "greatseal_http_in_flight 2.0" in edge.metrics()
            shed = await exchange(port, head("/", "POST", "Content-Length: 1000000"))
            assert (shed.status, shed.headers["retry-after"]) == (503, "1")
            assert shed.headers["connection"] == "close"
            # One connection for many refusals: another handshake would cost more than they do.
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(3):
                writer.write(head("/", "POST", "Content-Length: 3") + b"abc")
                again = await answered(reader)
                assert (again.status, again.headers["retry-after"]) == (503, "1")
                assert "connection" not in again.headers
            # Health answers under overload.
            assert (await exchange(port, head("/healthz", "GET"))).body == b"ok"
            release.set()
            assert [answer.status for answer in await asyncio.gather(*waiting)] == [200, 200]
            writer.write(head("/", "GET"))
            assert (await answered(reader)).status == 200
            writer.close()

    run(work)
    assert "greatseal_http_shed_total 4.0" in edge.metrics()


def test_defects_are_opaque_and_logged(serve: Any) -> None:
    async def work() -> None:
        async with serve(Edge().app) as port:
            with structlog.testing.capture_logs() as logs:
                answer = await exchange(
                    port, head("/broken?token=abc", "POST", "Content-Length: 2", "Authorization: x") + b"hi"
                )
                unknown = await exchange(port, head("/", "GET"))
            assert unknown.status == 200
            assert answer.status == 500
            assert answer.json() == {"message": "Internal server error", "requestId": answer.headers["x-request-id"]}
            [line, _] = [entry for entry in logs if entry["event"] == "request"]
            del line["ms"]
            assert line == {
                "event": "request",
                "log_level": "info",
                "door": "broken",
                "method": "POST",
                "path": "/broken",
                "operation": "",
                "status": 500,
                "request_id": answer.headers["x-request-id"],
                "client": "127.0.0.1",
            }
            assert any(entry["event"] == "door_failed" and entry["log_level"] == "error" for entry in logs)

    run(work)


def test_head_and_unknown_paths(serve: Any) -> None:
    edge = Edge(Mount("/healthz", "health", lambda _: HttpResponse(200, body=b"fine"), inline=True))

    async def work() -> None:
        async with serve(edge.app) as port:
            for path in ("/", "/healthzz", "/health"):
                assert (await exchange(port, head(path, "GET"))).json()["message"] == "Not found"
            assert (await exchange(port, head("/healthz/deep", "GET"))).status == 200
            # HEAD: the length of what GET would give, and nothing after the head.
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head("/healthz", "HEAD", "Connection: close"))
            raw = await reader.read()
            writer.close()
            assert raw.endswith(b"\r\n\r\n")
            assert b"content-length: 4" in raw.lower()

    run(work)


def test_lifespan_hooks(serve: Any) -> None:
    calls: list[str] = []
    edge = Edge(startup=[lambda: calls.append("up")], shutdown=[lambda: calls.append("down")])

    async def work() -> None:
        async with serve(edge.app):
            assert calls == ["up"]

    run(work)
    assert calls == ["up", "down"]


# Below: what no well-behaved server passes on, straight to the application.


def scope(headers: list[tuple[bytes, bytes]] | None = None, **more: Any) -> dict[str, Any]:
    base = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/", "query_string": b""}
    return base | {"headers": headers or [], "scheme": "https"} | more


def call(edge: Edge, scope_: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(edge.app(scope_, receive, send))
    edge.app.close()
    return sent


def body(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-length", b"5")], 400),
        ([(b"content-length", b"2")], 400),
        ([(b"content-length", b"3")], 200),
        ([(b"content-length", b"+3")], 400),
        ([(b"content-length", b"9" * 30)], 400),
        ([(b"content-length", b"3"), (b"content-length", b"4")], 400),
        ([(b"host", b"a"), (b"host", b"b")], 400),
    ],
)
def test_ambiguous_heads(headers: list[tuple[bytes, bytes]], status: int) -> None:
    sent = call(Edge(), scope(headers), body(b"a", more=True), body(b"bc"))
    assert sent[0]["status"] == status


def test_disconnect_gets_no_answer() -> None:
    edge = Edge()
    assert call(edge, scope(), body(b"a", more=True), {"type": "http.disconnect"}) == []
    assert 'status="499"' in edge.metrics()


def test_http2_has_no_connection_header() -> None:
    sent = call(Edge(), scope([(b"content-length", b"1000")], http_version="2"))
    assert sent[0]["status"] == 413
    assert b"connection" not in dict(sent[0]["headers"])


def test_tls_and_missing_raw_path() -> None:
    seen: list[HttpRequest] = []

    def note(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse(200)

    tls = {"client_cert_chain": ["PEM"], "client_cert_name": "CN=a", "tls_version": 0x0304, "cipher_suite": 0x1301}
    call(Edge(Mount("/", "note", note)), scope(path="/ä b", extensions={"tls": tls}), body(b""))
    assert seen[0].tls == TlsInfo(("PEM",), "CN=a", 0x0304, 0x1301)
    assert seen[0].raw_path == b"/%C3%A4%20b"
    assert (seen[0].client_ip, seen[0].header("x")) == ("", None)


def test_a_mount_may_have_its_own_limit() -> None:
    edge = Edge(Mount("/", "echo", echo, body_bytes=2))
    assert call(edge, scope(raw_path=b"/"), body(b"abc"))[0]["status"] == 413


def test_a_broken_server_is_a_logged_500() -> None:
    sent = call(Edge(), scope())  # receive() itself fails
    assert sent[0]["status"] == 500


def test_failed_start() -> None:
    def fail() -> None:
        raise RuntimeError("no database")

    sent = call(Edge(startup=[fail]), {"type": "lifespan"}, {"type": "lifespan.startup"})
    assert sent == [{"type": "lifespan.startup.failed", "message": "RuntimeError"}]


def test_websockets_are_closed() -> None:
    assert call(Edge(), {"type": "websocket"}) == [{"type": "websocket.close", "code": 1002}]


def test_two_doors_on_one_prefix() -> None:
    with pytest.raises(ValueError, match="two doors"):
        Mounts([Mount("/", "a", echo), Mount("/", "b", echo)])
