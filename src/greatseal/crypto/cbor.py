"""CBOR read strictly (RFC 8949), keeping the octets of tagged items, because digests and signatures cover what arrived.

The reader is our own for two reasons: a mobile document hashes the octets of an item as they were received, which no
decoder that builds values gives back, and a refusal must say what is wrong. Writing is cbor2's, which keeps the order
of a map. What is refused: indefinite lengths, keys that occur twice or are neither integers nor strings, nesting and
counts beyond what any honest document has, text that is not UTF-8, `undefined` and unassigned simple values, and octets
behind the end. Heads that are longer than they need be are allowed, as RFC 8949 section 4.1 leaves it to the writer.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cbor2

MAX_DEPTH = 32
MAX_SIZE = 16 * 1024 * 1024
"""Octets of the largest document: portraits and biometric templates are the large part of one."""
MAX_ITEMS = 100_000
"""Items in one document, so that a small file cannot become a large heap."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_INDEFINITE = 31
_SIMPLE: dict[int, object] = {20: False, 21: True, 22: None}
_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class CborError(ValueError):
    """Bytes that are not one acceptable CBOR item; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item with a tag; two are equal when their values are.

    `raw` is the whole item with its tag, as received, where the value is a byte string: what is encoded in it is what
    digests cover. Of other values it is empty, so that tags around tags do not multiply a large document.
    """

    number: int
    value: object
    raw: bytes = field(compare=False, repr=False, default=b"")


def decode(data: bytes) -> object:
    """The one item in `data`: int, bytes, str, bool, None, float, list, dict or Tagged. Raises CborError.

    Maps keep the order in which they came. No tag is interpreted.
    """
    if len(data) > MAX_SIZE:
        raise CborError(f"a document of more than {MAX_SIZE} octets")
    reader = _Reader(data)
    value = reader.item(0)
    if reader.position != len(data):
        raise CborError(f"{len(data) - reader.position} octets follow the item")
    return value


def encode(value: object) -> bytes:
    """CBOR in the preferred serialization (RFC 8949 section 4.1), maps in the order that they have here.

    A Tagged is written anew from its number and value. Raises CborError for what has no CBOR here.
    """
    try:
        return cbor2.dumps(_plain(value))
    except (cbor2.CBOREncodeError, RecursionError, UnicodeEncodeError) as error:
        raise CborError(f"a value that cannot be written: {error}") from None


def _plain(value: object) -> object:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Tagged):
        return cbor2.CBORTag(value.number, _plain(value.value))
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    raise CborError(f"a value of type {type(value).__name__}")


class _Reader:
    """One pass over the octets."""

    __slots__ = ("_data", "_left", "position")

    def __init__(self, data: bytes) -> None:
        self._data, self.position, self._left = data, 0, MAX_ITEMS

    def item(self, depth: int) -> object:
        """The next item; `depth` counts the items around it."""
        if depth > MAX_DEPTH:
            raise CborError(f"items nested more than {MAX_DEPTH} deep")
        self._left -= 1
        if self._left < 0:
            raise CborError(f"more than {MAX_ITEMS} items")
        start = self.position
        first = self._take(1)[0]
        major, info = first >> 5, first & 0x1F
        if major == 7:
            return self._simple(info)
        argument = self._argument(info)
        if major == _UNSIGNED:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major == _BYTES:
            return self._take(argument)
        if major == _TEXT:
            return self._text(argument)
        if major == _ARRAY:
            self._check_count(argument)
            return [self.item(depth + 1) for _ in range(argument)]
        if major == _MAP:
            return self._map(argument, depth)
        value = self.item(depth + 1)
        return Tagged(argument, value, self._data[start : self.position] if isinstance(value, bytes) else b"")

    def _map(self, count: int, depth: int) -> dict[int | str | bytes, object]:
        self._check_count(count * 2)
        found: dict[int | str | bytes, object] = {}
        for _ in range(count):
            key = self.item(depth + 1)
            if isinstance(key, bool) or not isinstance(key, int | str | bytes):
                raise CborError("a map key that is neither an integer nor a string")
            if key in found:
                raise CborError(f"the map key {_shown(key)} twice")
            found[key] = self.item(depth + 1)
        return found

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise CborError("text that is not UTF-8") from None

    def _simple(self, info: int) -> object:
        if info in _FLOATS:
            form = _FLOATS[info]
            value: float = struct.unpack(form, self._take(struct.calcsize(form)))[0]
            return value
        if info == _INDEFINITE:
            raise CborError("a break without an indefinite length")
        if info not in _SIMPLE:
            raise CborError("a simple value that is neither true, false nor null")
        return _SIMPLE[info]

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info == _INDEFINITE:
            raise CborError("an indefinite length")
        if info > 27:
            raise CborError("a reserved length")
        return int.from_bytes(self._take(1 << (info - 24)), "big")

    def _check_count(self, items: int) -> None:
        # Every item has an octet at least: a count beyond the end is a lie that must cost nothing.
        if items > len(self._data) - self.position:
            raise CborError("a count of items that the document is too short for")

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise CborError("an item that is longer than the document")
        taken = self._data[self.position : end]
        self.position = end
        return taken


def _shown(key: int | str | bytes) -> str:
    return repr(key[:40]) if isinstance(key, str | bytes) else str(key)
