"""A copy to a syslog receiver: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587) or a local socket.

UDP loses what the network loses and refuses records over 64 KiB; TCP tells that this host's kernel took the
message, not that the receiver stored it. Use the file or the webhook where that is not enough.
"""

import os
import select
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import Any, Literal

from greatseal.kernel.clock import Clock

# Facility 13 is "log audit", severity 5 is notice (RFC 5424 section 6.2.1).
_PRIORITY = 13 * 8 + 5
# UDP has no connection that could be stale; what it tells of is a datagram that was lost.
_ATTEMPTS = {"tcp": 2, "unix": 2, "udp": 1}

Transport = Literal["udp", "tcp", "unix"]


class SyslogSink:
    """Sends each line as one message. `address` is (host, port), or the path of a datagram socket such as /dev/log."""

    def __init__(
        self, transport: Transport, address: tuple[str, int] | str, *, clock: Clock, hostname: str, timeout: float = 5.0
    ) -> None:
        self._transport = transport
        self._address = address
        self._clock = clock
        # Printable ASCII without spaces, or the "nil" of RFC 5424 section 6.2.4.
        self._hostname = hostname[:255] if hostname.isascii() and hostname.isprintable() and " " not in hostname else ""
        self._timeout = timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Raises OSError when the receiver cannot be reached or the socket takes no more in time."""
        messages = [self._message(line) for line in lines]
        with self._lock:
            attempts = _ATTEMPTS[self._transport]
            for attempt in range(1, attempts + 1):
                try:
                    self._send(messages)
                    return
                except OSError:
                    # A connection of yesterday may be gone; a new one gets the whole batch, parts of it twice.
                    self._close()
                    if attempt == attempts:
                        raise

    def close(self) -> None:
        """Closes the socket; the next line opens it again."""
        with self._lock:
            self._close()

    def _message(self, line: bytes) -> bytes:
        at = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        head = f"<{_PRIORITY}>1 {at} {self._hostname or '-'} greatseal {os.getpid()} audit - "
        return head.encode("ascii") + line

    def _send(self, messages: Sequence[bytes]) -> None:
        if self._socket is not None and self._transport == "tcp" and _is_closed(self._socket):
            self._close()
        if self._socket is None:
            self._socket = self._connect()
        if self._transport == "tcp":
            # Octet counting (RFC 6587 section 3.4.1): no line break inside can split a message.
            self._socket.sendall(b"".join(b"%d %s" % (len(each), each) for each in messages))
        else:
            for each in messages:
                self._socket.send(each)

    def _connect(self) -> socket.socket:
        if isinstance(self._address, str):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            return _connected(made, self._address, self._timeout)
        if self._transport == "tcp":
            return socket.create_connection(self._address, self._timeout)
        family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        return _connected(socket.socket(family, kind, protocol), address, self._timeout)

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
        # A receiver of syslog never speaks: what there is to read is the end, or an error.
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
