"""What a certificate tells policies: session tags and the source identity. Pure.

Attribute mapping: IAM Roles Anywhere User Guide, "Certificate attribute mapping". Of an attribute that occurs more
than once the first value counts.
"""

import re
from collections.abc import Iterator, Sequence

from greatseal.domain.anywhere.model import Field, Mappings, UntrustedCertificate
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.names import Name

SPECIFIERS = {
    "CN": "2.5.4.3",
    "SURNAME": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "BusinessCategory": "2.5.4.15",
    "PostalCode": "2.5.4.17",
    "TelephoneNumber": "2.5.4.20",
    "Name": "2.5.4.41",
    "GIVENNAME": "2.5.4.42",
    "INITIALS": "2.5.4.43",
    "GENERATION": "2.5.4.44",
    "UniqueIdentifier": "2.5.4.45",
    "DN": "2.5.4.46",
    "Pseudonym": "2.5.4.65",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "E": "1.2.840.113549.1.9.1",
}
"""The attributes that have a name in tags; all others are spelled as dotted OIDs."""

_NAMES = {oid: name for name, oid in SPECIFIERS.items()}
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_DIRECTORY = "Name/"
_LONGEST_TAG, _LONGEST_IDENTITY = 256, 64

Tags = tuple[tuple[str, str], ...]


def read_specifiers(field: Field, specifiers: Sequence[str]) -> tuple[str, ...]:
    """The specifiers as they are kept and shown. Raises InvalidArgument for those that mean nothing in the field."""
    return tuple(dict.fromkeys(_read_specifier(field, each) for each in specifiers))


def _read_specifier(field: Field, specifier: str) -> str:
    if field is not Field.SAN:
        if specifier == "*" or _is_attribute(specifier):
            return specifier
    elif specifier in ("DNS", "URI"):
        return specifier
    elif specifier in ("Name", "Name/", "Name/*"):
        return "Name/*"
    elif specifier.startswith(_DIRECTORY) and _is_attribute(specifier.removeprefix(_DIRECTORY)):
        return specifier
    raise InvalidArgument(f"The specifier '{specifier}' is not supported for the certificate field {field.value}.")


def _is_attribute(specifier: str) -> bool:
    return specifier in SPECIFIERS or _OID.fullmatch(specifier) is not None


def with_rules(mappings: Mappings, field: Field, specifiers: Sequence[str]) -> Mappings:
    """The mappings with these rules added to a field's own."""
    rules = dict(mappings)
    rules[field] = tuple(dict.fromkeys((*rules.get(field, ()), *specifiers)))
    return _ordered(rules)


def without_rules(mappings: Mappings, field: Field, specifiers: Sequence[str] | None) -> Mappings:
    """The mappings without these rules of a field; with None without the whole field.

    Raises InvalidArgument for a rule that is not there.
    """
    rules = dict(mappings)
    present = rules.get(field, ())
    gone = present if specifiers is None else tuple(specifiers)
    if not present or not set(gone) <= set(present):
        missing = next((each for each in gone if each not in present), "*")
        raise InvalidArgument(f"There is no mapping rule {field.value}/{missing} in the profile.")
    rules[field] = tuple(each for each in present if each not in gone)
    return _ordered(rules)


def _ordered(rules: dict[Field, tuple[str, ...]]) -> Mappings:
    return tuple((field, rules[field]) for field in Field if rules.get(field))


def source_identity(certificate: Certificate) -> str:
    """The common name of the subject, without which there is no session. Raises UntrustedCertificate."""
    names = certificate.subject.common_names
    if not names or not names[0].strip():
        raise UntrustedCertificate("Untrusted certificate. Insufficient certificate: its subject has no common name.")
    if len(names[0]) > _LONGEST_IDENTITY or not names[0].isprintable():
        raise UntrustedCertificate(
            "Untrusted certificate. Insufficient certificate: its common name does not serve as a source identity."
        )
    return names[0]


def session_tags(certificate: Certificate, mappings: Mappings) -> Tags:
    """The tags of a session: (`x509Subject/CN`, value) and so on, in the order of the mappings.

    Raises UntrustedCertificate for a value that is longer than a tag may be. It is not cut: a policy that compares
    it would be deceived.
    """
    tags: dict[str, str] = {}
    for field, specifiers in mappings:
        for specifier in specifiers:
            for name, value in _values(certificate, field, specifier):
                tags.setdefault(f"{field.value}/{name}", value)
    for key, value in tags.items():
        if len(value) > _LONGEST_TAG:
            raise UntrustedCertificate(
                f"Untrusted certificate. Insufficient certificate: {key} has more than {_LONGEST_TAG} characters."
            )
    return tuple(tags.items())


def _values(certificate: Certificate, field: Field, specifier: str) -> Iterator[tuple[str, str]]:
    if field is Field.SUBJECT:
        yield from _attributes(certificate.subject, specifier)
    elif field is Field.ISSUER:
        yield from _attributes(certificate.issuer, specifier)
    else:
        yield from _alternative(certificate, specifier)


def _alternative(certificate: Certificate, specifier: str) -> Iterator[tuple[str, str]]:
    try:
        names = certificate.san
    except der.DerError:
        raise UntrustedCertificate(
            "Untrusted certificate. Insufficient certificate: its alternative names cannot be read."
        ) from None
    if specifier.startswith(_DIRECTORY):
        first = next((name.value for name in names if isinstance(name.value, Name)), None)
        if first is not None:
            for attribute, value in _attributes(first, specifier.removeprefix(_DIRECTORY)):
                yield f"{_DIRECTORY}{attribute}", value
        return
    kind = specifier.lower()
    yield from ((specifier, name.text) for name in names if name.kind == kind)


def _attributes(name: Name, specifier: str) -> Iterator[tuple[str, str]]:
    """What of a name a specifier chooses; `*` chooses everything that has a name in the table."""
    wanted = SPECIFIERS.get(specifier, specifier)
    for attribute in name.attributes:
        if specifier == "*" and attribute.oid in _NAMES:
            yield _NAMES[attribute.oid], attribute.value
        elif attribute.oid == wanted:
            yield specifier, attribute.value
