"""The digests that the source post publishes, and what gives other ones (workflows.md 19.4)."""

import cbor2
import pytest

from greatseal.crypto.cbor import decode
from greatseal.mdoc.items import Item, MalformedItem, digest, read_item

PUBLISHED = [
    (
        Item(
            0, bytes.fromhex("BBA394B98088CAE238D35979F7210E18DFAF70354524D86149CA20046E4321B1"), "given_name", "John"
        ),
        "D6AA81E454036313A9A681809151DDDBDF702289094F18286DDC591C41C6434E",
    ),
    (
        Item(
            1, bytes.fromhex("901F63FD880A15B30EDCEEFA857201C52FB9EAD1D39C15BB592829D16CB8A368"), "family_name", "Doe"
        ),
        "4C3D83940CA8C5DE8060A23EB649C175E79B745B6A7D9939B4D16B3E46BB14D5",
    ),
]


@pytest.mark.parametrize(("item", "expected"), PUBLISHED)
def test_published_digests(item, expected):
    encoded = item.encode().raw
    assert encoded[:3] == bytes.fromhex("d81858")
    assert digest(encoded, "SHA-256").hex().upper() == expected
    assert read_item(decode(encoded)) == item


@pytest.mark.parametrize(("item", "expected"), PUBLISHED)
def test_other_encodings_have_other_digests(item, expected):
    inner = {
        "digestID": item.digest_id,
        "random": item.random,
        "elementIdentifier": item.identifier,
        "elementValue": item.value,
    }
    misspelt = {("elementIdentifer" if k == "elementIdentifier" else k): v for k, v in inner.items()}
    others = [
        cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(inner, canonical=True))),
        cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(misspelt))),
        cbor2.dumps(inner),
    ]
    assert expected not in {digest(each, "SHA-256").hex().upper() for each in others}


def tagged(inner: object) -> object:
    return decode(cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(inner))))


GOOD = {"digestID": 0, "random": bytes(16), "elementIdentifier": "x", "elementValue": 1}
MALFORMED = [
    (5, "under tag 24"),
    (tagged([]), "not a map"),
    (tagged(GOOD | {"digestID": -1}), "digestID"),
    (tagged(GOOD | {"digestID": True}), "digestID"),
    (tagged(GOOD | {"random": bytes(15)}), "less than 16 octets"),
    (tagged(GOOD | {"elementIdentifier": 5}), "not text"),
    (tagged({("elementIdentifer" if k == "elementIdentifier" else k): v for k, v in GOOD.items()}), "elementIdentifer"),
    (tagged(GOOD | {"more": 1}), "see more"),
    (decode(cbor2.dumps(cbor2.CBORTag(24, b"\xa2\x01\x01\x01\x01"))), "the map key 1 twice"),
]


@pytest.mark.parametrize(("value", "reason"), MALFORMED)
def test_malformed_items(value, reason):
    with pytest.raises(MalformedItem, match=reason):
        read_item(value)
