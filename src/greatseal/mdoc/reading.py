"""What a holder presents, taken apart without losing an octet (ISO/IEC 18013-5 8.3.2.1.2.2).

Three things are read: IssuerSigned as it is issued, a Document, and a DeviceResponse with one or more of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from greatseal.crypto.cbor import CborError, Tagged, decode
from greatseal.crypto.cose import CoseError, Sign1, read_sign1
from greatseal.mdoc.items import Item, MalformedItem, read_item
from greatseal.mdoc.security import MalformedSecurityObject, SecurityObject, read_security_object
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate


class MalformedDocument(ValueError):
    """Not a mobile document; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class PresentedItem:
    """An item and its octets as they were received, which its digest covers."""

    item: Item
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """A document. `doc_type` is what stands outside the signature; None when nothing does."""

    doc_type: str | None
    items: Mapping[str, tuple[PresentedItem, ...]] = field(repr=False)
    sign: Sign1 = field(repr=False)
    chain: tuple[Certificate, ...] = field(repr=False)
    security: SecurityObject


def read_documents(data: bytes) -> tuple[Presented, ...]:
    """The documents in `data`; one or more. Raises MalformedDocument with the reason."""
    try:
        outer = decode(data)
    except CborError as error:
        raise MalformedDocument(str(error)) from None
    if not isinstance(outer, dict):
        raise MalformedDocument("an item that is not a map")
    if "documents" not in outer:
        return (_read(outer),)
    documents = outer["documents"]
    if outer.get("status") != 0 or not isinstance(documents, list) or not documents:
        raise MalformedDocument("a response without documents, or with an error")
    return tuple(_read(each) for each in documents)


def _read(value: object) -> Presented:
    """A Document, or IssuerSigned alone."""
    if isinstance(value, dict) and "issuerSigned" in value:
        doc_type = value.get("docType")
        if not isinstance(doc_type, str):
            raise MalformedDocument("a document without a docType")
        return _issuer_signed(value["issuerSigned"], doc_type)
    return _issuer_signed(value, None)


def _issuer_signed(value: object, doc_type: str | None) -> Presented:
    if not isinstance(value, dict) or "issuerAuth" not in value or not value.keys() <= {"nameSpaces", "issuerAuth"}:
        raise MalformedDocument("a map that is not nameSpaces and issuerAuth")
    try:
        sign = read_sign1(value["issuerAuth"])
        security = read_security_object(sign.payload)
        items = _items(value.get("nameSpaces", {}))
        chain = tuple(Certificate.parse(each) for each in sign.chain)
    except (CoseError, MalformedSecurityObject, MalformedItem) as error:
        raise MalformedDocument(str(error)) from None
    except der.DerError as error:
        raise MalformedDocument(f"an x5chain with a certificate that cannot be read: {error}") from None
    return Presented(doc_type, items, sign, chain, security)


def _items(value: object) -> dict[str, tuple[PresentedItem, ...]]:
    if not isinstance(value, dict):
        raise MalformedItem("nameSpaces is not a map")
    found: dict[str, tuple[PresentedItem, ...]] = {}
    for namespace, items in value.items():
        if not isinstance(namespace, str) or not isinstance(items, list):
            raise MalformedItem("a namespace that is not text with a list of items")
        found[namespace] = tuple(_item(each) for each in items)
        names = [each.item.identifier for each in found[namespace]]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise MalformedItem(f"the element {twice[:60]!r} twice")
    return found


def _item(value: object) -> PresentedItem:
    item = read_item(value)
    assert isinstance(value, Tagged)
    return PresentedItem(item, value.raw)
