"""The two values between the edge and a door: a whole request in, a whole response out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

HeaderList = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What the server tells about the TLS connection (ASGI TLS extension)."""

    client_cert_chain: tuple[str, ...] = ()
    """The client's certificate chain in PEM, leaf first; empty without a client certificate."""
    client_cert_name: str | None = None
    """The subject of the client certificate, as RFC 4514 text."""
    tls_version: int | None = None
    """The protocol version as on the wire: 0x0304 is TLS 1.3."""
    cipher_suite: int | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it was received, with its body read to the end.

    Path, query and headers are the raw bytes: signatures are computed over exactly these (iam.md 7).
    Header names are in lower case, as ASGI demands; HTTP/2's `:authority` arrives as `host`.
    """

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: HeaderList
    body: bytes
    request_id: str
    """One id for the answer, the access log and the audit trail; made by the edge."""
    client_ip: str = ""
    scheme: str = "https"
    tls: TlsInfo | None = None
    _by_name: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, str] = {}
        for key, value in self.headers:
            name, text = key.decode("latin-1"), value.strip(b" \t").decode("latin-1")
            found[name] = f"{found[name]}, {text}" if name in found else text
        # Once for all: a door asks a dozen times.
        object.__setattr__(self, "_by_name", found)

    def header(self, name: str) -> str | None:
        """The value of a header, or None. A header sent twice is joined with commas (RFC 9110 section 5.3)."""
        return self._by_name.get(name.lower())


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer. The edge adds `content-length` when the door did not."""

    status: int
    headers: HeaderList = ()
    body: bytes = b""
    operation: str = ""
    """What was asked, for log and metrics. Only names from a closed list: it becomes a metric label."""
    error: str = ""
    """The code of a refusal, for the log."""


def json_response(status: int, content: object, extra: HeaderList = ()) -> HttpResponse:
    """A small JSON answer of the edge itself."""
    headers = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"), *extra)
    return HttpResponse(status, headers, msgspec.json.encode(content))
