"""RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425) or a local socket."""

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from greatseal.integrations.pinned import cut_at

Transport = Literal["udp", "tcp", "tls", "unix"]

# UDP has no connection that could be stale; what it tells of is a datagram that was lost.
_ATTEMPTS = {"tcp": 2, "tls": 2, "unix": 2, "udp": 1}


def message(body: bytes, *, priority: int, at: datetime, hostname: str, what: str) -> bytes:
    """One message. `what` is its MSGID: printable ASCII without spaces, at most 32 characters."""
    # Printable ASCII without spaces, or the "nil" of RFC 5424 section 6.2.4.
    known = hostname[:255] if hostname.isascii() and hostname.isprintable() and " " not in hostname else ""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"<{priority}>1 {stamp} {known or '-'} greatseal {os.getpid()} {what or '-'} - ".encode("ascii") + body


class SyslogLine:
    """A receiver, over a connection that is kept. `address` is (host, port), or the path of a datagram socket."""

    def __init__(
        self,
        transport: Transport,
        address: tuple[str, int] | str,
        *,
        timeout: float = 5.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout` is seconds for all steps of one `send` together; `context` is for TLS."""
        self._transport = transport
        self._address = address
        self._timeout = timeout
        self._context = context
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def send(self, messages: Sequence[bytes]) -> None:
        """Raises OSError when the receiver cannot be reached or takes no more in time."""
        with self._lock:
            attempts = _ATTEMPTS[self._transport]
            for attempt in range(1, attempts + 1):
                try:
                    self._send(messages)
                    return
                except OSError as error:
                    # A connection of yesterday may be gone; a new one gets the whole batch, parts of it twice.
                    self._close()
                    if attempt == attempts or isinstance(error, TimeoutError):
                        raise

    def close(self) -> None:
        """Closes the socket; the next message opens it again."""
        with self._lock:
            self._close()

    def _send(self, messages: Sequence[bytes]) -> None:
        streams = self._transport in ("tcp", "tls")
        if self._socket is not None and streams and _is_closed(self._socket):
            self._close()
        if self._socket is None:
            self._socket = self._connect()
        if streams:
            # Octet counting (RFC 6587 section 3.4.1): no line break inside can split a message.
            self._socket.sendall(b"".join(b"%d %s" % (len(each), each) for each in messages))
        else:
            for each in messages:
                self._socket.send(each)

    def _connect(self) -> socket.socket:
        if isinstance(self._address, str):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            return _connected(made, self._address, self._timeout)
        if self._transport in ("tcp", "tls"):
            raw = socket.create_connection(self._address, self._timeout)
            return raw if self._transport == "tcp" else self._secured(raw, self._address[0])
        family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        return _connected(socket.socket(family, kind, protocol), address, self._timeout)

    def _secured(self, raw: socket.socket, host: str) -> socket.socket:
        until = time.monotonic() + self._timeout
        try:
            with cut_at(until, raw):
                return (self._context or ssl.create_default_context()).wrap_socket(raw, server_hostname=host)
        except (OSError, ValueError) as error:
            raw.close()
            if time.monotonic() >= until:
                raise TimeoutError("the handshake took too long") from None
            raise OSError(str(error)) from None

    def _close(self) -> None:
        if self._socket is not None:
            gone, self._socket = self._socket, None
            with suppress(OSError):
                gone.close()


def _connected(made: socket.socket, address: tuple[Any, ...] | str, timeout: float) -> socket.socket:
    try:
        made.settimeout(timeout)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _is_closed(connection: socket.socket) -> bool:
    """Whether the receiver hung up: the first write after that would be taken by the kernel and lost."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    try:
        if not poll.poll(0):
            return False
        if isinstance(connection, ssl.SSLSocket):
            # Tickets of TLS 1.3 arrive unasked: reading them is how one learns whether there is more than that.
            patience = connection.gettimeout()
            connection.setblocking(False)
            try:
                return connection.recv(1) == b""
            except ssl.SSLWantReadError:
                return False
            finally:
                connection.settimeout(patience)
        # A receiver of syslog never speaks: what there is to read is the end, or an error.
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
