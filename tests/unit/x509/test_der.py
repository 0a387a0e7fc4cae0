"""The writer against asn1crypto, and the strict reader's refusals."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509 import der

ARC = st.integers(0, 2**70)
OIDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), st.lists(ARC, max_size=6)),
    st.tuples(st.just(2), ARC, st.lists(ARC, max_size=6)),
).map(lambda parts: ".".join(map(str, (parts[0], parts[1], *parts[2]))))


@given(st.integers(-(2**200), 2**200))
def test_integers_agree_with_asn1crypto_and_come_back(value):
    encoded = der.integer(value)
    assert encoded == core.Integer(value).dump()
    assert der.Reader(encoded).integer() == value


@given(OIDS)
def test_object_identifiers_come_back(text):
    assert der.Reader(der.oid(text)).oid() == text


@pytest.mark.parametrize("text", ["1.2.840.113549.1.1.11", "2.5.29.15", "0.9.2342.19200300.100.1.25", "2.999.1", "2.5"])
def test_object_identifiers_agree_with_asn1crypto(text):
    assert der.oid(text) == core.ObjectIdentifier(text).dump()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "3.1",
        "0.40",
        "1.2.",
        ".1.2",
        "1..2",
        "01.2",
        "1.2.-3",
        "1.2.x",
        "1.2.٣",
        "1.2." + "9" * 5000,
        "1" + ".9" * 200,
    ],
)
def test_texts_that_are_no_object_identifier(text):
    with pytest.raises(der.DerError):
        der.oid(text)


@given(st.binary(max_size=70_000))
def test_lengths_agree_with_asn1crypto(content):
    encoded = der.octet_string(content)
    assert encoded == core.OctetString(content).dump()
    assert der.Reader(encoded).read(der.OCTET_STRING) == content


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31)))
def test_times_come_back_and_change_form_in_2050(moment):
    aware = moment.replace(tzinfo=UTC, microsecond=0)
    encoded = der.time(aware)
    assert encoded[0] == (der.UTC_TIME if moment.year < 2050 else der.GENERALIZED_TIME)
    assert der.Reader(encoded).time() == aware


def test_times_around_the_turn_of_form():
    assert der.time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert der.time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"
    assert der.time(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x18\x0f99991231235959Z"
    # Half an hour before midnight in UTC-1 is the next year in UTC.
    west = timezone(timedelta(hours=-1))
    assert der.time(datetime(2049, 12, 31, 23, 30, tzinfo=west)) == b"\x18\x0f20500101003000Z"


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(1949, 12, 31, tzinfo=UTC)])
def test_times_that_cannot_be_written(moment):
    with pytest.raises(der.DerError):
        der.time(moment)


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x17\x0b2601010000Z",  # without seconds
        b"\x17\x112601010000000100",
        b"\x17\x0d260101000060Z",  # a leap second
        b"\x17\x0d260229000000Z",
        b"\x17\x0d26013100000 Z",
        b"\x18\x1120260101000000.5Z",
        b"\x18\x0f00000101000000Z",
        b"\x18\x0e20260101000000",
    ],
)
def test_times_that_are_refused(encoded):
    with pytest.raises(der.DerError):
        der.Reader(encoded).time()


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "missing"),
        (b"\x30", "length is missing"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (b"\x30\x81\x05hello", "not minimal"),
        (b"\x30\x82\x00\x85" + bytes(0x85), "not minimal"),
        (b"\x30\x85\x01\x00\x00\x00\x00", "too many octets"),
        (b"\x30\x82\x01", "too many octets"),
        (b"\x30\x05abc", "longer than what holds it"),
        (b"\x30\x00\x00", "follow"),
        (b"\x31\x00", "0x30 was expected"),
        (b"\x3f\x81\x01\x00", "high-number"),
    ],
)
def test_frames_that_are_refused(encoded, reason):
    with pytest.raises(der.DerError, match=reason):
        der.only(encoded, der.SEQUENCE)


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x02\x00",
        b"\x02\x02\x00\x7f",
        b"\x02\x02\xff\x80",
        b"\x01\x01\x01",
        b"\x01\x02\xff\xff",
        b"\x06\x00",
        b"\x06\x02\x2a\x80",
        b"\x06\x03\x2a\x80\x01",
        b"\x03\x00",
        b"\x03\x02\x08\x00",
        b"\x03\x01\x01",
        b"\x03\x02\x01\x01",
        b"\x05\x01\x00",
        b"\x24\x03\x04\x01a",
        b"\x30\x80\x00\x00",
    ],
)
def test_values_that_are_refused_at_any_depth(encoded):
    der.check_nesting(der.sequence(der.null(), der.set_of([der.integer(1)])))
    with pytest.raises(der.DerError):
        der.check_nesting(der.sequence(der.sequence(encoded)))


def test_depth_and_size_are_limited():
    nested = b""
    for _ in range(der.MAX_DEPTH):
        nested = der.sequence(nested)
    der.check_nesting(nested)
    with pytest.raises(der.DerError, match="deep"):
        der.check_nesting(der.sequence(nested))
    with pytest.raises(der.DerError, match="more than"):
        der.Reader(bytes(der.MAX_SIZE + 1))


@given(st.binary(max_size=200))
def test_arbitrary_octets_never_break_the_reader(data):
    try:
        der.check_nesting(data)
    except der.DerError:
        return


def one_by_one(data: bytes, tag: int) -> list[bytes]:
    """The members of a value as the reader takes them."""
    inside = der.only(data, tag)
    found = []
    while inside.peek() is not None:
        found.append(inside.raw())
    inside.end()
    return found


VALUES = st.one_of(
    st.binary(max_size=8),
    st.builds(der.tlv, st.sampled_from((0x02, 0x04, 0x30, 0x31, 0x3F, 0xA0, 0xBF)), st.binary(max_size=300)),
)


@given(
    st.lists(VALUES, max_size=5).map(b"".join), st.sampled_from((0x30, 0x31)), st.integers(0, 9), st.binary(max_size=1)
)
def test_members_are_what_the_reader_takes_one_by_one(content, tag, cut, more):
    data = der.tlv(0x30, content) + more
    data = data[: len(data) - cut] if cut > 7 else data
    try:
        expected: list[bytes] | None = one_by_one(data, tag)
    except der.DerError:
        expected = None
    try:
        found: list[bytes] | None = der.members(data, tag)
    except der.DerError:
        found = None
    assert found == expected


def test_members_that_are_not_the_expected_ones():
    found = der.members(der.sequence(der.integer(1), der.null()), der.SEQUENCE)
    assert der.expect(found, der.INTEGER, der.NULL) == [der.integer(1), der.null()]
    for tags, reason in (
        ((der.INTEGER,), "2 octets follow the last value"),
        ((der.INTEGER, der.NULL, der.NULL), "a value is missing"),
        ((der.INTEGER, der.SEQUENCE), "tag 0x05 where 0x30 was expected"),
    ):
        with pytest.raises(der.DerError, match=reason):
            der.expect(found, *tags)
    with pytest.raises(der.DerError, match="more than"):
        der.members(der.octet_string(bytes(der.MAX_SIZE)), der.OCTET_STRING)
    with pytest.raises(der.DerError, match="more than"):
        der.check_nesting(bytes(der.MAX_SIZE + 1))


def test_context_tags():
    assert der.explicit(0, der.integer(2)) == b"\xa0\x03\x02\x01\x02"
    assert der.implicit(2, der.ia5("a")) == b"\x82\x01a"
    assert der.implicit(0, der.sequence(der.null())) == b"\xa0\x02\x05\x00"


def test_sets_are_sorted():
    assert der.set_of([der.integer(2), der.integer(1)]) == der.set_of([der.integer(1), der.integer(2)])


@pytest.mark.parametrize("write", [lambda: der.printable("a_b"), lambda: der.ia5("é"), lambda: der.utf8("\ud800")])
def test_text_that_does_not_fit_its_type(write):
    with pytest.raises(der.DerError):
        write()


def test_optional_and_boolean():
    reader = der.Reader(der.boolean(True) + der.boolean(False))
    assert reader.optional(der.INTEGER) is None
    assert reader.boolean() is True
    assert reader.boolean() is False
    assert reader.peek() is None
    reader.end()
