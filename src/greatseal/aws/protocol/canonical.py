"""SigV4's two strings and its key, as pure functions of the bytes that were received (iam.md 7).

Source: "Create a signed AWS API request" in the AWS IAM User Guide.
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
_BLANKS = re.compile(rb"[ \t]+")


def canonical_path(raw_path: bytes, *, once: bool) -> str:
    """The path as it is signed.

    S3 signs the path as sent (`once`); every other service removes dot segments and empty segments and encodes
    the path, escapes included, once more.
    """
    if once:
        return raw_path.decode("latin-1") or "/"
    segments: list[bytes] = []
    for segment in raw_path.split(b"/"):
        if segment == b"..":
            del segments[-1:]
        elif segment not in (b"", b"."):
            segments.append(segment)
    trailing = b"/" if segments and raw_path.endswith(b"/") else b""
    return quote_from_bytes(b"/" + b"/".join(segments) + trailing, safe="/~")


def canonical_query(raw_query: bytes) -> str:
    """Names and values decoded, encoded again by the one rule of RFC 3986, and sorted."""
    if not raw_query:
        return ""
    pairs = []
    for part in raw_query.split(b"&"):
        name, _, value = part.partition(b"=")
        pairs.append((_encode(name), _encode(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encode(part: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(part), safe="~")


def canonical_headers(headers: Iterable[tuple[bytes, bytes]], signed: Sequence[str]) -> str:
    """One line for each signed header: trimmed, inner blanks collapsed, repeated headers joined with commas.

    A header that was signed but did not arrive is an empty line, so that the signature does not match.
    """
    values: dict[bytes, list[bytes]] = {}
    in_order = [values.setdefault(name.encode("latin-1"), []) for name in signed]
    for name, value in headers:
        if name in values:
            trimmed = value.strip(b" \t")
            values[name].append(_BLANKS.sub(b" ", trimmed) if b"  " in trimmed or b"\t" in trimmed else trimmed)
    return "".join(
        [f"{name}:{b','.join(found).decode('latin-1')}\n" for name, found in zip(signed, in_order, strict=True)]
    )


def canonical_request(
    method: str, path: str, query: str, headers: str, signed: Sequence[str], payload_sha256: str
) -> str:
    """The canonical request, of parts that are canonical already."""
    return "\n".join((method, path, query, headers, ";".join(signed), payload_sha256))


def string_to_sign(timestamp: str, scope: str, request: str) -> str:
    """What the signature is made over; `timestamp` is ISO 8601 basic, `scope` is `date/region/service/aws4_request`."""
    # Latin-1 gives back the very bytes that were received.
    return "\n".join((ALGORITHM, timestamp, scope, hashlib.sha256(request.encode("latin-1")).hexdigest()))


@functools.lru_cache(maxsize=4096)
def signing_key(secret: bytes, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service.

    Remembered, because it is four of the five HMACs of a request. The secret itself is part of the cache's key,
    not the access key's id: a key can never meet the secret of another one.
    """
    key = b"AWS4" + secret
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("latin-1"), hashlib.sha256)
    return key


def signature(key: bytes, text: str) -> str:
    """The signature in hexadecimal."""
    return hmac.digest(key, text.encode("latin-1"), hashlib.sha256).hex()
