"""Contents of primitive types, decoded; everything that DER forbids raises DerError."""

from datetime import UTC, datetime
from functools import lru_cache

from greatseal.x509.der.tags import MAX_OID_SIZE, UTC_TIME, DerError


def decode_integer(content: bytes) -> int:
    """INTEGER content; refuses superfluous leading octets (X.690 section 8.3.2)."""
    if not content:
        raise DerError("an INTEGER without content")
    if len(content) > 1 and content[0] in (0x00, 0xFF) and content[0] >> 7 == content[1] >> 7:
        raise DerError("an INTEGER that is not minimal")
    return int.from_bytes(content, "big", signed=True)


def decode_boolean(content: bytes) -> bool:
    """BOOLEAN content: only FF and 00."""
    if content not in (b"\xff", b"\0"):
        raise DerError("a BOOLEAN that is neither FF nor 00")
    return content == b"\xff"


def decode_bit_string(content: bytes) -> tuple[bytes, int]:
    """BIT STRING content: octets and unused bits, which must be zero (X.690 section 11.2.1)."""
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise DerError("a BIT STRING with an impossible count of unused bits")
    if content[0] and content[-1] & ((1 << content[0]) - 1):
        raise DerError("a BIT STRING whose unused bits are not zero")
    return content[1:], content[0]


@lru_cache(maxsize=4096)
def decode_oid(content: bytes) -> str:
    """OBJECT IDENTIFIER content as dotted decimal; refuses padded or endless arcs."""
    if not content or content[-1] & 0x80 or len(content) > MAX_OID_SIZE:
        raise DerError("an OBJECT IDENTIFIER that is empty, cut off or too long")
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise DerError("an OBJECT IDENTIFIER arc that is not minimal")
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, (root, arcs[0] - root * 40, *arcs[1:])))


# Long lists repeat their times, and reading one takes as long as all the rest of an entry.
@lru_cache(maxsize=1024)
def decode_time(tag: int, content: bytes) -> datetime:
    """UTCTime or GeneralizedTime content with seconds and Z, nothing else (RFC 5280 section 4.1.2.5)."""
    size = 13 if tag == UTC_TIME else 15
    if len(content) != size or content[-1:] != b"Z" or not content[:-1].isdigit():
        raise DerError("a time that is not in the form of RFC 5280")
    digits = content[:-1].decode("ascii")
    if tag == UTC_TIME:
        # Two digits of a year mean 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise DerError("a time that no calendar has") from None
