"""The plain listener: ready answers and all others, on the same connections."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from greatseal.app.listeners import Listener
from greatseal.app.plain_protocol import PlainProtocol
from greatseal.app.seats import bind
from greatseal.edge.asgi import EdgeApp
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.mounts import Mount, Mounts
from greatseal.edge.reading import Limits
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Address

READY = b"content-length: 5\r\n\r\nready"


@pytest.fixture
def app() -> EdgeApp:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, (), b"%b %b" % (request.raw_path, request.body))

    made = EdgeApp(
        Mounts([Mount("/", "test", answer, ready=lambda path: READY if path == b"/ready" else None)]),
        limits=Limits(),
        metrics=EdgeMetrics(CollectorRegistry()),
        entropy=SystemEntropy(),
    )
    yield made
    made.close()


def talk(app: EdgeApp, *sent: bytes) -> bytes:
    """What a client receives that sends these pieces one after the other, to the end of the connection."""

    async def run() -> bytes:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1000)
        await listener.start(app)
        host, port = listener.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            # The server runs in this loop, and takes each piece by itself.
            for _ in range(5):
                turn = asyncio.get_running_loop().create_future()
                asyncio.get_running_loop().call_soon(turn.set_result, None)
                await turn
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await listener.stop()
        return received

    return asyncio.run(run())


def get(path: bytes, *fields: bytes, version: bytes = b"1.1") -> bytes:
    return b"\r\n".join((b"GET %b HTTP/%b" % (path, version), b"Host: localhost", *fields, b"", b""))


CLOSE = b"Connection: close"


def bodies(received: bytes) -> list[bytes]:
    """The bodies of answers, each of which says its length."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        assert b" 200" in head.partition(b"\r\n")[0], received
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        found.append(rest[:length])
        received = rest[length:]
    return found


def test_pipelined_requests_are_answered_in_their_order(app: EdgeApp) -> None:
    asked = [b"/ready", b"/one", b"/ready", b"/two", b"/ready"]
    received = talk(app, b"".join(map(get, asked)) + get(b"/end", CLOSE))
    # Behind one that is worked on nothing is quick.
    assert bodies(received) == [path + b" " for path in [*asked, b"/end"]]


@pytest.mark.parametrize("request_", [get(b"/ready", CLOSE), get(b"/ready", version=b"1.0")])
def test_a_ready_answer_may_be_the_last_one(app: EdgeApp, request_: bytes) -> None:
    assert talk(app, request_) == b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + READY


def test_a_request_in_pieces_is_not_taken_for_two(app: EdgeApp) -> None:
    whole = get(b"/ready", CLOSE)
    assert bodies(talk(app, whole[:9], whole[9:])) == [b"/ready "]
    # The second piece alone looks like a request that has a ready answer; it is the body of the first one.
    posted = b"POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n" % len(get(b"/ready"))
    assert bodies(talk(app, posted + b"\r\n" + get(b"/ready"))) == [b"/body " + get(b"/ready")]
    assert bodies(talk(app, posted, b"\r\n" + get(b"/ready"))) == [b"/body " + get(b"/ready")]


def test_ready_and_other_answers_share_a_connection(app: EdgeApp) -> None:
    async def run() -> list[bytes]:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1000)
        await listener.start(app)
        host, port = listener.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        found = []
        for path in (b"/ready", b"/ready", b"/slow", b"/ready", b"/slow"):
            writer.write(get(path))
            head = await reader.readuntil(b"\r\n\r\n")
            found += bodies(head + await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0])))
        writer.close()
        await listener.stop()
        return found

    assert asyncio.run(run()) == [b"ready", b"ready", b"/slow ", b"ready", b"/slow "]


def test_a_connection_on_which_nothing_is_asked_ends(app: EdgeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    started = PlainProtocol.__init__

    def impatient(self: PlainProtocol, *args: object, **more: object) -> None:
        started(self, *args, **more)
        self.timeout_keep_alive = 0.05

    monkeypatch.setattr(PlainProtocol, "__init__", impatient)
    assert talk(app, get(b"/ready")) == b"HTTP/1.1 200 OK\r\n" + READY
