"""Readers of extension values. Each raises DerError when the value is not what its OID promises."""

from dataclasses import dataclass
from functools import lru_cache

from greatseal.x509 import der
from greatseal.x509.extensions.model import OID, Extension
from greatseal.x509.general_names import GeneralName, parse_general_names, read_general_name

# What a certificate says is asked again and again while it is made, and most of it is what all of a CA say.
_KEPT = 256

KEY_USAGES = (
    "DigitalSignature",
    "NonRepudiation",
    "KeyEncipherment",
    "DataEncipherment",
    "KeyAgreement",
    "KeyCertSign",
    "CRLSign",
    "EncipherOnly",
    "DecipherOnly",
)
"""Names of the bits of KeyUsage, bit 0 first (RFC 5280 section 4.2.1.3)."""


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """Whether the subject is a CA, and how many further CAs may follow it in a path (None: any number)."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """Subtrees that names below a CA must (permitted) and must not (excluded) be in.

    In a base, `ip` values have 8 or 32 octets: address and mask (RFC 5280 section 4.2.1.10).
    """

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]


@dataclass(frozen=True, slots=True)
class AccessDescription:
    """One entry of an information access extension: OID of the method, and where."""

    method: str
    location: GeneralName


@dataclass(frozen=True, slots=True)
class Policy:
    """One certificate policy: its OID and the URIs of its practice statements."""

    oid: str
    cps_uris: tuple[str, ...]


@lru_cache(_KEPT)
def read_basic_constraints(extension: Extension) -> BasicConstraints:
    """BasicConstraints. An explicit FALSE, not DER but common in old certificates, is understood."""
    inside = der.only(extension.value, der.SEQUENCE)
    ca = inside.boolean() if inside.peek() == der.BOOLEAN else False
    path_length = inside.integer() if inside.peek() is not None else None
    inside.end()
    if path_length is not None and path_length < 0:
        raise der.DerError("a negative path length")
    return BasicConstraints(ca, path_length)


@lru_cache(_KEPT)
def read_key_usage(extension: Extension) -> frozenset[str]:
    """The names of the bits that are set, spelled as in KEY_USAGES.

    Trailing zero bits, which a named bit list must not have (X.690 11.2.2), are understood: the real
    service writes nine bits (acm-pca.md 6.4).
    """
    reader = der.Reader(extension.value)
    content, unused = reader.bit_string()
    reader.end()
    bits = len(content) * 8 - unused
    return frozenset(name for bit, name in enumerate(KEY_USAGES) if bit < bits and content[bit // 8] & 0x80 >> bit % 8)


@lru_cache(_KEPT)
def read_extended_key_usage(extension: Extension) -> tuple[str, ...]:
    """The OIDs of the key purposes in their order; at least one."""
    inside = der.only(extension.value, der.SEQUENCE)
    purposes = [inside.oid()]
    while inside.peek() is not None:
        purposes.append(inside.oid())
    return tuple(purposes)


@lru_cache(_KEPT)
def read_san(extension: Extension) -> tuple[GeneralName, ...]:
    """The names of SubjectAltName (or IssuerAltName)."""
    return parse_general_names(extension.value)


@lru_cache(_KEPT)
def read_subject_key_identifier(extension: Extension) -> bytes:
    """The key identifier, commonly 20 octets."""
    reader = der.Reader(extension.value)
    identifier = reader.read(der.OCTET_STRING)
    reader.end()
    return identifier


@lru_cache(_KEPT)
def read_authority_key_identifier(extension: Extension) -> bytes | None:
    """The keyIdentifier, or None when only issuer and serial are given."""
    inside = der.only(extension.value, der.SEQUENCE)
    identifier = inside.optional(0x80)
    inside.optional(0xA1)
    inside.optional(0x82)
    inside.end()
    return identifier


@lru_cache(_KEPT)
def read_name_constraints(extension: Extension) -> NameConstraints:
    """NameConstraints. A minimum other than 0 or any maximum is refused (RFC 5280 section 4.2.1.10)."""
    inside = der.only(extension.value, der.SEQUENCE)
    permitted = _read_subtrees(inside, 0xA0)
    excluded = _read_subtrees(inside, 0xA1)
    inside.end()
    if not permitted and not excluded:
        raise der.DerError("name constraints without a subtree")
    return NameConstraints(permitted, excluded)


def _read_subtrees(reader: der.Reader, tag: int) -> tuple[GeneralName, ...]:
    if reader.peek() != tag:
        return ()
    inside = reader.enter(tag)
    bases: list[GeneralName] = []
    # An empty list is against RFC 5280, but a public encoder writes it for "nothing said" (workflows.md 23).
    while inside.peek() is not None:
        subtree = inside.enter(der.SEQUENCE)
        bases.append(read_general_name(subtree, ip_sizes=(8, 32)))
        minimum = subtree.optional(0x80)
        if minimum is not None and der.decode_integer(minimum) != 0:
            raise der.DerError("a subtree with a minimum")
        subtree.end()
    return tuple(bases)


@lru_cache(_KEPT)
def read_information_access(extension: Extension) -> tuple[AccessDescription, ...]:
    """The entries of AuthorityInfoAccess or SubjectInfoAccess; at least one."""
    inside = der.only(extension.value, der.SEQUENCE)
    entries: list[AccessDescription] = []
    while inside.peek() is not None or not entries:
        entry = inside.enter(der.SEQUENCE)
        entries.append(AccessDescription(entry.oid(), read_general_name(entry)))
        entry.end()
    return tuple(entries)


def read_ocsp_urls(extension: Extension) -> tuple[str, ...]:
    """The URIs of OCSP responders in AuthorityInfoAccess, in their order."""
    return tuple(
        entry.location.text
        for entry in read_information_access(extension)
        if entry.method == OID.ACCESS_OCSP and entry.location.kind == "uri"
    )


@lru_cache(_KEPT)
def read_crl_urls(extension: Extension) -> tuple[str, ...]:
    """The URIs of the full names in CRLDistributionPoints, in their order."""
    inside = der.only(extension.value, der.SEQUENCE)
    urls: list[str] = []
    while inside.peek() is not None:
        point = inside.enter(der.SEQUENCE)
        if point.peek() == 0xA0:
            choice = point.enter(0xA0)
            if choice.peek() == 0xA0:
                full_name = choice.enter(0xA0)
                while full_name.peek() is not None:
                    name = read_general_name(full_name)
                    if name.kind == "uri":
                        urls.append(name.text)
            else:
                choice.raw(0xA1)
            choice.end()
        point.optional(0x81)
        point.optional(0xA2)
        point.end()
    return tuple(urls)


@lru_cache(_KEPT)
def read_certificate_policies(extension: Extension) -> tuple[Policy, ...]:
    """The policies with their CPS URIs; other qualifiers are passed over."""
    inside = der.only(extension.value, der.SEQUENCE)
    policies: list[Policy] = []
    while inside.peek() is not None or not policies:
        entry = inside.enter(der.SEQUENCE)
        oid = entry.oid()
        uris: list[str] = []
        if entry.peek() == der.SEQUENCE:
            qualifiers = entry.enter(der.SEQUENCE)
            while qualifiers.peek() is not None:
                qualifier = qualifiers.enter(der.SEQUENCE)
                if qualifier.oid() == OID.CPS:
                    uris.append(qualifier.read(der.IA5_STRING).decode("ascii", errors="replace"))
                else:
                    qualifier.raw()
                qualifier.end()
        entry.end()
        policies.append(Policy(oid, tuple(uris)))
    return tuple(policies)
