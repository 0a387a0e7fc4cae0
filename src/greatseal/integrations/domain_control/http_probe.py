"""A page that shows control over a host: one GET on port 80, under all the rules for URLs of strangers.

Baseline Requirements 3.2.2.4.18 and .19: only http and https on ports 80 and 443, redirects by 301, 302, 307 and 308,
a 2xx status. Certificates of redirect targets are not looked at: whoever asks for a certificate may not have one yet.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from greatseal.domain.validation.caa import LookupFailed
from greatseal.domain.validation.ports import ControlFailure, Finding
from greatseal.integrations.domain_control.resolver import Resolver
from greatseal.integrations.domain_control.trip import Trip
from greatseal.integrations.pinned import NotAllowed, NotReached, cut_at, dial, http_over, said

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 307, 308)
_MOST_REDIRECTS = 4
_LARGEST = 4096
"""Octets of a page; ours have a tenth of it."""
_SECONDS = 10.0


class HttpProbe:
    """Gets pages at addresses that our own resolver finds."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        allowed: Callable[[str, str], bool],
        ports: Mapping[int, int] | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        """`allowed` says whether a host may be at an address; `ports` where a port really is; `seconds` for it all."""
        self._resolver = resolver
        self._allowed = allowed
        self._ports = dict(ports or {})
        self._seconds = seconds
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def check(self, url: str, content: str) -> Finding:
        """Whether the page at this URL is `content`."""
        trip = self._resolver.trip()
        until = time.monotonic() + self._seconds
        try:
            at = _checked(url, ("http",))
            for _ in range(_MOST_REDIRECTS + 1):
                status, location, body = self._get(at, trip, until)
                if status not in _REDIRECTS:
                    return _judged(at, status, body, content)
                at = _checked(urljoin(at.geturl(), location or ""), tuple(_PORTS))
        except LookupFailed as failed:
            return Finding(False, failed.failure, str(failed))
        except ValueError:
            return Finding(False, ControlFailure.REFUSED_NAME, "a redirect to no URL")
        return Finding(False, ControlFailure.NO_ANSWER, f"{_host(at)} redirects more than {_MOST_REDIRECTS} times")

    def _get(self, url: SplitResult, trip: Trip, until: float) -> tuple[int, str | None, bytes]:
        """One request: status, Location, the beginning of the body. Raises LookupFailed."""
        host = _host(url)
        addresses = self._resolver.addresses(host, trip)
        if not addresses:
            raise LookupFailed(ControlFailure.NOT_FOUND, f"{host} has no address")
        raw = self._dial(url, addresses, until)
        try:
            with cut_at(until, raw):
                port = url.port if url.port != _PORTS[url.scheme] else None
                connection = http_over(raw, host, port, self._context if url.scheme == "https" else None)
                try:
                    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
                    headers = {"User-Agent": "greatseal", "Accept": "*/*", "Accept-Encoding": "identity"}
                    connection.request("GET", target, headers=headers)
                    answer = connection.getresponse()
                    return answer.status, answer.getheader("Location"), _beginning(answer)
                finally:
                    connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            told = "it took too long" if time.monotonic() >= until else said(error)
            raise LookupFailed(ControlFailure.NO_ANSWER, f"{host} does not answer: {told}") from None
        finally:
            raw.close()

    def _dial(self, url: SplitResult, addresses: list[str], until: float) -> socket.socket:
        host, port = _host(url), url.port or _PORTS[url.scheme]
        left = until - time.monotonic()
        if left <= 0:
            raise LookupFailed(ControlFailure.NO_ANSWER, f"{host} does not answer: it took too long")
        try:
            return dial(
                host,
                self._ports.get(port, port),
                allowed=lambda address: self._allowed(host, address),
                timeout=left / 2,  # for each of two addresses
                resolver=lambda _host, _port: addresses,
            )
        except NotAllowed as error:
            raise LookupFailed(ControlFailure.REFUSED_ADDRESS, str(error)) from None
        except NotReached as error:
            raise LookupFailed(ControlFailure.NO_ANSWER, f"{host} cannot be reached: {error}") from None


def _judged(url: SplitResult, status: int, body: bytes, content: str) -> Finding:
    host = _host(url)
    if not 200 <= status <= 299:
        failure = ControlFailure.NOT_FOUND if status in (404, 410) else ControlFailure.NO_ANSWER
        return Finding(False, failure, f"{host} answered {status}")
    if len(body) > _LARGEST or body.strip() != content.strip().encode():
        return Finding(False, ControlFailure.WRONG_VALUE, f"the page of {host} has other content")
    return Finding(True)


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    """The body, as it was sent, up to one octet more than is allowed: nothing is ever unpacked."""
    body = b""
    while len(body) <= _LARGEST and (piece := answer.read1(_LARGEST + 1 - len(body))):
        body += piece
    return body


def _checked(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a URL that may be fetched. Raises LookupFailed."""
    if len(url) > 2048 or not url.isascii() or not url.isprintable() or " " in url:
        raise _refused("not a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("not a URL") from None
    if parts.scheme not in schemes:
        raise _refused(f"only {' and '.join(schemes)} is fetched here")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise _refused("a URL with a user, or without a host")
    if port not in (None, *_PORTS.values()):
        raise _refused("only ports 80 and 443 are asked")
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    raise _refused("a URL with an address in place of a name")


def _refused(message: str) -> LookupFailed:
    return LookupFailed(ControlFailure.REFUSED_NAME, message)


def _host(url: SplitResult) -> str:
    return (url.hostname or "").rstrip(".")
