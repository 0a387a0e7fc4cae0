"""Records of DNS as the rest of the house speaks of them, and which zone a name belongs to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

from greatseal.kernel.errors import InvalidArgument

KINDS = ("A", "AAAA", "CAA", "CNAME", "TXT")
"""What may be stored in a zone of ours. Its SOA and NS records follow from the settings."""
MAX_TTL = 86400
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_STRING = 255  # a character string of DNS holds so many octets (RFC 1035 section 3.3)
_LONGEST_TEXT = 4000


class ZoneRefused(InvalidArgument):
    """A record that cannot be: outside every zone, malformed, or beside a CNAME."""


class Wish(Enum):
    """What became of a record that a provider shall create."""

    WAITING = "WAITING"
    CREATED = "CREATED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. The name is in lower case without the dot at its end; see `DnsProvider.upsert` for the value."""

    name: str
    kind: str
    value: str
    ttl: int = 300

    @classmethod
    def of(cls, name: str, kind: str, value: str, ttl: int = 300) -> "Record":
        """A record in its one spelling. Raises ZoneRefused."""
        kind = kind.upper()
        if kind not in KINDS:
            raise ZoneRefused(f"Records of the kind {kind} are not kept; known are {', '.join(KINDS)}.")
        if not 0 <= ttl <= MAX_TTL:
            raise ZoneRefused(f"The time to live must be between 0 and {MAX_TTL} seconds.")
        plain = plain_name(name)
        if kind == "TXT":
            if not 0 < len(value) <= _LONGEST_TEXT:
                raise ZoneRefused(f"A text has between 1 and {_LONGEST_TEXT} characters.")
            return cls(plain, kind, value, ttl)
        # Through the library and back, so that two spellings of one value are one record.
        text = rdata_of(kind, value).to_text()
        return cls(plain, kind, text.rstrip(".").lower() if kind == "CNAME" else text, ttl)

    @property
    def rdata(self) -> dns.rdata.Rdata:
        """The value as dnspython has it."""
        return rdata_of(self.kind, self.value)

    @property
    def presented(self) -> str:
        """The value as in a zone file, names absolute, texts quoted."""
        return self.rdata.to_text()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that a provider shall create, and what became of that."""

    record: Record
    provider: str
    zone: str
    state: Wish
    detail: str
    updated_at: datetime


def plain_name(name: str) -> str:
    """In lower case without the dot at its end. Raises ZoneRefused for what is no host name with underscores."""
    plain = name.removesuffix(".").lower()
    if len(plain) > 253 or not all(_LABEL.fullmatch(label) for label in plain.split(".")):
        raise ZoneRefused(f"{name[:260]!r} is not the name of a record.")
    return plain


def is_within(name: str, zone: str) -> bool:
    """Whether a name is in a zone or its apex, both in the one spelling."""
    return name == zone or name.endswith("." + zone)


def longest_zone(name: str, zones: Iterable[str]) -> str | None:
    """The zone with the longest suffix of a name; None when none holds it."""
    return max((zone for zone in zones if is_within(name, zone)), key=len, default=None)


def rdata_of(kind: str, value: str) -> dns.rdata.Rdata:
    """The value of a record as dnspython has it. Raises ZoneRefused."""
    try:
        if kind == "TXT":
            octets = value.encode()
            strings = [octets[at : at + _STRING] for at in range(0, len(octets), _STRING)]
            return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings)
        text = f"{plain_name(value)}." if kind == "CNAME" else value
        return dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneRefused(f"{value[:200]!r} is not the value of a {kind} record: {error}") from None
