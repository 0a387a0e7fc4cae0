"""The data elements of a driving licence: their identifiers, types and rules (ISO/IEC 18013-5 7.2.1, table 5).

Values are as `crypto.cbor` has them; a full-date is tag 1004 (RFC 8943), a tdate tag 0.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from greatseal.crypto.cbor import Tagged
from greatseal.x509.countries import COUNTRIES

DOC_TYPE = "org.iso.18013.5.1.mDL"
NAMESPACE = "org.iso.18013.5.1"

INSTANT_TAG, DATE_TAG = 0, 1004
_LONGEST_TEXT = 150
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_JPEG, _JPEG_2000 = b"\xff\xd8\xff", bytes.fromhex("0000000c6a5020200d0a870a")


class ElementRefused(ValueError):
    """A data element that table 5 does not have, or has otherwise; the message is a sentence without a full stop."""


class Kind(Enum):
    """What the value of an element is."""

    LATIN = "text of at most 150 characters of ISO/IEC 8859-1"
    TEXT = "text of at most 150 characters"
    COUNTRY = "an upper-case country code of ISO 3166-1 alpha-2"
    SIGN = "one to three capital letters"
    DATE = "a full-date, YYYY-MM-DD"
    INSTANT = "a tdate, YYYY-MM-DDThh:mm:ssZ"
    EITHER = "a full-date or a tdate"
    NUMBER = "a number that is not negative"
    SEX = "0, 1, 2 or 9 (ISO/IEC 5218)"
    YES_NO = "true or false"
    OCTETS = "octets"
    PORTRAIT = "a picture in JPEG or JPEG 2000"
    PRIVILEGES = "a list of driving privileges"
    EYES = "a colour of eyes"
    HAIR = "a colour of hair"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of table 5."""

    kind: Kind
    mandatory: bool = False


TABLE: Mapping[str, Row] = {
    "family_name": Row(Kind.LATIN, True),
    "given_name": Row(Kind.LATIN, True),
    "birth_date": Row(Kind.DATE, True),
    "issue_date": Row(Kind.EITHER, True),
    "expiry_date": Row(Kind.EITHER, True),
    "issuing_country": Row(Kind.COUNTRY, True),
    "issuing_authority": Row(Kind.LATIN, True),
    "document_number": Row(Kind.LATIN, True),
    "portrait": Row(Kind.PORTRAIT, True),
    "driving_privileges": Row(Kind.PRIVILEGES, True),
    "un_distinguishing_sign": Row(Kind.SIGN, True),
    "administrative_number": Row(Kind.LATIN),
    "sex": Row(Kind.SEX),
    "height": Row(Kind.NUMBER),
    "weight": Row(Kind.NUMBER),
    "eye_colour": Row(Kind.EYES),
    "hair_colour": Row(Kind.HAIR),
    "birth_place": Row(Kind.LATIN),
    "resident_address": Row(Kind.LATIN),
    "portrait_capture_date": Row(Kind.INSTANT),
    "age_in_years": Row(Kind.NUMBER),
    "age_birth_year": Row(Kind.NUMBER),
    "issuing_jurisdiction": Row(Kind.TEXT),
    "nationality": Row(Kind.COUNTRY),
    "resident_city": Row(Kind.LATIN),
    "resident_state": Row(Kind.LATIN),
    "resident_postal_code": Row(Kind.LATIN),
    "resident_country": Row(Kind.COUNTRY),
    "family_name_national_character": Row(Kind.TEXT),
    "given_name_national_character": Row(Kind.TEXT),
    "signature_usual_mark": Row(Kind.OCTETS),
}
"""Every element with a name of its own."""

_FAMILIES = (
    (re.compile(r"age_over_\d\d", re.ASCII), Row(Kind.YES_NO)),
    (re.compile(r"biometric_template_[a-z_]{1,40}"), Row(Kind.OCTETS)),
)
_COLOURS = frozenset({"black", "brown", "grey", "unknown"})
_EYES = _COLOURS | {"blue", "dichromatic", "green", "hazel", "maroon", "pink"}
_HAIR = _COLOURS | {"bald", "blond", "red", "auburn", "sandy", "white"}
# ISO/IEC 18013-5 7.2.4: one driving privilege.
_PRIVILEGE = {"vehicle_category_code", "issue_date", "expiry_date", "codes"}
_CODE = {"code", "sign", "value"}


def row_of(identifier: str) -> Row:
    """The row of an element of the licence's own namespace. Raises ElementRefused, with a hint for what is misspelt."""
    row = TABLE.get(identifier) or next((row for form, row in _FAMILIES if form.fullmatch(identifier)), None)
    if row is not None:
        return row
    close = difflib.get_close_matches(identifier, [*TABLE, "age_over_18", "age_over_21"], n=1)
    hint = f"; did you mean {close[0]}?" if close else "; elements of your own need a namespace of your own"
    raise ElementRefused(f"ISO/IEC 18013-5 table 5 has no element {identifier[:60]!r}{hint}")


def check_licence(elements: Mapping[str, object]) -> None:
    """Whether these are the elements of a licence: all known and of their types, none of the mandatory ones missing.

    Raises ElementRefused.
    """
    for identifier, value in elements.items():
        kind = row_of(identifier).kind
        if not _fits(kind, value):
            raise ElementRefused(f"{identifier} must be {kind.value}")
    missing = [identifier for identifier, row in TABLE.items() if row.mandatory and identifier not in elements]
    if missing:
        raise ElementRefused(f"mandatory elements are missing: {', '.join(missing)}")
    if day_of(elements["expiry_date"]) < day_of(elements["issue_date"]):
        raise ElementRefused("expiry_date is before issue_date")


def day_of(value: object) -> str:
    """The day, YYYY-MM-DD, of a full-date or tdate."""
    assert isinstance(value, Tagged)
    return str(value.value)[:10]


def is_date(value: object) -> bool:
    """Whether this is a full-date of the calendar."""
    if not (isinstance(value, Tagged) and value.number == DATE_TAG and isinstance(value.value, str)):
        return False
    try:
        return _DATE.fullmatch(value.value) is not None and bool(date.fromisoformat(value.value))
    except ValueError:
        return False


def is_instant(value: object) -> bool:
    """Whether this is a tdate in UTC without a fraction (ISO/IEC 18013-5 7.2.1)."""
    if not (isinstance(value, Tagged) and value.number == INSTANT_TAG and isinstance(value.value, str)):
        return False
    try:
        return _INSTANT.fullmatch(value.value) is not None and bool(datetime.fromisoformat(value.value))
    except ValueError:
        return False


def _fits(kind: Kind, value: object) -> bool:
    if kind in (Kind.LATIN, Kind.TEXT):
        return _is_text(value, latin=kind is Kind.LATIN)
    if kind is Kind.NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if kind is Kind.SEX:
        return value in (0, 1, 2, 9) and not isinstance(value, bool)
    if kind is Kind.YES_NO:
        return isinstance(value, bool)
    if kind is Kind.PORTRAIT:
        return isinstance(value, bytes) and value.startswith((_JPEG, _JPEG_2000))
    if kind is Kind.OCTETS:
        return isinstance(value, bytes) and bool(value)
    if kind is Kind.PRIVILEGES:
        return isinstance(value, list) and all(_is_privilege(each) for each in value)
    if kind in (Kind.DATE, Kind.INSTANT, Kind.EITHER):
        return (kind is not Kind.INSTANT and is_date(value)) or (kind is not Kind.DATE and is_instant(value))
    return isinstance(value, str) and _is_word(kind, value)


def _is_word(kind: Kind, value: str) -> bool:
    if kind is Kind.SIGN:
        return re.fullmatch(r"[A-Z]{1,3}", value) is not None
    return value in {Kind.COUNTRY: COUNTRIES, Kind.EYES: _EYES, Kind.HAIR: _HAIR}[kind]


def _is_text(value: object, *, latin: bool) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        return False
    return not latin or all(ord(character) < 0x100 for character in value)


def _is_privilege(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= _PRIVILEGE:
        return False
    dates = [value[name] for name in ("issue_date", "expiry_date") if name in value]
    codes = value.get("codes", [])
    return (
        _is_text(value.get("vehicle_category_code"), latin=False)
        and all(is_date(each) for each in dates)
        and isinstance(codes, list)
        and all(_is_code(each) for each in codes)
    )


def _is_code(value: object) -> bool:
    return (
        isinstance(value, dict)
        and "code" in value
        and value.keys() <= _CODE
        and all(_is_text(each, latin=False) for each in value.values())
    )
