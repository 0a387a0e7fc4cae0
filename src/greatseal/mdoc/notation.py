"""A document's elements as JSON, the form in which an issuing authority's own systems hand them over (docs/mdl.md).

In the licence's own namespace an element's type is known, and dates and octets are plain strings. In other namespaces
JSON's own types stay what they are, and `{"date": …}`, `{"time": …}`, `{"base64": …}` and `{"file": …}` say the rest.
"""

import base64
import binascii
from collections.abc import Callable, Mapping

from greatseal.crypto.cbor import Tagged
from greatseal.mdoc.elements import DATE_TAG, INSTANT_TAG, NAMESPACE, ElementRefused, Kind, row_of

ReadFile = Callable[[str], bytes]
"""The octets of a file that an element names. Raises ElementRefused when it cannot be read."""

_MOST_DEPTH = 16


def from_json(document: object, read_file: ReadFile) -> dict[str, dict[str, object]]:
    """Namespaces and their elements, from an object of namespaces, of elements, or of both.

    A name with a dot is a namespace; elements that stand alone are of the licence's own. Raises ElementRefused.
    """
    if not isinstance(document, dict):
        raise ElementRefused("the document is not a JSON object")
    found: dict[str, dict[str, object]] = {}
    for name, value in document.items():
        if "." not in name:
            _add(found, NAMESPACE, name, value, read_file)
            continue
        if not isinstance(value, dict):
            raise ElementRefused(f"namespace {name[:60]!r} is not a JSON object")
        for identifier, each in value.items():
            _add(found, name, identifier, each, read_file)
    return found


def to_json(value: object) -> object:
    """A value of a document for people and programs: octets as base64, dates as their text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Tagged):
        if value.number in (DATE_TAG, INSTANT_TAG):
            return to_json(value.value)
        return {"tag": value.number, "value": to_json(value.value)}
    if isinstance(value, Mapping):
        return {str(to_json(key)): to_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [to_json(each) for each in value]
    return value


def _add(
    found: dict[str, dict[str, object]], namespace: str, identifier: str, value: object, read_file: ReadFile
) -> None:
    elements = found.setdefault(namespace, {})
    if identifier in elements:
        raise ElementRefused(f"{identifier[:60]} is given twice")
    if namespace != NAMESPACE:
        elements[identifier] = _typed(identifier, value, read_file, 0)
        return
    kind = row_of(identifier).kind
    elements[identifier] = _of_kind(kind, identifier, value, read_file)


def _of_kind(kind: Kind, identifier: str, value: object, read_file: ReadFile) -> object:
    """Dates and octets in the types that table 5 has them in; what does not fit is refused by its checks."""
    if kind in (Kind.DATE, Kind.INSTANT, Kind.EITHER) and isinstance(value, str):
        return _moment(value)
    if kind in (Kind.OCTETS, Kind.PORTRAIT) and isinstance(value, str):
        return _octets(identifier, value)
    if kind is Kind.PRIVILEGES and isinstance(value, list):
        return [_privilege(each) for each in value]
    return _typed(identifier, value, read_file, 0)


def _privilege(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {
        name: _moment(each) if name in ("issue_date", "expiry_date") and isinstance(each, str) else each
        for name, each in value.items()
    }


def _moment(text: str) -> Tagged:
    return Tagged(INSTANT_TAG if "T" in text else DATE_TAG, text)


def _typed(identifier: str, value: object, read_file: ReadFile, depth: int) -> object:
    if depth > _MOST_DEPTH:
        raise ElementRefused(f"{identifier[:60]} is nested too deep")
    if isinstance(value, list):
        return [_typed(identifier, each, read_file, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(word, text)] = value.items()
        if isinstance(text, str) and word in ("date", "time"):
            return Tagged(DATE_TAG if word == "date" else INSTANT_TAG, text)
        if isinstance(text, str) and word == "base64":
            return _octets(identifier, text)
        if isinstance(text, str) and word == "file":
            return read_file(text)
    return {name: _typed(identifier, each, read_file, depth + 1) for name, each in value.items()}


def _octets(identifier: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ElementRefused(f'{identifier[:60]} is not base64; a file is named {{"file": "…"}}') from None
