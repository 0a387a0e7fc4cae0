"""Values that settings are made of, and what every table of the settings file is."""

import re

import msgspec


class Address(str):
    """Where a listener binds: `HOST:PORT` or `[IPV6]:PORT`; port 0 lets the system pick a free one.

    Raises ValueError for anything else.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Address":
        """Checks the text."""
        found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):([0-9]{1,5})", text)
        if not found or int(found[2]) > 65535:
            raise ValueError(f"expected HOST:PORT or [IPV6]:PORT, got {text!r}")
        return super().__new__(cls, text)

    @property
    def host(self) -> str:
        """The host without brackets."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port."""
        return int(self.rpartition(":")[2])


class Route(str):
    """Where a host really is: `HOST=ADDRESS:PORT`. Raises ValueError for anything else."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Route":
        """Checks the text."""
        host, _, where = text.partition("=")
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host) or Address(where).port == 0:
            raise ValueError(f"expected HOST=ADDRESS:PORT, got {text!r}")
        return super().__new__(cls, text)

    @property
    def host(self) -> str:
        """The host that requests are for."""
        return self.partition("=")[0]

    @property
    def to(self) -> Address:
        """Where they go."""
        return Address(self.partition("=")[2])


class Hidden(str):
    """Text that does not print: a password of the environment on its way to the room that needs it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Hidden(…)"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""
