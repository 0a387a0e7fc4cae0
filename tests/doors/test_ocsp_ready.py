"""Answers that are given again without asking the database: for how long, to whom, and how many are kept."""

import base64
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography.x509 import ocsp
from prometheus_client import CollectorRegistry

from doors.ocsp_client import ENABLED, Door, authority_id, ca_certificate, request
from doors.pki import Pki
from greatseal.domain.revocation.ocsp import Memory
from greatseal.domain.revocation.ocsp.looks import LOOK_AGAIN_AFTER, TRUSTED_FOR
from greatseal.edge import EdgeMetrics, Mount, Mounts
from greatseal.edge.express import Express
from greatseal.storage import open_storage
from greatseal.testing import FakeEntropy

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
BOTH_LIMITS = TRUSTED_FOR + timedelta(milliseconds=1)


def path_of(question, authority=None, *, safe=""):
    prefix = "/ocsp/" if authority is None else f"/ocsp/{authority}/"
    return (prefix + quote(base64.b64encode(question).decode(), safe=safe)).encode()


class Asked:
    """A certificate, and the path that asks about it, at one node."""

    def __init__(self, pki, arn, leaf):
        self.pki = pki
        self.door = Door(pki)
        self.leaf, self.root = leaf, ca_certificate(pki, arn)
        self.path = path_of(request(leaf, self.root), authority_id(arn))

    def get(self):
        """By the way of every request."""
        return self.status(self.door.send("GET", self.path.decode()).body)

    def ready(self):
        """Past the database; None when there is nothing ready."""
        sent = self.door.answers.ready(self.path)
        return None if sent is None else self.status(sent.partition(b"\r\n\r\n")[2])

    def status(self, der):
        answer = ocsp.load_der_ocsp_response(der)
        assert answer.serial_number == self.leaf.serial_number
        return answer.certificate_status.name


def revoke(pki, arn, leaf):
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=arn, CertificateSerial=f"{leaf.serial_number:x}", RevocationReason="UNSPECIFIED"
    )


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def arn(pki):
    return pki.root(RevocationConfiguration=ENABLED)


@pytest.fixture
def asked(pki, arn):
    made = Asked(pki, arn, pki.certificate(arn))
    assert made.ready() is None
    assert made.get() == "GOOD"
    assert made.ready() is None, "there was no look at the CA yet"
    assert made.get() == "GOOD"
    return made


@sqlite
def test_what_is_ready_is_what_everybody_gets(pki, asked):
    response = asked.door.send("GET", asked.path.decode())
    head, _, body = asked.door.answers.ready(asked.path).partition(b"\r\n\r\n")
    fields = [tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")]
    assert body == response.body
    assert fields == [*response.headers, (b"content-length", b"%d" % len(body))]


@sqlite
def test_a_revocation_here_is_in_the_next_answer(pki, arn, asked):
    assert asked.ready() == "GOOD"
    revoke(pki, arn, asked.leaf)
    assert asked.ready() is None
    assert asked.get() == "REVOKED"
    asked.get()
    assert asked.ready() == "REVOKED"


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_revocation_on_another_node_shows_within_a_second(storage_url, storage):
    one, two = (Pki(open_storage(storage_url), entropy=FakeEntropy(seed)) for seed in ("one", "two"))
    try:
        arn = one.root(RevocationConfiguration=ENABLED)
        leaf, other = one.certificate(arn), one.certificate(arn)
        there, beside = Asked(two, arn, leaf), Asked(two, arn, other)
        for each in (there, there, beside, beside):
            assert each.get() == "GOOD"
        revoke(one, arn, leaf)
        # It may show old answers for as long as it says, and not for longer.
        assert there.ready() == "GOOD"
        two.clock.advance(BOTH_LIMITS)
        assert there.ready() is None
        assert there.get() == "REVOKED"
        assert beside.get() == beside.ready() == "GOOD"
        assert timedelta(seconds=1) > TRUSTED_FOR
    finally:
        one.storage.close()
        two.storage.close()


@sqlite
def test_one_caller_looks_again_while_the_others_go_on(pki, asked):
    pki.clock.advance(LOOK_AGAIN_AFTER + timedelta(milliseconds=1))
    assert [asked.ready() for _ in range(4)] == [None, "GOOD", "GOOD", "GOOD"]
    assert asked.get() == "GOOD"
    pki.clock.advance(LOOK_AGAIN_AFTER)
    assert asked.ready() == "GOOD"
    pki.clock.advance(BOTH_LIMITS)
    assert [asked.ready() for _ in range(2)] == [None, None]


@sqlite
def test_a_clock_that_is_set_back_makes_every_look_stale(pki, asked):
    pki.clock.advance(timedelta(milliseconds=-1))
    assert asked.ready() is None
    pki.clock.advance(timedelta(hours=-1))
    answer = ocsp.load_der_ocsp_response(asked.door.send("GET", asked.path.decode()).body)
    assert answer.this_update_utc <= pki.now


@sqlite
def test_a_ca_that_stops_answering_and_an_hour_that_is_over(pki, arn, asked):
    pki.clock.advance(timedelta(minutes=61))
    assert asked.ready() is None
    first = ocsp.load_der_ocsp_response(asked.door.send("GET", asked.path.decode()).body)
    assert first.this_update_utc == pki.now.replace(microsecond=0)
    asked.get()
    assert asked.ready() == "GOOD"
    pki.pca.update_certificate_authority(
        CertificateAuthorityArn=arn, RevocationConfiguration={"OcspConfiguration": {"Enabled": False}}
    )
    assert asked.ready() is None
    refused = ocsp.load_der_ocsp_response(asked.door.send("GET", asked.path.decode()).body)
    assert refused.response_status.name == "UNAUTHORIZED"


@sqlite
def test_nothing_is_ready_for_nonces_unknown_serials_and_odd_spellings(pki, arn, asked):
    nonce = request(asked.leaf, asked.root, nonce=bytes(32))
    unknown = request(asked.leaf.serial_number + 1, asked.root)
    double = asked.path.replace(b"/ocsp/", b"/ocsp//")
    odd = path_of(request(asked.leaf, asked.root), authority_id(arn)) + b"%0A"
    half = asked.path.replace(b"M", b"%4D")
    for path in (path_of(nonce), path_of(unknown), double, odd, half):
        for _ in range(3):
            assert asked.door.send("GET", path.decode()).status == 200
        assert asked.door.answers.ready(path) is None, path
    spelled = path_of(request(asked.leaf, asked.root), safe="/+=")
    for _ in range(2):
        asked.door.send("GET", spelled.decode())
    assert asked.door.answers.ready(spelled) is not None


@sqlite
def test_the_express_lane_takes_plain_requests_only(pki, asked):
    mounts = Mounts([Mount("/ocsp", "ocsp", asked.door.handle, ready=asked.door.answers.ready)])
    registry = CollectorRegistry()
    express = Express(mounts, EdgeMetrics(registry))

    def ask(line=b"GET %b HTTP/1.1", *fields):
        return express.answer(b"\r\n".join((line.replace(b"%b", asked.path), b"Host: a", *fields, b"", b"")))

    answer, ends = ask()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/ocsp-response\r\n")
    assert not ends
    for closing in (ask(b"GET %b HTTP/1.0"), ask(b"GET %b HTTP/1.1", b"Connection: CLOSE")):
        assert closing == (answer.replace(b"OK\r\n", b"OK\r\nconnection: close\r\n", 1), True)
    assert ask(b"GET %b HTTP/1.1", b"Accept: */*", b"User-Agent: x", b"connection: keep-alive") == (answer, False)
    labels = {"door": "ocsp", "operation": "successful", "status": "200"}
    assert registry.get_sample_value("greatseal_http_requests_total", labels) == 4
    for line in (b"HEAD %b HTTP/1.1", b"GET %b HTTP/2.0", b"GET  %b HTTP/1.1", b"GET %b?a HTTP/1.1"):
        assert ask(line) is None, line
    for field in (
        b"Host: b",
        b"Content-Length: 0",
        b"Transfer-Encoding: chunked",
        b"If-None-Match: *",
        b"Expect: 100-continue",
        b"Connection: upgrade",
        b"Bad Name: x",
        b"Name : x",
        b" folded",
        b"X: \x80",
        b"X: a\rb",
        b"X: a\nb",
        b"X: " + b"a" * 5000,
        b"\r\nGET / HTTP/1.1",
    ):
        assert ask(b"GET %b HTTP/1.1", field) is None, field
    assert express.answer(b"GET %b HTTP/1.1\r\n\r\n" % asked.path) is None, "no Host"
    assert express.answer(b"GET %b HTTP/1.1\r\nHost: a\r\n" % asked.path) is None, "not all there"


def test_who_asks_for_everything_once_drives_out_nothing_that_is_asked_for_again():
    memory = Memory(100 * 2048)
    for number in range(50):
        memory.put(number, str(number), 1024)
        assert memory.get(number) == str(number)
    for number in range(1000, 11000):
        memory.put(number, "once", 1024)
    assert [memory.get(number) for number in range(50)] == [str(number) for number in range(50)]
    assert len(memory) <= 100
    for number in range(20000, 20200):
        memory.put(number, "twice", 1024)
        memory.get(number)
    assert len(memory) <= 100
    memory.put("large", "x", 1 << 20)
    assert memory.get("large") is None
    assert 0 < len(memory) <= 100
    memory.put("a", "1", 10)
    memory.put("a", "2", 20)
    assert memory.get("a") == "2"
    memory.remove("a")
    assert memory.get("a") is None
