"""Attributes of distinguished names and the string types that they are written in (RFC 5280 section 4.1.2.4)."""

from dataclasses import dataclass

from greatseal.x509 import der

COMMON_NAME = "2.5.4.3"
EMAIL_ADDRESS = "1.2.840.113549.1.9.1"

_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "ascii",
    # T.61 is dead; every writer of TeletexString in certificates meant Latin-1.
    der.TELETEX_STRING: "latin-1",
    der.IA5_STRING: "ascii",
    der.BMP_STRING: "utf-16-be",
    der.UNIVERSAL_STRING: "utf-32-be",
    0x12: "ascii",  # NumericString
    0x1A: "ascii",  # VisibleString
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a name: dotted OID, tag of the string type, and the text.

    A value that is not a string (for instance the BIT STRING of x500UniqueIdentifier) reads as `#` and
    the hexadecimal DER, the form of RFC 4514 section 2.4.
    """

    oid: str
    tag: int
    value: str

    def encode_value(self) -> bytes:
        """The DER of the value alone. Raises DerError when the text does not fit the type."""
        codec = _CODECS.get(self.tag)
        try:
            if codec is None:
                return bytes.fromhex(self.value.removeprefix("#"))
            return der.tlv(self.tag, self.value.encode(codec))
        except ValueError:
            raise der.DerError(f"the value of attribute {self.oid} does not fit its string type") from None

    def encode(self) -> bytes:
        """The DER of the AttributeTypeAndValue."""
        return der.sequence(der.oid(self.oid), self.encode_value())

    @classmethod
    def read(cls, reader: der.Reader) -> "Attribute":
        """The next AttributeTypeAndValue. Raises DerError."""
        return cls.parse(reader.raw(der.SEQUENCE))

    @classmethod
    def parse(cls, data: bytes) -> "Attribute":
        """The AttributeTypeAndValue whose complete DER is `data`. Raises DerError."""
        parts = der.members(data, der.SEQUENCE)
        if len(parts) < 2:
            raise der.DerError("a value is missing")
        tag = parts[1][0]
        kind, value = der.expect(parts, der.OBJECT_IDENTIFIER, tag)
        oid = der.decode_oid(der.content(kind, der.OBJECT_IDENTIFIER))
        codec = _CODECS.get(tag)
        if codec is None:
            return cls(oid, tag, "#" + value.hex())
        try:
            return cls(oid, tag, der.content(value, tag).decode(codec))
        except UnicodeDecodeError:
            raise der.DerError(f"the value of attribute {oid} is not text of its string type") from None
