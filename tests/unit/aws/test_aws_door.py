"""The whole request path: botocore's clients ask, the door answers, botocore understands."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import cbor2
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.aws.door import AwsDoor
from greatseal.aws.errors import COMMON_ERRORS, QUERY_ERRORS, code_for, from_refusal, spelled
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.refusals import REFUSALS
from greatseal.aws.protocol.s3_errors import S3_STATUSES
from greatseal.edge.messages import HttpResponse
from greatseal.kernel import errors as kernel
from unit.aws.wire import (
    ACM,
    ACM_PCA,
    EVERY,
    REGION,
    REQUEST_ID,
    FixedClock,
    Recorder,
    cbor_call,
    client,
    door,
    find_key,
    json_call,
    sign,
)

CA_ARN = "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555"
ISSUE = {
    "CertificateAuthorityArn": CA_ARN,
    "Csr": b"-----BEGIN",
    "SigningAlgorithm": "SHA256WITHRSA",
    "Validity": {"Value": 30, "Type": "DAYS"},
}


def header(response: HttpResponse, name: bytes) -> bytes | None:
    return dict(response.headers).get(name)


def body(response: HttpResponse) -> Any:
    return json.loads(response.body)


def test_json_client() -> None:
    issue = Recorder({"CertificateArn": CA_ARN + "/certificate/abc"})
    client_ = client("acm-pca", door({"acm-pca": {"IssueCertificate": issue}}).handle)
    assert client_.issue_certificate(**ISSUE)["CertificateArn"].endswith("/abc")
    [(caller, parameters)] = issue.calls
    assert {key: parameters[key] for key in ISSUE} == ISSUE
    expected = {
        "account": "111122223333",
        "region": REGION,
        "principal_arn": "arn:aws:iam::111122223333:user/alice",
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "request_id": REQUEST_ID,
        "operation": "acm-pca:IssueCertificate",
        "source_ip": "192.0.2.7",
        "service_principal": None,
    }
    assert {name: getattr(caller, name) for name in expected} == expected
    assert "Botocore" in caller.user_agent
    assert json.loads(caller.request_parameters)["validity"] == {"value": 30, "type": "DAYS"}


def test_cbor_both_ways() -> None:
    created = datetime(2026, 5, 2, 1, 2, 3, 22_000, UTC)
    describe = Recorder({"CertificateAuthority": {"Arn": CA_ARN, "CreatedAt": created, "Status": "ACTIVE"}})
    issue = Recorder({"CertificateArn": "x"})
    handle = door({"acm-pca": {"DescribeCertificateAuthority": describe, "IssueCertificate": issue}}).handle
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("acm-pca", "service-2"))
    serializer = botocore.serialize.create_serializer("smithy-rpc-v2-cbor")
    parser = botocore.parsers.create_parser("smithy-rpc-v2-cbor")

    def call(name: str, parameters: dict[str, Any]) -> Any:
        operation = model.operation_model(name)
        prepared = serializer.serialize_to_request(parameters, operation)
        assert prepared["url_path"] == f"/service/ACMPrivateCA/operation/{name}"
        response = handle(cbor_call(name, prepared["body"]))
        headers = {key.decode(): value.decode() for key, value in response.headers}
        assert headers["smithy-protocol"] == "rpc-v2-cbor"
        assert headers["content-type"] == "application/cbor"
        return parser.parse(
            {"status_code": response.status, "headers": headers, "body": response.body}, operation.output_shape
        )

    answer = call("DescribeCertificateAuthority", {"CertificateAuthorityArn": CA_ARN})
    assert answer["CertificateAuthority"]["CreatedAt"] == created
    assert call("IssueCertificate", ISSUE)["CertificateArn"] == "x"
    assert issue.calls[0][1] == ISSUE
    refused = call("DescribeCertificateAuthority", {"CertificateAuthorityArn": "x" * 300})
    assert refused["Error"]["Code"] == "ValidationException"
    assert call("ListTags", {"CertificateAuthorityArn": CA_ARN})["Error"]["Code"] == "UnsupportedOperation"


def test_cbor_void() -> None:
    response = door({"acm-pca": {"DeletePolicy": Recorder()}}).handle(
        cbor_call("DeletePolicy", cbor2.dumps({"ResourceArn": CA_ARN}))
    )
    assert (response.status, response.body) == (200, b"")
    assert header(response, b"content-type") is None
    assert header(response, b"smithy-protocol") == b"rpc-v2-cbor"


def test_headers_of_every_answer() -> None:
    at = datetime(2026, 11, 21, 6, 15, tzinfo=UTC)
    handle = door(clock=FixedClock(at)).handle
    for request in (sign(method="GET"), json_call("CertificateManager.Nope"), json_call("X")):
        response = handle(request)
        assert header(response, b"x-amzn-requestid") == REQUEST_ID.encode()
        assert header(response, b"date") == b"Sat, 21 Nov 2026 06:15:00 GMT"
        assert header(response, b"cache-control") == b"no-store"
        assert header(response, b"content-length") == str(len(response.body)).encode()
        assert header(response, b"content-type") == b"application/x-amz-json-1.1"


def test_void_operation_and_label() -> None:
    response = door({"acm": {"DeleteCertificate": Recorder()}}).handle(
        json_call(
            "CertificateManager.DeleteCertificate",
            b'{"CertificateArn":"arn:aws:acm:eu-central-1:111122223333:certificate/1"}',
        )
    )
    assert (response.status, response.body, response.operation) == (200, b"", "acm:DeleteCertificate")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"method": "GET"}, 405, "UnknownOperationException"),
        ({"raw_path": b"/favicon.ico"}, 404, "UnknownOperationException"),
        ({"headers": {"x-amz-target": b"CertificateManager.Nope"}}, 400, "UnknownOperationException"),
        ({"headers": {"x-amz-target": b"Nope.ListCertificates"}}, 400, "UnknownOperationException"),
        ({"headers": {"x-amz-target": b""}}, 400, "UnknownOperationException"),
        ({"headers": {"x-amz-target": None}}, 400, "UnknownOperationException"),
        ({"headers": {"content-type": b"application/json"}}, 400, "SerializationException"),
        ({"headers": {"content-type": b"application/x-amz-json-1.0"}}, 400, "SerializationException"),
        ({"headers": {"content-type": None}}, 400, "SerializationException"),
        ({"headers": {"content-type": b"application/x-amz-json-1.1; charset=utf-8"}}, 400, "InvalidSignatureException"),
    ],
)
def test_routing(changes: dict[str, Any], status: int, code: str) -> None:
    request = json_call("CertificateManager.ListCertificates")
    for name, value in changes.pop("headers", {}).items():
        rest = tuple(pair for pair in request.headers if pair[0] != name.encode())
        request = dataclasses.replace(request, headers=rest if value is None else (*rest, (name.encode(), value)))
    response = door().handle(dataclasses.replace(request, **changes))
    assert (response.status, body(response)["__type"]) == (status, code)
    assert (header(response, b"allow") == b"POST") is (status == 405)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"raw_path": b"/service/CertificateManager/operation/ListCertificates"}, 400),  # the model has no CBOR
        ({"raw_path": b"/service/ACMPrivateCA/operation/Nope"}, 400),
        ({"raw_path": b"/service/ACMPrivateCA"}, 404),
        ({"method": "PUT"}, 405),
        ({"headers": ((b"smithy-protocol", b"rpc-v3"),)}, 400),
    ],
)
def test_cbor_routing(changes: dict[str, Any], status: int) -> None:
    response = door().handle(dataclasses.replace(cbor_call("ListTags"), **changes))
    assert (response.status, cbor2.loads(response.body)["__type"]) == (status, "UnknownOperationException")


def test_content_type_parameters_are_allowed() -> None:
    headers = {"X-Amz-Target": "CertificateManager.ListCertificates"}
    headers["Content-Type"] = "Application/X-Amz-Json-1.1 ; charset=utf-8"
    handle = door({"acm": {"ListCertificates": Recorder({"CertificateSummaryList": []})}}).handle
    assert handle(sign(headers=headers, body=b"{}")).status == 200


def test_order_of_stages() -> None:
    # Who asks is settled before anything of the body is looked at.
    handle = door({"acm": {"ListCertificates": Recorder()}}).handle
    bad = json_call("CertificateManager.ListCertificates", b"not json", secret="wrong")
    assert body(handle(bad))["__type"] == "InvalidSignatureException"
    assert body(handle(json_call("CertificateManager.ListCertificates", b"no")))["__type"] == "SerializationException"
    text = body(handle(json_call("CertificateManager.ListCertificates", b'{"MaxItems":0}')))
    assert text["message"].startswith("1 validation error detected: Value of the input at 'maxItems' ")


def test_not_yet() -> None:
    with pytest.raises(ClientError) as caught:
        client("acm", door().handle).list_certificates()
    assert caught.value.response["Error"] == {
        "Code": "UnsupportedOperation",
        "Message": "acm:ListCertificates is not supported: not in tests",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("problem", "arguments"),
    [
        ("has no function and no reason for", ({}, {})),
        ("does not know Nope", ({"Nope": Recorder()}, dict.fromkeys(ACM.operations, "x"))),
        ("has both a function and a reason for ListCert", ({"ListCertificates": Recorder()},
                                                           dict.fromkeys(ACM.operations, "x"))),
    ],
)  # fmt: skip
def test_tables_must_fit_the_model(problem: str, arguments: tuple[Any, Any]) -> None:
    functions, reasons = arguments
    with pytest.raises(ValueError, match=f"acm {problem}"):
        AwsDoor(
            services=[ACM],
            implementations={"acm": functions},
            not_yet={"acm": reasons},
            credentials=find_key,
            regions=lambda _: True,
            clock=FixedClock(),
        )


def failing(error: Exception) -> HttpResponse:
    handle = door({"acm": {"ListCertificates": Recorder(error)}}).handle
    return handle(json_call("CertificateManager.ListCertificates"))


def test_refusals_are_translated() -> None:
    response = failing(kernel.ResourceInUse("still used"))
    assert (response.status, body(response)) == (400, {"__type": "ResourceInUseException", "message": "still used"})
    denied = body(failing(kernel.AccessDenied("no")))
    assert denied == {"__type": "AccessDeniedException", "Message": "no"}
    # Also where the model has no such exception: it comes from the authorization layer (kms.md 1).
    assert from_refusal(ACM_PCA, kernel.AccessDenied("no")).member == "Message"


def test_modelled_exception_of_the_client() -> None:
    handle = door({"acm": {"ListCertificates": Recorder(kernel.InvalidArgument("bad"))}}).handle
    made = client("acm", handle)
    with pytest.raises(made.exceptions.InvalidArgsException, match="bad"):
        made.list_certificates()


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), KeyError("secret"), AssertionError("secret")])
def test_defects_are_opaque(error: Exception) -> None:
    response = failing(error)
    assert response.status == 500
    assert body(response) == {
        "__type": "InternalFailure",
        "message": f"An internal error has occurred. Request id: {REQUEST_ID}",
    }


def test_wrong_result_is_a_defect() -> None:
    handle = door({"acm": {"ListCertificates": Recorder({"Nope": 1})}}).handle
    assert handle(json_call("CertificateManager.ListCertificates")).status == 500


def refusal_classes(root: type[kernel.Refusal] = kernel.Refusal) -> list[type[kernel.Refusal]]:
    return [root, *(found for child in root.__subclasses__() for found in refusal_classes(child))]


def said(kind: type[kernel.Refusal]) -> kernel.Refusal:
    """A refusal of any kind, also of those that word themselves."""
    made = kind.__new__(kind)
    made.message = "text"
    return made


@pytest.mark.parametrize("service", EVERY, ids=lambda service: service.name)
@pytest.mark.parametrize("refusal", refusal_classes())
def test_every_refusal_has_a_name(service: Any, refusal: type[kernel.Refusal]) -> None:
    families = {"query": Family.QUERY, "rest-json": Family.REST_JSON, "rest-xml": Family.REST_XML}
    family = families.get(service.protocols[0], Family.AWS_JSON)
    error = spelled(from_refusal(service, said(refusal)), family, service)
    common = {code for code in COMMON_ERRORS if family is not Family.QUERY} | set(QUERY_ERRORS)
    if family is Family.REST_XML:
        common = set(S3_STATUSES)
    assert error.code in service.errors or error.code in common
    assert error.message == "text"
    # SDKs try again after a 5xx, and a refusal will not go away: but a key that a token holds may come back.
    assert 400 <= error.status < 500 or error.code in ("NotModified", "KeyUnavailableException")


def test_tables_have_no_rows_of_nobody() -> None:
    assert REFUSALS.keys() == {service.name for service in EVERY}


def test_subclasses_follow_their_parent() -> None:
    assert code_for("acm-pca", kernel.NameConstraintViolation) == "ValidationException"
    assert code_for("nobody", kernel.NotFound) == "ValidationException"


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def random_member(operation: Any) -> st.SearchStrategy[dict[str, Any]]:
    names = list(operation.input.members)
    return st.dictionaries(st.sampled_from(names), ANY_JSON, max_size=6)


SEARCH = ACM.operations["SearchCertificates"]
CREATE = ACM_PCA.operations["CreateCertificateAuthority"]
HANDLE = door({"acm": {"SearchCertificates": Recorder()}, "acm-pca": {"CreateCertificateAuthority": Recorder()}}).handle


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | (ANY_JSON | random_member(SEARCH)).map(lambda tree: json.dumps(tree).encode()))
def test_any_json_body_is_answered(content: bytes) -> None:
    assert HANDLE(json_call("CertificateManager.SearchCertificates", content)).status in (200, 400)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | (ANY_JSON | random_member(CREATE)).map(cbor2.dumps))
def test_any_cbor_body_is_answered(content: bytes) -> None:
    assert HANDLE(cbor_call("CreateCertificateAuthority", content)).status in (200, 400)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "X"]),
    st.binary(max_size=20),
    st.binary(max_size=20),
    st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"x-amz-date", b"x-amz-target", b"content-type", b"smithy-protocol"]),
            st.binary(max_size=40),
        ),
        max_size=5,
    ),
)
def test_any_head_is_answered(method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    request = dataclasses.replace(json_call("CertificateManager.SearchCertificates"), method=method)
    mixed = tuple({**dict(request.headers), **dict(headers)}.items())
    response = HANDLE(dataclasses.replace(request, raw_path=b"/" + path, raw_query=query, headers=mixed))
    assert response.status < 500
    assert HANDLE(dataclasses.replace(request, headers=mixed, raw_query=query)).status < 500
