"""Lists, OCSP answers and issuers over HTTP, from addresses that strangers wrote into certificates.

What keeps a stranger from reaching into our network (docs/verify.md, "What may be fetched"): the name is resolved
once, every address of it must be public, and the connection goes to that address and no other. Redirects go the same
way. Answers, times and the number of fetches are bounded.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterable
from urllib.parse import SplitResult, urljoin, urlsplit

from greatseal.domain.trust.ports import NotFetched
from greatseal.integrations.addresses import is_public
from greatseal.integrations.pinned import NotReached, Resolve, cut_at, dial, http_over, resolve, said

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_PIECE = 64 * 1024


class SafeFetcher:
    """Implements `domain.trust.ports.Fetcher`. One for one validation: `most_fetches` is what it may spend in all."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        own: Iterable[str] = (),
        timeout: float = 10.0,
        largest: int = 64 * 1024 * 1024,
        most_fetches: int = 20,
        resolver: Resolve = resolve,
    ) -> None:
        """`own` are base URLs of this installation, which may be private; `timeout` is seconds for one fetch."""
        self._allow_private = allow_private
        self._own = {_origin(urlsplit(each)) for each in own}
        self._timeout = timeout
        self._largest = largest
        self._left = most_fetches
        self._resolve = resolver
        self._context: ssl.SSLContext | None = None

    def get(self, url: str) -> bytes:
        """The body at this URL, after at most three redirects. Raises NotFetched."""
        for _ in range(_MOST_REDIRECTS + 1):
            status, location, body = self._exchange("GET", url, None, {})
            if status not in _REDIRECTS:
                return _good(status, body)
            if not location:
                raise NotFetched("a redirect to nowhere")
            url = _joined(url, location)
        raise NotFetched(f"more than {_MOST_REDIRECTS} redirects")

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        """The body of the answer. A redirect is not followed. Raises NotFetched."""
        status, _, answer = self._exchange("POST", url, body, {"Content-Type": content_type})
        return _good(status, answer)

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str | None, bytes]:
        """One request: status, Location, body."""
        if self._left <= 0:
            raise NotFetched("too much was fetched already")
        self._left -= 1
        parts = _checked(url)
        assert parts.hostname is not None
        # What is fetched carries its own signature, so the system's authorities are good enough for the transport.
        # They take a while to read, which is not the peer's time.
        if parts.scheme == "https" and self._context is None:
            self._context = ssl.create_default_context()
        until = time.monotonic() + self._timeout
        raw = self._connect(parts.hostname, parts)
        # A peer that sends an octet now and then never runs into the timeout of a single read.
        try:
            with cut_at(until, raw):
                connection = http_over(
                    raw, parts.hostname, parts.port, self._context if parts.scheme == "https" else None
                )
                try:
                    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                    connection.request(method, target, body, headers | {"User-Agent": "greatseal", "Accept": "*/*"})
                    answer = connection.getresponse()
                    return answer.status, answer.getheader("Location"), self._read(answer, until)
                finally:
                    connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= until
            raise NotFetched("it took too long" if late else said(error)) from None
        finally:
            raw.close()

    def _connect(self, host: str, parts: SplitResult) -> socket.socket:
        """A connection to an address that was looked at. The name is not resolved again: it might answer otherwise."""
        anywhere = self._allow_private or _origin(parts) in self._own
        try:
            return dial(
                host,
                parts.port or _PORTS[parts.scheme],
                allowed=(lambda _: True) if anywhere else is_public,
                timeout=self._timeout,
                resolver=self._resolve,
            )
        except NotReached as error:
            raise NotFetched(str(error)) from None

    def _read(self, answer: http.client.HTTPResponse, until: float) -> bytes:
        """The whole body, within the limits of size and time."""
        pieces: list[bytes] = []
        size = 0
        while piece := answer.read1(_PIECE):
            size += len(piece)
            if size > self._largest:
                raise NotFetched(f"an answer of more than {self._largest} octets")
            pieces.append(piece)
            if time.monotonic() >= until:
                break
        # When the watch cuts the connection, what came before looks like a short answer.
        if time.monotonic() >= until:
            raise NotFetched("it took too long")
        if answer.length:
            raise NotFetched("the answer broke off")
        return b"".join(pieces)


def _checked(url: str) -> SplitResult:
    """The parts of a URL that may be fetched."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise NotFetched("not a URL")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotFetched("not a URL") from None
    if parts.scheme not in _PORTS:
        raise NotFetched("only http and https are fetched")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise NotFetched("a URL with a user, or without a host")
    return parts


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise NotFetched("a redirect to no URL") from None


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def _good(status: int, body: bytes) -> bytes:
    if status != 200:
        raise NotFetched(f"it answered {status}")
    return body
