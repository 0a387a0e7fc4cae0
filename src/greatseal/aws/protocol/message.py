"""A request as the protocols look at it: exactly as received, header names in lower case."""

from typing import Protocol

Headers = tuple[tuple[bytes, bytes], ...]


class Message(Protocol):
    """What is routed, signed and decoded."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def raw_path(self) -> bytes:
        """The path as sent."""
        ...

    @property
    def raw_query(self) -> bytes:
        """The query as sent, without the question mark."""
        ...

    @property
    def headers(self) -> Headers:
        """All headers in order."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...

    def header(self, name: str) -> str | None:
        """A header's value; repeated headers are joined."""
        ...
