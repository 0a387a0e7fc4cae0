"""Connections to addresses that were looked at, and that end at an instant: what every URL of a stranger goes over.

A name is resolved once and every address of it must be allowed; the connection goes to that address and no other, so
that a name that answers otherwise a moment later leads nowhere. A peer that sends an octet now and then is cut off.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, in text. Raises OSError."""


class NotReached(Exception):
    """There is no connection; the message says why."""


class NotAllowed(NotReached):
    """The name leads to an address that nothing may be sent to."""


def resolve(host: str, port: int) -> Sequence[str]:
    """As the operating system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def dial(
    host: str, port: int, *, allowed: Callable[[str], bool], timeout: float, resolver: Resolve = resolve
) -> socket.socket:
    """A connection to an address of a host, all of which must be allowed. Raises NotReached, NotAllowed.

    `timeout` is seconds, for each of at most two addresses and for each later step on the socket.
    """
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError):
        raise NotReached(f"the host {host} is not known") from None
    for address in addresses:
        if not allowed(address):
            raise NotAllowed(f"the address {address} of {host} is not on the public internet")
    failure = f"the host {host} has no address"
    for address in addresses[:2]:
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except (OSError, ValueError) as error:
            failure = said(error)
    raise NotReached(failure)


def http_over(
    raw: socket.socket, host: str, port: int | None, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    """HTTP over a connection that is there already. The host name only goes into headers and the TLS handshake.

    Raises OSError, ValueError.
    """
    if context is None:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = raw
    else:
        connection = http.client.HTTPSConnection(host, port)
        connection.sock = tls_over(raw, host, context)
    # Never let the library connect by itself: it would resolve the name again.
    connection.auto_open = 0
    return connection


def tls_over(raw: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """TLS over a connection, which is closed when the handshake fails. Raises OSError, ValueError."""
    wrapped = context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    try:
        wrapped.do_handshake()
    except (OSError, ValueError):
        wrapped.close()
        raise
    return wrapped


@contextmanager
def cut_at(until: float, connection: socket.socket) -> Iterator[None]:
    """Ends a connection at an instant of the monotonic clock, whatever is read from it or written to it."""
    # TLS takes a socket over; the second handle still reaches the connection.
    second = connection.dup()
    watch = threading.Timer(max(until - time.monotonic(), 0.001), _cut, [second])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        second.close()


def said(error: BaseException) -> str:
    """A failure of the network in few words, none of which come from the peer."""
    return "it took too long" if isinstance(error, TimeoutError) else type(error).__name__


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed in the meantime
