"""CBOR that is refused, with its reason, and CBOR that comes back as it was."""

from contextlib import suppress

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.crypto import cbor

REFUSED = {
    "bf616101ff": "an indefinite length",
    "9fff": "an indefinite length",
    "5f4101ff": "an indefinite length",
    "7f6161ff": "an indefinite length",
    "a2616101616102": "the map key 'a' twice",
    "a201010102": "the map key 1 twice",
    # The same key in two spellings.
    "a20101180102": "the map key 1 twice",
    "a18001": "a map key that is neither an integer nor a string",
    "a1f501": "a map key that is neither an integer nor a string",
    "81" * 40 + "00": "items nested more than 32 deep",
    "5bffffffffffffffff": "an item that is longer than the document",
    "7b7fffffffffffffff61": "an item that is longer than the document",
    "9b0000ffffffffffff": "a count of items that the document is too short for",
    "bbffffffffffffffff": "a count of items that the document is too short for",
    "0000": "1 octets follow the item",
    "": "an item that is longer than the document",
    "f7": "a simple value that is neither true, false nor null",
    "f820": "a simple value that is neither true, false nor null",
    "ff": "a break without an indefinite length",
    "61ff": "text that is not UTF-8",
    "1c": "a reserved length",
    "19ff": "an item that is longer than the document",
}


@pytest.mark.parametrize("encoded", REFUSED)
def test_refused_with_the_reason(encoded):
    with pytest.raises(cbor.CborError) as refused:
        cbor.decode(bytes.fromhex(encoded))
    assert str(refused.value) == REFUSED[encoded]


def test_a_small_file_is_no_large_heap():
    with pytest.raises(cbor.CborError, match="more than 100000 items"):
        cbor.decode(b"\x9a\x00\x02\x00\x00" + b"\x80" * 0x20000)


def test_a_tagged_item_keeps_its_octets():
    # The length of the byte string in two octets: legal, and another digest than in one.
    raw = bytes.fromhex("d8185900020102")
    [tagged] = cbor.decode(b"\x81" + raw)
    assert tagged == cbor.Tagged(24, b"\x01\x02")
    assert tagged.raw == raw
    assert cbor.encode(tagged) == bytes.fromhex("d818420102")


def test_tags_around_tags_keep_nothing_twice():
    found = cbor.decode(bytes.fromhex("d818d81843010203"))
    assert found.raw == b""
    assert found.value.raw == bytes.fromhex("d81843010203")


def test_nothing_is_interpreted():
    assert cbor.decode(cbor2.dumps(cbor2.CBORTag(0, "2026-01-01T00:00:00Z"))).value == "2026-01-01T00:00:00Z"
    assert cbor.decode(bytes.fromhex("c24101")) == cbor.Tagged(2, b"\x01")


def test_what_has_no_cbor_is_refused():
    with pytest.raises(cbor.CborError, match="type object"):
        cbor.encode([object()])
    for half in ("\ud800", {"\ud800": 1}):
        with pytest.raises(cbor.CborError, match="surrogates"):
            cbor.encode(half)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-9, 9) | st.text(max_size=5), inner, max_size=4)
        | st.builds(cbor.Tagged, st.integers(6, 23), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_what_was_written_comes_back(value):
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(data):
    with suppress(cbor.CborError):
        cbor.decode(data)
