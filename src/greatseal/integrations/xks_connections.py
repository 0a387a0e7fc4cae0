"""Connections to key store proxies: HTTPS that is kept open, to addresses that were looked at, within a deadline.

A proxy that hangs must not take every thread of the service with it. At most a few calls of one proxy wait at a time,
and once it has let a call time out, one call at a time tries it until it answers; the others fail at once.
"""

import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greatseal.domain.keys.managed.ports import Fault, ProxyFailed
from greatseal.integrations.addresses import is_elsewhere

log = logging.getLogger(__name__)

_PORT = 443
_AT_A_TIME = 8
_MANY = 1000
_IDLE_SECONDS = 30.0
_LARGEST_ANSWER = 64 * 1024

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, in text. Raises OSError."""


def resolve(host: str, port: int) -> Sequence[str]:
    """As the operating system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _TimedSocket(ssl.SSLSocket):
    """Ends at an instant, however many octets trickle in before it."""

    until = 0.0

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        """As the parent's. Raises TimeoutError."""
        self.settimeout(_left(self.until))
        return super().recv_into(*arguments, **named)

    def send(self, *arguments: Any, **named: Any) -> int:
        """As the parent's. Raises TimeoutError."""
        self.settimeout(_left(self.until))
        return super().send(*arguments, **named)


@dataclass(slots=True)
class _Lane:
    """What is known of one proxy."""

    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_AT_A_TIME))
    probe: threading.Lock = field(default_factory=threading.Lock)
    silent: Fault | None = None
    """How the last call failed to get any answer."""
    idle: list[tuple[float, http.client.HTTPSConnection]] = field(default_factory=list)


class ProxyConnections:
    """Posts to proxies; threads may share it."""

    def __init__(
        self,
        *,
        timeout: float = 1.0,
        ca_file: Path | None = None,
        routes: Mapping[str, tuple[str, int]] | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        """`timeout` is seconds for one call. `routes` says for hosts where they really are, port 443 or not.

        Only a route leads to this very host; none leads to the metadata of a cloud. Raises OSError when `ca_file`
        cannot be read.
        """
        self._timeout = timeout
        self._ca_file = ca_file
        self._routes = {host.lower(): where for host, where in (routes or {}).items()}
        self._resolve = resolver
        # Now if it can fail, and else when it is needed: the system's authorities take a while to read.
        self._context = self._trusting() if ca_file is not None else None
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def post(self, host: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Redirects are not followed. Raises ProxyFailed."""
        until = time.monotonic() + self._timeout
        host = host.lower()
        lane = self._lane(host)
        with _turn(lane, until):
            try:
                answer = self._exchange(lane, host, path, headers, body, until)
            except ProxyFailed as failure:
                lane.silent = failure.fault if failure.fault in (Fault.TIMED_OUT, Fault.UNREACHABLE) else None
                raise
            lane.silent = None
            return answer

    def close(self) -> None:
        """Closes what is open and idle; the next call opens it again."""
        with self._lock:
            for lane in self._lanes.values():
                for _, connection in lane.idle:
                    connection.close()
            self._lanes.clear()

    def _lane(self, host: str) -> _Lane:
        if len(self._lanes) >= _MANY and host not in self._lanes:
            self.close()  # everybody who may make stores may name hosts
        with self._lock:
            return self._lanes.setdefault(host, _Lane())

    def _exchange(
        self, lane: _Lane, host: str, path: str, headers: Mapping[str, str], body: bytes, until: float
    ) -> tuple[int, bytes]:
        kept = self._kept(lane)
        if kept is not None:
            try:
                return self._ask(lane, kept, path, headers, body, until)
            except OSError:
                pass  # the proxy closed a connection that had been idle; every call may be made twice
        fresh = self._connect(host, until)
        try:
            return self._ask(lane, fresh, path, headers, body, until)
        except OSError as error:
            log.warning("the key store proxy %s breaks off: %s", host, type(error).__name__)
            raise ProxyFailed(Fault.UNREACHABLE) from None

    def _ask(
        self,
        lane: _Lane,
        connection: http.client.HTTPSConnection,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        until: float,
    ) -> tuple[int, bytes]:
        timed = connection.sock
        assert isinstance(timed, _TimedSocket)
        timed.until = until
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read(_LARGEST_ANSWER + 1)
        except TimeoutError:
            connection.close()
            raise ProxyFailed(Fault.TIMED_OUT) from None
        except OSError:
            connection.close()
            raise
        except (http.client.HTTPException, ValueError):
            connection.close()
            raise ProxyFailed(Fault.INVALID_RESPONSE) from None
        if len(content) > _LARGEST_ANSWER or not answer.isclosed() or answer.will_close:
            connection.close()
        else:
            with self._lock:
                lane.idle.append((time.monotonic(), connection))
        if len(content) > _LARGEST_ANSWER:
            raise ProxyFailed(Fault.INVALID_RESPONSE)
        return answer.status, content

    def _kept(self, lane: _Lane) -> http.client.HTTPSConnection | None:
        """The connection that was used last; those that nobody needed for long are closed."""
        before = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            old = [connection for since, connection in lane.idle if since < before]
            lane.idle = [each for each in lane.idle if each[0] >= before]
            kept = lane.idle.pop()[1] if lane.idle else None
        for connection in old:
            connection.close()
        return kept

    def _connect(self, host: str, until: float) -> http.client.HTTPSConnection:
        self._context = self._context or self._trusting()
        raw = self._reach(host, until)
        try:
            # In two steps, so that the socket is closed when the handshake fails.
            wrapped = self._context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError):
            raw.close()
            raise ProxyFailed(Fault.TLS) from None
        try:
            wrapped.settimeout(_left(until))
            wrapped.do_handshake()
        except TimeoutError:
            wrapped.close()
            raise ProxyFailed(Fault.TIMED_OUT) from None
        except (OSError, ValueError) as error:
            wrapped.close()
            log.warning("no TLS with the key store proxy %s: %s", host, error)
            raise ProxyFailed(Fault.TLS) from None
        connection = http.client.HTTPSConnection(host, context=self._context)
        connection.sock = wrapped
        # Never let the library connect by itself: it would resolve the name again, and it might answer otherwise.
        connection.auto_open = 0
        return connection

    def _reach(self, host: str, until: float) -> socket.socket:
        """A connection to an address that was looked at."""
        route = self._routes.get(host)
        name, port = route or (host, _PORT)
        try:
            addresses = self._resolve(name, port)
        except (OSError, UnicodeError):
            log.warning("the key store proxy %s is not known", host)
            raise ProxyFailed(Fault.UNREACHABLE) from None
        refused = [each for each in addresses if not is_elsewhere(each, or_here=route is not None)]
        if refused:
            log.warning("the key store proxy %s is not asked at %s", host, refused[0])
            raise ProxyFailed(Fault.UNREACHABLE)
        for address in addresses:
            with suppress(OSError):
                return socket.create_connection((address, port), timeout=_left(until))
        raise ProxyFailed(Fault.UNREACHABLE)

    def _trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(cafile=self._ca_file)
        context.sslsocket_class = _TimedSocket
        return context


@contextmanager
def _turn(lane: _Lane, until: float) -> Iterator[None]:
    """Waits for the right to call a proxy. Raises ProxyFailed."""
    silent = lane.silent
    if silent is None:
        if not lane.slots.acquire(timeout=max(until - time.monotonic(), 0.0)):
            raise ProxyFailed(Fault.TIMED_OUT)
        try:
            silent = lane.silent
            if silent is None:
                yield
                return
        finally:
            lane.slots.release()
    if not lane.probe.acquire(blocking=False):
        raise ProxyFailed(silent)
    try:
        yield
    finally:
        lane.probe.release()


def _left(until: float) -> float:
    """Seconds until the deadline. Raises TimeoutError when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
