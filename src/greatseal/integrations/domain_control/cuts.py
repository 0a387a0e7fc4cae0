"""What is known about zones on the way down from the root."""

from dataclasses import dataclass, field

from dns.name import Name
from dns.rdtypes.ANY.DNSKEY import DNSKEY


@dataclass(frozen=True, slots=True)
class Cut:
    """A zone and who answers for it."""

    zone: Name
    names: tuple[Name, ...] = ()
    glue: dict[Name, tuple[str, ...]] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    """Known without any name: the hints of the root."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone and the keys that sign it; none for one that is known not to be signed (RFC 4035 section 4.3)."""

    name: Name
    keys: tuple[DNSKEY, ...] = ()
    ttl: int = 0

    @property
    def signed(self) -> bool:
        """Whether every answer must verify."""
        return bool(self.keys)
