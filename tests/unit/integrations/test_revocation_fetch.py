"""What a stranger's URL can make us fetch, and what not: a real server on the loopback, and resolvers that lie."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from greatseal.domain.trust import NotFetched
from greatseal.integrations.addresses import is_public
from greatseal.integrations.revocation_fetch import SafeFetcher

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ANYWHERE = {"allow_private": True, "timeout": 5.0}


class Served:
    """A server of one answer a connection; `seen` are the requests."""

    def __init__(self, answer: bytes | Callable[[bytes], bytes], *, then_wait: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._answer, self._then_wait = answer, then_wait
        self.done = threading.Event()
        self.seen: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    request += piece
                self.seen.append(request)
                answer = self._answer(request) if callable(self._answer) else self._answer
                try:
                    connection.sendall(answer)
                except OSError:
                    continue
                if self._then_wait:
                    self.done.wait(20)

    def close(self) -> None:
        self.done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@contextmanager
def serving(answer: bytes | Callable[[bytes], bytes], *, then_wait: bool = False) -> Iterator[Served]:
    server = Served(answer, then_wait=then_wait)
    try:
        yield server
    finally:
        server.close()


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1"),
        *("fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0::1"),
        *("64:ff9b:1::101:101", "", "localhost", "1", "0x7f.1", "127.1"),
    ],
)
def test_addresses_inside(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet(address):
    assert is_public(address)


def test_private_addresses_only_when_allowed():
    with serving(OK) as server:
        with pytest.raises(NotFetched, match=r"127\.0\.0\.1 of 127\.0\.0\.1 is not on the public internet"):
            SafeFetcher().get(server.url)
        with pytest.raises(NotFetched, match="public internet"):
            SafeFetcher(own=["http://127.0.0.1:1", "https://127.0.0.1"]).get(server.url)
        assert server.seen == []
        assert SafeFetcher(**ANYWHERE).get(server.url + "/crl?x=1") == b"ok"
        assert SafeFetcher(own=[server.url + "/base"]).get(server.url + "/ca.crl") == b"ok"
        assert server.seen[0].startswith(b"GET /crl?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_this_machine(host):
    with pytest.raises(NotFetched):
        SafeFetcher(timeout=2).get(f"http://{host}:9/")


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    fetcher = SafeFetcher(resolver=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(NotFetched, match=r"10\.0\.0\.1"):
        fetcher.get("http://pki.example/")


def test_the_address_that_was_looked_at_is_the_one_that_is_reached():
    """A name server that says something else the second time is not asked a second time."""
    with serving(OK) as server:
        asked = []

        def resolver(host: str, port: int) -> list[str]:
            asked.append((host, port))
            return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

        fetcher = SafeFetcher(resolver=resolver, own=[f"http://pki.example:{server.port}"])
        assert fetcher.get(f"http://pki.example:{server.port}/") == b"ok"
        assert asked == [("pki.example", server.port)]
        assert f"Host: pki.example:{server.port}".encode() in server.seen[0]


def test_redirects_are_followed_three_times_and_each_is_checked():
    with serving(OK) as end, serving(lambda request: redirect(f"{end.url}/there")) as start:
        assert SafeFetcher(**ANYWHERE).get(start.url) == b"ok"
        with pytest.raises(NotFetched, match="public internet"):
            SafeFetcher(own=[start.url]).get(start.url)
        assert len(end.seen) == 1
        # What may be answered with POST is not carried elsewhere.
        with pytest.raises(NotFetched, match="302"):
            SafeFetcher(**ANYWHERE).post(start.url, b"x", "application/ocsp-request")
    with serving(redirect("/again")) as circle:
        with pytest.raises(NotFetched, match="more than 3 redirects"):
            SafeFetcher(**ANYWHERE).get(circle.url)
        assert len(circle.seen) == 4


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://x/", "gopher://x/", "http://user@x/", "http://[", ""])
def test_redirects_to_something_else(to):
    with serving(redirect(to)) as server, pytest.raises(NotFetched):
        SafeFetcher(**ANYWHERE).get(server.url)


@pytest.mark.parametrize(
    "url",
    [
        *("ldap://x/cn=y", "file:///etc/passwd", "http://", "http:///x", "http://u:p@x/", "http://x:99999/"),
        *("http://x\r\nHost: y/", "http://x y/", "http://bücher.example/", "//x/", "x", "", "http://[::1"),
    ],
)
def test_urls_that_are_not_fetched(url):
    with pytest.raises(NotFetched):
        SafeFetcher(**ANYWHERE, resolver=lambda host, port: []).get(url)


def test_long_answers_are_cut_off():
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000
    with serving(endless) as server, pytest.raises(NotFetched, match="more than 1000 octets"):
        SafeFetcher(**ANYWHERE, largest=1000).get(server.url)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-x\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_answers_that_are_none(answer):
    with serving(answer) as server, pytest.raises(NotFetched):
        SafeFetcher(**ANYWHERE).get(server.url)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
def test_silence_ends_after_the_timeout(start):
    with serving(start, then_wait=True) as server, pytest.raises(NotFetched, match="too long"):
        SafeFetcher(allow_private=True, timeout=0.2).get(server.url)


def test_silence_in_a_tls_handshake_ends_too():
    with serving(OK, then_wait=True) as server, pytest.raises(NotFetched):
        SafeFetcher(allow_private=True, timeout=0.2).get(server.url.replace("http:", "https:"))


def test_the_number_of_fetches_is_bounded():
    with serving(OK) as server:
        fetcher = SafeFetcher(**ANYWHERE, most_fetches=2)
        assert fetcher.get(server.url) == fetcher.post(server.url, b"", "x/y") == b"ok"
        with pytest.raises(NotFetched, match="too much"):
            fetcher.get(server.url)
        assert len(server.seen) == 2
