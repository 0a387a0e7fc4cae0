"""The presentation language of TLS, in which Certificate Transparency writes (RFC 8446 section 3). Pure.

Numbers are big-endian; a vector is its length in a fixed count of octets, then its content.
"""


class EncodingError(ValueError):
    """Octets that are not the structure that was expected. The message is the end of a sentence."""


def vector(content: bytes, octets: int) -> bytes:
    """A vector whose length takes `octets`. Raises EncodingError for a content that is too long."""
    if len(content) >> (8 * octets):
        raise EncodingError(f"a content of {len(content)} octets where {octets} octets say its length")
    return len(content).to_bytes(octets, "big") + content


class TlsReader:
    """Reads fields in their order. Every method raises EncodingError; `end()` refuses what nobody expects."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def octets(self, count: int) -> bytes:
        """The next `count` octets."""
        found = self._data[self._position : self._position + count]
        if len(found) != count:
            raise EncodingError("a structure that is cut off")
        self._position += count
        return found

    def number(self, octets: int) -> int:
        """The next number of so many octets."""
        return int.from_bytes(self.octets(octets), "big")

    def vector(self, octets: int) -> bytes:
        """The content of the next vector, whose length takes `octets`."""
        return self.octets(self.number(octets))

    def rest(self) -> bytes:
        """All that follows."""
        return self.octets(len(self._data) - self._position)

    @property
    def more(self) -> bool:
        """Whether anything follows."""
        return self._position < len(self._data)

    def end(self) -> None:
        """Refuses octets after the last field."""
        if self.more:
            raise EncodingError(f"{len(self._data) - self._position} octets follow the last field")
