"""Pages of HTTP validation: what is fetched, from where, and what strangers may do meanwhile."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure as Failure
from greatseal.integrations.domain_control.http_probe import HttpProbe
from greatseal.integrations.domain_control.local import allowed_addresses
from made_tls import Shown

PAGE = "http://www.example.com/.well-known/pki-validation/x.txt"
CONTENT = "0123456789abcdef"


class Book:
    """In place of the resolver: a table of addresses."""

    def __init__(self, **hosts: list[str]) -> None:
        self.hosts = {"www.example.com": ["127.0.0.1"]} | {key.replace("_", "."): each for key, each in hosts.items()}

    def trip(self) -> None:
        return None

    def addresses(self, host: str, _trip: object) -> list[str]:
        if host not in self.hosts:
            raise LookupFailed(Failure.NO_ANSWER, f"{host} does not answer")
        return self.hosts[host]


@contextmanager
def answering(*answers: bytes, tls=None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives these answers, one a connection; the last one for ever. Its port and what it was sent."""
    listening = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []
    listening.settimeout(10)

    def run() -> None:
        for number in range(100):
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                try:
                    stream = tls.wrap_socket(connection, server_side=True) if tls else connection
                    stream.settimeout(5)
                    seen.append(stream.recv(65536))
                    stream.sendall(answers[min(number, len(answers) - 1)])
                    stream.close()
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], seen
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def page(body: bytes | str, status: str = "200 OK", *headers: str) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    head = "".join(f"{each}\r\n" for each in (f"Content-Length: {len(raw)}", *headers))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + raw


def redirect(to: str, status: str = "302 Found") -> bytes:
    return page("", status, f"Location: {to}")


def probe(port: int, book: Book | None = None, *, https: int = 1, seconds: float = 5, allow=True) -> HttpProbe:
    allowed = (lambda _host, _address: True) if allow else allowed_addresses(["inside.example.com"])
    return HttpProbe(book or Book(), allowed=allowed, ports={80: port, 443: https}, seconds=seconds)


@pytest.mark.parametrize("body", [CONTENT, f"\r\n {CONTENT}\n", CONTENT.encode()])
def test_the_page(body):
    with answering(page(body)) as (port, seen):
        assert probe(port).check(PAGE, CONTENT).ok
    assert seen[0].startswith(b"GET /.well-known/pki-validation/x.txt HTTP/1.1\r\nHost: www.example.com\r\n")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (page("other"), Failure.WRONG_VALUE),
        (page(CONTENT.upper()), Failure.WRONG_VALUE),
        (page(CONTENT + " x"), Failure.WRONG_VALUE),
        (page(""), Failure.WRONG_VALUE),
        (page(CONTENT + " " * 5000), Failure.WRONG_VALUE),
        (page(gzip.compress(CONTENT.encode(), mtime=0), "200 OK", "Content-Encoding: gzip"), Failure.WRONG_VALUE),
        (page(CONTENT, "404 Not Found"), Failure.NOT_FOUND),
        (page(CONTENT, "403 Forbidden"), Failure.NO_ANSWER),
        (page(CONTENT, "303 See Other"), Failure.NO_ANSWER),
        (redirect(PAGE), Failure.NO_ANSWER),
        (redirect("http://127.0.0.1/"), Failure.REFUSED_NAME),
        (redirect("http://[::1]/"), Failure.REFUSED_NAME),
        (redirect("http://www.example.com:8080/"), Failure.REFUSED_NAME),
        (redirect("http://user@www.example.com/"), Failure.REFUSED_NAME),
        (redirect("ftp://www.example.com/"), Failure.REFUSED_NAME),
        (redirect("file:///etc/passwd"), Failure.REFUSED_NAME),
        (redirect("http://[broken/"), Failure.REFUSED_NAME),
        (redirect("http://unknown.example.com/"), Failure.NO_ANSWER),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Failure.NO_ANSWER),
        (b"", Failure.NO_ANSWER),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", Failure.NO_ANSWER),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Failure.NO_ANSWER),
    ],
)
def test_other_answers(answer, failure):
    with answering(answer) as (port, _):
        found = probe(port).check(PAGE, CONTENT)
    assert not found.ok
    assert found.failure == failure, found


@pytest.mark.parametrize("status", ["301 x", "302 x", "307 x", "308 x"])
def test_redirects(status, tmp_path):
    with (
        answering(page(CONTENT), tls=Shown(tmp_path).server()) as (https, seen),
        answering(redirect("https://there.example.com/y?z=1", status)) as (port, _),
    ):
        book = Book(there_example_com=["127.0.0.1"])
        assert probe(port, book, https=https).check(PAGE, CONTENT).ok
    assert seen[0].startswith(b"GET /y?z=1 HTTP/1.1\r\nHost: there.example.com\r\n")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "0.0.0.0"]
)
def test_private_addresses_are_refused(address):
    found = probe(1, Book(www_example_com=["198.51.100.1", address]), allow=False).check(PAGE, CONTENT)
    assert found.failure == Failure.REFUSED_ADDRESS


def test_a_redirect_to_a_private_address_is_refused():
    with answering(redirect("http://inner.example.com/")) as (port, _):
        book = Book(inner_example_com=["10.0.0.1"])
        allowed = allowed_addresses([])
        found = HttpProbe(
            book,
            allowed=lambda host, address: host == "www.example.com" or allowed(host, address),
            ports={80: port},
        ).check(PAGE, CONTENT)
    assert found.failure == Failure.REFUSED_ADDRESS


def test_private_addresses_of_domains_that_may_have_them():
    allowed = allowed_addresses(["inside.example.com"])
    assert allowed("a.inside.example.com.", "10.0.0.1")
    assert allowed("INSIDE.example.com", "fd12::1")
    assert not allowed("a.inside.example.com", "169.254.169.254")
    assert not allowed("a.inside.example.com", "127.0.0.1")
    assert not allowed("notinside.example.com", "10.0.0.1")
    assert allowed_addresses(["inside.example.com"], here=True)("inside.example.com", "127.0.0.1")


def test_a_server_that_never_ends():
    """Octet by octet, or silent: the whole of it has one time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = probe(silent.getsockname()[1], seconds=0.3).check(PAGE, CONTENT)
    assert found.failure == Failure.NO_ANSWER
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000) as (port, _):
        assert probe(port).check(PAGE, CONTENT).failure == Failure.WRONG_VALUE


@pytest.mark.parametrize(
    "url",
    ["", "http://", "https://www.example.com/", "http://www.example.com:443x/", "http://www.example.com:8080/",
     "http://ü.example.com/", "http://www.example.com/ x", "http://192.0.2.1/", "javascript:1", "http://a\r\nb/"],
)  # fmt: skip
def test_urls_that_are_not_fetched(url):
    assert probe(1).check(url, CONTENT).failure == Failure.REFUSED_NAME


def test_a_host_without_an_address():
    assert probe(1, Book(www_example_com=[])).check(PAGE, CONTENT).failure == Failure.NOT_FOUND
