"""The Query protocol: what botocore writes is read, what we write botocore reads."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.aws.protocol import shapes
from greatseal.aws.protocol.query import QueryCodec
from greatseal.aws.wire import WireError
from unit.aws import made_models
from unit.aws.other_half import OtherHalf, model_of
from unit.aws.structures import TEXT, XML_TEXT, values_of
from unit.aws.wire import EVERY, IAM, REQUEST_ID, STS, Recorder, client, door, form_call, message, sign

MODELS = {"iam": model_of("iam"), "sts": model_of("sts")}
MADE = [OtherHalf(made_models.QUERY, "Wrapped"), OtherHalf(made_models.QUERY, "Bare")]
REAL = [
    OtherHalf(MODELS[service], operation)
    for service, operation in [
        ("iam", "CreateRole"),
        ("iam", "CreatePolicyVersion"),
        ("iam", "SimulateCustomPolicy"),
        ("iam", "GetAccountAuthorizationDetails"),
        ("iam", "PutAccountProperties"),
        ("iam", "GetAccountSummary"),
        ("iam", "CreateVirtualMFADevice"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "GetCallerIdentity"),
    ]
]
BOTH = st.sampled_from(MADE + REAL)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_what_botocore_writes(data: st.DataObject) -> None:
    half = data.draw(st.sampled_from([half for half in MADE + REAL if half.ours.input]))
    parameters = data.draw(values_of(half.ours.input, TEXT, empty=False) | st.just({}))  # type: ignore[arg-type]
    assert half.read(parameters) == parameters


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_what_botocore_reads(data: st.DataObject) -> None:
    half = data.draw(BOTH)
    result = data.draw(values_of(half.ours.output, XML_TEXT, empty=True))  # type: ignore[arg-type]
    assert half.parsed(result) == result


ROLE = {
    "Path": "/",
    "RoleName": "r",
    "RoleId": "AROAEXAMPLEEXAMPLE123",
    "Arn": "arn:aws:iam::111122223333:role/r",
    "CreateDate": datetime(2026, 5, 2, 1, 2, 3, tzinfo=UTC),
    "AssumeRolePolicyDocument": quote('{"Version":"2012-10-17"}', safe=""),
    "Tags": [{"Key": "a", "Value": "<&>"}],
}


def test_iam_client() -> None:
    create, delete = Recorder({"Role": ROLE}), Recorder()
    handle = door({"iam": {"CreateRole": create, "DeleteRole": delete}}, services=EVERY).handle
    made = client("iam", handle)
    given_ = {
        "RoleName": "r",
        "AssumeRolePolicyDocument": '{"a": "ä + b & c=d"}',
        "MaxSessionDuration": 3600,
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
    }
    answer = made.create_role(**given_)
    assert answer["Role"] == {**ROLE, "AssumeRolePolicyDocument": {"Version": "2012-10-17"}}
    assert answer["ResponseMetadata"]["RequestId"] == REQUEST_ID
    caller, parameters = create.calls[0]
    assert parameters == given_
    assert (caller.operation, caller.account) == ("iam:CreateRole", "111122223333")
    made.delete_role(RoleName="r")
    assert delete.calls[0][1] == {"RoleName": "r"}


def test_answers_to_the_letter() -> None:
    half = OtherHalf(MODELS["sts"], "GetCallerIdentity")
    answer = half.answer({"Account": "1", "Arn": "a\rb\x00<", "UserId": None})
    assert answer.headers == ((b"content-type", b"text/xml"),)
    assert answer.body.decode() == (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Account>1</Account><Arn>a&#xD;b\ufffd&lt;</Arn></GetCallerIdentityResult>"
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    void = OtherHalf(made_models.QUERY, "Void")
    assert b'xmlns="https://example.com/?a=1&amp;b=2"><ResponseMetadata>' in void.answer(None).body
    assert void.parsed(None) == {}
    with pytest.raises(shapes.ResultMismatch):
        void.answer({"a": 1})
    # A wrapper stays when there is nothing in it: clients look for it.
    assert b"<GetCallerIdentityResult></GetCallerIdentityResult>" in half.answer(None).body


def test_instants_are_utc_and_whole_seconds() -> None:
    half = OtherHalf(MODELS["sts"], "AssumeRole")
    at = datetime(2026, 1, 1, 2, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert b"<Expiration>2026-01-01T00:00:00Z</Expiration>" in half.answer({"Credentials": {"Expiration": at}}).body


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_every_answer_is_xml(text: str) -> None:
    for body in (
        OtherHalf(MODELS["sts"], "GetCallerIdentity").answer({"Arn": text}).body,
        QueryCodec().encode_error(None, WireError("X", text, extra={"Place": 5}), REQUEST_ID).body,
    ):
        assert ET.fromstring(body) is not None


def test_errors_to_the_letter() -> None:
    handle = door(services=EVERY).handle
    response = handle(form_call(b"Action=Nope&Version=2011-06-15", "sts"))
    assert response.status == 400
    assert response.body.decode() == (
        '<ErrorResponse xmlns="http://webservices.amazon.com/AWSFault/2005-15-09"><Error><Type>Sender</Type>'
        "<Code>InvalidAction</Code><Message>Could not find operation Nope for version 2011-06-15</Message></Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    body = handle(form_call(b"Action=GetCallerIdentity&Version=2011-06-15", "sts")).body
    assert b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>' in body


def test_defects_are_the_receivers() -> None:
    handle = door({"sts": {"GetCallerIdentity": Recorder(RuntimeError("secret"))}}, services=EVERY).handle
    response = handle(form_call(b"Action=GetCallerIdentity&Version=2011-06-15", "sts"))
    assert response.status == 500
    assert b"<Type>Receiver</Type><Code>InternalFailure</Code>" in response.body
    assert b"secret" not in response.body


def test_validation() -> None:
    handle = door({"sts": {"AssumeRole": Recorder()}}, services=EVERY).handle
    with pytest.raises(ClientError) as caught:
        client("sts", handle).assume_role(
            RoleArn="arn:aws:iam::111122223333:role/r", RoleSessionName="Session1:2", Tags=[{"Key": "k"}]
        )
    # iam.md 9, recorded from the real service.
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    text = caught.value.response["Error"]["Message"]
    assert text.startswith("2 validation errors detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy")
    assert "Value null at 'tags.1.member.value' failed" in text
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def status_and_code(response: Any) -> tuple[int, str]:
    root = ET.fromstring(response.body)
    code = root.find("{*}Error/{*}Code")
    return response.status, "" if code is None else str(code.text)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (200, "")),
        ({"method": "GET", "query": "Action=GetCallerIdentity&Version=2011-06-15", "body": b""}, (200, "")),
        ({"query": "Action=GetCallerIdentity&Version=2011-06-15", "body": b""}, (200, "")),
        ({"query": "Version=2011-06-15", "body": b"Action=GetCallerIdentity"}, (200, "")),
        ({"query": "Action=GetCallerIdentity"}, (400, "MalformedInput")),
        ({"method": "GET", "query": "Action=GetCallerIdentity"}, (400, "MalformedInput")),
        ({"method": "PUT"}, (405, "InvalidAction")),
        ({"body": b"Action=GetCallerIdentity"}, (400, "InvalidAction")),
        ({"body": b"Action=GetCallerIdentity&Version=2010-05-08"}, (400, "InvalidAction")),
        ({"body": b"Version=2011-06-15"}, (400, "MissingAction")),
        ({"body": b"Action=&Version=2011-06-15"}, (400, "MissingAction")),
        ({"body": b""}, (400, "MissingAction")),
        ({"body": b"Action=ListUsers&Version=2010-05-08"}, (403, "SignatureDoesNotMatch")),
        ({"headers": {"Content-Type": "text/plain"}, "query": "Action=GetCallerIdentity&Version=2011-06-15",
          "body": b"x=y"}, (400, "MalformedInput")),
    ],
)  # fmt: skip
def test_routing(changes: dict[str, Any], expected: tuple[int, str]) -> None:
    handle = door({"sts": {"GetCallerIdentity": Recorder({"Account": "1"})}}, services=EVERY).handle
    query = changes.pop("query", "")
    options = {
        "body": b"Action=GetCallerIdentity&Version=2011-06-15",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        **changes,
    }
    request = sign(url=f"https://localhost:8443/?{query}" if query else "https://localhost:8443/", service="sts",
                   **options)  # fmt: skip
    assert status_and_code(handle(request)) == expected


def test_scope_decides_between_services_of_one_version() -> None:
    twin = dataclasses.replace(STS, name="twin", signing_name="twin")
    handle = door(
        {name: {"GetCallerIdentity": Recorder({"Account": name})} for name in ("twin", "sts")}, services=(twin, STS)
    ).handle
    for service in ("sts", "twin"):
        body = handle(form_call(b"Action=GetCallerIdentity&Version=2011-06-15", service)).body
        assert f"<Account>{service}</Account>".encode() in body


def test_without_query_services_nothing_changes() -> None:
    response = door().handle(form_call(b"Action=GetCallerIdentity&Version=2011-06-15", "sts"))
    assert b'"__type":"UnknownOperationException"' in response.body
    assert IAM.version == "2010-05-08"


CREATE = IAM.operations["CreateRole"]
SIMULATE = IAM.operations["SimulateCustomPolicy"]
PROPERTIES = IAM.operations["PutAccountProperties"]


def decode(operation: Any, body: str) -> dict[str, Any]:
    return QueryCodec().decode(operation, message(body.encode()))


def test_plus_is_a_blank_in_a_body_and_itself_in_a_query() -> None:
    assert decode(CREATE, "RoleName=a+b") == {"RoleName": "a b"}
    assert QueryCodec().decode(CREATE, message(method="GET", query="RoleName=a+b")) == {"RoleName": "a+b"}


def test_empty_and_unknown() -> None:
    assert decode(CREATE, "Tags=&Nope.member.7.x=1&Description=&&RoleName") == {
        "Tags": [],
        "Description": "",
        "RoleName": "",
    }
    assert decode(IAM.operations["GetAccountSummary"], "x=1") == {}


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        (CREATE, "RoleName=a&RoleName=a", "The parameter RoleName is given more than once."),
        (CREATE, "RoleName=%zz", "A percent sign"),
        (CREATE, "RoleName=%", "A percent sign"),
        (CREATE, "RoleName=%ff", "not valid UTF-8"),
        (CREATE, "RoleName.x=1", "'RoleName.x' is not the name"),
        (CREATE, "Tags=x", "STRING_VALUE can not be converted to a list at 'Tags'"),
        (CREATE, "Tags.member.1=x", "STRING_VALUE can not be converted to a structure at 'Tags.member.1'"),
        (CREATE, "Tags.member=x", "'Tags.member' is not the name"),
        (CREATE, "Tags.1.Key=x", "'Tags.1.Key' is not the name"),
        (CREATE, "Tags.member.0.Key=x", "'Tags.member.0.Key' is not the name"),
        (CREATE, "Tags.member.01.Key=x", "is not the name"),
        (CREATE, "Tags.member.-1.Key=x", "is not the name"),
        (CREATE, "Tags.member.%D9%A1.Key=x", "is not the name"),
        (CREATE, "Tags.member.2.Key=x", "The items of 'Tags' must be numbered from 1 without gaps."),
        (CREATE, "Tags.member.999999999.Key=x", "is not the name"),
        (CREATE, "Tags.member.9999.Key=x", "without gaps"),
        (CREATE, "Tags=&Tags.member.1.Key=x", "'Tags.member.1.Key' contradicts"),
        (CREATE, "Tags.member.1.Key=x&Tags=", "'Tags' contradicts"),
        (CREATE, "MaxSessionDuration=1.0", "STRING_VALUE can not be converted to an Integer at 'maxSessionDuration'"),
        (CREATE, "MaxSessionDuration=+", "STRING_VALUE can not be converted to an Integer"),
        (CREATE, "MaxSessionDuration=99999999999", "NUMBER_VALUE can not be converted to an Integer"),
        (CREATE, "MaxSessionDuration=" + "9" * 5000, "STRING_VALUE can not be converted to an Integer"),
        (IAM.operations["CreatePolicyVersion"], "SetAsDefault=True", "STRING_VALUE can not be converted to a Boolean"),
        (PROPERTIES, "Properties.entry.1.key=a", "Every entry of 'Properties' must have a key"),
        (PROPERTIES, "Properties.entry.1.value=a", "Every entry of 'Properties' must have a key"),
        (PROPERTIES, "Properties.entry.1.key=a&Properties.entry.1.value=1&Properties.entry.2.key=a"
                     "&Properties.entry.2.value=2", "Every entry of 'Properties' must have a key of its own"),
        (PROPERTIES, "Properties.entry.1.x=a", "is not the name"),
        (PROPERTIES, "Properties.entry.1=a", "is not the name"),
        (PROPERTIES, "Properties.entry=a", "is not the name"),
        (PROPERTIES, "Properties.entry.2.key=a", "without gaps"),
        (CREATE, ".".join(["Tags"] * 500) + "=", "nested too deeply"),
        (CREATE, "&".join(f"a{n}=" for n in range(10_000)), "more than 4096 parameters"),
        (CREATE, "&" * 1_000_000, "more than 4096 parameters"),
    ],
)  # fmt: skip
def test_forms_refused(operation: Any, body: str, text: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(operation, body)
    assert caught.value.code == "SerializationException"
    assert text in caught.value.message


@pytest.mark.parametrize("text", ["2026-05-02", "2026-05-02T01:02:03", "2026-W01-1T00:00:00Z", "20260502T010203Z", "x",
                                  "2026-13-02T01:02:03Z", "0001-01-01T00:00:00+23:00", "1777683723"])  # fmt: skip
def test_instants_refused(text: str) -> None:
    with pytest.raises(WireError, match="can not be converted to a Timestamp"):
        decode(MADE[0].ours, f"Time={text}")


def test_instants() -> None:
    at = datetime(2026, 5, 2, 1, 2, 3, 500_000, UTC)
    assert decode(MADE[0].ours, "Time=2026-05-02T03:02:03.5%2B02:00") == {"Time": at}
    assert decode(MADE[0].ours, "Epoch=1777683723.5") == {"Epoch": at}


HANDLE = door(
    {"iam": {"CreateRole": Recorder({"Role": ROLE}), "SimulateCustomPolicy": Recorder()}}, services=EVERY
).handle
NAMES = st.sampled_from(
    ["Action", "Version", "Tags", "member", "entry", "1", "2", "999999999", "Key", "RoleName", "key", "value", "",
     "MaxSessionDuration", "ContextEntries", "ContextKeyValues", "PolicyInputList", "ActionNames"]
)  # fmt: skip
FORM = st.lists(
    st.tuples(st.lists(NAMES, max_size=5).map(".".join), st.sampled_from(["", "1", "a", "%", "%00", "true"]) | TEXT),
    max_size=8,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["CreateRole", "SimulateCustomPolicy"]), FORM | st.text(max_size=50))
def test_any_form_is_answered(action: str, body: str) -> None:
    response = HANDLE(form_call(f"Action={action}&Version=2010-05-08&{body}".encode()))
    assert response.status < 500
    assert ET.fromstring(response.body) is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_any_body_is_answered(body: bytes) -> None:
    assert HANDLE(form_call(body)).status < 500
