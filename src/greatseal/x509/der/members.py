"""Whole structures at once: the members of a value in one pass, as strict as the `Reader`, which takes them singly.

For structures that every issuance takes apart, several times each. What they hold is known, so that a list says it all.
"""

from greatseal.x509.der.reader import Reader, length
from greatseal.x509.der.tags import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    MAX_DEPTH,
    MAX_SIZE,
    NULL,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    DerError,
)
from greatseal.x509.der.values import decode_bit_string, decode_boolean, decode_integer, decode_oid


def content(data: bytes, tag: int) -> bytes:
    """What is inside of `data`, which must be exactly one value with this tag. Raises DerError."""
    end = len(data)
    if 2 <= end <= MAX_SIZE and data[0] == tag:
        start, after = _bounds(data, 0, end)
        if after == end:
            return data[start:]
    # It is not what was expected; the reader says why.
    outer = Reader(data)
    inside = outer.read(tag)
    outer.end()
    return inside


def members(data: bytes, tag: int) -> list[bytes]:
    """The values inside of `data`, which must be exactly one value with this tag: each with its header, in their order.

    Raises DerError. What is inside of the members is not looked at.
    """
    inside = content(data, tag)
    end = len(inside)
    found: list[bytes] = []
    position = 0
    while position < end:
        after = position + 2
        # As in `_bounds`, which is asked for whatever is not short and plain: a call takes as long as all the rest.
        size = inside[position + 1] if after <= end else 0x80
        after += size
        if size >= 0x80 or after > end or inside[position] & 0x1F == 0x1F:
            _, after = _bounds(inside, position, end)
        found.append(inside[position:after])
        position = after
    return found


def expect(found: list[bytes], *tags: int) -> list[bytes]:
    """`found` itself, if these are values with exactly these tags in this order. Raises DerError."""
    for value, tag in zip(found, tags, strict=False):
        if value[0] != tag:
            raise DerError(f"tag {value[0]:#04x} where {tag:#04x} was expected")
    if len(found) < len(tags):
        raise DerError("a value is missing")
    if len(found) > len(tags):
        raise DerError(f"{sum(map(len, found[len(tags) :]))} octets follow the last value")
    return found


def check_nesting(data: bytes) -> None:
    """Walks every constructed value of `data` and raises DerError for BER and for excessive depth.

    For the parts of a foreign structure that nobody interprets: unknown attributes, otherName values.
    """
    if len(data) > MAX_SIZE:
        raise DerError(f"a structure of more than {MAX_SIZE} octets")
    # Where the values end that hold the position, the innermost last.
    ends = [len(data)]
    position = 0
    while ends:
        end = ends[-1]
        if position == end:
            ends.pop()
            continue
        tag = data[position]
        if tag & 0x20 and tag < 0x40 and tag not in (SEQUENCE, SET):
            raise DerError("a string in pieces, which is BER")
        start, after = _bounds(data, position, end)
        if not tag & 0x20:
            if tag < 0x40:
                _check_primitive(tag, data[start:after])
            position = after
        elif len(ends) > MAX_DEPTH:
            raise DerError(f"values nested more than {MAX_DEPTH} deep")
        else:
            ends.append(after)
            position = start


def _bounds(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Start and end of the content of the value at a position before `end`, where what holds it ends."""
    if data[position] & 0x1F == 0x1F:
        raise DerError("a tag in high-number form")
    start = position + 2
    # Nearly all lengths are one octet.
    size = data[position + 1] if start <= end else 0x80
    if size >= 0x80:
        start, size = length(data, position + 1, end)
    after = start + size
    if after > end:
        raise DerError("a value is longer than what holds it")
    return start, after


def _check_primitive(tag: int, octets: bytes) -> None:
    if tag == OBJECT_IDENTIFIER:
        decode_oid(octets)
    elif tag == INTEGER:
        decode_integer(octets)
    elif tag == BIT_STRING:
        decode_bit_string(octets)
    elif tag == BOOLEAN:
        decode_boolean(octets)
    elif tag == NULL and octets:
        raise DerError("a NULL with content")
