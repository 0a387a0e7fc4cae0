"""Rules for the subject and for every other distinguished name (RFC 5280 sections 4.1.2.4 and 4.1.2.6)."""

import re
from collections.abc import Iterator
from unicodedata import category

from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, EMAIL_ADDRESS
from greatseal.x509.extensions import OID
from greatseal.x509.lint.model import Draft, Rule, error, warning
from greatseal.x509.names import Name

_COUNTRY, _DOMAIN_COMPONENT = "2.5.4.6", "0.9.2342.19200300.100.1.25"
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)
_MAX_COMMON_NAME = 64

# Upper bounds of RFC 5280 appendix A.1 for what requests customarily hold, in characters.
_UPPER_BOUNDS = {
    "2.5.4.5": 64,
    "2.5.4.7": 128,
    "2.5.4.8": 128,
    "2.5.4.10": 64,
    "2.5.4.11": 64,
    "2.5.4.12": 64,
    "2.5.4.65": 128,
    EMAIL_ADDRESS: 255,
}
# Attributes whose value is a DirectoryString (RFC 5280 section 4.1.2.4).
_DIRECTORY_STRINGS = frozenset(
    f"2.5.4.{arc}" for arc in (3, 4, 7, 8, 9, 10, 11, 12, 13, 15, 17, 41, 42, 43, 44, 65, 97)
)
_PRINTABLE_ONLY = frozenset({"2.5.4.6", "2.5.4.5", "2.5.4.46"})
_CURRENT_STRINGS = (der.UTF8_STRING, der.PRINTABLE_STRING)
_OLD_STRINGS = (der.TELETEX_STRING, der.BMP_STRING, der.UNIVERSAL_STRING)


def _empty_subject(draft: Draft) -> Iterator[str]:
    if not draft.certificate.subject.is_empty:
        return
    san = draft.extension(OID.SUBJECT_ALTERNATIVE_NAME)
    if draft.profile.ca:
        yield "The subject of a CA certificate is empty."
    elif san is None or not san.critical:
        yield "The subject is empty and there is no critical subject alternative name."


def _string_type(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        legal: tuple[int, ...] = ()
        if attribute.oid in _PRINTABLE_ONLY:
            legal = (der.PRINTABLE_STRING,)
        elif attribute.oid in _DIRECTORY_STRINGS:
            legal = _CURRENT_STRINGS + _OLD_STRINGS
        if legal and attribute.tag not in legal:
            yield f"The value of attribute {attribute.oid} is of a string type that it must not have."


def _old_string_type(draft: Draft) -> Iterator[str]:
    # A subject is copied from the request unchanged (acm-pca.md 6.4), and old types were legal once.
    for attribute in draft.attributes:
        if attribute.oid in _DIRECTORY_STRINGS and attribute.tag in _OLD_STRINGS:
            yield f"The value of attribute {attribute.oid} is neither PrintableString nor UTF8String."


def _ia5_type(draft: Draft) -> Iterator[str]:
    # Libraries that guess the type by the characters write these as UTF8String; clients cope.
    for attribute in draft.attributes:
        if attribute.oid in (EMAIL_ADDRESS, _DOMAIN_COMPONENT) and attribute.tag != der.IA5_STRING:
            yield f"The value of attribute {attribute.oid} is not an IA5String."


def _printable_alphabet(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        if attribute.tag == der.PRINTABLE_STRING:
            try:
                der.printable(attribute.value)
            except der.DerError:
                yield f"The value of attribute {attribute.oid} has characters that PrintableString does not have."


def _control_characters(draft: Draft) -> Iterator[str]:
    # A NUL ends the name for software written in C, and a line feed forges a line of a log (faults.md row 25).
    for attribute in draft.attributes:
        if not attribute.value.isprintable() and any(category(character) == "Cc" for character in attribute.value):
            yield f"The value of attribute {attribute.oid} contains a control character."


def _empty_value(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        if not attribute.value:
            yield f"The value of attribute {attribute.oid} is empty."


def _padded_value(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        if attribute.value != attribute.value.strip():
            yield f"The value of attribute {attribute.oid} begins or ends with white space."


def _common_name_length(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        if attribute.oid == COMMON_NAME and len(attribute.value) > _MAX_COMMON_NAME:
            yield f"The common name has {len(attribute.value)} characters; {_MAX_COMMON_NAME} is the limit."


def _country(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        if attribute.oid == _COUNTRY and not _COUNTRY_CODE.fullmatch(attribute.value):
            yield "The country is not a code of two letters."


def _upper_bounds(draft: Draft) -> Iterator[str]:
    for attribute in draft.attributes:
        limit = _UPPER_BOUNDS.get(attribute.oid)
        if limit is not None and len(attribute.value) > limit:
            yield f"The value of attribute {attribute.oid} is longer than {limit} characters."


def _set_order(draft: Draft) -> Iterator[str]:
    for name in draft.names:
        # One attribute alone is in order, and was read from the only encoding that it has.
        if any(len(rdn) > 1 for rdn in name.rdns) and (flaw := _flaw_of_order(name)):
            yield flaw


def _flaw_of_order(name: Name) -> str | None:
    try:
        if Name.build(name.rdns).der != name.der:
            return "A relative distinguished name is not in the order that DER gives to a SET."
    except der.DerError:
        return "A relative distinguished name cannot be encoded again."
    return None


RULES: tuple[Rule[Draft], ...] = (
    error("subject-empty", "RFC 5280 section 4.1.2.6", _empty_subject),
    error("name-string-type", "RFC 5280 appendix A.1", _string_type),
    warning("name-old-string-type", "RFC 5280 section 4.1.2.4", _old_string_type),
    warning("name-ia5", "RFC 5280 appendix A.1", _ia5_type),
    error("name-printable", "X.680 section 41.4", _printable_alphabet),
    error("name-control-character", "BR section 7.1.4", _control_characters),
    error("name-empty-value", "RFC 5280 appendix A.1", _empty_value),
    warning("name-padded", "BR section 7.1.4.2", _padded_value),
    error("common-name-length", "RFC 5280 appendix A.1", _common_name_length),
    error("country", "RFC 5280 appendix A.1; ISO 3166", _country),
    warning("name-upper-bound", "RFC 5280 appendix A.1", _upper_bounds),
    warning("name-set-order", "X.690 section 11.6", _set_order),
)
