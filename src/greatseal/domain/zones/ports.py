"""What changes the zones of a domain for us: one adapter a kind of provider."""

from typing import Protocol


class ProviderFailed(Exception):
    """A DNS provider did not do what it was asked; the message may be shown, and the next try may succeed."""


class DnsProvider(Protocol):
    """Changes records of zones for us. Both verbs may be repeated without harm. Both raise ProviderFailed."""

    @property
    def name(self) -> str:
        """What the settings call it."""
        ...

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        """Makes the record be there. Names are absolute, with or without the dot; `ttl` is seconds.

        A CNAME takes the place of an earlier one of the same name; every other kind is added to what is there. Values
        are as in zone files, but for TXT, whose value is the text itself, without quotation marks.
        """
        ...

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """Takes exactly this record away; that it is not there is no failure."""
        ...
