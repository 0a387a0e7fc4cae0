"""Servers at the other end of a carrier: real ones, and ones that misbehave in every way that servers do."""

import email
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

from greatseal.domain.delivery import Parcel


def parcel(kind: str, message_id: str = "0d1f7a52-6a0e-4b62-8a0e-0d6f0b1c2d3e", **address: str) -> Parcel:
    return Parcel(
        f"{kind}:x", kind, address, '{"detail-type": "Grüße"}', message_id, "key", {"subject": "Hello"}, "111122223333"
    )


class BadServer:
    """A TCP server that does one bad thing to every connection."""

    def __init__(self, deed: Callable[[socket.socket, threading.Event], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._deed = deed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._deed(connection, self._over)

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def hangs(connection: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def drips(connection: socket.socket, over: threading.Event) -> None:
    """An octet now and then, for ever: no single read ever times out."""
    for octet in b"220-HTTP/1.1 200 OK and so on " * 1000:
        connection.sendall(bytes([octet]))
        if over.wait(0.1):
            return


def babbles(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"\x00\xff\x17garbage\r\n\r\n\xde\xad" * 40)
    over.wait(0.2)


def vanishes(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(20)


def floods(connection: socket.socket, over: threading.Event) -> None:
    """A line that never ends."""
    while not over.is_set():
        connection.sendall(b"2" * 65536)


DEEDS = [hangs, drips, babbles, vanishes, floods]


@contextmanager
def misbehaving(deed: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    server = BadServer(deed)
    try:
        yield server.port
    finally:
        server.close()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class WebReceiver:
    """An HTTP server that answers as the test says; `got` are method, path, headers and body of each request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status, self.headers = 200, dict[str, str]()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.got.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Mailbox:
    """The handler of an SMTP server; `answers` are given instead of an acceptance, by command."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        self.envelopes.append(envelope)
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"


class _Controller(Controller):
    """On a port that the system picks."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(**more: Any) -> Iterator[tuple[int, Mailbox]]:
    box = Mailbox()
    controller = _Controller(box, hostname="127.0.0.1", port=0, **more)
    controller.start()
    try:
        yield controller.port, box
    finally:
        controller.stop()


def only(user: str, password: str) -> Callable[..., AuthResult]:
    """An authenticator that knows one user."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password))

    return check
