"""Distribution points: which list is about which certificates (RFC 5280 sections 4.2.1.13 and 5.2.5).

A name relative to the issuer of the list is read as the full name that it stands for.
"""

from dataclasses import dataclass

from greatseal.x509 import der
from greatseal.x509.attributes import Attribute
from greatseal.x509.extensions import Extension
from greatseal.x509.general_names import GeneralName, read_general_name
from greatseal.x509.names import Name, same_name

ALL_REASONS = frozenset(
    {
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    }
)
# ReasonFlags by their bit; the first is not used.
_FLAGS = (
    "",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
)


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    """Where a certificate says that a list is: its names, the reasons that it covers, and its issuer if another."""

    names: tuple[GeneralName, ...]
    reasons: frozenset[str]
    crl_issuer: tuple[GeneralName, ...]


@dataclass(frozen=True, slots=True)
class IssuingPoint:
    """What a list says that it is about. `names` are empty when it does not tell where it is."""

    names: tuple[GeneralName, ...]
    only_users: bool
    only_cas: bool
    only_attributes: bool
    reasons: frozenset[str]
    indirect: bool


def read_distribution_points(extension: Extension, issuer: Name) -> tuple[DistributionPoint, ...]:
    """The points of CRLDistributionPoints (or FreshestCRL); `issuer` is the certificate's. Raises DerError."""
    inside = der.only(extension.value, der.SEQUENCE)
    points: list[DistributionPoint] = []
    while inside.peek() is not None or not points:
        point = inside.enter(der.SEQUENCE)
        names = _read_name(point, issuer)
        reasons = _read_reasons(point.optional(0x81))
        crl_issuer: list[GeneralName] = []
        if point.peek() == 0xA2:
            holder = point.enter(0xA2)
            while holder.peek() is not None:
                crl_issuer.append(read_general_name(holder))
        point.end()
        points.append(DistributionPoint(names, reasons, tuple(crl_issuer)))
    return tuple(points)


def read_issuing_point(extension: Extension, issuer: Name) -> IssuingPoint:
    """IssuingDistributionPoint of a list of this issuer. Raises DerError."""
    inside = der.only(extension.value, der.SEQUENCE)
    names = _read_name(inside, issuer)
    users, cas = _flag(inside, 0x81), _flag(inside, 0x82)
    reasons = _read_reasons(inside.optional(0x83))
    indirect, attributes = _flag(inside, 0x84), _flag(inside, 0x85)
    inside.end()
    return IssuingPoint(names, users, cas, attributes, reasons, indirect)


def same_general_name(first: GeneralName, second: GeneralName) -> bool:
    """Whether two names of places are one: directory names by RFC 5280 section 7.1, all others by their octets."""
    if isinstance(first.value, Name) and isinstance(second.value, Name):
        return same_name(first.value, second.value)
    return first == second


def _flag(reader: der.Reader, tag: int) -> bool:
    content = reader.optional(tag)
    return content is not None and der.decode_boolean(content)


def _read_name(reader: der.Reader, issuer: Name) -> tuple[GeneralName, ...]:
    """DistributionPointName under [0], if it is there."""
    if reader.peek() != 0xA0:
        return ()
    choice = reader.enter(0xA0)
    names: list[GeneralName] = []
    if choice.peek() == 0xA1:
        relative = choice.enter(0xA1)
        attributes = [Attribute.read(relative)]
        while relative.peek() is not None:
            attributes.append(Attribute.read(relative))
        names.append(GeneralName("directory", Name.build([*issuer.rdns, attributes])))
    else:
        full = choice.enter(0xA0)
        while full.peek() is not None:
            names.append(read_general_name(full))
    choice.end()
    return tuple(names)


def _read_reasons(content: bytes | None) -> frozenset[str]:
    if content is None:
        return ALL_REASONS
    octets, unused = der.decode_bit_string(content)
    bits = len(octets) * 8 - unused
    return frozenset(
        name for bit, name in enumerate(_FLAGS) if name and bit < bits and octets[bit // 8] & 0x80 >> bit % 8
    )
