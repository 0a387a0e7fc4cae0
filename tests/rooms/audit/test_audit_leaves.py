"""The canonical bytes of a record: one record, one encoding, that any JSON library can make again."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from greatseal.domain.audit import AuditRecord, leaf

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))
records = st.builds(
    AuditRecord,
    **{
        field.name: texts
        for field in structs.fields(AuditRecord)
        if field.name not in ("at", "resources", "detail", "read_only")
    }
    | {name: st.none() | texts for name in ("service_principal", "error_code", "error_message", "response_elements")},
    at=instants,
    resources=st.lists(texts, max_size=3).map(tuple),
    detail=st.dictionaries(texts, texts, max_size=3),
    read_only=st.booleans(),
)


@given(records)
def test_a_leaf_holds_the_whole_record_and_nothing_else(record):
    assert leaf.decode(leaf.encode(record)) == record


@given(records, records)
def test_two_records_never_share_a_leaf(one, other):
    assert (leaf.encode(one) == leaf.encode(other)) == (one == other)


@given(records)
def test_another_program_writes_the_same_bytes(record):
    encoded = leaf.encode(record)
    again = json.dumps(json.loads(encoded), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert again.encode() == encoded
    assert b"\n" not in encoded


@given(records, st.data())
def test_no_other_bytes_are_a_leaf(record, data):
    encoded = leaf.encode(record)
    position = data.draw(st.integers(0, len(encoded) - 1))
    other = encoded[:position] + bytes([encoded[position] ^ data.draw(st.integers(1, 255))]) + encoded[position + 1 :]
    with contextlib.suppress(ValueError):
        assert leaf.decode(other) != record


@pytest.mark.parametrize("bad", [b"", b"[]", b"{}", b"null", b'{"version":"greatseal-audit/1"}', b'{"version":"2"}'])
def test_what_is_no_leaf(bad):
    with pytest.raises(ValueError, match=r"leaf|JSON|Input"):
        leaf.decode(bad)


EXAMPLE = AuditRecord(
    id="0006486b7b2f4000" + "00" * 8,
    at=datetime(2026, 1, 15, 12, 0, 0, 5, tzinfo=UTC),
    account="111122223333",
    region="us-east-1",
    principal_arn="arn:aws:iam::111122223333:root",
    access_key_id="AKIAEXAMPLE",
    operation="acm:RequestCertificate",
    request_id="r-1",
    resources=("arn:a", "arn:b"),
    source_ip="192.0.2.7",
    user_agent='quote " slash / é',
    service_principal=None,
    request_parameters='{"domainName":"example.com"}',
    detail={"b": "2", "a": "1"},
    event_id="9f2b1c1e-0c7b-4b0e-9a53-0c6d3a3c1b11",
    event_source="acm.amazonaws.com",
    event_name="RequestCertificate",
)


def test_version_1_is_these_bytes():
    assert leaf.encode(EXAMPLE).decode() == (
        '{"accessKeyId":"AKIAEXAMPLE","account":"111122223333","at":"2026-01-15T12:00:00.000005Z",'
        '"detail":{"a":"1","b":"2"},"errorCode":null,"errorMessage":null,'
        '"eventId":"9f2b1c1e-0c7b-4b0e-9a53-0c6d3a3c1b11","eventName":"RequestCertificate",'
        '"eventSource":"acm.amazonaws.com","id":"0006486b7b2f40000000000000000000","identity":"{}",'
        '"operation":"acm:RequestCertificate","principalArn":"arn:aws:iam::111122223333:root","readOnly":false,'
        '"region":"us-east-1","requestId":"r-1","requestParameters":"{\\"domainName\\":\\"example.com\\"}",'
        '"resources":["arn:a","arn:b"],"responseElements":null,"servicePrincipal":null,"sourceIp":"192.0.2.7",'
        '"userAgent":"quote \\" slash / é","version":"greatseal-audit/1"}'
    )


def test_every_field_is_in_the_leaf():
    changed = {
        "at": EXAMPLE.at + timedelta(microseconds=1),
        "resources": ("arn:a",),
        "detail": {},
        "read_only": True,
    }
    for field in structs.fields(AuditRecord):
        other = structs.replace(EXAMPLE, **{field.name: changed.get(field.name, "other")})
        assert leaf.encode(other) != leaf.encode(EXAMPLE), field.name
