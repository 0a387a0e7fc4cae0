"""Is this name inside that subtree? One matcher for each name form of RFC 5280 section 4.2.1.10.

Every matcher comes in two tempers. As a *permitted* subtree it says yes only when the name is certainly
inside. As an *excluded* one it says yes whenever a relying party might read the name as inside, so that
other letters, a wildcard or an IPv4-mapped address never slip past an exclusion.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from greatseal.x509 import der
from greatseal.x509.general_names import GeneralName, Kind
from greatseal.x509.names import Attribute, Name, same_name

_HOST = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.-]*", re.ASCII)
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#@:\[\]%\\]+)(?::[0-9]*)?(?:[/?#].*)?", re.ASCII)
# A host whose last label is a number is an address in the eyes of a browser (WHATWG URL, section 3.5).
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.ASCII | re.IGNORECASE)
_MAPPED_IPV4 = bytes(10) + b"\xff\xff"
_STRING_TAGS = (der.UTF8_STRING, der.PRINTABLE_STRING, der.TELETEX_STRING, der.IA5_STRING, der.BMP_STRING)


class Unreadable(ValueError):
    """A name that cannot be compared with a subtree of its form, or a base that is not one of its form."""


@dataclass(frozen=True, slots=True)
class Subtree:
    """The base of one subtree and whether it excludes."""

    base: GeneralName
    excludes: bool

    def holds(self, name: GeneralName) -> bool:
        """Whether `name`, of the same kind, is inside. Raises Unreadable."""
        return MATCHERS[self.base.kind](name, self.base, self.excludes)


def _labels(host: str) -> list[str]:
    """The labels of a host in lower case; a final dot, which means the root, is the same name."""
    host = host.removesuffix(".").lower()
    return host.split(".") if host else []


def _base_host(text: str) -> tuple[list[str], bool]:
    """The labels of a host or domain base, and whether a leading dot demands one label more."""
    if not _HOST.fullmatch(text):
        raise Unreadable(f"{text!r} is not a domain")
    return _labels(text.removeprefix(".")), text.startswith(".")


def _ends_with(labels: list[str], base: list[str], wild: bool) -> bool:
    """Whether `labels` ends with `base`; with `wild`, a label with a star is equal to any."""
    tail = labels[len(labels) - len(base) :]
    return len(labels) >= len(base) and all(
        mine == theirs or (wild and "*" in mine) for mine, theirs in zip(tail, base, strict=True)
    )


def _dns(name: GeneralName, base: GeneralName, excludes: bool) -> bool:
    """`example.com` holds itself and all below, `.example.com` only what is below, an empty base everything.

    In an excluded subtree a star stands for any one label, because one of the names that the wildcard
    covers may be inside: `*.example.com` is refused where `www.example.com` is excluded.
    """
    labels = _labels(name.text)
    suffix, below = _base_host(base.text)
    return len(labels) >= len(suffix) + below and _ends_with(labels, suffix, wild=excludes)


def _host_or_domain(host: str, base: str) -> bool:
    """The rule that email and URI share: a bare host is exactly that host, a leading dot is all below it."""
    labels = _labels(host)
    suffix, below = _base_host(base)
    if not suffix:
        raise Unreadable("an empty host")
    return len(labels) > len(suffix) and _ends_with(labels, suffix, False) if below else labels == suffix


def _email(name: GeneralName, base: GeneralName, excludes: bool) -> bool:
    """A base is a mailbox, a host, or a domain with a leading dot. The local part is compared exactly when it
    permits (RFC 5280 section 7.5) and without regard to case when it excludes, as mail servers do.
    """
    local, at, host = name.text.rpartition("@")
    if not at or not local or not host:
        raise Unreadable(f"{name.text!r} is not a mailbox")
    base_local, at, base_host = base.text.rpartition("@")
    if not at:
        return _host_or_domain(host, base.text)
    if not base_local or not base_host:
        raise Unreadable(f"{base.text!r} is not a mailbox")
    same_local = local.lower() == base_local.lower() if excludes else local == base_local
    return same_local and _labels(host) == _labels(base_host)


def _uri(name: GeneralName, base: GeneralName, excludes: bool) -> bool:
    """The constraint is on the host. A URI without a host name, or with an address in its place, cannot be
    judged and must be refused (RFC 5280 section 4.2.1.10); so is one with a user before the host, because
    relying parties disagree about where its host begins.
    """
    found = _AUTHORITY.fullmatch(name.text)
    if found is None or _NUMBER.fullmatch(found[1]):
        raise Unreadable(f"{name.text!r} has no host name")
    return _host_or_domain(found[1], base.text)


def _ip(name: GeneralName, base: GeneralName, excludes: bool) -> bool:
    """Address and mask of 4 or 16 octets each. An IPv4-mapped IPv6 address is inside an excluded IPv4 range."""
    address, network = name.value, base.value
    if not isinstance(address, bytes) or not isinstance(network, bytes) or len(network) not in (8, 32):
        raise Unreadable("an address or range of a wrong length")
    half = len(network) // 2
    mask = int.from_bytes(network[half:], "big")
    inverse = ~mask & ((1 << half * 8) - 1)
    if inverse & (inverse + 1):
        raise Unreadable("an address mask with holes")
    if excludes and half == 4 and address[:12] == _MAPPED_IPV4:
        address = address[12:]
    if len(address) != half:
        return False
    return int.from_bytes(address, "big") & mask == int.from_bytes(network[:half], "big") & mask


def _directory(name: GeneralName, base: GeneralName, excludes: bool) -> bool:
    """The base's RDNs are the first of the name's, compared by RFC 5280 section 7.1.

    An exclusion looks through the string type as well: the same text as TeletexString is the same name.
    """
    if not isinstance(name.value, Name) or not isinstance(base.value, Name):
        raise Unreadable("a directory name of the wrong kind")
    wanted, found = base.value.rdns, name.value.rdns[: len(base.value.rdns)]
    if excludes:
        wanted, found = _untyped(wanted), _untyped(found)
    return len(wanted) == len(found) and same_name(Name.build(wanted), Name.build(found))


def _untyped(rdns: tuple[tuple[Attribute, ...], ...]) -> tuple[tuple[Attribute, ...], ...]:
    return tuple(
        tuple(
            Attribute(attribute.oid, der.UTF8_STRING, attribute.value) if attribute.tag in _STRING_TAGS else attribute
            for attribute in rdn
        )
        for rdn in rdns
    )


MATCHERS: dict[Kind, Callable[[GeneralName, GeneralName, bool], bool]] = {
    "dns": _dns,
    "email": _email,
    "uri": _uri,
    "ip": _ip,
    "directory": _directory,
}
"""The name forms that can be constrained (acm-pca.md 9): name, base, whether it excludes."""

_SPECIMENS: dict[Kind, GeneralName] = {
    "dns": GeneralName("dns", "a.example"),
    "email": GeneralName("email", "a@a.example"),
    "uri": GeneralName("uri", "https://a.example/"),
    "ip": GeneralName("ip", bytes(4)),
    "directory": GeneralName("directory", Name.build([])),
}


def check_base(base: GeneralName) -> None:
    """Raises Unreadable when the base is of a form that cannot be constrained, or is not a base of its form."""
    if base.kind not in MATCHERS:
        raise Unreadable(f"name constraints of the form {base.kind} are not supported")
    MATCHERS[base.kind](_SPECIMENS[base.kind], base, False)
