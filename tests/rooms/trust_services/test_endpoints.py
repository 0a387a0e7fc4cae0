"""Test endpoints are what they say: kept so by a job, shown by a TLS listener, named on a page (workflows.md 13.2)."""

import json
import socket
import ssl
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from cryptography import x509

from doors.lists import fetch
from doors.pki import Pki
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.trust_services import Plan
from greatseal.domain.trust_services import model as trust_model
from greatseal.domain.trust_services.endpoints import State
from greatseal.domain.trust_services.store import endpoints
from greatseal.edge.messages import HttpRequest
from greatseal.web import trust, trust_endpoints
from greatseal.web.trust_endpoints import EndpointListener
from made_trust import Logs

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
DOMAIN = "test.example.com"
EC_ROOT = trust_model.TIERS[3]


@pytest.fixture(autouse=True)
def _one_root(monkeypatch):
    """RSA keys of 4096 bits take seconds, and the four roots differ in their keys only."""
    for module in ("hierarchy", "endpoints"):
        monkeypatch.setattr(f"greatseal.domain.trust_services.{module}.ROOTS", (EC_ROOT,))


@pytest.fixture
def pki(storage):
    made = Pki(storage, trust=Plan(issuers=1, endpoints=DOMAIN))
    made.trusting = made.installation.rooms.trusting
    made.trusting.services._submission = Logs()
    return made


def kept(pki, after=timedelta(0)):
    pki.clock.advance(after)
    pki.trusting.keep_up()
    return {each.state: each for each in pki.trusting.endpoints.shown()}


def leaf(endpoint):
    return x509.load_der_x509_certificate(endpoint.chain[0])


@ONE
def test_each_is_what_it_says_or_is_not_shown(pki):
    first = kept(pki)
    assert first.keys() == {State.VALID, State.REVOKED}
    assert first[State.VALID].host == "valid.root3.test.example.com"
    shown = kept(pki, timedelta(minutes=11))
    assert shown.keys() == set(State)
    now = pki.clock.now()
    assert leaf(shown[State.EXPIRED]).not_valid_after_utc < now
    for der in shown[State.EXPIRED].chain[1:]:
        assert x509.load_der_x509_certificate(der).not_valid_after_utc > now + timedelta(days=365)
    assert leaf(shown[State.VALID]).not_valid_after_utc > now + timedelta(days=100)
    assert len({leaf(each).serial_number for each in shown.values()}) == 3


@ONE
def test_the_revoked_one_is_on_the_list_and_the_valid_one_is_not(pki):
    shown = kept(pki)
    pki.clock.advance(timedelta(minutes=1))
    pki.installation.work()
    points = leaf(shown[State.REVOKED]).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    path = points[0].full_name[0].value.removeprefix("http://127.0.0.1:8080")
    crl = x509.load_der_x509_crl(fetch(pki, path).body)
    revoked = crl.get_revoked_certificate_by_serial_number(leaf(shown[State.REVOKED]).serial_number)
    assert revoked is not None
    assert not list(revoked.extensions), "no reason: Java calls that UNSPECIFIED"
    assert crl.get_revoked_certificate_by_serial_number(leaf(shown[State.VALID]).serial_number) is None


@ONE
def test_years_later_they_are_still_true(pki):
    before = kept(pki)
    kept(pki, timedelta(minutes=11))
    serials = {leaf(each).serial_number for each in before.values()}
    for _ in range(8):
        shown = kept(pki, timedelta(days=50))
        assert shown.keys() == set(State)
        assert leaf(shown[State.VALID]).not_valid_after_utc - pki.clock.now() > timedelta(days=30)
        assert leaf(shown[State.REVOKED]).not_valid_after_utc > pki.clock.now()
    assert serials.isdisjoint({leaf(shown[each]).serial_number for each in (State.VALID, State.REVOKED)})
    assert len(pki.storage.read(endpoints)) == 3, "what is no longer shown is gone, with its key"


@ONE
def test_somebody_who_revokes_the_valid_one_gets_another(pki):
    first = kept(pki)[State.VALID]
    row = pki.trusting.endpoints._storage.read(lambda tx: _row(tx, State.VALID))
    authority, _, serial = row.certificate_arn.partition("/certificate/")
    caller = pki.trusting.hierarchy.caller("Test")
    pki.installation.rooms.revocations.revoke(caller, authority, serial=serial, reason=RevocationReason.SUPERSEDED)
    assert State.VALID not in {each.state for each in pki.trusting.endpoints.shown()}
    assert leaf(kept(pki)[State.VALID]).serial_number != leaf(first).serial_number


def _row(tx, state):
    return next(row for row in endpoints(tx) if row.state == state.value)


@ONE
def test_logs_that_are_away_delay_them(pki):
    pki.trusting.services._submission.away = True
    assert kept(pki) == {}
    pki.trusting.services._submission.away = False
    assert kept(pki).keys() == {State.VALID, State.REVOKED}
    # Two roots, a cross-certificate, an issuing CA, and one for each endpoint: no serial was lost.
    assert pki.issued_count() == 2 + 1 + 1 + 3


@pytest.fixture
def listener(pki):
    started = EndpointListener("127.0.0.1", 0, pki.trusting.endpoints)
    pki.trusting.endpoints.port = started.port
    started.start()
    yield started
    started.stop()


def visit(port, host):
    """What a client is shown, and what it reads; the trust is judged by the tests above."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
        secured.sendall(f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        answer = b""
        while more := secured.recv(4096):
            answer += more
        return der, answer


@ONE
def test_the_listener_shows_the_certificate_of_the_name(pki, listener):
    kept(pki)
    for endpoint in kept(pki, timedelta(minutes=11)).values():
        der, answer = visit(listener.port, endpoint.host)
        assert der == endpoint.chain[0]
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert endpoint.state.value.encode() in answer
    for stranger in ("valid.root9.test.example.com", "localhost", None):
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            visit(listener.port, stranger)


@ONE
def test_the_listener_survives_what_is_no_tls(pki, listener):
    kept(pki)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100):
        with closing(socket.create_connection(("127.0.0.1", listener.port), timeout=10)) as plain:
            plain.sendall(garbage)
            plain.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while plain.recv(4096):
                    pass
    assert visit(listener.port, "valid.root3.test.example.com")[1].startswith(b"HTTP/1.1 200")


@ONE
def test_the_listener_waits_for_nobody_for_long(pki, listener, monkeypatch):
    """A request that comes octet by octet, each of them in time."""
    kept(pki)
    monkeypatch.setattr(trust_endpoints, "_SECONDS", 0.5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        closing(socket.create_connection(("127.0.0.1", listener.port), timeout=10)) as plain,
        context.wrap_socket(plain, server_hostname="valid.root3.test.example.com") as secured,
    ):
        secured.settimeout(0.05)
        for _ in range(200):
            with suppress(TimeoutError):
                secured.sendall(b"x")
                try:
                    if not secured.recv(1):
                        return
                except (ssl.SSLError, ConnectionError):
                    return
    pytest.fail("ten seconds later it still waits")


def ask(pki, path, *, accept="text/html", method="GET"):
    handle = trust.handler(pki.trusting.repository)
    return handle(
        HttpRequest(
            method=method,
            raw_path=path.encode(),
            raw_query=b"",
            headers=((b"accept", accept.encode()),),
            body=b"",
            request_id="r",
            client_ip="192.0.2.7",
        )
    )


@ONE
def test_the_pages(pki, listener):
    empty = ask(pki, "/trust")
    assert empty.status == 200
    assert b"first public certificate" in empty.body
    kept(pki)
    page = ask(pki, "/trust/").body.decode()
    [_, root] = pki.trusting.hierarchy.roots()
    table = json.loads(ask(pki, "/trust", accept="application/json").body)
    mine = table["roots"][0]
    certificate = x509.load_der_x509_certificate(root.der)
    assert mine["subject"] in page.replace("&#x27;", "'")
    assert mine["spkiSha256"] in page
    assert mine["spkiSha256"] != mine["certificateSha256"]
    assert bytes.fromhex(mine["certificateSha256"]).hex(":").upper() in page
    assert "Public key (SPKI), SHA-256" in page
    assert mine["endpoints"]["valid"] == f"https://valid.root3.{DOMAIN}:{listener.port}/"
    assert mine["endpoints"]["expired"] is None
    assert "not there yet" in page
    assert table["roots"][-1]["crossSigns"] is True
    bundle = x509.load_pem_x509_certificates(ask(pki, "/trust/roots.pem").body)
    assert certificate in bundle
    assert len(bundle) == 2
    assert x509.load_der_x509_certificate(ask(pki, "/trust/root3.cer").body) == certificate
    cross = x509.load_pem_x509_certificate(ask(pki, "/trust/root3-cross.pem").body)
    assert cross.public_key() == certificate.public_key()
    assert cross.issuer == bundle[1].subject
    for missing in ("/trust/root7.pem", "/trust/root0-cross.pem", "/trust/x"):
        assert ask(pki, missing).status == 404
    assert ask(pki, "/trust", method="POST").status == 405
