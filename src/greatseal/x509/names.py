"""Distinguished names: parse, build, print, compare (RFC 5280 sections 4.1.2.4 and 7.1; acm-pca.md 3.1).

A name keeps the octets that it was read from, because an issuer must repeat its own subject byte for
byte and a subject from a request is copied unchanged (acm-pca.md 6.4).
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, EMAIL_ADDRESS, Attribute

__all__ = ["Attribute", "Name", "comparison_key", "same_name", "subject_from_attributes", "subject_from_custom"]


# A name is read from a request, in the certificate that is to be, and in every one that its holder issues.
_KEPT, _LARGEST_KEPT = 1024, 1024


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its DER, and its relative distinguished names in the order of the encoding."""

    der: bytes
    rdns: tuple[tuple[Attribute, ...], ...]

    @classmethod
    def parse(cls, data: bytes) -> "Name":
        """The name whose complete DER is `data`. Raises DerError, also for an RDN without attributes."""
        return _read_before(data) if len(data) <= _LARGEST_KEPT else cls._parse(data)

    @classmethod
    def _parse(cls, data: bytes) -> "Name":
        rdns = tuple(
            tuple(map(Attribute.parse, der.members(each, der.SET))) for each in der.members(data, der.SEQUENCE)
        )
        if not all(rdns):
            raise der.DerError("a value is missing")
        return cls(data, rdns)

    @classmethod
    def build(cls, rdns: Iterable[Sequence[Attribute]]) -> "Name":
        """The name with these RDNs, the first being the least specific. Raises DerError."""
        kept = tuple(tuple(rdn) for rdn in rdns)
        if not all(kept):
            raise der.DerError("a relative distinguished name without attributes")
        sets = [der.set_of([attribute.encode() for attribute in rdn]) for rdn in kept]
        return cls.parse(der.sequence(*sets))

    @property
    def is_empty(self) -> bool:
        """Whether the name has no attributes, so that the SAN must carry the identity."""
        return not self.rdns

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """All attributes in the order of the encoding."""
        return tuple(attribute for rdn in self.rdns for attribute in rdn)

    def get(self, oid: str) -> tuple[str, ...]:
        """The values of every attribute with this OID."""
        return tuple(attribute.value for attribute in self.attributes if attribute.oid == oid)

    @property
    def common_names(self) -> tuple[str, ...]:
        """The values of CN."""
        return self.get(COMMON_NAME)

    @property
    def emails(self) -> tuple[str, ...]:
        """The values of emailAddress, which rfc822Name constraints also govern (RFC 5280 4.2.1.10)."""
        return self.get(EMAIL_ADDRESS)

    def rfc2253(self) -> str:
        """The name as audit reports print it: most specific first, unknown types as OID and hex (acm-pca.md 11)."""
        return ",".join(
            "+".join(_print(attribute, known_only=True) for attribute in rdn) for rdn in reversed(self.rdns)
        )

    def display(self) -> str:
        """The name as ACM prints it: in the order of the certificate, comma without space (acm.md)."""
        return ",".join("+".join(_print(attribute, known_only=False) for attribute in rdn) for rdn in self.rdns)


@lru_cache(_KEPT)
def _read_before(data: bytes) -> Name:
    return Name._parse(data)


_KNOWN = {COMMON_NAME: "CN", "2.5.4.11": "OU", "2.5.4.10": "O", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.6": "C"}
_NAMED = _KNOWN | {
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    EMAIL_ADDRESS: "emailAddress",
}


def _print(attribute: Attribute, *, known_only: bool) -> str:
    """`type=value`; of a type that the caller's format does not know, the OID (and hex where that is the rule)."""
    label = (_KNOWN if known_only else _NAMED).get(attribute.oid)
    if label is None and known_only:
        return f"{attribute.oid}=#{attribute.encode_value().hex()}"
    return f"{label or attribute.oid}={_escape(attribute.value)}"


def _escape(text: str) -> str:
    """The escapes of RFC 2253 section 2.4; what does not print is escaped too, since it could forge a line."""
    last = len(text) - 1
    escaped: list[str] = []
    for at, character in enumerate(text):
        if character in ',+"\\<>;' or (character == " " and at in (0, last)) or (character == "#" and at == 0):
            escaped.append("\\" + character)
        elif character.isprintable():
            escaped.append(character)
        else:
            escaped.extend(f"\\{octet:02X}" for octet in character.encode())
    return "".join(escaped)


def same_name(first: Name, second: Name) -> bool:
    """Whether two names are the same by RFC 5280 section 7.1.

    Equal octets always are. Otherwise Printable and UTF8 values compare without regard to case and with
    white space collapsed, whatever of the two types they are in; other values compare exactly.
    """
    if first.der == second.der:
        return True
    return comparison_key(first) == comparison_key(second)


def comparison_key(name: Name) -> tuple[tuple[tuple[str, int, str], ...], ...]:
    """A value that two names share exactly when they are the same by RFC 5280 section 7.1; for looking names up."""
    return tuple(_folded(rdn) for rdn in name.rdns)


def _folded(rdn: tuple[Attribute, ...]) -> tuple[tuple[str, int, str], ...]:
    """The RDN sorted, since its attributes are a set."""
    return tuple(sorted(_folded_attribute(attribute) for attribute in rdn))


def _folded_attribute(attribute: Attribute) -> tuple[str, int, str]:
    if attribute.tag not in (der.PRINTABLE_STRING, der.UTF8_STRING):
        return attribute.oid, attribute.tag, attribute.value
    # RFC 4518 prepares with NFKC before and after case folding.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", attribute.value).casefold())
    return attribute.oid, 0, " ".join(folded.split())


# The standard members of a subject in the order of the encoded name, which is not the customary one:
# decoded from requests of the real service (acm-pca.md 3.1).
SUBJECT_FIELDS = {
    "Country": "2.5.4.6",
    "Organization": "2.5.4.10",
    "OrganizationalUnit": "2.5.4.11",
    "DistinguishedNameQualifier": "2.5.4.46",
    "State": "2.5.4.8",
    "CommonName": COMMON_NAME,
    "SerialNumber": "2.5.4.5",
    "Locality": "2.5.4.7",
    "Title": "2.5.4.12",
    "Surname": "2.5.4.4",
    "GivenName": "2.5.4.42",
    "Initials": "2.5.4.43",
    "Pseudonym": "2.5.4.65",
    "GenerationQualifier": "2.5.4.44",
}
_PRINTABLE_TYPES = {"2.5.4.6", "2.5.4.46", "2.5.4.5"}
_IA5_TYPES = {"0.9.2342.19200300.100.1.25", EMAIL_ADDRESS}


def subject_from_attributes(fields: Mapping[str, str]) -> Name:
    """The name of an ASN1Subject with standard members, one attribute an RDN, in the order of the table.

    Raises InvalidArgument for a member that does not exist and for text that its string type cannot hold.
    """
    unknown = sorted(set(fields) - set(SUBJECT_FIELDS))
    if unknown:
        raise InvalidArgument(f"The subject has no attribute named {unknown[0]}.")
    return subject_from_custom([(oid, fields[field]) for field, oid in SUBJECT_FIELDS.items() if field in fields])


def subject_from_custom(attributes: Sequence[tuple[str, str]]) -> Name:
    """The name of an ASN1Subject with custom attributes (OID, value): one an RDN, in the order of the list.

    Raises InvalidArgument as `subject_from_attributes`.
    """
    try:
        return Name.build([(_typed(oid, value),) for oid, value in attributes])
    except der.DerError as error:
        raise InvalidArgument(f"The subject cannot be encoded: {error}.") from None


def _typed(oid: str, value: str) -> Attribute:
    """An attribute in the string type that the service uses for it. Raises DerError."""
    if oid in _PRINTABLE_TYPES:
        der.printable(value)
        return Attribute(oid, der.PRINTABLE_STRING, value)
    if oid in _IA5_TYPES:
        return Attribute(oid, der.IA5_STRING, value)
    return Attribute(oid, der.UTF8_STRING, value)
