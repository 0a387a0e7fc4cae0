"""REST-JSON: what botocore writes is read, what we write botocore reads."""

import contextlib
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.aws.protocol import shapes
from greatseal.aws.protocol.codecs import Answer
from greatseal.aws.protocol.uris import Paths, compile_template
from greatseal.aws.wire import WireError
from greatseal.edge.messages import HttpResponse
from greatseal.kernel import errors as kernel
from unit.aws import made_models
from unit.aws.other_half import OtherHalf, model_of
from unit.aws.structures import TEXT, values_of
from unit.aws.wire import EVERY, RAM, ROLES_ANYWHERE, Recorder, client, door, message, sign

MODELS = {"ram": model_of("ram"), "rolesanywhere": model_of("rolesanywhere")}
REAL = [
    OtherHalf(MODELS[service], operation)
    for service, operation in [
        ("ram", "CreateResourceShare"),
        ("ram", "DeleteResourceShare"),
        ("ram", "DeletePermissionVersion"),
        ("ram", "GetResourceShareInvitations"),
        ("rolesanywhere", "CreateTrustAnchor"),
        ("rolesanywhere", "UpdateCrl"),
        ("rolesanywhere", "DeleteAttributeMapping"),
        ("rolesanywhere", "GetSubject"),
        ("rolesanywhere", "ListProfiles"),
        ("rolesanywhere", "PutAttributeMapping"),
    ]
]
WHOLE = OtherHalf(made_models.REST, "Whole")
LABEL = st.text(min_size=1, max_size=8).filter(lambda text: text not in (".", ".."))


def with_labels(half: OtherHalf, parameters: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    assert half.ours.input is not None
    located = [member.name for member in half.ours.input.members.values() if member.location == "uri"]
    return {**parameters, **{name: data.draw(LABEL) for name in located}}


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_what_botocore_writes(data: st.DataObject) -> None:
    half = data.draw(st.sampled_from([*REAL, WHOLE]))
    parameters = with_labels(half, data.draw(values_of(half.ours.input, TEXT, empty=True)), data)  # type: ignore[arg-type]
    expected = dict(parameters)
    if expected.get("specifiers") == []:
        del expected["specifiers"]  # a query has no empty lists
    assert half.read(parameters) == expected


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_what_botocore_reads(data: st.DataObject) -> None:
    half = data.draw(st.sampled_from([*REAL, WHOLE]))
    result = data.draw(values_of(half.ours.output, TEXT, empty=True))  # type: ignore[arg-type]
    assert half.parsed(result) == result


HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"), min_size=1, max_size=8)
AT = datetime(2026, 5, 2, 1, 2, 3, tzinfo=UTC)


@settings(max_examples=200, deadline=None)
@given(LABEL, st.lists(LABEL, min_size=1, max_size=3), st.lists(HEADER, min_size=1, max_size=3))
def test_every_location(label: str, rest: list[str], listed: list[str]) -> None:
    half = OtherHalf(made_models.REST, "Put")
    parameters = {
        "Label": label,
        "Rest": "/".join(rest),
        "Flag": True,
        "Since": AT,
        "Numbers": [1, -2],
        "Ratio": 0.5,
        "Count": 3,
        "Changed": AT,
        "Listed": listed,
        "Meta": {"a": "1", "b": "x"},
        "Name": "n",
        "At": AT,
    }
    if any(part in ("", ".", "..") for part in parameters["Rest"].split("/")):  # type: ignore[attr-defined]
        return  # refused, see below
    assert half.read(parameters) == parameters
    # botocore quotes such items, but does not take the quotes away.
    bare = [item for item in listed if not set(item) & set('",')] or ["x"]
    result = {"Code": 202, "Count": 3, "Changed": AT, "Listed": bare, "Meta": {"a": "1"}, "Name": "n"}
    assert half.parsed(result) == result
    assert half.answer(result).status == 202


def test_payloads() -> None:
    upload, say, nest = (OtherHalf(made_models.REST, name) for name in ("Upload", "Say", "Nest"))
    for half, parameters in (
        (upload, {"Body": b"\x00\xff", "Kind": "k"}),
        (say, {"Body": "ä"}),
        (nest, {"Body": {"Text": "t", "At": AT}}),
    ):
        assert half.read(parameters) == parameters
        if half is not upload:  # botocore wants a stream there
            assert half.parsed(parameters) == parameters
    assert upload.answer({"Body": b"\x00\xff", "Kind": "k"}) == Answer(
        200, ((b"content-type", b"application/octet-stream"), (b"kind", b"k")), b"\x00\xff"
    )
    assert upload.read({}) == {}
    assert nest.codec.decode(nest.ours, message(path="/nest")) == {}
    assert nest.answer({}).body == b""
    assert say.answer({"Body": "ä"}).body == "ä".encode()
    with pytest.raises(WireError, match="not valid UTF-8"):
        say.codec.decode(say.ours, message(b"\xff", path="/say"))


def test_query_maps_and_void() -> None:
    search = OtherHalf(made_models.REST, "Search")
    assert search.read({"Limit": 5, "Filters": {"a": "1", "b": "+ "}}) == {"Limit": 5, "Filters": {"a": "1", "b": "+ "}}
    assert search.read({}) == {}
    void = OtherHalf(made_models.REST, "Void")
    assert void.read({}) == {}
    assert (void.answer(None).headers, void.answer(None).body) == ((), b"")
    with pytest.raises(shapes.ResultMismatch):
        void.answer({"a": 1})


def test_headers_cannot_be_split() -> None:
    half = OtherHalf(made_models.REST, "Put")
    for bad in ({"Meta": {"a": "1\r\nx: y"}}, {"Listed": ["a\nb"]}, {"Listed": ["\u2028"]}, {"Nope": 1}):
        with pytest.raises(shapes.ResultMismatch):
            half.answer(bad)


PUT = OtherHalf(made_models.REST, "Put")


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (message(path="/things/%zz/at/b"), "A percent sign"),
        (message(path="/things/%ff/at/b"), "not valid UTF-8"),
        (message(path="/things/a/at/b", query="flag=yes"), "STRING_VALUE can not be converted to a Boolean at 'flag'"),
        (message(path="/things/a/at/b", query="flag=true&flag=true"), "The parameter flag is given more than once."),
        (message(path="/things/a/at/b", query="n=1&n=x"), "STRING_VALUE can not be converted to an Integer at"),
        (message(path="/things/a/at/b", query="since=1777683723"), "can not be converted to a Timestamp at 'since'"),
        (message(path="/things/a/at/b", query="&".join("x=1" for _ in range(5000))), "more than 4096 parameters"),
        (message(path="/things/a/at/b", x_count="1.5"), "STRING_VALUE can not be converted to an Integer at 'count'"),
        (message(path="/things/a/at/b", x_changed="2026"), "can not be converted to a Timestamp at 'changed'"),
        (message(path="/things/a/at/b", x_listed='a"b'), "A header is not a list"),
        (message(b'{"Name": 5}', path="/things/a/at/b"), "NUMBER_VALUE can not be converted to a String at 'name'"),
        (message(b"[]", path="/things/a/at/b"), "Start of list found where not expected."),
        (message(b"{", path="/things/a/at/b"), "not valid JSON"),
        (message(b'{"Name":"a","Name":"b"}', path="/things/a/at/b"), "duplicate key"),
    ],
)  # fmt: skip
def test_requests_refused(request_: Any, text: str) -> None:
    with pytest.raises(WireError) as caught:
        PUT.codec.decode(PUT.ours, request_)
    assert caught.value.code == "SerializationException"
    assert text in caught.value.message


def test_nothing_is_taken_from_a_wrong_place() -> None:
    request = message(b'{"label":"evil","flag":true,"Name":"n","X-Count":7}', path="/things/a/at/b+c", query="Name=q")
    assert PUT.codec.decode(PUT.ours, request) == {"Label": "a", "Rest": "b+c", "Name": "n"}


SHARE = {
    "resourceShareArn": "arn:aws:ram:eu-central-1:111122223333:resource-share/1",
    "name": "n",
    "allowExternalPrincipals": False,
    "creationTime": AT,
    "tags": [{"key": "a", "value": "b"}],
}
ANCHOR = "11111111-2222-3333-4444-555555555555"
PROFILE_ARN = f"arn:aws:rolesanywhere:eu-central-1:111122223333:profile/{ANCHOR}"


def test_ram_client() -> None:
    create, delete = Recorder({"resourceShare": SHARE}), Recorder({"returnValue": True})
    handle = door({"ram": {"CreateResourceShare": create, "DeleteResourceShare": delete}}, services=EVERY).handle
    made = client("ram", handle)
    given_ = {"name": "n", "resourceArns": ["arn:aws:acm-pca:x"], "allowExternalPrincipals": False}
    assert made.create_resource_share(**given_)["resourceShare"] == SHARE
    assert {name: create.calls[0][1][name] for name in given_} == given_
    deleted = made.delete_resource_share(resourceShareArn=SHARE["resourceShareArn"], clientToken="a b+c/ä")
    assert deleted["returnValue"] is True
    assert delete.calls[0][1] == {"resourceShareArn": SHARE["resourceShareArn"], "clientToken": "a b+c/ä"}


def test_roles_anywhere_client() -> None:
    anchor = {"trustAnchorId": ANCHOR, "enabled": True, "createdAt": AT.replace(microsecond=986_000)}
    functions = {
        "CreateTrustAnchor": Recorder({"trustAnchor": anchor}),
        "GetTrustAnchor": Recorder({"trustAnchor": anchor}),
        "DeleteAttributeMapping": Recorder({"profile": {"profileId": ANCHOR}}),
        "EnableProfile": Recorder({"profile": {"profileId": ANCHOR}}),
        "TagResource": Recorder({}),
    }
    handle = door({"rolesanywhere": functions}, services=EVERY).handle
    made = client("rolesanywhere", handle)
    source = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:aws:acm-pca:x"}}
    created = made.create_trust_anchor(name="a", source=source)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["trustAnchor"] == anchor
    assert functions["CreateTrustAnchor"].calls[0][1] == {"name": "a", "source": source}
    made.get_trust_anchor(trustAnchorId=ANCHOR)
    assert functions["GetTrustAnchor"].calls[0][1] == {"trustAnchorId": ANCHOR}
    made.delete_attribute_mapping(profileId=ANCHOR, certificateField="x509Subject", specifiers=["CN", "OU"])
    assert functions["DeleteAttributeMapping"].calls[0][1]["specifiers"] == ["CN", "OU"]
    made.enable_profile(profileId=ANCHOR)
    assert functions["EnableProfile"].calls[0][0].operation == "rolesanywhere:EnableProfile"
    # The model asks for ISO 8601 here, not for the protocol's epoch seconds.
    response = handle(sign("GET", f"https://localhost:8443/trustanchor/{ANCHOR}", service="rolesanywhere"))
    assert b'"createdAt":"2026-05-02T01:02:03.986Z"' in response.body


def test_labels_with_slashes_verify() -> None:
    get = Recorder({"profile": {"profileId": ANCHOR}})
    handle = door({"rolesanywhere": {"GetProfile": get}}, services=EVERY).handle
    client("rolesanywhere", handle).get_profile(profileId=PROFILE_ARN)
    assert get.calls[0][1] == {"profileId": PROFILE_ARN}


def call(method: str, path: str, body: bytes = b"", service: str = "rolesanywhere", **headers: str) -> HttpResponse:
    functions = {"rolesanywhere": {"GetProfile": Recorder({}), "ListProfiles": Recorder({})}}
    request = sign(method, f"https://localhost:8443{path}", headers, body, service=service)
    return door(functions, services=EVERY).handle(request)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/profiles", 200, None),
        ("GET", "/profiles?pageSize=x", 400, b"SerializationException"),
        ("GET", f"/profile/{ANCHOR}", 200, None),
        ("PUT", f"/profile/{ANCHOR}", 405, b"UnknownOperationException"),
        ("GET", f"/profile/{ANCHOR}/", 404, None),
        ("GET", f"/profile/{ANCHOR}/x", 404, None),
        ("GET", "/profile/", 404, None),
        ("GET", "/profile/.", 404, None),
        ("POST", f"/profile/{ANCHOR}/enable", 400, b"UnsupportedOperation"),
        ("POST", "/profiles", 400, b"UnsupportedOperation"),
    ],
)  # fmt: skip
def test_routing(method: str, path: str, status: int, code: bytes | None) -> None:
    response = call(method, path)
    assert response.status == status
    assert dict(response.headers).get(b"x-amzn-errortype") == code
    if status == 405:
        assert dict(response.headers)[b"allow"] == b"DELETE, GET, PATCH"


def test_signed_dot_segments_lead_nowhere() -> None:
    # SigV4 signs "/profiles" for both; only one of them is a path of ours.
    request = sign("GET", "https://localhost:8443/profiles", service="rolesanywhere")
    handle = door({"rolesanywhere": {"ListProfiles": Recorder({})}}, services=EVERY).handle
    assert handle(request).status == 200
    for path in (b"/./profiles", b"//profiles", b"/x/../profiles"):
        assert handle(dataclasses.replace(request, raw_path=path)).status == 404


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("application/json", 400), ("application/x-amz-json-1.1", 400), ("Application/JSON; charset=utf-8", 400),
     ("", 400), ("text/plain", 415)],
)  # fmt: skip
def test_content_types(content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = call("POST", "/profiles", b"{}", **headers)
    told = dict(response.headers)[b"x-amzn-errortype"]
    assert told == (b"SerializationException" if status == 415 else b"UnsupportedOperation")


def test_errors() -> None:
    def failing(error: Exception, service: str = "rolesanywhere", operation: str = "GetProfile") -> Any:
        handle = door({service: {operation: Recorder(error)}}, services=EVERY).handle
        made = client(service, handle)
        ask = made.delete_resource_share if service == "ram" else made.get_profile
        argument = {"resourceShareArn": "arn:aws:ram:x"} if service == "ram" else {"profileId": ANCHOR}
        with pytest.raises(ClientError) as caught:
            ask(**argument)
        found = caught.value.response
        return found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Code"], found["Error"]["Message"]

    assert failing(kernel.NotFound("no")) == (404, "ResourceNotFoundException", "no")
    assert failing(kernel.AccessDenied("no")) == (403, "AccessDeniedException", "no")
    assert failing(kernel.InvalidState("no")) == (400, "ValidationException", "no")
    share = {"service": "ram", "operation": "DeleteResourceShare"}
    assert failing(kernel.NotFound("no"), **share) == (400, "UnknownResourceException", "no")
    assert failing(kernel.AccessDenied("no"), **share) == (403, "AccessDeniedException", "no")
    assert failing(WireError("PermissionAlreadyExistsException", "x"), **share)[0] == 409
    assert failing(RuntimeError("secret"), **share)[:2] == (500, "InternalFailure")


def test_templates() -> None:
    greedy = compile_template("/a/{b}/{c+}")
    assert greedy.labels(b"/a/x%20y/1/2") == {"b": "x y", "c": "1/2"}
    for path in (b"/a/x/", b"/a/x/1/../2", b"/a//1", b"/a/./1", b"/a/x/1/", b"/A/x/1", b"/a/x"):
        assert greedy.labels(path) is None
        assert not greedy.fits(path)
    assert greedy.order == (0, 1, 2)
    for bad in ("/a?b", "a"):
        with pytest.raises(ValueError, match="unsupported requestUri"):
            compile_template(bad)


def test_paths_of_the_services_do_not_collide() -> None:
    paths = Paths([RAM, ROLES_ANYWHERE])
    for service in (RAM, ROLES_ANYWHERE):
        for operation in service.operations.values():
            fitting = paths.fit(operation.uri.replace("{", "").replace("}", "").encode())
            same = [found for _, found in fitting if found.method == operation.method]
            assert same == [operation]


def test_scope_decides_between_services_of_one_path() -> None:
    twin = dataclasses.replace(RAM, name="twin", signing_name="twin")
    functions = {name: {"ListResources": Recorder({"nextToken": name})} for name in ("twin", "ram")}
    handle = door(functions, services=(twin, RAM)).handle
    for service in ("ram", "twin"):
        body = b'{"resourceOwner":"SELF"}'
        response = handle(sign(url="https://localhost:8443/listresources", body=body, service=service))
        assert json.loads(response.body) == {"nextToken": service}


HANDLE = door(
    {
        "rolesanywhere": {
            "GetProfile": Recorder({}),
            "DeleteAttributeMapping": Recorder({}),
            "ListProfiles": Recorder({}),
        },
        "ram": {"ListResources": Recorder({})},
    },
    services=EVERY,
).handle


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "DELETE", "PATCH"]),
    st.sampled_from(["/profile/", "/profiles", "/profiles/x/mappings", "/listresources", "/"]),
    st.text("abc%2Ff./?&=+ä", max_size=10),
    st.binary(max_size=60) | st.just(b'{"resourceOwner":"SELF","maxResults":"x"}'),
)
def test_any_request_is_answered(method: str, path: str, rest: str, body: bytes) -> None:
    request = sign(method, "https://localhost:8443/", body=body, service="rolesanywhere")
    raw_path, _, raw_query = (path + rest).encode().partition(b"?")
    assert HANDLE(dataclasses.replace(request, raw_path=raw_path, raw_query=raw_query)).status < 500
    # Past the signature:
    for operation in ("GetProfile", "DeleteAttributeMapping", "ListProfiles"):
        ours = ROLES_ANYWHERE.operations[operation]
        if compile_template(ours.uri).fits(raw_path):
            with contextlib.suppress(WireError):
                PUT.codec.decode(ours, dataclasses.replace(request, raw_path=raw_path, raw_query=raw_query))
