"""The reader: values in their order, with strict lengths and limits (X.690 section 8.1; faults rows 2 and 9)."""

from datetime import datetime

from greatseal.x509.der.tags import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    MAX_DEPTH,
    MAX_SIZE,
    OBJECT_IDENTIFIER,
    UTC_TIME,
    DerError,
)
from greatseal.x509.der.values import decode_bit_string, decode_boolean, decode_integer, decode_oid, decode_time


class Reader:
    """Reads the values of one constructed content in order, refusing whatever DER forbids.

    Every method raises DerError. `end()` must be called where nothing may follow.
    """

    __slots__ = ("_data", "_depth", "_limit", "_position")

    def __init__(self, data: bytes, depth: int = 0, limit: int = MAX_SIZE) -> None:
        """`limit` is raised for the one structure that is long by nature, the revocation list."""
        if len(data) > limit:
            raise DerError(f"a structure of more than {limit} octets")
        if depth > MAX_DEPTH:
            raise DerError(f"values nested more than {MAX_DEPTH} deep")
        self._data, self._depth, self._limit, self._position = data, depth, limit, 0

    def peek(self) -> int | None:
        """The tag of the next value; None at the end."""
        return self._data[self._position] if self._position < len(self._data) else None

    def raw(self, tag: int | None = None) -> bytes:
        """The next value with its header; of any kind when `tag` is None."""
        start, _, end = self._next(tag)
        return self._data[start:end]

    def read(self, tag: int) -> bytes:
        """The content of the next value, which must have this tag."""
        _, start, end = self._next(tag)
        return self._data[start:end]

    def enter(self, tag: int) -> "Reader":
        """A reader for the inside of the next value, which must have this tag."""
        _, start, end = self._next(tag)
        return Reader(self._data[start:end], self._depth + 1, self._limit)

    def optional(self, tag: int) -> bytes | None:
        """The content of the next value if it has this tag; otherwise None, and nothing is consumed."""
        return self.read(tag) if self.peek() == tag else None

    def end(self) -> None:
        """Refuses octets after the last expected value."""
        if self._position != len(self._data):
            raise DerError(f"{len(self._data) - self._position} octets follow the last value")

    def _next(self, tag: int | None) -> tuple[int, int, int]:
        """Start of the header, start and end of the content of the next value, which is consumed."""
        data, start = self._data, self._position
        end = len(data)
        if start >= end:
            raise DerError("a value is missing")
        found = data[start]
        if found & 0x1F == 0x1F:
            raise DerError("a tag in high-number form")
        if found != tag and tag is not None:
            raise DerError(f"tag {found:#04x} where {tag:#04x} was expected")
        content = start + 2
        # Nearly all lengths are one octet; reading one takes as long as all the rest.
        size = data[start + 1] if content <= end else 0x80
        if size >= 0x80:
            content, size = length(data, start + 1, end)
        after = content + size
        if after > end:
            raise DerError("a value is longer than what holds it")
        self._position = after
        return start, content, after

    # Values of the universal types, decoded.

    def integer(self) -> int:
        """The next value as INTEGER."""
        return decode_integer(self.read(INTEGER))

    def oid(self) -> str:
        """The next value as OBJECT IDENTIFIER in dotted decimal."""
        return decode_oid(self.read(OBJECT_IDENTIFIER))

    def boolean(self) -> bool:
        """The next value as BOOLEAN."""
        return decode_boolean(self.read(BOOLEAN))

    def bit_string(self) -> tuple[bytes, int]:
        """The next value as BIT STRING: octets and the count of unused bits."""
        return decode_bit_string(self.read(BIT_STRING))

    def octets(self) -> bytes:
        """The next value as BIT STRING of whole octets, as keys and signatures are."""
        content, unused = self.bit_string()
        if unused:
            raise DerError("a BIT STRING that is not a whole number of octets")
        return content

    def time(self) -> datetime:
        """The next value as UTCTime or GeneralizedTime, aware and in UTC."""
        tag = GENERALIZED_TIME if self.peek() == GENERALIZED_TIME else UTC_TIME
        return decode_time(tag, self.read(tag))


def only(data: bytes, tag: int, limit: int = MAX_SIZE) -> Reader:
    """A reader for the inside of `data`, which must be exactly one value with this tag."""
    outer = Reader(data, limit=limit)
    inner = outer.enter(tag)
    outer.end()
    return inner


def length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content starts and how long it is, by the length at `at` of a value in something that ends at `end`.

    Only the definite, minimal form is DER. Raises DerError for others.
    """
    if at >= end:
        raise DerError("a length is missing")
    first = data[at]
    if first < 0x80:
        return at + 1, first
    if first == 0x80:
        raise DerError("an indefinite length, which is BER")
    content = at + 1 + (first & 0x7F)
    octets = data[at + 1 : content]
    if content > end or len(octets) > 4:
        raise DerError("a length in too many octets")
    size = int.from_bytes(octets, "big")
    if size < 0x80 or octets[0] == 0:
        raise DerError("a length that is not minimal, which is BER")
    return content, size
