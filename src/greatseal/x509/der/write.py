"""The writer: each function returns one complete value, header and content (X.690 sections 8, 10 and 11)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from greatseal.x509.der.tags import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    IA5_STRING,
    INTEGER,
    MAX_OID_SIZE,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    UTC_TIME,
    UTF8_STRING,
    DerError,
)


def tlv(tag: int, content: bytes) -> bytes:
    """One value: identifier octet, minimal length, content (X.690 section 10.1)."""
    return header(tag, len(content)) + content


def header(tag: int, size: int) -> bytes:
    """What stands before a content of `size` octets, for contents too large to be copied."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE or SEQUENCE OF of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """SET OF encoded parts, sorted by their octets (X.690 section 11.6)."""
    return tlv(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """INTEGER in the fewest octets of two's complement."""
    bits = value if value >= 0 else ~value
    return tlv(INTEGER, value.to_bytes(bits.bit_length() // 8 + 1, "big", signed=True))


# The same few dozen are written again and again.
@lru_cache(maxsize=4096)
def oid(text: str) -> bytes:
    """OBJECT IDENTIFIER from dotted decimal. Raises DerError when the text is not one."""
    try:
        arcs = [int(arc) for arc in text.split(".") if arc.isascii() and arc.isdigit()]
    except ValueError:
        raise DerError("an object identifier has an arc that is too long") from None
    if ".".join(map(str, arcs)) != text or len(arcs) < 2 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise DerError(f"not an object identifier: {text[:80]!r}")
    content = b"".join(_base128(arc) for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]))
    if len(content) > MAX_OID_SIZE:
        raise DerError("an object identifier that is too long")
    return tlv(OBJECT_IDENTIFIER, content)


def _base128(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | value & 0x7F)
    return bytes(reversed(octets))


def bit_string(content: bytes, unused: int = 0) -> bytes:
    """BIT STRING; `unused` bits at the end must be zero already."""
    return tlv(BIT_STRING, bytes((unused,)) + content)


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(OCTET_STRING, content)


def boolean(value: bool) -> bytes:
    """BOOLEAN: FF or 00 (X.690 section 11.1)."""
    return tlv(BOOLEAN, b"\xff" if value else b"\0")


def null() -> bytes:
    """NULL."""
    return tlv(NULL, b"")


def utf8(text: str) -> bytes:
    """UTF8String. Raises DerError for lone surrogates."""
    try:
        return tlv(UTF8_STRING, text.encode())
    except UnicodeEncodeError:
        raise DerError("text with half a surrogate pair") from None


_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


def printable(text: str) -> bytes:
    """PrintableString. Raises DerError for characters outside its alphabet (X.680 section 41.4)."""
    if not _PRINTABLE.issuperset(text):
        raise DerError(f"not a PrintableString: {text[:80]!r}")
    return tlv(PRINTABLE_STRING, text.encode("ascii"))


def ia5(text: str) -> bytes:
    """IA5String. Raises DerError for characters outside ASCII."""
    if not text.isascii():
        raise DerError(f"not an IA5String: {text[:80]!r}")
    return tlv(IA5_STRING, text.encode("ascii"))


def explicit(number: int, encoded: bytes) -> bytes:
    """A context tag around a complete value."""
    return tlv(0xA0 | number, encoded)


def implicit(number: int, encoded: bytes) -> bytes:
    """A context tag in the place of the value's own tag; keeps whether it is constructed."""
    return bytes((0x80 | number | encoded[0] & 0x20,)) + encoded[1:]


# Certificates that are made in one second begin and end together, and lists repeat their times.
@lru_cache(maxsize=1024)
def time(moment: datetime) -> bytes:
    """UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). Seconds only.

    Raises DerError for naive datetimes and for years that UTCTime and the rule cannot express.
    """
    if moment.tzinfo is None:
        raise DerError("a time without a zone")
    at = moment.astimezone(UTC)
    if at.year < 1950:
        raise DerError("a time before 1950 has no encoding in a certificate")
    clock = f"{at.month:02}{at.day:02}{at.hour:02}{at.minute:02}{at.second:02}Z"
    if at.year < 2050:
        return tlv(UTC_TIME, f"{at.year % 100:02}{clock}".encode())
    return tlv(GENERALIZED_TIME, f"{at.year:04}{clock}".encode())
