"""Is this certificate one for that server? (RFC 9525 section 6)"""

from ipaddress import ip_address

from greatseal.x509.certificate import Certificate

_FEWEST_LABELS = 2


class NotAServerName(ValueError):
    """Text that names no server. The message is the end of a sentence."""


def names_server(certificate: Certificate, server: str) -> bool:
    """Whether the SAN has this DNS name or address. The common name does not count (RFC 9525 section 2).

    A star stands for exactly one label, the left-most, above at least two others. Raises NotAServerName, and DerError
    when the SAN cannot be read.
    """
    address = _address(server)
    if address is not None:
        return any(name.kind == "ip" and name.value == address for name in certificate.san)
    wanted = labels_of(server)
    return any(name.kind == "dns" and _matches(name.text, wanted) for name in certificate.san)


def labels_of(server: str) -> list[str]:
    """The labels of a DNS name in A-labels and lower case. Raises NotAServerName."""
    name = server.removesuffix(".")
    try:
        encoded = name.encode("ascii") if name.isascii() else name.encode("idna")
    except UnicodeError:
        raise NotAServerName(f"{server[:80]!r} is not a name of a server") from None
    labels = encoded.decode("ascii").lower().split(".")
    if not all(labels) or len(encoded) > 253 or any(character in encoded for character in b"* /:@[]\0"):
        raise NotAServerName(f"{server[:80]!r} is not a name of a server")
    return labels


def _address(server: str) -> bytes | None:
    try:
        return ip_address(server.removeprefix("[").removesuffix("]")).packed
    except ValueError:
        return None


def _matches(presented: str, wanted: list[str]) -> bool:
    labels = presented.lower().removesuffix(".").split(".")
    if len(labels) != len(wanted):
        return False
    if labels[0] == "*":
        return len(labels) > _FEWEST_LABELS and labels[1:] == wanted[1:]
    return labels == wanted
