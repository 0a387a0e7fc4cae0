"""The TLS listener of the test endpoints: the name that a client asks for decides which certificate it is shown.

A connection has one thread, one request and ten seconds. The threads end with the listener.
"""

import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn

import structlog

from greatseal.crypto.keypair import load_private, pem_private
from greatseal.domain.trust_services.endpoints import Endpoint, Endpoints
from greatseal.x509 import pem

_log = structlog.get_logger("greatseal")

_SECONDS = 10.0
_MOST_AT_ONCE = 32
_MOST_OCTETS = 8192


class EndpointListener:
    """Answers for every endpoint that is what it says; others it does not know."""

    def __init__(self, host: str, port: int, endpoints: Endpoints) -> None:
        """Binds the port at once; 0 lets the system pick one."""
        self._endpoints = endpoints
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        # Never used for a client: it has no certificate, and the callback replaces it or ends the handshake.
        self._base = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._base.sni_callback = self._choose
        self._server = _Server(host, port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="greatseal-endpoints", daemon=True)

    @property
    def port(self) -> int:
        """The real port."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, after the connections that are open."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, connection: socket.socket) -> None:
        """One connection, in its own thread."""
        until = time.monotonic() + _SECONDS
        connection.settimeout(_SECONDS)
        try:
            with self._base.wrap_socket(connection, server_side=True) as secured:
                name = getattr(secured.context, "greatseal_endpoint", "")
                request = b""
                while b"\r\n\r\n" not in request and len(request) < _MOST_OCTETS:
                    # All of it together: octet by octet it would take a day. Nobody may wait for no time at all.
                    secured.settimeout(max(until - time.monotonic(), 0.001))
                    more = secured.recv(_MOST_OCTETS)
                    if not more:
                        return
                    request += more
                secured.sendall(_answer(name, head=request.startswith(b"HEAD ")))
                secured.unwrap()
        except OSError:
            return  # that a client goes away is what most of these certificates are for

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            found = next((each for each in self._endpoints.shown() if each.host == (name or "").lower()), None)
            if found is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._context(found)
        except Exception:  # noqa: BLE001 - the callback is called from C
            _log.exception("test_endpoint_failed", name=name)
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None

    def _context(self, endpoint: Endpoint) -> ssl.SSLContext:
        """The context of an endpoint; made when its certificate or the served chain is another one than before."""
        chain = pem.write_certificates(endpoint.chain)
        with self._lock:
            known = self._contexts.get(endpoint.host)
        if isinstance(known, _Context) and known.chain == chain:
            return known
        made = _Context(ssl.PROTOCOL_TLS_SERVER)
        made.chain, made.greatseal_endpoint = chain, endpoint.host
        key = pem_private(load_private(self._endpoints.key_of(endpoint))).reveal().decode()
        # The library takes files only.
        with tempfile.TemporaryDirectory(prefix="greatseal-endpoint-") as folder:
            path = Path(folder) / "both.pem"
            path.touch(mode=0o600)
            path.write_text(f"{key}\n{chain}\n", encoding="ascii")
            made.load_cert_chain(path)
        with self._lock:
            self._contexts[endpoint.host] = made
        return made


class _Context(ssl.SSLContext):
    """A context that remembers what it shows."""

    chain = ""
    greatseal_endpoint = ""


class _Server(ThreadingMixIn, TCPServer):
    """Accepts connections, so many at once."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, host: str, port: int, listener: EndpointListener) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = listener
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__((host, port), _Connection)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Beyond the limit a connection is closed."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """As the parent's; the place is free afterwards."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class _Connection(BaseRequestHandler):
    """Hands the connection over."""

    server: _Server

    def handle(self) -> None:
        """As the parent's."""
        self.server.listener.serve(self.request)


def _answer(name: str, *, head: bool) -> bytes:
    state, _, rest = name.partition(".")
    body = f"This is {name}. Its certificate is {state}; it stands for {rest.partition('.')[0]}.\n".encode("ascii")
    lines = (
        "HTTP/1.1 200 OK",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(body)}",
        "connection: close",
        "x-content-type-options: nosniff",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii") + (b"" if head else body)
