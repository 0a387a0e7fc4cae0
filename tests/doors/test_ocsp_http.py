"""OCSP over HTTP: both methods, caching, and what is refused before anybody reads it (RFC 6960 A, RFC 5019 6)."""

import asyncio
import base64
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from cryptography.x509 import ocsp
from prometheus_client import CollectorRegistry

from doors.ocsp_client import ENABLED, Door, authority_id, ca_certificate, request
from doors.pki import Pki
from greatseal.app.doors import plain_mounts
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.edge import EdgeApp, EdgeMetrics, Limits
from greatseal.storage.errors import StorageUnavailable
from greatseal.testing import FakeEntropy
from greatseal.x509 import der

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def door(pki):
    return Door(pki)


@pytest.fixture
def arn(pki):
    return pki.root(RevocationConfiguration=ENABLED)


@pytest.fixture
def asked(pki, arn):
    return request(pki.certificate(arn), ca_certificate(pki, arn))


def error_of(response):
    assert response.status == 200, response
    headers = dict(response.headers)
    assert headers[b"content-type"] == b"application/ocsp-response"
    assert headers[b"cache-control"] == b"no-store"
    assert b"etag" not in headers
    return ocsp.load_der_ocsp_response(response.body).response_status.name


def test_get_says_how_long_it_may_be_kept(pki, door, arn, asked):
    pki.clock.advance(timedelta(microseconds=333))
    response = door.get(asked, f"/ocsp/{authority_id(arn)}")
    headers = {name.decode(): value.decode() for name, value in response.headers}
    answer = ocsp.load_der_ocsp_response(response.body)
    assert response.status == 200
    assert headers["content-type"] == "application/ocsp-response"
    assert headers["cache-control"] == "max-age=300, public, no-transform, must-revalidate"
    assert parsedate_to_datetime(headers["last-modified"]) == answer.this_update_utc == pki.now.replace(microsecond=0)
    assert parsedate_to_datetime(headers["expires"]) == answer.next_update_utc
    assert answer.next_update_utc - answer.this_update_utc == timedelta(hours=24)
    again = door.get(asked, if_none_match=f'"other", W/{headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert dict(again.headers)[b"etag"].decode() == headers["etag"]
    assert door.get(asked, if_none_match='"other"').body == response.body


def test_the_same_answer_for_an_hour(pki, door, asked):
    first = door.get(asked).body
    pki.clock.advance(timedelta(minutes=59))
    assert door.post(asked).body == first
    pki.clock.advance(timedelta(minutes=1))
    assert door.get(asked).body != first
    # Back before the answer was made: what lies in the future is not given out.
    pki.clock.advance(timedelta(minutes=-30))
    answer = ocsp.load_der_ocsp_response(door.get(asked).body)
    assert answer.this_update_utc == pki.now


def test_what_must_not_be_kept(pki, door, arn, asked):
    root = ca_certificate(pki, arn)
    with_nonce = request(pki.certificate(arn), root, nonce=bytes(32))
    never_issued = request(77, root)
    for response in (door.post(asked), door.get(with_nonce), door.get(never_issued)):
        assert dict(response.headers)[b"cache-control"] == b"no-store"
        assert ocsp.load_der_ocsp_response(response.body).response_status.name == "SUCCESSFUL"
    answer = ocsp.load_der_ocsp_response(door.get(never_issued).body)
    assert answer.next_update_utc - answer.this_update_utc == timedelta(minutes=5)


def test_ways_to_write_the_path(door, arn, asked):
    text = base64.b64encode(asked).decode()
    for path in (text, quote(text, safe=""), quote(text), "/" + quote(text, safe="")):
        assert door.send("GET", f"/ocsp/{path}").body == door.post(asked).body
        assert door.send("GET", f"/ocsp/{authority_id(arn)}/{path}").body == door.post(asked).body
    head = door.send("HEAD", f"/ocsp/{text}")
    assert head.status == 200


@pytest.mark.parametrize("path", ["", "/", "/A", "/%", "/MA==", "/not base64", "/AAAA", "/%00%ff", "/MAA=/x"])
def test_a_path_that_is_no_request(door, path):
    assert error_of(door.send("GET", f"/ocsp{path}")) == "MALFORMED_REQUEST"


def test_a_post_needs_its_content_type(door, asked):
    for kind in ("application/ocsp-request", "Application/OCSP-Request", "application/ocsp-request; charset=binary"):
        assert door.send("POST", "/ocsp", asked, content_type=kind).status == 200
    for kind in ("", "application/octet-stream", "application/ocsp-response", "text/plain"):
        response = door.send("POST", "/ocsp", asked, content_type=kind)
        assert response.status == 415
        assert dict(response.headers)[b"accept"] == b"application/ocsp-request"
    assert door.post(asked, "/ocsp/MAA=").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
def test_other_methods(door, method):
    response = door.send(method, "/ocsp")
    assert response.status == 405
    assert dict(response.headers)[b"allow"] == b"GET, HEAD, POST"


def test_sizes(door, asked):
    assert error_of(door.post(asked + bytes(30_000))) == "MALFORMED_REQUEST"
    assert door.post(bytes(100_000)).status == 413
    one = der.only(der.only(asked, der.SEQUENCE).raw(), der.SEQUENCE).enter(der.SEQUENCE).raw()
    ten_thousand = der.sequence(der.sequence(der.sequence(*[one] * 10_000)))
    assert door.post(ten_thousand).status == 413
    assert error_of(door.get(ten_thousand)) == "MALFORMED_REQUEST"


def test_a_database_that_is_away_and_a_defect(pki, door, asked, monkeypatch):
    def away(work):
        raise StorageUnavailable("gone")

    def broken(work):
        raise ValueError("a defect")

    # Installed under the room and not in its place: everything above is real.
    monkeypatch.setattr(pki.storage, "read", away)
    assert error_of(door.post(asked)) == "TRY_LATER"
    monkeypatch.setattr(pki.storage, "read", broken)
    assert error_of(door.get(asked)) == "INTERNAL_ERROR"


def test_on_the_plain_listener(pki, door, arn, asked):
    """Through the edge, as the listener does it: the limit of the mount holds before the body is read."""
    registry = CollectorRegistry()
    rooms = pki.installation.rooms
    metrics = EdgeMetrics(registry)
    app = EdgeApp(
        plain_mounts(rooms, WorkerMetrics(registry), None), limits=Limits(), metrics=metrics, entropy=FakeEntropy()
    )

    def send(body, path):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def remember(message):
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "scheme": "http",
            "client": ("192.0.2.1", 1),
            "headers": [
                (b"content-type", b"application/ocsp-request"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
        asyncio.run(app(scope, receive, remember))
        return sent[0]["status"], sent[1]["body"]

    try:
        assert send(asked, f"/ocsp/{authority_id(arn)}") == (200, door.post(asked).body)
        assert send(bytes(100_000), "/ocsp")[0] == 413
        assert send(b"", "/ocsp") == (200, bytes.fromhex("30030a0101"))
    finally:
        app.close()
    count = registry.get_sample_value
    labels = {"door": "ocsp", "status": "200"}
    assert count("greatseal_http_requests_total", {**labels, "operation": "successful"}) == 1
    assert count("greatseal_http_requests_total", {**labels, "operation": "malformed_request"}) == 1


def test_a_name_of_its_own_leads_to_the_root(pki, door, asked):
    """OcspCustomCname: certificates append nothing to it."""
    handle = plain_mounts(pki.installation.rooms, WorkerMetrics(CollectorRegistry()), None).find(b"/").handle
    door.handle = handle
    posted = door.post(asked, "/")
    shouted = door.send("POST", "/", asked, content_type="Application/OCSP-Request; x=y")
    got = door.get(asked, "")
    for response in (posted, shouted, got):
        assert ocsp.load_der_ocsp_response(response.body).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert door.send("GET", "/favicon.ico").status == 404
    assert door.send("POST", "/", b"{}", content_type="application/json").status == 404
