"""SigV4: botocore signs, the door verifies; every row of the error table; the published test suite."""

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.aws.protocol import canonical
from greatseal.aws.protocol.auth_errors import AUTH_ERRORS, Failure, Family
from greatseal.aws.protocol.sigv4 import resolver, verify
from greatseal.aws.wire import WireError
from greatseal.edge.messages import HttpRequest
from greatseal.kernel.secret import Secret
from unit.aws.wire import AKID, REGION, SECRET, Key, find_key, json_call, sign


def check(request: HttpRequest, *, now: datetime | None = None, service: str = "acm", **options: Any) -> Any:
    return verify(
        request,
        options.get("resolve") or resolver(options.get("credentials", find_key)),
        now or datetime.now(UTC),
        service,
        options.get("regions", lambda region: region != "ap-east-1"),
        options.get("family", Family.AWS_JSON),
    )


def refused(request: HttpRequest, **options: Any) -> WireError:
    with pytest.raises(WireError) as caught:
        check(request, **options)
    return caught.value


def with_header(request: HttpRequest, name: bytes, value: bytes | None) -> HttpRequest:
    rest = tuple(pair for pair in request.headers if pair[0] != name)
    return dataclasses.replace(request, headers=rest if value is None else (*rest, (name, value)))


# The request, signature and strings of the suite's get-vanilla, published by AWS with the IAM documentation.
SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SUITE_KEY = Key("AKIDEXAMPLE", Secret(SUITE_SECRET.encode()))


def suite(method: str, path: str, query: str, signature: str, *extra: tuple[str, str]) -> HttpRequest:
    headers = [("host", "example.amazonaws.com"), *extra, ("x-amz-date", "20150830T123600Z")]
    signed = ";".join(sorted({name for name, _ in headers}))
    authorization = (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={signed}, Signature={signature}"
    )
    encoded = tuple((name.encode(), value.encode()) for name, value in (*headers, ("authorization", authorization)))
    return HttpRequest(method, path.encode(), query.encode(), encoded, b"", "id")


@pytest.mark.parametrize(
    "request_",
    [
        suite("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        suite("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        suite(
            "GET",
            "/",
            "Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case"],
)
def test_suite(request_: HttpRequest) -> None:
    found = check(request_, now=SUITE_NOW, service="service", credentials=lambda _: SUITE_KEY)
    assert (found.access_key_id, found.region) == ("AKIDEXAMPLE", "us-east-1")


def test_derived_key_of_the_documentation() -> None:
    # "Deriving a signing key" of the AWS General Reference, with its example secret.
    key = canonical.signing_key(SUITE_SECRET.encode(), "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


TEXT = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), max_size=20)
UNRESERVED = "ABCxyz019-_.~"
QUERY = st.lists(
    st.tuples(
        st.text(UNRESERVED, min_size=1, max_size=5),
        st.lists(st.sampled_from([*UNRESERVED, "%2F", "%20", "%C3%A4"])).map("".join),
    ),
    max_size=4,
)
PATH = st.lists(st.sampled_from(["a", "b-c", "..", ".", "", "%20", "%2F", "x~y", "a:b", "*"]), max_size=6)
NAME = st.from_regex(r"x-amz-meta-[a-z]{1,8}", fullmatch=True)
VALUE = st.lists(TEXT, max_size=3).map("  ".join)


@settings(max_examples=150, deadline=None)
@given(PATH, QUERY, st.dictionaries(NAME, VALUE, max_size=4), st.binary(max_size=64))
def test_what_botocore_signs_verifies(
    path: list[str], query: list[tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    # A path that begins with two slashes is an authority to urlsplit.
    url = "https://localhost:8443/x/" + "/".join(path)
    if query:
        url += "?" + "&".join(f"{name}={value}" for name, value in query)
    found = check(sign(url=url, headers=headers, body=body))
    assert found.access_key_id == AKID
    assert found.credential.account == "111122223333"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_altered_byte_fails(data: st.DataObject) -> None:
    request = json_call("CertificateManager.GetCertificate", b'{"CertificateArn":"x"}')
    url_part = data.draw(st.sampled_from(["body", "path", "header"]))
    flip = data.draw(st.integers(1, 127))
    if url_part == "body":
        position = data.draw(st.integers(0, len(request.body) - 1))
        altered = dataclasses.replace(request, body=changed(request.body, position, flip))
    elif url_part == "path":
        altered = dataclasses.replace(request, raw_path=b"/" + bytes([flip]) * 2)
        if flip in b"./":
            return  # dot segments and empty segments are not signed
    else:
        index = data.draw(st.integers(0, len(request.headers) - 1))
        name, value = request.headers[index]
        if name in (b"content-length", b"user-agent"):
            return  # not signed
        position = data.draw(st.integers(0, len(value) - 1))
        replaced = changed(value, position, flip)
        if replaced.strip(b" \t").split() == value.split():
            return
        altered = dataclasses.replace(
            request, headers=(*request.headers[:index], (name, replaced), *request.headers[index + 1 :])
        )
    refused(altered)


def changed(value: bytes, position: int, flip: int) -> bytes:
    return value[:position] + bytes([value[position] ^ flip]) + value[position + 1 :]


def test_comma_with_and_without_blank() -> None:
    request = json_call("CertificateManager.ListCertificates")
    header = request.header("authorization")
    assert header is not None
    assert ", " in header
    assert check(with_header(request, b"authorization", header.replace(", ", ",").encode())).region == REGION


def test_mismatch_shows_the_strings() -> None:
    error = refused(sign(secret="x" * 40, body=b"abc"))
    assert (error.code, error.status) == ("InvalidSignatureException", 400)
    assert error.message.startswith("The request signature we calculated does not match the signature you provided.")
    assert hashlib.sha256(b"abc").hexdigest() in error.message
    assert "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" in error.message
    assert SECRET not in error.message


def test_unknown_key() -> None:
    error = refused(sign(key="AKIAUNKNOWN000000000"))
    assert error.code == "UnrecognizedClientException"
    assert error.message == "The security token included in the request is invalid."


def test_token_is_refused() -> None:
    assert refused(sign(token="FwoGZXIvYXdzEXAMPLE")).code == "UnrecognizedClientException"


def test_no_credentials() -> None:
    error = refused(with_header(sign(), b"authorization", None))
    assert (error.code, error.message) == ("MissingAuthenticationTokenException", "Missing Authentication Token")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Bearer abc", "Unsupported AWS 'algorithm': 'Bearer'."),
        ("AWS4-HMAC-SHA256 nothing", "not a list of distinct key=value pairs"),
        ("AWS4-HMAC-SHA256 Credential=a,Credential=b", "not a list of distinct key=value pairs"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e", "requires 'SignedHeaders' parameter. Authorization header requires"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=" + "0" * 64, "exactly 5 slash-delimited"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=zz", "64 lower-case hexadecimal"),
    ],
)
def test_malformed(header: str, text: str) -> None:
    error = refused(with_header(sign(), b"authorization", header.encode()))
    assert error.code == "IncompleteSignatureException"
    assert text in error.message


def test_presigned_query_is_refused() -> None:
    request = dataclasses.replace(sign(), raw_query=b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00")
    assert refused(request).code == "IncompleteSignatureException"


@pytest.mark.parametrize("value", [b"yesterday", b"20261340T000000Z", b"2026-01-01T00:00:00Z"])
def test_bad_date(value: bytes) -> None:
    assert "ISO-8601 'basic format'" in refused(with_header(sign(), b"x-amz-date", value)).message


def test_no_date() -> None:
    assert "'X-Amz-Date' or a 'Date'" in refused(with_header(sign(), b"x-amz-date", None)).message


def test_date_header_instead_of_x_amz_date() -> None:
    text = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=date;host, "
    headers = ((b"host", b"h"), (b"date", b"Sun, 30 Aug 2015 12:36:00 GMT"))
    request = canonical.canonical_request(
        "POST", "/", "", canonical.canonical_headers(headers, ("date", "host")), ("date", "host"),
        hashlib.sha256(b"").hexdigest(),
    )  # fmt: skip
    string = canonical.string_to_sign("20150830T123600Z", "20150830/us-east-1/service/aws4_request", request)
    key = canonical.signing_key(SUITE_SECRET.encode(), "20150830", "us-east-1", "service")
    full = (*headers, (b"authorization", f"{text}Signature={canonical.signature(key, string)}".encode()))
    signed = HttpRequest("POST", b"/", b"", full, b"", "id")
    assert check(signed, now=SUITE_NOW, service="service", credentials=lambda _: SUITE_KEY).region == "us-east-1"


@pytest.mark.parametrize("minutes", [-14.9, 14.9])
def test_skew_allowed(minutes: float) -> None:
    check(sign(), now=datetime.now(UTC) + timedelta(minutes=minutes))


def test_skew_texts() -> None:
    vanilla = suite("GET", "/", "", "0" * 64)
    late = refused(vanilla, now=SUITE_NOW + timedelta(minutes=16), service="service")
    assert late.code == "InvalidSignatureException"
    assert late.message == (
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T125200Z - 15 min.)"
    )
    early = refused(vanilla, now=SUITE_NOW - timedelta(minutes=16), service="service")
    assert early.message == (
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T122000Z + 15 min.)"
    )


def test_scope() -> None:
    wrong_service = refused(sign(service="kms"))
    assert wrong_service.message == "Credential should be scoped to correct service: 'acm'."
    assert wrong_service.code == "InvalidSignatureException"
    assert refused(sign(region="Narnia")).message == "Credential should be scoped to a valid Region, not 'Narnia'."
    assert refused(sign(region="ap-east-1")).code == "UnrecognizedClientException"
    header = sign().header("authorization")
    assert header is not None
    bad = with_header(sign(), b"authorization", header.replace("aws4_request", "aws3_request").encode())
    assert refused(bad).message == (
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'."
    )
    other_day = with_header(sign(), b"authorization", header.replace(header.split("/")[1], "20200101").encode())
    assert refused(other_day).message.startswith(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101' != "
    )


@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-target"])
def test_headers_that_must_be_signed(name: str) -> None:
    request = json_call("CertificateManager.ListCertificates")
    header = request.header("authorization")
    assert header is not None
    start, _, rest = header.partition("SignedHeaders=")
    signed, _, end = rest.partition(",")
    fewer = ";".join(part for part in signed.split(";") if part != name)
    error = refused(with_header(request, b"authorization", f"{start}SignedHeaders={fewer},{end}".encode()))
    assert "must be a 'SignedHeader' in the AWS Authorization." in error.message


@pytest.mark.parametrize("value", [b"UNSIGNED-PAYLOAD", b"0" * 64])
def test_content_hash_header(value: bytes) -> None:
    assert "x-amz-content-sha256" in refused(with_header(sign(), b"x-amz-content-sha256", value)).message


def test_table_is_complete() -> None:
    for family in Family:
        assert AUTH_ERRORS[family].keys() == set(Failure)


def test_path_is_encoded_twice_except_for_s3() -> None:
    assert canonical.canonical_path(b"/a%20b", once=False) == "/a%2520b"
    assert canonical.canonical_path(b"/a%20b", once=True) == "/a%20b"
    assert canonical.canonical_path(b"", once=True) == "/"
    assert canonical.canonical_path(b"//a/./b/../c/", once=False) == "/a/c/"
