"""Responders: made when they are needed, rotated by the clock, replaced when revoked, and never signed for twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import structlog
from cryptography import x509
from cryptography.x509 import ocsp
from sqlalchemy import select

from doors.ocsp_client import ENABLED, Door, ca_certificate, request, verify
from doors.pki import Pki, days
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.keys import Purpose
from greatseal.domain.keys.store import key
from greatseal.domain.revocation.ocsp.store import ocsp_responder
from greatseal.storage import open_storage
from greatseal.testing import FakeEntropy
from greatseal.testing.faults import FaultyStorage, TamperedSigner
from greatseal.x509.certificate import Certificate, verify_signature

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
TEMPLATE = "arn:aws:acm-pca:::template/OCSPSigningCertificate/V1"


class Asked:
    """A CA with OCSP, a certificate of it, and the responder that signs for it."""

    def __init__(self, pki: Pki, **options) -> None:
        self.pki = pki
        self.door = Door(pki)
        self.arn = pki.create(RevocationConfiguration=ENABLED)
        pki.install_root(self.arn, **options)
        self.root = ca_certificate(pki, self.arn)
        self.leaf = pki.certificate(self.arn, valid=days(5))

    @property
    def responder(self) -> x509.Certificate:
        (certificate,) = self.door.ask(request(self.leaf, self.root, nonce=b"fresh"), self.root).certificates
        return certificate


def responder_rows(storage):
    return storage.read(lambda tx: tx.all(select(ocsp_responder).order_by(ocsp_responder.c.number)))


def keys_of_responders(storage):
    return {row.id for row in storage.read(lambda tx: tx.all(select(key).where(key.c.purpose == Purpose.OCSP.value)))}


def journal_of_responders(storage):
    query = select(issued_certificate).where(issued_certificate.c.template_arn == TEMPLATE)
    return storage.read(lambda tx: tx.all(query))


@pytest.fixture
def asked(storage):
    return Asked(Pki(storage))


@sqlite
def test_what_a_responder_is(asked):
    found = asked.responder
    assert found.issuer == asked.root.subject
    assert found.subject.rfc4514_string() == "CN=OCSP responder,O=Example,C=NL"
    assert found.not_valid_after_utc == asked.pki.now + timedelta(days=7)
    assert found.not_valid_before_utc == max(asked.pki.now - timedelta(hours=1), asked.root.not_valid_before_utc)
    usage = found.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    (row,) = journal_of_responders(asked.pki.storage)
    assert (row.state, row.serial) == ("ISSUED", f"{found.serial_number:032x}")
    # It is a certificate of the CA like any other, also for OCSP and for the audit trail.
    assert asked.door.status(found, asked.root) == "GOOD"
    trail = asked.pki.storage.read(lambda tx: asked.pki.installation.rooms.audit.recent(tx, "111122223333", 50))
    (record,) = [each for each in trail if each.operation == "greatseal:IssueOcspResponder"]
    assert record.resources == (asked.arn, row.arn)
    assert record.service_principal == "greatseal"


def test_rotation_by_the_clock(asked):
    pki, storage = asked.pki, asked.pki.storage
    pki.installation.rooms.ocsp_responders.rotate()
    first = asked.responder
    seen = {first.serial_number}
    for hour in range(24 * 30):
        pki.clock.advance(timedelta(hours=1))
        if hour % 12 == 0:
            pki.installation.rooms.ocsp_responders.rotate()
            now = asked.responder
            seen.add(now.serial_number)
            # There is always time left for those who keep an answer for a day.
            assert now.not_valid_after_utc - pki.now >= timedelta(days=2, hours=12)
    assert len(seen) == 7
    assert len(responder_rows(storage)) == len(keys_of_responders(storage)) <= 2, "the keys of the expired are gone"
    assert len(journal_of_responders(storage)) == 7, "and what they were stays known"


@sqlite
def test_the_clock_makes_responders_before_anybody_asks(asked):
    assert keys_of_responders(asked.pki.storage) == set()
    asked.pki.installation.rooms.ocsp_responders.rotate()
    assert len(keys_of_responders(asked.pki.storage)) == 1
    asked.pki.installation.rooms.ocsp_responders.rotate()
    assert len(keys_of_responders(asked.pki.storage)) == 1
    without = asked.pki.root(IdempotencyToken="without")
    asked.pki.installation.rooms.ocsp_responders.rotate()
    assert {row.authority_id for row in responder_rows(asked.pki.storage)} == {asked.arn.rpartition("/")[2]}
    assert without


@sqlite
def test_a_responder_ends_with_its_ca(storage):
    asked = Asked(Pki(storage), valid=days(8))
    assert asked.responder.not_valid_after_utc == asked.pki.now + timedelta(days=7)
    asked.pki.clock.advance(timedelta(days=5))
    asked.pki.installation.rooms.ocsp_responders.rotate()
    last = asked.responder
    assert last.not_valid_after_utc == asked.root.not_valid_after_utc
    asked.pki.clock.advance(timedelta(days=2, hours=20))
    asked.pki.installation.rooms.ocsp_responders.rotate()
    assert asked.responder == last
    answer = asked.door.ask(request(asked.leaf, asked.root), asked.root)
    assert answer.next_update_utc == asked.root.not_valid_after_utc


@sqlite
def test_a_revoked_responder_is_replaced_at_once(asked):
    first = asked.responder
    asked.pki.pca.revoke_certificate(
        CertificateAuthorityArn=asked.arn,
        CertificateSerial=f"{first.serial_number:x}",
        RevocationReason="KEY_COMPROMISE",
    )
    second = asked.responder
    assert second != first
    assert asked.door.status(first, asked.root) == "REVOKED"


@sqlite
def test_a_new_ca_certificate_brings_a_new_responder(asked):
    first = asked.responder
    asked.pki.clock.advance(timedelta(hours=1))
    asked.pki.install_root(asked.arn)
    asked.pki.installation.rooms.ocsp_responders.rotate()
    assert asked.responder != first
    assert asked.door.status(asked.leaf, ca_certificate(asked.pki, asked.arn)) == "GOOD"


@sqlite
def test_a_ca_key_that_cannot_sign_is_left_alone_for_a_minute(asked, monkeypatch):
    pki = asked.pki
    keys = pki.installation.rooms.keys
    signer_of = keys.signer
    monkeypatch.setattr(keys, "signer", lambda key_id: TamperedSigner(signer_of(key_id), lambda signed: b"nonsense"))
    body = request(asked.leaf, asked.root)
    assert asked.door.error(body) == asked.door.error(body) == "TRY_LATER"
    assert [row.state for row in journal_of_responders(pki.storage)] == ["FAILED"]
    monkeypatch.setattr(keys, "signer", signer_of)
    assert asked.door.error(body) == "TRY_LATER"
    pki.clock.advance(timedelta(minutes=1))
    assert asked.door.status(asked.leaf, asked.root) == "GOOD"
    assert sorted(row.state for row in journal_of_responders(pki.storage)) == ["FAILED", "ISSUED"]


@sqlite
def test_many_first_questions_make_one_responder(asked):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: asked.responder.serial_number, range(24)))
    assert len(set(answers)) == len(responder_rows(asked.pki.storage)) == 1


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_two_nodes_make_one_responder(storage_url):
    nodes = [Pki(open_storage(storage_url), entropy=FakeEntropy(seed)) for seed in ("one", "two")]
    try:
        asked = Asked(nodes[0])
        doors = [Door(node) for node in nodes] * 8
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda door: door.post(request(asked.leaf, asked.root)), doors))
        parsed = [ocsp.load_der_ocsp_response(each.body) for each in answers]
        # The node that came second says so, rather than wait for the first one.
        assert {each.response_status.name for each in parsed} <= {"SUCCESSFUL", "TRY_LATER"}
        signed = [each for each in parsed if each.response_status.name == "SUCCESSFUL"]
        assert len({verify(each, asked.root, asked.pki.now).serial_number for each in signed}) == 1
        assert len(responder_rows(nodes[0].storage)) == 1
    finally:
        for node in nodes:
            node.storage.close()


@pytest.fixture
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@sqlite
@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_every_call_of_the_database_fails_once(storage_url, applied):
    """As if the process had died there: what is open is finished by recovery, and no serial is signed twice."""
    faulty = FaultyStorage(storage_url)
    pki = Pki(faulty)
    reached = 0
    for at in range(1, 30):
        asked = Asked(pki)
        pki.installation.rooms.keys._signer.cache_clear()
        faulty.fail(at=at, applied=applied)
        first = ocsp.load_der_ocsp_response(asked.door.post(request(asked.leaf, asked.root)).body)
        assert first.response_status.name in ("SUCCESSFUL", "TRY_LATER")
        if not faulty.failed:
            break
        reached += 1
        faulty.heal()
        pki.clock.advance(timedelta(minutes=1))
        pki.installation.rooms.issuance.finish_open()
        assert asked.door.status(asked.leaf, asked.root) == "GOOD"
    faulty.heal()
    assert reached >= 8
    rows = journal_of_responders(faulty)
    assert {row.state for row in rows} == {"ISSUED"}
    assert len(rows) == len(responder_rows(faulty)) == reached + 1
    issuers = {
        row.authority_id: Certificate.parse(row.certificate)
        for row in faulty.read(lambda tx: tx.all(select(issued_certificate)))
        if row.issuer_certificate_id is None
    }
    for row in rows:
        assert Certificate.parse(row.certificate).tbs == row.tbs
        assert verify_signature(Certificate.parse(row.certificate), issuers[row.authority_id].spki)
    faulty.close()
