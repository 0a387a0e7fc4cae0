"""Jobs that run twice, die halfway, or find the world changed: one request, one certificate, one key."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from sqlalchemy import func, select

from doors.acm_material import Acm
from doors.pki import parse, refused
from greatseal.kernel.errors import InProgress
from greatseal.storage.schema import job as jobs


class Crash(Exception):
    """The process died here."""


class Interrupted:
    """A Storage whose next write does something else first, once."""

    def __init__(self, storage, act):
        self._storage = storage
        self._act = act

    def read(self, work):
        return self._storage.read(work)

    def transact(self, work):
        act, self._act = self._act, None
        if act is not None:
            act()
        return self._storage.transact(work)


def crash():
    raise Crash


@pytest.fixture
def acm(storage):
    return Acm(storage)


def before_taking(acm, act):
    """Does `act` when the CA has issued and the certificate is about to be taken."""
    requests = acm.installation.rooms.requests
    requests._storage = Interrupted(acm.storage, act)


def before_signing(acm, monkeypatch, act):
    """Does `act` once, after the journal row was committed and before its signature."""
    issuance = acm.installation.rooms.issuance
    sign = issuance.sign

    def interrupted(prepared):
        monkeypatch.setattr(issuance, "sign", sign)
        act()
        return sign(prepared)

    monkeypatch.setattr(issuance, "sign", interrupted)


def before_asking(acm, monkeypatch, act):
    """Does `act` once, when the job has looked at the certificate and not yet asked the CA."""
    issuing = acm.installation.rooms.requests._issuing
    issue = issuing.issue

    def interrupted(*arguments, **more):
        monkeypatch.setattr(issuing, "issue", issue)
        act()
        return issue(*arguments, **more)

    monkeypatch.setattr(issuing, "issue", interrupted)


def payloads(acm):
    query = select(jobs.c.payload).where(jobs.c.kind == "certificate-issue")
    return [row.payload for row in acm.storage.read(lambda tx: tx.all(query))]


def waiting_jobs(acm):
    return acm.storage.read(lambda tx: int(tx.one(select(func.count()).select_from(jobs))[0]))


def finish(acm):
    """What happens in the hours after a failure: open issuances are finished, jobs are tried again."""
    for _ in range(3):
        acm.advance(minutes=30)
        acm.installation.rooms.issuance.finish_open()
        acm.work()
    assert waiting_jobs(acm) == 0


def check_pair(acm, arn):
    """The stored key is that of the certificate."""
    answer = acm.export(arn)
    key = serialization.load_pem_private_key(answer["PrivateKey"].encode(), b"open sesame")
    assert key.public_key() == parse(answer["Certificate"]).public_key()


def test_a_job_that_runs_again_changes_nothing(acm):
    ca = acm.root()
    base = acm.issued_count()
    arn = acm.request(ca)
    (payload,) = payloads(acm)
    carry_out = acm.installation.rooms.requests.carry_out
    carry_out(payload)
    once = acm.detail(arn), acm.body(arn)
    acm.advance(minutes=1)
    carry_out(payload)
    acm.work()
    assert (acm.detail(arn), acm.body(arn)) == once
    assert acm.issued_count() == base + 1
    assert len(acm.events("ACM Certificate Available")) == 1


def test_two_workers_with_the_same_job(acm):
    ca = acm.root()
    base = acm.issued_count()
    arns = [acm.request(ca, f"n{number}.example.com") for number in range(4)]

    def carry_out(payload):
        try:
            acm.installation.rooms.requests.carry_out(payload)
        except (InProgress, LookupError):
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(carry_out, [each for payload in payloads(acm) for each in (payload, payload)]))
    finish(acm)
    assert {acm.detail(arn)["Status"] for arn in arns} == {"ISSUED"}
    assert acm.issued_count() == base + 4
    assert acm.key_count() == 4
    assert len(acm.events("ACM Certificate Available")) == 4


def test_a_crash_before_the_certificate_was_taken(acm):
    ca = acm.root()
    base = acm.issued_count()
    arn = acm.request(ca)
    before_taking(acm, crash)
    acm.work()
    assert acm.issued_count() == base + 1
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    finish(acm)
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert acm.issued_count() == base + 1
    assert len(acm.events("ACM Certificate Available")) == 1
    check_pair(acm, arn)


def test_a_crash_before_the_signature(acm, monkeypatch):
    ca = acm.root()
    base = acm.issued_count()
    arn = acm.request(ca)
    before_signing(acm, monkeypatch, crash)
    acm.work()
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    finish(acm)
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert acm.issued_count() == base + 1
    check_pair(acm, arn)


def test_a_renewal_that_crashes(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    old, base = acm.detail(arn), acm.issued_count()
    acm.acm.renew_certificate(CertificateArn=arn)
    before_taking(acm, crash)
    acm.work()
    assert acm.detail(arn)["Serial"] == old["Serial"]
    assert acm.export(arn)["PrivateKey"]
    finish(acm)
    assert acm.detail(arn)["Serial"] != old["Serial"]
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert acm.issued_count() == base + 1
    assert acm.key_count() == 1


def test_a_failure_that_crashes_is_noted_later(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    arn = acm.request(ca)
    before_taking(acm, crash)
    acm.work()
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    finish(acm)
    assert acm.detail(arn)["FailureReason"] == "PCA_INVALID_STATE"
    assert acm.key_count() == 0


def gone(acm, arn):
    with refused("ResourceNotFoundException", arn):
        acm.detail(arn)
    assert acm.key_count() == 0
    assert waiting_jobs(acm) == 0
    assert acm.acm.search_certificates()["Results"] == []


def test_a_deletion_before_the_job(acm):
    arn = acm.request(acm.root())
    acm.acm.delete_certificate(CertificateArn=arn)
    with acm.nothing_issued():
        finish(acm)
    gone(acm, arn)


@pytest.mark.parametrize("renewal", [False, True])
def test_a_deletion_while_the_ca_issues(acm, renewal):
    ca = acm.root()
    acm.permit(ca)
    if renewal:
        arn = acm.exported(ca)
        acm.acm.renew_certificate(CertificateArn=arn)
    else:
        arn = acm.request(ca)
    events = len(acm.events("ACM Certificate Available"))
    before_taking(acm, lambda: acm.acm.delete_certificate(CertificateArn=arn))
    finish(acm)
    gone(acm, arn)
    assert len(acm.events("ACM Certificate Available")) == events


def test_a_deletion_while_the_job_starts(acm, monkeypatch):
    arn = acm.request(acm.root())
    before_asking(acm, monkeypatch, lambda: acm.acm.delete_certificate(CertificateArn=arn))
    with acm.nothing_issued():
        finish(acm)
    gone(acm, arn)


@pytest.mark.parametrize("moment", ["before the job", "while the CA issues"])
def test_a_revocation_ends_the_renewal(acm, moment):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    old = acm.detail(arn)
    acm.acm.renew_certificate(CertificateArn=arn)

    def revoke():
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="KEY_COMPROMISE")
        rooms = acm.installation.rooms
        issued = f"{ca}/certificate/{int(old['Serial'].replace(':', ''), 16):032x}"
        acm.storage.transact(lambda tx: rooms.inventory.take_revocation(tx, issued))

    if moment == "before the job":
        revoke()
        with acm.nothing_issued():
            finish(acm)
    else:
        before_taking(acm, revoke)
        finish(acm)
    detail = acm.detail(arn)
    assert (detail["Status"], detail["RevocationReason"]) == ("REVOKED", "KEY_COMPROMISE")
    assert detail["Serial"] == old["Serial"]
    assert detail["RenewalSummary"]["RenewalStatus"] == "FAILED"
    assert acm.key_count() == 1


def test_two_renewals_at_once(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    base = acm.issued_count()

    def renew(_):
        try:
            acm.acm.renew_certificate(CertificateArn=arn)
        except acm.acm.exceptions.RequestInProgressException:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(renew, range(4))) == 1
    finish(acm)
    assert acm.issued_count() == base + 1
    assert acm.key_count() == 1


def test_the_same_token_from_many_threads(acm):
    ca = acm.root()

    def request(_):
        return acm.request(ca, IdempotencyToken="once")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(request, range(8)))) == 1
    assert acm.key_count() == 1
    finish(acm)
    assert len(acm.acm.search_certificates()["Results"]) == 1
