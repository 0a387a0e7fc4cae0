"""Requests that somebody between client and service changed: nothing that decides may be added, doubled or moved."""

import dataclasses

import pytest

from greatseal.edge.messages import HttpRequest
from unit.aws.wire import AKID, Recorder, door, form_call, json_call, sign

LIST = "CertificateManager.ListCertificates"
ACM = {"acm": {"ListCertificates": Recorder({"CertificateSummaryList": []}), "DeleteCertificate": Recorder()}}


def adding(request: HttpRequest, *headers: tuple[bytes, bytes]) -> HttpRequest:
    return dataclasses.replace(request, headers=(*request.headers, *headers))


def before(request: HttpRequest, *headers: tuple[bytes, bytes]) -> HttpRequest:
    return dataclasses.replace(request, headers=(*headers, *request.headers))


def status(request: HttpRequest) -> tuple[int, bytes]:
    answer = door(ACM).handle(request)
    return answer.status, answer.body


def test_the_request_itself_is_good() -> None:
    assert status(json_call(LIST))[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        (b"x-amz-target", b"CertificateManager.DeleteCertificate"),
        (b"host", b"elsewhere.example"),
        (b"x-amz-date", b"20300101T000000Z"),
        (b"x-amz-security-token", b"somebody-else"),
        (b"x-amz-content-sha256", b"0" * 64),
        (b"authorization", b"AWS4-HMAC-SHA256 Credential=x/20300101/us-east-1/acm/aws4_request, SignedHeaders=host"),
    ],
    ids=lambda header: header[0].decode(),
)
def test_a_second_header_changes_nothing(header: tuple[bytes, bytes]) -> None:
    good = json_call(LIST)
    for request in (adding(good, header), before(good, header)):
        code, body = status(request)
        assert code == 400, body
        assert b"DeleteCertificate" not in body or b"Signature" in body or b"Unknown" in body
    assert ACM["acm"]["DeleteCertificate"].calls == []


@pytest.mark.parametrize("name", [b"X-AMZ-TARGET", b"x-amz-target ", b" x-amz-target", b"x_amz_target"])
def test_lookalikes_are_other_headers(name: bytes) -> None:
    """Only names in lower case reach a door (ASGI); whatever else comes is not the header that decides."""
    request = adding(json_call(LIST), (name, b"CertificateManager.DeleteCertificate"))
    assert status(request)[0] in (200, 400)
    assert ACM["acm"]["DeleteCertificate"].calls == []


def test_an_altered_signed_header_fails() -> None:
    good = json_call(LIST)
    for name in (b"host", b"x-amz-target", b"content-type"):
        more = b"; charset=utf-8" if name == b"content-type" else b"x"
        altered = tuple((key, value + more) if key == name else (key, value) for key, value in good.headers)
        code, body = status(dataclasses.replace(good, headers=altered))
        assert code == 400
        assert b"InvalidSignatureException" in body or b"Unknown" in body


def test_operations_do_not_come_from_two_places() -> None:
    """Body and query may not name two actions, and neither may one of them."""
    iam = {"iam": {"GetUser": Recorder({}), "DeleteUser": Recorder()}}
    from unit.aws.wire import IAM

    handle = door(iam, services=(IAM,)).handle
    twice = form_call(b"Action=GetUser&Version=2010-05-08&Action=DeleteUser&UserName=alice")
    url = "https://localhost:8443/?Action=DeleteUser&Version=2010-05-08&UserName=alice"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    both = sign(url=url, headers=headers, body=b"Action=GetUser&Version=2010-05-08", service="iam")
    for request in (twice, both):
        assert handle(request).status == 400
    assert iam["iam"]["GetUser"].calls == iam["iam"]["DeleteUser"].calls == []


def test_a_doubled_query_parameter_breaks_the_signature() -> None:
    good = json_call(LIST)
    for query in (b"a=1", b"X-Amz-Target=CertificateManager.DeleteCertificate", b"Action=DeleteUser&Action=GetUser"):
        assert b"InvalidSignatureException" in status(dataclasses.replace(good, raw_query=query))[1]


def test_the_key_in_the_query_is_not_the_key() -> None:
    presigned = dataclasses.replace(json_call(LIST), raw_query=f"X-Amz-Credential={AKID}/x&X-Amz-Signature=00".encode())
    assert status(presigned)[0] == 400
