"""Values of conditions that are more than text: numbers, instants and addresses. None means: cannot be read."""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# Bounded on both sides of the point and in the exponent, so that no comparison becomes long.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})(?:[eE][+-]?[0-9]{1,3})?")
_EPOCH = re.compile(r"-?[0-9]{1,18}")
# The forms of W3C-NOTE-datetime, which IAM names as its ISO 8601; the zone is optional and means UTC.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?)?)?)?"
)
_PREFIX = re.compile(r"[0-9]{1,3}")
_NANO = 10**9
_MAPPED_BITS = 96

Address = tuple[int, int]
"""IP version and number."""
Network = tuple[int, int, int]
"""IP version, first address and mask."""


@lru_cache(maxsize=512)
def number_of(text: str) -> Decimal | None:
    """A decimal number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=512)
def instant_of(text: str) -> int | None:
    """Nanoseconds since 1970 of an ISO 8601 date or of whole epoch seconds. Four digits alone are a year."""
    found = _DATE.fullmatch(text)
    if found is None:
        return int(text) * _NANO if _EPOCH.fullmatch(text) else None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    since = moment - datetime(1970, 1, 1)
    # Whole numbers: the offset of a zone may lead outside the years that a datetime can hold.
    seconds = since.days * 86400 + since.seconds
    if sign:
        offset = int(zone_hours) * 3600 + int(zone_minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return seconds * _NANO + int((fraction or "").ljust(9, "0"))


@lru_cache(maxsize=512)
def address_of(text: str) -> Address | None:
    """An IPv4 or IPv6 address. An IPv4 address inside IPv6 counts as IPv4, or a rule about it could be passed by."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


def network_of(text: str) -> Network | None:
    """A CIDR block; a bare address is a block of one. Host bits are ignored."""
    _, slash, prefix = text.partition("/")
    if slash and not _PREFIX.fullmatch(prefix):
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    start, mask = int(network.network_address), int(network.netmask)
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return 4, int(mapped), mask & 0xFFFFFFFF
    return network.version, start, mask
