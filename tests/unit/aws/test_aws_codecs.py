"""Bodies in both codecs: what is accepted, what is refused and in which words, what goes out."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.aws.protocol import shapes
from greatseal.aws.protocol.cbor import CborCodec
from greatseal.aws.protocol.codecs import JsonCodec
from greatseal.aws.protocol.models import Operation
from greatseal.aws.protocol.trail import elements
from greatseal.aws.wire import WireError
from unit.aws.wire import ACM, ACM_PCA, REQUEST_ID, message

JSON, CBOR = JsonCodec(), CborCodec()
ISSUE = ACM_PCA.operations["IssueCertificate"]
LIST = ACM.operations["ListCertificates"]
SEARCH = ACM.operations["SearchCertificates"]


def answer(codec: Any, operation: Operation, result: Any) -> bytes:
    body = codec.encode(ACM, operation, result, REQUEST_ID).body
    assert isinstance(body, bytes)
    return body


def refusal(operation: Operation, body: bytes, codec: Any = JSON) -> str:
    with pytest.raises(WireError) as caught:
        codec.decode(operation, message(body))
    assert caught.value.code == "SerializationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        (ISSUE, b"", None),
        (ISSUE, b'{"Validity":null,"Unknown":{"a":[1]}}', None),
        (ISSUE, b'{"Validity":{"Value":1.0}}', None),
        (ISSUE, b"[]", "Start of list found where not expected."),
        (ISSUE, b"3", "NUMBER_VALUE can not be converted to a structure"),
        (ISSUE, b'{"Validity":{"Value":"1"}}', "STRING_VALUE can not be converted to a Long at 'validity.value'"),
        (ISSUE, b'{"Validity":{"Value":true}}', "TRUE_VALUE can not be converted to a Long at 'validity.value'"),
        (ISSUE, b'{"Validity":{"Value":1.5}}', "NUMBER_VALUE can not be converted to a Long at 'validity.value'"),
        (ISSUE, b'{"Validity":{"Value":9223372036854775808}}', "NUMBER_VALUE can not be converted to a Long at"),
        (ISSUE, b'{"Validity":[]}', "Start of list found where not expected at 'validity'."),
        (ISSUE, b'{"SigningAlgorithm":{}}', "Start of structure or map found where not expected at 'signingAlg"),
        (ISSUE, b'{"SigningAlgorithm":5}', "NUMBER_VALUE can not be converted to a String at 'signingAlgorithm'"),
        (ISSUE, b'{"Csr":"a"}', "STRING_VALUE can not be converted to a Blob at 'csr'"),
        (ISSUE, b'{"Csr":"YQ=="}', None),
        (ISSUE, b'{"Csr":"Y Q=="}', "STRING_VALUE can not be converted to a Blob at 'csr'"),
        (ISSUE, "{\"Csr\":\"ä\"}".encode(), "STRING_VALUE can not be converted to a Blob at 'csr'"),
        (LIST, b'{"CertificateStatuses":"ISSUED"}', "STRING_VALUE can not be converted to a list at"),
        (LIST, b'{"MaxItems":2147483648}', "NUMBER_VALUE can not be converted to an Integer at 'maxItems'"),
        (LIST, b'{"MaxItems":NaN}', "The request body is not valid JSON."),
        (LIST, b'{"MaxItems":1e999}', "The request body is not valid JSON."),
        (LIST, b"[" * 100_000, "The request body is not valid JSON."),
        (LIST, b'{"NextToken":"\xff"}', "The request body is not valid JSON."),
        (LIST, b'{"NextToken":"\\ud800"}', "The request body is not valid JSON."),
        (LIST, b'{"MaxItems":1} x', "The request body is not valid JSON."),
        (LIST, b"\xef\xbb\xbf{}", "The request body is not valid JSON."),
        (LIST, b'{"MaxItems":1,"MaxItems":2}', "The request body contains a duplicate key."),
        (LIST, b'{"x":[{"a":1,"\\u0061":2}]}', "The request body contains a duplicate key."),
        (LIST, b'{"NextToken":"a\\"b:c\\\\"}', None),
    ],
)  # fmt: skip
def test_json_bodies(operation: Operation, body: bytes, text: str | None) -> None:
    if text is None:
        JSON.decode(operation, message(body))
    else:
        assert refusal(operation, body).startswith(text)


@given(st.recursive(st.text() | st.integers(-(2**60), 2**60) | st.none() | st.booleans(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_valid_json_has_no_duplicates(tree: Any) -> None:
    assert JSON.decode(LIST, message(json.dumps({"x": tree}).encode())) == {}


def test_nesting_is_limited() -> None:
    deep: Any = {}
    for _ in range(shapes.MAX_DEPTH):
        deep = {"Not": deep}
    assert refusal(SEARCH, json.dumps({"FilterStatement": deep}).encode()) == "The request is nested too deeply."


TIMED: dict[str, Any] = {"DomainName": "example.com", "NotBefore": datetime(2026, 5, 2, 1, 2, 3, 22_999, UTC)}


def test_json_answers() -> None:
    body = answer(JSON, ACM.operations["DescribeCertificate"], {"Certificate": {**TIMED, "NotAfter": None}})
    assert body == b'{"Certificate":{"DomainName":"example.com","NotBefore":1777683723.023}}'
    # A void operation, an operation that returned nothing, an error with more members.
    assert answer(JSON, ACM.operations["DeleteCertificate"], None) == b""
    assert answer(JSON, LIST, None) == b"{}"
    assert JSON.encode_error(None, WireError("X", "text", member="Message", extra={"a": 1}), REQUEST_ID).body == (
        b'{"__type":"X","Message":"text","a":1}'
    )


def test_cbor_answers() -> None:
    class Word(StrEnum):
        A = "a"

    authority = {"Arn": Word.A, "CreatedAt": datetime(2026, 5, 2, 3, 2, 3, 22_000, timezone(timedelta(hours=2)))}
    body = answer(CBOR, ACM_PCA.operations["DescribeCertificateAuthority"], {"CertificateAuthority": authority})
    assert cbor2.loads(body)["CertificateAuthority"] == {
        "Arn": "a",
        "CreatedAt": datetime(2026, 5, 2, 1, 2, 3, 22_000, UTC),
    }
    # Tag 1 followed by a double.
    assert b"\xc1\xfb" in body
    assert answer(CBOR, ACM_PCA.operations["DeletePolicy"], None) == b""
    assert cbor2.loads(CBOR.encode_error(None, WireError("X", "text"), REQUEST_ID).body) == {
        "__type": "X",
        "message": "text",
    }


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("DescribeCertificate", {"Certificate": {"Nope": 1}}),
        ("DescribeCertificate", {"Certificate": {"DomainName": 5}}),
        ("DescribeCertificate", {"Certificate": {"NotBefore": datetime(2026, 1, 1)}}),
        ("DescribeCertificate", {"Certificate": {"InUseBy": "text"}}),
        ("DescribeCertificate", {"Certificate": []}),
        ("ListCertificates", {"CertificateSummaryList": [{"InUse": "yes"}]}),
        ("DeleteCertificate", {"a": 1}),
    ],
)
def test_wrong_results_are_defects(operation: str, result: dict[str, Any]) -> None:
    with pytest.raises(shapes.ResultMismatch) as caught:
        answer(JSON, ACM.operations[operation], result)
    assert "text" not in str(caught.value)


def test_tuples_and_mappings_are_lists_and_structures() -> None:
    assert answer(JSON, LIST, {"CertificateSummaryList": ({"InUse": True},)}) == (
        b'{"CertificateSummaryList":[{"InUse":true}]}'
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\xff", "not valid CBOR"),
        (b"\xa0\xa0", "data after its end"),
        (bytes.fromhex("a2616101616102"), "not valid CBOR"),  # duplicate key
        (b"\x81" * 100_000, "not valid CBOR"),
        (b"\x9b\x7f" + b"\xff" * 7, "not valid CBOR"),
        (bytes.fromhex("a161789b7fffffffffffffff"), "not valid CBOR"),
        (bytes.fromhex("a16178c1fb7ff0000000000000"), "not valid CBOR"),  # tag 1 of infinity
        (bytes.fromhex("a16178d81c81d81d00"), "not valid CBOR"),  # a list that contains itself
        (cbor2.dumps({"x": cbor2.CBORTag(35, "(a+)+$")}), "not valid CBOR"),
        (cbor2.dumps({"x": 2**70}), "not valid CBOR"),
        (cbor2.dumps({"x": cbor2.CBORTag(9999, 1)}), "not valid CBOR"),
        (cbor2.dumps({"Csr": "text"}), "STRING_VALUE can not be converted to a Blob"),
        (cbor2.dumps({"Validity": {"Value": b"x"}}), "BYTES_VALUE can not be converted to a Long"),
        (cbor2.dumps({"Validity": {1: 2}}), "not valid CBOR"),
        (cbor2.dumps([]), "Start of list found where not expected."),
    ],
)
def test_cbor_bodies_refused(body: bytes, text: str) -> None:
    assert text in refusal(ISSUE, body, CBOR)


def test_cbor_bodies() -> None:
    assert CBOR.decode(ISSUE, message(b"")) == {}
    # Indefinite lengths, undefined, a float that is a whole number.
    body = b"\xbf\x63Csr\x43abc\x68Validity\xbf\x65Value\xf9\x40\x00\xff\x64Tags\xf7\xff"
    assert CBOR.decode(ISSUE, message(body)) == {"Csr": b"abc", "Validity": {"Value": 2}}


def test_timestamps_in_requests() -> None:
    at = datetime(2026, 5, 2, 1, 2, 3, tzinfo=UTC)
    time = ACM.operations["DescribeCertificate"].output.members["Certificate"].shape.members["NotBefore"].shape  # type: ignore[union-attr]
    assert shapes.read(time, 1777683723, JSON) == at
    assert shapes.read(time, 1777683723.5, JSON) == at + timedelta(milliseconds=500)
    assert shapes.read(time, at, CBOR) == at
    for bad in ("2026-05-02T01:02:03Z", True, 1e300, 10**30):
        with pytest.raises(WireError):
            shapes.read(time, bad, JSON)
    with pytest.raises(WireError):
        shapes.read(time, 5, CBOR)


def test_floats_and_maps() -> None:
    number = dataclasses.replace(LIST.input.members["MaxItems"].shape, kind=shapes.Kind.DOUBLE)  # type: ignore[union-attr]
    assert shapes.read(number, 3, JSON) == 3.0
    assert shapes.write(number, 3, JSON) == 3.0
    for bad in ("x", True, 10**400, float("nan")):
        with pytest.raises(WireError):
            shapes.read(number, bad, JSON)
    for wrong in (True, float("inf")):
        with pytest.raises(shapes.ResultMismatch):
            shapes.write(number, wrong, JSON)
    mapping = shapes.Shape("Map", shapes.Kind.MAP, element=number, key=None)
    assert shapes.read(mapping, {"a": 1, "b": None}, JSON) == {"a": 1.0}
    assert shapes.write(mapping, {"a": 1}, CBOR) == {"a": 1.0}
    with pytest.raises(WireError):
        shapes.read(mapping, [], JSON)
    with pytest.raises(shapes.ResultMismatch):
        shapes.write(mapping, [], JSON)


def test_audit_parameters() -> None:
    parameters = {
        "CertificateArn": "arn:x",
        "Certificate": b"abc",
        "PrivateKey": b"secret",
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert json.loads(elements("acm", ACM.operations["ImportCertificate"].input, parameters)) == {
        "certificateArn": "arn:x",
        "certificate": "YWJj",
        "privateKey": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "tags": [{"key": "a", "value": "b"}],
    }
    assert elements("acm", None, {}) == "{}"
