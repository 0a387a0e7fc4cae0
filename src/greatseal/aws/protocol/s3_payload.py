"""What a request to S3 says about its body: the hash under the signature, the chunks, the checksums.

Bodies come plain, or in chunks with a checksum behind them (`aws-chunked`), which is how current SDKs upload.
Source: "Authenticating requests: Transferring payload in multiple chunks", Amazon S3 API reference.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from greatseal.aws.protocol import checksums
from greatseal.aws.protocol.message import Headers, Message
from greatseal.aws.wire import WireError

UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_HASH = "x-amz-content-sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A request whose body is what the client meant to send, and whose trailers have become headers."""

    method: str
    raw_path: bytes
    raw_query: bytes
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """As `Message.header`."""
        wanted = name.lower().encode("latin-1")
        values = [value.strip(b" \t") for key, value in self.headers if key == wanted]
        return b", ".join(values).decode("latin-1") if values else None


def declared_hash(request: Message) -> str:
    """What the signature covers of the body. Raises WireError when that is not this body."""
    declared = request.header(_HASH)
    if declared is None:
        raise WireError("InvalidRequest", f"Missing required header for this request: {_HASH}")
    if declared in (UNSIGNED, CHUNKED):
        # Without TLS nothing else would keep the body what it was.
        if getattr(request, "scheme", "https") != "https":
            raise WireError("InvalidRequest", f"{declared} is accepted over HTTPS only; sign the payload.")
        return declared
    if not _SHA256.fullmatch(declared):
        raise WireError(
            "InvalidArgument", f"{_HASH} must be {UNSIGNED}, {CHUNKED}, or a valid sha256 value; got {declared[:64]}."
        )
    if declared != hashlib.sha256(request.body).hexdigest():
        raise WireError("XAmzContentSHA256Mismatch", f"The provided '{_HASH}' header does not match what was computed.")
    return declared


def unpack(request: Message) -> Unpacked:
    """Takes the chunks apart and checks every checksum that came along. Raises WireError."""
    headers, body = request.headers, request.body
    if request.header(_HASH) == CHUNKED:
        body, trailers = _dechunk(body)
        _check_trailers(request, trailers, len(body))
        headers = (*_without_chunking(headers), *trailers)
    found = Unpacked(request.method, request.raw_path, request.raw_query, headers, body)
    _check_digests(found)
    return found


def _dechunk(raw: bytes) -> tuple[bytes, Headers]:
    """`size[;extension]CRLF data CRLF … 0 CRLF trailer CRLF … CRLF`."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = raw.find(b"\r\n", at, at + 256)
        size = raw[at:end].partition(b";")[0] if end >= 0 else b""
        if not _SIZE.fullmatch(size):
            raise _broken()
        length, at = int(size, 16), end + 2
        if length == 0:
            return b"".join(parts), tuple(_trailers(raw[at:]))
        if raw[at + length : at + length + 2] != b"\r\n":
            raise _broken()
        parts.append(raw[at : at + length])
        at += length + 2


def _trailers(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in raw.split(b"\r\n"):
        if line:
            name, colon, value = line.partition(b":")
            if not colon:
                raise _broken()
            yield name.strip(b" \t").lower(), value.strip(b" \t\n")


def _check_trailers(request: Message, trailers: Headers, size: int) -> None:
    """What comes behind the body is what the signed head announced, and the body as long as it said."""
    announced = {name.strip(" \t").lower() for name in (request.header("x-amz-trailer") or "").split(",")} - {""}
    if sorted(name.decode("latin-1") for name, _ in trailers) != sorted(announced):
        raise WireError("MalformedTrailerError", "The request contained trailing data that was not well-formed.")
    decoded = request.header("x-amz-decoded-content-length")
    if decoded is None:
        raise WireError("MissingContentLength", "You must provide the x-amz-decoded-content-length header.", 411)
    if decoded != str(size):
        raise WireError("IncompleteBody", "The body does not have the length of x-amz-decoded-content-length.")


def _without_chunking(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    """The headers as they would be without chunks: these are not a property of the object."""
    for name, value in headers:
        if name == b"content-encoding":
            kept = [each.strip() for each in value.split(b",") if each.strip().lower() != b"aws-chunked"]
            if kept:
                yield name, b",".join(kept)
        elif name not in (b"content-length", b"x-amz-trailer"):
            yield name, value


def _check_digests(request: Unpacked) -> None:
    sent = request.header("content-md5")
    if sent is not None:
        if _size_of(sent) != 16:
            raise WireError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if sent != checksums.checksum("md5", request.body):
            raise WireError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for name, value in request.headers:
        algorithm = name.decode("latin-1").removeprefix(checksums.PREFIX)
        if not name.startswith(checksums.PREFIX.encode()) or algorithm in ("mode", "type", "algorithm"):
            continue
        if algorithm not in checksums.ALGORITHMS:
            raise WireError("InvalidRequest", f"The checksum algorithm {algorithm[:32]} is not supported.")
        if value.decode("latin-1") != checksums.checksum(algorithm, request.body):
            raise WireError(
                "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum."
            )


def _size_of(encoded: str) -> int:
    try:
        return len(base64.b64decode(encoded, validate=True))
    except ValueError:
        return 0


def _broken() -> WireError:
    return WireError("IncompleteBody", "The request body is not in the form of aws-chunked.")
