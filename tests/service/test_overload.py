"""Clients that are slow, idle, endless or in a hurry stop nobody else (faults.md 59 to 61), over real sockets."""

import asyncio
import http.client
import json
import resource
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from faults.nodes import REGION, Client, Node

LONG = pytest.mark.faults
THREADS, QUEUE = 4, 16
# Far more than an answer takes on a busy machine, far less than the limits on the slow.
AT_ONCE = 5.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    settings = {
        "GREATSEAL_SERVER_INSECURE_HTTP_API": "true",
        "GREATSEAL_SERVER_THREADS": str(THREADS),
        "GREATSEAL_SERVER_QUEUE_LIMIT": str(QUEUE),
    }
    made = Node(tmp_path_factory.mktemp("overload") / "data", **settings)
    try:
        yield made.start()
    finally:
        if made.process is not None:
            assert made.stop() == 0


def others_are_answered(node: Node) -> None:
    """A client that comes now, on fresh connections, to both listeners."""
    with Client(node, timeout=AT_ONCE) as client:
        client.call(0, "acm", "ListCertificates")
        assert client.fetch(0, "/healthz")


def connected(url: str) -> socket.socket:
    """A fresh connection to a listener, with TLS where it has it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    raw = socket.create_connection((parts.hostname, parts.port), timeout=30)
    if parts.scheme == "http":
        return raw
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(raw)


def address(node: Node) -> tuple[str, int]:
    parts = urlsplit(node.secure)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def test_heads_and_bodies_that_never_end(node: Node) -> None:
    """More of them than there are threads and places in the queue together."""
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"
    with ExitStack() as stack:
        slow = []
        for url in (node.secure, node.plain):
            for said in (head, body) * 20:
                each = stack.enter_context(connected(url))
                each.sendall(said)
                slow.append(each)
        for _ in range(5):
            for each in slow:
                with suppress(OSError):
                    each.sendall(b"a")
            others_are_answered(node)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=LONG)])
def test_idle_connections(node: Node, count: int) -> None:
    """Half of them to each listener; those to HTTPS do not even shake hands."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < count + 500:
        pytest.skip(f"only {hard} files may be open here")
    plain = urlsplit(node.plain)
    assert plain.hostname is not None
    assert plain.port is not None
    with ExitStack() as stack:
        for number in range(count):
            where = address(node) if number % 2 else (plain.hostname, plain.port)
            stack.enter_context(socket.create_connection(where, timeout=30))
        others_are_answered(node)
    others_are_answered(node)


def test_bodies_beyond_the_limit(node: Node) -> None:
    for url in (node.secure, node.plain):
        with connected(url) as declared:
            declared.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000000\r\n\r\n")
            answer = http.client.HTTPResponse(declared)
            answer.begin()
            assert answer.status == 413
            answer.close()
        with connected(url) as endless:
            endless.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            sent = 0
            with suppress(OSError):
                while sent < 100 * 2**20:
                    endless.sendall(chunk)
                    sent += 65536
            assert sent < 100 * 2**20, "a body without end is read without end"
        others_are_answered(node)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113 section 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def test_rapid_reset(node: Node) -> None:
    """CVE-2023-44487: requests that are cancelled as soon as they are sent, by the thousand, on several connections."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    # POST / of https://localhost; the static table of RFC 7541, appendix A, and one literal.
    block = b"\x83\x84\x87\x01\x09localhost"
    with ExitStack() as stack:
        for _ in range(4):
            raw = stack.enter_context(socket.create_connection(address(node), timeout=10))
            tls = stack.enter_context(context.wrap_socket(raw, server_hostname="localhost"))
            assert tls.selected_alpn_protocol() == "h2"
            # The server may hang up on such a client at any time.
            with suppress(OSError):
                tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b""))
                for burst in range(20):
                    streams = range(burst * 200 + 1, burst * 200 + 201, 2)
                    tls.sendall(
                        b"".join(
                            _frame(1, 4, each, block) + _frame(3, 0, each, struct.pack(">I", 8)) for each in streams
                        )
                    )
            others_are_answered(node)
    others_are_answered(node)


class Crowd:
    """Clients on connections of their own, each of which asks again as soon as it was answered."""

    def __init__(self, node: Node, clients: int) -> None:
        plain = urlsplit(node.plain)
        self._where = (plain.hostname, plain.port)
        self._clients = clients
        self._request = _signed(node)
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def ask(self, seconds: float) -> float:
        """For so long; the rate of good answers."""
        asyncio.run(self._all(time.monotonic() + seconds))
        return self.statuses[200] / seconds

    async def _all(self, end: float) -> None:
        await asyncio.gather(*(self._one(end) for _ in range(self._clients)))

    async def _one(self, end: float) -> None:
        while time.monotonic() < end:
            reader, writer = await asyncio.open_connection(*self._where)
            with suppress(OSError, asyncio.IncompleteReadError):
                while time.monotonic() < end:
                    began = time.monotonic()
                    writer.write(self._request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    lines = head.lower().split(b"\r\n")
                    length = next(int(each.split(b":")[1]) for each in lines if each.startswith(b"content-length"))
                    await reader.readexactly(length)
                    status = int(head.split()[1])
                    self.statuses[status] += 1
                    if status == 503:
                        # As the answer asks, in short: Retry-After has whole seconds.
                        with suppress(TimeoutError):
                            await asyncio.wait_for(asyncio.Event().wait(), 0.1)
                        break
                    self.seconds.append(time.monotonic() - began)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _signed(node: Node) -> bytes:
    """One request that is sent again and again: signing each would keep the clients busier than the service."""
    with Client(node) as client:
        keys = client._keys
    headers = {"X-Amz-Target": "CertificateManager.ListCertificates", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest(method="POST", url=f"{node.plain}/", data=b"{}", headers=headers)
    SigV4Auth(keys, "acm", REGION).add_auth(request)
    host = urlsplit(node.plain).netloc
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(["POST / HTTP/1.1", f"Host: {host}", "Content-Length: 2", *lines, "", "{}"]).encode()


@LONG
def test_twice_the_sustainable_load(node: Node) -> None:
    """The best throughput is that of as many clients as have a place; twice as many get as much, and an honest 503."""
    places = THREADS + QUEUE
    Crowd(node, places).ask(2)
    fitting = Crowd(node, places)
    best = fitting.ask(10)
    assert fitting.statuses.keys() == {200}
    twice = Crowd(node, 2 * places)
    rate = twice.ask(10)
    slowest = sorted(twice.seconds)[int(len(twice.seconds) * 0.99)]
    print(json.dumps({"best": best, "twice": rate, "statuses": twice.statuses, "p99": slowest}))
    assert twice.statuses.keys() == {200, 503}
    assert rate > 0.9 * best
    assert slowest < 0.5
    others_are_answered(node)
