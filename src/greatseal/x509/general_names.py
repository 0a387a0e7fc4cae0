"""General names: the alternatives of RFC 5280 section 4.2.1.6, read and written without loss."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from greatseal.x509 import der
from greatseal.x509.names import Name

Kind = Literal["dns", "ip", "uri", "email", "directory", "other", "registered_id", "edi", "x400"]

_TEXT_TAGS: dict[int, Kind] = {0x81: "email", 0x82: "dns", 0x86: "uri"}
_OTHER, _X400, _DIRECTORY, _EDI, _IP, _REGISTERED = 0xA0, 0xA3, 0xA4, 0xA5, 0x87, 0x88


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One alternative of GeneralName.

    `value` by kind: dns, uri, email: text in ASCII; ip: 4 or 16 octets (8 or 32 with the mask, inside name
    constraints); directory: Name; registered_id: dotted OID; other: text when the value is a UTF8String,
    else the DER inside [0], with the OID in `type_id`; edi and x400: the content octets, uninterpreted.
    """

    kind: Kind
    value: str | bytes | Name
    type_id: str = ""

    def encode(self) -> bytes:
        """The DER of this name. Raises DerError when the value does not fit the kind."""
        for tag, kind in _TEXT_TAGS.items():
            if kind == self.kind:
                return der.implicit(tag & 0x1F, der.ia5(self.text))
        if isinstance(self.value, Name):
            return der.tlv(_DIRECTORY, self.value.der)
        if self.kind == "registered_id":
            return der.implicit(8, der.oid(self.text))
        if self.kind == "other":
            inner = self.value if isinstance(self.value, bytes) else der.utf8(self.value)
            return der.tlv(_OTHER, der.oid(self.type_id) + der.explicit(0, inner))
        tags = {"ip": _IP, "edi": _EDI, "x400": _X400}
        if not isinstance(self.value, bytes) or self.kind not in tags:
            raise der.DerError(f"the value of a general name of kind {self.kind} is of the wrong type")
        return der.tlv(tags[self.kind], self.value)

    @property
    def text(self) -> str:
        """The value when it is text. Raises DerError otherwise."""
        if not isinstance(self.value, str):
            raise der.DerError(f"a general name of kind {self.kind} is not text")
        return self.value

    def __str__(self) -> str:
        if isinstance(self.value, Name):
            return self.value.display()
        if isinstance(self.value, str):
            return self.value
        if self.kind == "ip" and len(self.value) in (4, 16):
            return str(ipaddress.ip_address(self.value))
        return self.value.hex()


def dns(name: str) -> GeneralName:
    """A dNSName."""
    return GeneralName("dns", name)


def ip(address: str) -> GeneralName:
    """An iPAddress from its text. Raises DerError when it is neither IPv4 nor IPv6."""
    try:
        return GeneralName("ip", ipaddress.ip_address(address).packed)
    except ValueError:
        raise der.DerError(f"not an IP address: {address[:60]!r}") from None


def edi_party(party: str, assigner: str | None = None) -> GeneralName:
    """An ediPartyName; both strings as UTF8String under explicit tags, since DirectoryString is a CHOICE."""
    parts = b"" if assigner is None else der.explicit(0, der.utf8(assigner))
    return GeneralName("edi", parts + der.explicit(1, der.utf8(party)))


def read_general_name(reader: der.Reader, *, ip_sizes: tuple[int, ...] = (4, 16)) -> GeneralName:
    """The next GeneralName. `ip_sizes` are the lengths that an iPAddress may have. Raises DerError."""
    tag = reader.peek()
    if tag in _TEXT_TAGS:
        try:
            return GeneralName(_TEXT_TAGS[tag], reader.read(tag).decode("ascii"))
        except UnicodeDecodeError:
            raise der.DerError(f"a {_TEXT_TAGS[tag]} name with characters outside ASCII") from None
    if tag == _IP:
        address = reader.read(_IP)
        if len(address) not in ip_sizes:
            raise der.DerError(f"an IP address of {len(address)} octets")
        return GeneralName("ip", address)
    if tag == _REGISTERED:
        return GeneralName("registered_id", der.decode_oid(reader.read(_REGISTERED)))
    if tag == _DIRECTORY:
        return GeneralName("directory", Name.parse(reader.read(_DIRECTORY)))
    if tag == _OTHER:
        return _read_other(reader.enter(_OTHER))
    if tag == _EDI:
        return GeneralName("edi", reader.read(_EDI))
    if tag == _X400:
        return GeneralName("x400", reader.read(_X400))
    raise der.DerError("a general name of no known kind" if tag is not None else "a general name is missing")


def _read_other(inside: der.Reader) -> GeneralName:
    """OtherName: the OID of its type and any value under [0]."""
    type_id = inside.oid()
    holder = inside.enter(0xA0)
    inside.end()
    raw = holder.raw()
    holder.end()
    if raw[0] == der.UTF8_STRING:
        try:
            return GeneralName("other", der.Reader(raw).read(der.UTF8_STRING).decode(), type_id)
        except UnicodeDecodeError:
            pass  # kept as octets: broken inner values are the business of the issuance policy
    return GeneralName("other", raw, type_id)


def parse_general_names(data: bytes) -> tuple[GeneralName, ...]:
    """The names whose GeneralNames DER is `data`; at least one (RFC 5280 section 4.2.1.6). Raises DerError."""
    inside = der.only(data, der.SEQUENCE)
    names = [read_general_name(inside)]
    while inside.peek() is not None:
        names.append(read_general_name(inside))
    return tuple(names)


def encode_general_names(names: Iterable[GeneralName]) -> bytes:
    """The DER of GeneralNames. Raises DerError when a value does not fit its kind or there is none."""
    encoded = [name.encode() for name in names]
    if not encoded:
        raise der.DerError("an empty list of general names")
    return der.sequence(*encoded)
