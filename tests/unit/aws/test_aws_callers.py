"""Who asks: temporary credentials, operations without a signature, global regions; and each failure by protocol."""

import dataclasses
import hashlib
import json
from typing import Any
from xml.etree import ElementTree as ET

import botocore.loaders
import pytest
from botocore.exceptions import ClientError

from greatseal.aws.protocol.auth_errors import AUTH_ERRORS, Failure, Family
from greatseal.aws.protocol.models import load_service
from greatseal.aws.protocol.sigv4 import Unusable, resolver
from greatseal.aws.wire import WireError
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel import errors as kernel
from unit.aws.wire import (
    AKID,
    EVERY,
    REGION,
    STS,
    Key,
    Recorder,
    client,
    door,
    find_key,
    form_call,
    sign,
)

TEMPORARY = "ASIAIOSFODNN7EXAMPLE"
FUNCTIONS = {
    "sts": {"GetCallerIdentity": Recorder({"Account": "1"})},
    "ram": {"ListResources": Recorder({})},
    "acm": {"ListCertificates": Recorder({})},
    "organizations": {"ListRoots": Recorder({"Roots": [{"Id": "r-abcd", "PolicyTypes": []}]})},
    "iam": {"GetUser": Recorder({})},
    "s3": {"ListObjects": Recorder({})},
}


def session(access_key_id: str, token: str) -> Key | Unusable:
    if access_key_id != TEMPORARY:
        return Unusable.UNKNOWN
    if token == "old":
        return Unusable.EXPIRED
    arn = "arn:aws:sts::111122223333:assumed-role/r/s"
    return Key(TEMPORARY, principal_arn=arn) if token == "good" else Unusable.BAD_TOKEN


HANDLE = door(FUNCTIONS, services=EVERY, sessions=session).handle


def ask(family: Family, **options: Any) -> HttpRequest:
    match family:
        case Family.QUERY:
            return form_call(b"Action=GetCallerIdentity&Version=2011-06-15", "sts", **options)
        case Family.REST_JSON:
            url = "https://localhost:8443/listresources"
            return sign(url=url, body=b'{"resourceOwner":"SELF"}', service="ram", **options)
        case Family.REST_XML:
            headers = {"X-Amz-Content-SHA256": hashlib.sha256(b"").hexdigest()}
            return sign("GET", "https://localhost:8443/bucket", headers, service="s3", **options)
        case Family.AWS_JSON:
            headers = {"X-Amz-Target": "CertificateManager.ListCertificates"}
            headers["Content-Type"] = "application/x-amz-json-1.1"
            return sign(headers=headers, body=b"{}", service="acm", **options)


def code_of(family: Family, response: HttpResponse) -> str:
    match family:
        case Family.QUERY:
            code = ET.fromstring(response.body).find("{*}Error/{*}Code")
            assert code is not None
            return str(code.text)
        case Family.REST_XML:
            told = ET.fromstring(response.body).find("Code")
            assert told is not None
            return str(told.text)
        case Family.REST_JSON:
            return dict(response.headers)[b"x-amzn-errortype"].decode()
        case Family.AWS_JSON:
            return str(json.loads(response.body)["__type"])


def with_header(request: HttpRequest, name: bytes, value: bytes | None) -> HttpRequest:
    rest = tuple(pair for pair in request.headers if pair[0] != name)
    return dataclasses.replace(request, headers=rest if value is None else (*rest, (name, value)))


@pytest.mark.parametrize("family", Family)
def test_temporary_credentials(family: Family) -> None:
    assert HANDLE(ask(family, key=TEMPORARY, token="good")).status == 200
    assert HANDLE(ask(family)).status == 200


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    ("failure", "options"),
    [
        (Failure.UNKNOWN_KEY, {"key": "AKIAUNKNOWN000000000"}),
        (Failure.UNKNOWN_KEY, {"key": TEMPORARY}),  # a session without its token
        (Failure.UNKNOWN_KEY, {"key": TEMPORARY, "token": "bad"}),
        (Failure.UNKNOWN_KEY, {"key": TEMPORARY, "token": "good, good"}),
        (Failure.UNKNOWN_KEY, {"token": "good"}),  # a token with a key that has none
        (Failure.UNKNOWN_KEY, {"region": "ap-east-1"}),
        (Failure.TOKEN_EXPIRED, {"key": TEMPORARY, "token": "old"}),
        (Failure.BAD_SIGNATURE, {"secret": "x" * 40}),
        (Failure.BAD_SIGNATURE, {"key": TEMPORARY, "token": "good", "secret": "x" * 40}),
        (Failure.BAD_SIGNATURE, {"region": "nowhere"}),
    ],
)
def test_every_failure_by_protocol(family: Family, failure: Failure, options: dict[str, str]) -> None:
    response = HANDLE(ask(family, **options))
    assert (code_of(family, response), response.status) == AUTH_ERRORS[family][failure]


@pytest.mark.parametrize("family", Family)
def test_missing_and_malformed_by_protocol(family: Family) -> None:
    for value, failure in ((None, Failure.MISSING), (b"Bearer x", Failure.MALFORMED)):
        response = HANDLE(with_header(ask(family), b"authorization", value))
        assert (code_of(family, response), response.status) == AUTH_ERRORS[family][failure]
    unsigned = HANDLE(with_header(ask(family), b"authorization", None))
    assert (b"Request is missing Authentication Token" in unsigned.body) is (family is Family.QUERY)


def test_a_token_that_is_not_signed() -> None:
    # Whoever holds a request must not be able to add a token to it.
    request = with_header(ask(Family.QUERY), b"x-amz-security-token", b"good")
    assert code_of(Family.QUERY, HANDLE(request)) == "SignatureDoesNotMatch"


def test_the_session_is_the_caller() -> None:
    recorder = Recorder({"Account": "1"})
    handle = door({"sts": {"GetCallerIdentity": recorder}}, services=EVERY, sessions=session).handle
    client("sts", handle, key=TEMPORARY, token="good").get_caller_identity()
    caller, _ = recorder.calls[0]
    assert (caller.access_key_id, caller.principal_arn) == (TEMPORARY, "arn:aws:sts::111122223333:assumed-role/r/s")


def test_without_sessions_no_token_is_valid() -> None:
    resolve = resolver(find_key)
    assert resolve(AKID, "anything") is Unusable.BAD_TOKEN
    assert resolve("AKIAUNKNOWN000000000", None) is Unusable.UNKNOWN
    assert not isinstance(resolve(AKID, None), Unusable)


WEB_IDENTITY = {
    "RoleArn": "arn:aws:iam::111122223333:role/r",
    "RoleSessionName": "session",
    "WebIdentityToken": "e30.e30.c2ln",
}


def test_unsigned_operations_reach_their_function() -> None:
    recorder = Recorder({"SubjectFromWebIdentityToken": "sub"})
    handle = door({"sts": {"AssumeRoleWithWebIdentity": recorder}}, services=EVERY, region="eu-west-1").handle
    sent: list[HttpRequest] = []

    def watched(request: HttpRequest) -> HttpResponse:
        sent.append(request)
        return handle(request)

    answer = client("sts", watched).assume_role_with_web_identity(**WEB_IDENTITY)
    assert answer["SubjectFromWebIdentityToken"] == "sub"
    assert sent[0].header("authorization") is None
    caller, parameters = recorder.calls[0]
    assert parameters == WEB_IDENTITY
    assert (caller.account, caller.principal_arn, caller.access_key_id) == ("", "", "")
    assert (caller.region, caller.operation) == ("eu-west-1", "sts:AssumeRoleWithWebIdentity")
    # A signature does not make somebody of the caller.
    body = sent[0].body
    handle(form_call(body, "sts"))
    handle(form_call(body, "sts", secret="wrong"))
    assert [caller.account for caller, _ in recorder.calls] == ["", "", ""]


def test_unsigned_operations_are_those_of_the_model() -> None:
    unsigned = {name for service in EVERY for name, operation in service.operations.items() if operation.unsigned}
    assert unsigned == {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}
    response = door(services=EVERY).handle(sign(headers={"Content-Type": "application/x-www-form-urlencoded"},
                                                body=b"Action=AssumeRoleWithSAML&Version=2011-06-15"))  # fmt: skip
    assert b"<Code>UnsupportedOperation</Code>" in response.body


def test_errors_of_the_model_have_its_status() -> None:
    for code, status in (("IDPRejectedClaim", 403), ("InvalidIdentityToken", 400), ("ExpiredTokenException", 400)):
        handle = door({"sts": {"AssumeRoleWithWebIdentity": Recorder(WireError(code, "text"))}}, services=EVERY).handle
        with pytest.raises(ClientError) as caught:
            client("sts", handle).assume_role_with_web_identity(**WEB_IDENTITY)
        response = caught.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


@pytest.mark.parametrize(
    ("refusal", "code", "status"),
    [
        (kernel.NotFound, "NoSuchEntity", 404),
        (kernel.AlreadyExists, "EntityAlreadyExists", 409),
        (kernel.ResourceInUse, "DeleteConflict", 409),
        (kernel.LimitExceeded, "LimitExceeded", 409),
        (kernel.InvalidPolicy, "MalformedPolicyDocument", 400),
        (kernel.InvalidArgument, "InvalidInput", 400),
        (kernel.ValidationFailed, "ValidationError", 400),
        (kernel.InvalidToken, "ValidationError", 400),
        (kernel.AccessDenied, "AccessDenied", 403),
    ],
)
def test_errors_of_iam(refusal: type[kernel.Refusal], code: str, status: int) -> None:
    handle = door({"iam": {"GetUser": Recorder(refusal("text"))}}, services=EVERY).handle
    made = client("iam", handle)
    with pytest.raises(ClientError) as caught:
        made.get_user(UserName="x")
    response = caught.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == (code, "text")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    if code == "NoSuchEntity":
        assert isinstance(caught.value, made.exceptions.NoSuchEntityException)


def only(region: str) -> Any:
    return lambda asked: asked == region


def test_global_services_are_signed_for_their_region() -> None:
    handle = door(FUNCTIONS, services=EVERY, regions=only(REGION)).handle
    assert client("organizations", handle).list_roots()["Roots"] == [{"Id": "r-abcd", "PolicyTypes": []}]
    for region in ("us-east-1", REGION):
        assert HANDLE(form_call(b"Action=GetUser&Version=2010-05-08", region=region)).status == 200
        assert handle(form_call(b"Action=GetUser&Version=2010-05-08", region=region)).status == 200
        assert handle(ask(Family.QUERY, region=region)).status == 200
    assert handle(ask(Family.AWS_JSON, region="us-east-1")).status == 400
    assert handle(ask(Family.REST_JSON, region="us-east-1")).status == 403
    assert handle(ask(Family.QUERY, region="us-west-2")).status == 403


def test_global_regions_are_those_of_the_clients() -> None:
    partitions = botocore.loaders.Loader().load_data("endpoints")["partitions"]
    for name in ("iam", "organizations", "sts", "route53"):
        ours = load_service(name).global_regions
        for partition in partitions:
            if partition["partition"] not in ("aws", "aws-cn", "aws-us-gov"):
                continue
            service = partition["services"].get(name, {})
            endpoint = service.get("endpoints", {}).get(service.get("partitionEndpoint"), {})
            if "credentialScope" in endpoint:
                assert endpoint["credentialScope"]["region"] in ours, (name, partition["partition"])
    assert load_service("kms").global_regions == frozenset()


def test_organizations_answers_in_json() -> None:
    handle = door({"organizations": {"ListRoots": Recorder(kernel.AccessDenied("no"))}}, services=EVERY).handle
    made = client("organizations", handle)
    with pytest.raises(made.exceptions.AccessDeniedException, match="no") as caught:
        made.list_roots()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert STS.target_prefix == ""
