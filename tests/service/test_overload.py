"""Clients that are slow, idle, endless or in a hurry stop nobody else (faults.md 59 to 61), over real sockets."""

import asyncio
import http.client
import json
import os
import resource
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
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
    return _trusting().wrap_socket(raw)


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
    context = _trusting()
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


def test_heads_without_end_over_http_2(node: Node) -> None:
    """CVE-2024-27316 and its kin: CONTINUATION frames that never end a head."""
    context = _trusting()
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(address(node), timeout=10) as raw, context.wrap_socket(raw) as tls:
        tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"") + _frame(1, 0, 1, b"\x83\x84\x87"))
        # A literal field that is not indexed: x-a, and 16 000 octets.
        more = _frame(9, 0, 1, b"\x00\x03x-a\x7f\x81\x7c" + b"a" * 16000)
        before = _resident(node)
        with suppress(OSError):
            for _ in range(2000):
                tls.sendall(more)
        others_are_answered(node)
        # Whatever is still sent is thrown away.
        assert _resident(node) < before + 20 * 2**20


class Crowd:
    """Clients on connections of their own, each of which asks again as soon as it was answered.

    Whoever is refused asks again after `pause` seconds.
    """

    def __init__(self, node: Node, clients: int, url: str, pause: float = 0.1) -> None:
        self._node = node
        self._url = urlsplit(url)
        self._tls = _trusting() if self._url.scheme == "https" else None
        self._clients = clients
        self._pause = pause
        self._request = _signed(node, url)
        self.connections = 0
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.spent = 0.0
        self.asked = 0.0

    def ask(self, seconds: float) -> "Crowd":
        """For so long."""
        before, began = _processor_time(self._node), time.monotonic()
        asyncio.run(self._all(began + seconds))
        self.spent += _processor_time(self._node) - before
        self.asked += time.monotonic() - began
        return self

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.asked

    @property
    def cost(self) -> float:
        """Seconds of the service's processor for each good answer, with all that the others cost."""
        return self.spent / self.statuses[200]

    def slowest(self, part: float) -> float:
        """The seconds that so large a part of the good answers took at most."""
        return sorted(self.seconds)[int(len(self.seconds) * part)]

    async def _all(self, end: float) -> None:
        await asyncio.gather(*(self._one(end) for _ in range(self._clients)))

    async def _one(self, end: float) -> None:
        while time.monotonic() < end:
            reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port, ssl=self._tls)
            self.connections += 1
            with suppress(OSError, asyncio.IncompleteReadError):
                while time.monotonic() < end and await self._asked(reader, writer):
                    pass
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One question and its answer; whether the connection goes on."""
        began = time.monotonic()
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        lines = head.split(b"\r\n")
        await reader.readexactly(next(int(each.split(b":")[1]) for each in lines if each.startswith(b"content-length")))
        status = int(head.split()[1])
        self.statuses[status] += 1
        if status == 503:
            assert b"retry-after: 1" in lines
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), self._pause)
        else:
            self.seconds.append(time.monotonic() - began)
        return b"connection: close" not in lines


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _processor_time(node: Node) -> float:
    """The seconds that the service has computed so far: what the clock says is also about everybody else here."""
    assert node.process is not None
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _signed(node: Node, url: str) -> bytes:
    """One request that is sent again and again: signing each would keep the clients busier than the service."""
    with Client(node) as client:
        keys = client._keys
    headers = {"X-Amz-Target": "CertificateManager.ListCertificates", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest(method="POST", url=f"{url}/", data=b"{}", headers=headers)
    SigV4Auth(keys, "acm", REGION).add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(
        ["POST / HTTP/1.1", f"Host: {urlsplit(url).netloc}", "Content-Length: 2", *lines, "", "{}"]
    ).encode()


@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=LONG)])
def test_twice_the_sustainable_load(node: Node, seconds: int) -> None:
    """The best throughput is that of as many clients as have a place; twice as many, and twice the load, get as much.

    The rest gets an honest 503. Each stays on its one connection: whoever is refused costs no handshake.
    """
    places, turns = THREADS + QUEUE, 2
    known = Crowd(node, places, node.secure).ask(1).rate
    fitting, twice = Crowd(node, places, node.secure), Crowd(node, 2 * places, node.secure, pause=places / known)
    for _ in range(turns):
        fitting.ask(seconds / turns)
        twice.ask(seconds / turns)
    for each in (fitting, twice):
        told = {"rate": each.rate, "statuses": each.statuses, "cost": each.cost}
        print(json.dumps({**told, "median": each.slowest(0.5), "p99": each.slowest(0.99)}))
    assert twice.statuses.keys() == {200, 503}
    assert (fitting.connections, twice.connections) == (turns * places, turns * 2 * places)
    assert twice.slowest(0.5) < 2 * fitting.slowest(0.5) + 0.1
    # In so short a time the others on this machine decide about rates; what an answer costs is ours.
    assert twice.cost < 2 * fitting.cost
    if seconds >= 20:
        assert twice.rate > 0.9 * fitting.rate
        assert twice.slowest(0.99) < 0.5
    others_are_answered(node)


def test_nobody_waits_for_long(tmp_path: Path) -> None:
    """A queue with room for everybody takes only those who will be answered soon, however quick this machine is."""
    clients = 150
    settings = {"GREATSEAL_SERVER_THREADS": "4", "GREATSEAL_SERVER_QUEUE_LIMIT": "1000"}
    long = Node(tmp_path / "data", **settings, GREATSEAL_SERVER_QUEUE_SECONDS="0.05")
    try:
        long.start()
        Crowd(long, clients, long.secure).ask(1)
        crowd = Crowd(long, clients, long.secure).ask(2)
        print(json.dumps({"rate": crowd.rate, "statuses": crowd.statuses, "median": crowd.slowest(0.5)}))
        assert crowd.statuses.keys() == {200, 503}
        # If all of them were let in, each would wait for all others.
        assert crowd.slowest(0.5) < 0.5 * clients / crowd.rate
    finally:
        assert long.stop() == 0


def test_answers_that_nobody_reads(node: Node) -> None:
    """Clients that ask and ask on one connection and take nothing: their answers must not fill the memory."""
    request = _signed(node, node.secure)
    before = _resident(node)
    with ExitStack() as stack:
        for _ in range(4):
            each = stack.enter_context(connected(node.secure))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.settimeout(0.5)
            with suppress(OSError):
                for _ in range(200):
                    each.sendall(request * 50)
            others_are_answered(node)
    others_are_answered(node)
    assert _resident(node) < before + 200 * 2**20


def _resident(node: Node) -> int:
    """Octets of memory that the service has now."""
    assert node.process is not None
    return int(Path(f"/proc/{node.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()
