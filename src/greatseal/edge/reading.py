"""From an ASGI scope and its messages to a whole `HttpRequest`, within limits of size and time.

What is refused here (faults.md 59 and 61): too many or too large headers, framing that says two things,
a body larger than allowed or than it said it would be, a body that does not arrive in time.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from greatseal.edge.messages import HeaderList, HttpRequest, TlsInfo

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one listener. The defaults fit AWS requests."""

    body_bytes: int = 9 * 1024 * 1024
    """The largest request is ImportCertificate: a chain of 2 MiB is 2.7 MiB of base64 (acm.md 2)."""
    header_count: int = 100
    header_bytes: int = 32 * 1024
    """Names and values together; a session token alone may have some kilobytes."""
    body_seconds: float = 30.0
    """From the head of the request to the last byte of its body."""
    workers: int = 16
    """Threads that run handlers."""
    queued: int = 256
    """Requests that may wait for a thread; more are refused with 503."""
    queue_seconds: float = 0.3
    """How long the last of them may have to wait; whoever would wait longer is refused with 503."""


class Refused(Exception):
    """The edge does not take this request. The text is for the client and names no internals."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Disconnected(Exception):
    """The client went away before its request was complete; nobody waits for an answer."""


def headers_of(scope: Scope, limits: Limits) -> HeaderList:
    """The headers as received, in lower case. Raises Refused for too many, too large or ambiguous ones."""
    headers: HeaderList = tuple([(bytes(name).lower(), bytes(value)) for name, value in scope["headers"]])
    if len(headers) > limits.header_count:
        raise Refused(431, "Too many header fields")
    if sum([len(name) + len(value) for name, value in headers]) > limits.header_bytes:
        raise Refused(431, "Header fields too large")
    names = [name for name, _ in headers]
    if names.count(b"host") > 1:
        raise Refused(400, "More than one Host header")
    lengths = {value for name, value in headers if name == b"content-length"}
    # RFC 9112 section 6.3: a message that gives its length twice may be an attempt at smuggling.
    if len(lengths) > 1 or (lengths and b"transfer-encoding" in names):
        raise Refused(400, "Ambiguous message length")
    return headers


def _declared_length(headers: HeaderList) -> int | None:
    value = next((value for name, value in headers if name == b"content-length"), None)
    if value is None:
        return None
    # int() would also take signs, blanks and underscores. 18 digits are enough for any length that is meant.
    if not value.isdigit() or len(value) > 18:
        raise Refused(400, "Content-Length is not a number")
    return int(value)


# What is this small has arrived with the head as a rule: reading it costs less than another handshake.
_SMALL_BODY = 64 * 1024


def is_small(headers: HeaderList) -> bool:
    """Whether the request says that its body is small, so that it can be read to the end and the connection kept."""
    if any(name == b"transfer-encoding" for name, _ in headers):
        return False
    return (_declared_length(headers) or 0) <= _SMALL_BODY


async def read_body(receive: Receive, headers: HeaderList, *, body_bytes: int, seconds: float) -> bytes:
    """The whole body.

    Raises Refused 413 as soon as the body is known to be larger than `body_bytes`, 408 when it is not
    complete within `seconds`, 400 when it is not as long as declared; Disconnected when the client left.
    """
    declared = _declared_length(headers)
    if declared is not None and declared > body_bytes:
        raise Refused(413, "Request body too large")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > body_bytes:
                    raise Refused(413, "Request body too large")
                chunks.append(chunk)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused(408, "The request body did not arrive in time") from None
    if declared is not None and size != declared:
        raise Refused(400, "The request body is not as long as Content-Length says")
    return b"".join(chunks)


def raw_path_of(scope: Scope) -> bytes:
    """The path as sent; servers that do not keep it get it encoded again."""
    raw = scope.get("raw_path")
    return bytes(raw) if raw is not None else quote(scope["path"], safe="/~:@!$&'()*+,;=").encode("ascii")


def request_of(scope: Scope, headers: HeaderList, body: bytes, request_id: str) -> HttpRequest:
    """Puts the parts together as the frozen value that doors take."""
    client = scope.get("client")
    return HttpRequest(
        method=scope["method"],
        raw_path=raw_path_of(scope),
        raw_query=bytes(scope.get("query_string", b"")),
        headers=headers,
        body=body,
        request_id=request_id,
        client_ip=client[0] if client else "",
        scheme=scope.get("scheme", "http"),
        tls=_tls_of(scope),
    )


def _tls_of(scope: Scope) -> TlsInfo | None:
    tls = (scope.get("extensions") or {}).get("tls")
    if tls is None:
        return None
    return TlsInfo(
        client_cert_chain=tuple(tls.get("client_cert_chain") or ()),
        client_cert_name=tls.get("client_cert_name"),
        tls_version=tls.get("tls_version"),
        cipher_suite=tls.get("cipher_suite"),
    )
