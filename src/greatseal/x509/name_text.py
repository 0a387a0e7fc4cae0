"""Distinguished names as people write them: the text form of RFC 4514, for command lines."""

from collections.abc import Iterator

from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, EMAIL_ADDRESS, Attribute
from greatseal.x509.names import Name

_TYPES = {
    "CN": COMMON_NAME,
    "C": "2.5.4.6",
    "ST": "2.5.4.8",
    "L": "2.5.4.7",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "SERIALNUMBER": "2.5.4.5",
    "DC": "0.9.2342.19200300.100.1.25",
    "UID": "0.9.2342.19200300.100.1.1",
    "EMAILADDRESS": EMAIL_ADDRESS,
}
_PRINTABLE = {"2.5.4.6", "2.5.4.5"}
_IA5 = {_TYPES["DC"], EMAIL_ADDRESS}
_HEX = "0123456789abcdefABCDEF"


def parse_name(text: str) -> Name:
    """The name of a text such as `CN=App,O=Example,C=NL`: the last part comes first in the encoding (RFC 4514).

    Types are the usual short names or OIDs. Raises DerError.
    """
    if not text.strip():
        raise der.DerError("a name without parts")
    rdns = [[_attribute(pair) for pair in _split(rdn, "+")] for rdn in _split(text, ",")]
    return Name.build(reversed(rdns))


def _attribute(pair: str) -> Attribute:
    label, sign, value = pair.partition("=")
    label, value = label.strip(), _unescape(_stripped(value))
    if not sign or not label or not value:
        raise der.DerError(f"{pair[:80]!r} is not TYPE=value")
    oid = _TYPES.get(label.upper(), label)
    der.oid(oid)
    if oid in _PRINTABLE:
        der.printable(value)
        return Attribute(oid, der.PRINTABLE_STRING, value)
    return Attribute(oid, der.IA5_STRING if oid in _IA5 else der.UTF8_STRING, value)


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts between separators that are not escaped."""
    start, at = 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _stripped(text: str) -> str:
    """Without the blanks around it, but with one that is escaped."""
    text = text.lstrip(" ")
    found = text.rstrip(" ")
    escapes = len(found) - len(found.rstrip("\\"))
    return text[: len(found) + 1] if escapes % 2 else found


def _unescape(text: str) -> str:
    """The value behind its escapes: a character, or the octets of UTF-8 in hexadecimal."""
    found = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            found += text[at].encode("utf-8", "surrogatepass")
            at += 1
        elif len(pair := text[at + 1 : at + 3]) == 2 and all(each in _HEX for each in pair):
            found.append(int(pair, 16))
            at += 3
        elif at + 1 < len(text):
            found += text[at + 1].encode("utf-8", "surrogatepass")
            at += 2
        else:
            raise der.DerError("a name that ends in an escape")
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise der.DerError("a name that is not UTF-8") from None
