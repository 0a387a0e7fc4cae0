"""Ready answers, given before a request becomes a request: a GET that has arrived whole and asks for nothing special.

The octets are taken apart only as far as the answer depends on them. Whatever is not plain (a body, a condition, an
upgrade, a second request behind the first one, a header that is not well formed) is left to the server, and so to
its limits and refusals. Ready answers are counted and not logged: the log would cost more than the answer.
"""

import re
import time
from functools import lru_cache

from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.mounts import Mounts

_LONGEST = 4096
_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
# RFC 9112 section 5, without what old messages may have: folded lines, and octets beyond ASCII.
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?[ \t]*")
_SPECIAL = frozenset(
    {
        b"content-length",
        b"expect",
        b"if-match",
        b"if-none-match",
        b"if-modified-since",
        b"if-unmodified-since",
        b"range",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_KEEP, _CLOSE = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n"
_OPERATION = "successful"


class Express:
    """The ready answers of the doors of one listener."""

    def __init__(self, mounts: Mounts, metrics: EdgeMetrics) -> None:
        self._doors = [
            (prefix, ready, metrics.counting(door, _OPERATION, 200))
            for prefix, door, ready in mounts.with_ready_answers
        ]

    def answer(self, data: bytes) -> tuple[bytes, bool] | None:
        """The whole answer to `data`, and whether the connection ends with it; None when there is no ready one."""
        started = time.perf_counter()
        if len(data) > _LONGEST or not data.startswith(b"GET /"):
            return None
        line, _, head = data.partition(b"\r\n")
        stays = _stays_open(head)
        if stays is None or line[-9:] not in _VERSIONS:
            return None
        path = line[4:-9]
        for prefix, ready, count in self._doors:
            if path.startswith(prefix) and (rest := ready(path)) is not None:
                ends = not stays or line.endswith(b"0")
                count(time.perf_counter() - started)
                return (_CLOSE if ends else _KEEP) + rest, ends
        return None


@lru_cache(1024)
def _stays_open(head: bytes) -> bool | None:
    """Whether the connection stays open after a request with these header fields; None when they are not plain.

    Remembered, because a client sends the same ones each time.
    """
    if not head.endswith(b"\r\n\r\n"):
        return None
    hosts, stays = 0, True
    for line in head[:-4].split(b"\r\n"):
        field = _FIELD.fullmatch(line)
        if field is None:
            return None
        name, value = field[1].lower(), field[2] or b""
        if name in _SPECIAL:
            return None
        if name == b"host":
            hosts += 1
        elif name == b"connection":
            if value.lower() not in (b"close", b"keep-alive"):
                return None
            stays = stays and value.lower() != b"close"
    # RFC 9112 section 3.2 wants exactly one.
    return stays if hosts == 1 else None
