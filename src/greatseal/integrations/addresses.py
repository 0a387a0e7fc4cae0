"""Which addresses a service may be sent to by somebody's URL.

A stranger's: only those of the public internet. A customer's: also those of private networks.
"""

import ipaddress

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in (
        "100.64.0.0/10",  # carrier-grade NAT, where some clouds keep metadata
        "168.63.129.16/32",  # the host of a virtual machine at Azure, though the address is a public one
        "192.0.0.0/24",
        "192.88.99.0/24",
        "240.0.0.0/4",
        "64:ff9b:1::/48",  # translators of one network (RFC 8215), behind which is anything
        "fec0::/10",
    )
)

_METADATA = tuple(
    ipaddress.ip_network(each)
    for each in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
    )
)
"""Where a virtual machine asks its cloud for credentials. Link-local addresses never are anything else here."""


def is_public(address: str) -> bool:
    """Whether an address in text is on the public internet, also when it only wraps an IPv4 address that is not.

    Loopback, private, link-local (cloud metadata), multicast, reserved and unspecified addresses are not. Text
    that is no address: False.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        inner = _wrapped(parsed)
        if inner is not None:
            return is_public(str(inner))
    if any(parsed.version == network.version and parsed in network for network in _NOT_PUBLIC):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_unspecified


def is_elsewhere(address: str, *, or_here: bool = False) -> bool:
    """Whether an address in text is on the internet or a private network, but not metadata of a cloud.

    Loopback and unspecified addresses are this very host: only `or_here`. Multicast and reserved ones are nowhere.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        inner = _wrapped(parsed)
        if inner is not None:
            return is_elsewhere(str(inner), or_here=or_here)
    if any(parsed.version == network.version and parsed in network for network in _METADATA):
        return False
    if parsed.is_loopback:
        return or_here
    return not (parsed.is_multicast or parsed.is_unspecified or parsed.is_reserved)


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet would really go to, behind a mapping, a translator or a tunnel."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour
