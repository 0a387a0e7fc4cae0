"""The checksums that clients of S3 send along with a body ("Checking object integrity", S3 User Guide)."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache

PREFIX = "x-amz-checksum-"


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


def _reflected(polynomial: int, bits: int, data: bytes) -> bytes:
    """A CRC whose bits go in and out reflected, starting and ending with all ones."""
    table, ones = _table(polynomial), (1 << bits) - 1
    crc = ones
    for octet in data:
        crc = table[(crc ^ octet) & 255] ^ (crc >> 8)
    return (crc ^ ones).to_bytes(bits // 8, "big")


# A mebibyte takes our own loop a tenth of a second; bodies are a few at most.
_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: _reflected(0x82F63B78, 32, data),
    "crc64nvme": lambda data: _reflected(0x9A6C9329AC4BC9B5, 64, data),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
}

ALGORITHMS = frozenset(_DIGESTS)
"""Names as they end the header `x-amz-checksum-…`."""


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum in base64, as headers carry it. Raises KeyError for an unknown algorithm."""
    return base64.b64encode(_DIGESTS[algorithm](data)).decode("ascii")
