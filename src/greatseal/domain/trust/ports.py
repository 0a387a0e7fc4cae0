"""What the trust room needs from outside."""

from typing import Protocol


class NotFetched(Exception):
    """Nothing came back; the message says why and is the end of a sentence."""


class Fetcher(Protocol):
    """Fetches what certificates point to. Strangers write these.

    Implementations decide which addresses are safe.
    """

    def get(self, url: str) -> bytes:
        """The body of an answer to GET. Raises NotFetched."""
        ...

    def post(self, url: str, body: bytes, content_type: str) -> bytes:
        """The body of an answer to POST. Raises NotFetched."""
        ...
