"""RevokeCertificate of a certificate that a CA upstream has signed (acm.md 10.3; docs/upstream.md)."""

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import select

from doors.acm_material import Acm
from doors.pki import parse, refused
from greatseal.app.upstream import UpstreamWishes
from greatseal.domain.keys.store import compromised_key
from greatseal.domain.upstream import Problem, Wishes
from greatseal.testing import FakeClock
from made_acme import MadeCa

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


class Bench(Acm):
    """An installation whose public certificates come from a CA upstream that takes every answer."""

    def __init__(self, storage):
        clock = FakeClock()
        self.ca = MadeCa(clock, lambda *_: True)
        super().__init__(storage, clock=clock, upstream=UpstreamWishes(self.ca, Wishes(), "dns-01"))
        self.installation.rooms.zones.employ(("example.com",), [])

    def had(self):
        """A certificate that was issued and exported."""
        arn = self.acm.request_certificate(
            DomainName="www.example.com", ValidationMethod="DNS", Options={"Export": "ENABLED"}
        )["CertificateArn"]
        for each in self.detail(arn)["DomainValidationOptions"]:
            self.installation.control.cnames[each["ResourceRecord"]["Name"]] = each["ResourceRecord"]["Value"]
        self.live()
        assert self.detail(arn)["Status"] == "ISSUED"
        self.export(arn)
        return arn

    def live(self):
        for _ in range(8):
            self.work()
            self.advance(minutes=2)

    def revoke(self, arn, reason="SUPERSEDED"):
        return self.acm.revoke_certificate(CertificateArn=arn, RevocationReason=reason)

    def reasons(self):
        """What the CA was told, in order."""
        return [reason for _, reason in self.ca.revoked]

    def when(self, call, act):
        """Does something before the CA answers such a call, once."""

        def on_call(name):
            if name == call:
                self.ca.on_call = lambda _: None
                act()

        self.ca.on_call = on_call


@pytest.fixture
def acm(storage):
    return Bench(storage)


@on_both
def test_the_ca_is_told_and_the_certificate_is_revoked(acm):
    arn = acm.had()
    assert acm.revoke(arn)["CertificateArn"] == arn
    detail = acm.detail(arn)
    assert (detail["Status"], detail["RevocationReason"], detail["RevokedAt"]) == ("REVOKED", "SUPERSEDED", acm.now)
    assert acm.reasons() == [4]
    (event,) = acm.events("ACM Certificate Revoked")
    assert (event["resources"], event["detail"]["Exportable"]) == ([arn], True)
    with refused("ValidationException", "already been revoked"):
        acm.revoke(arn)
    assert acm.reasons() == [4]
    with refused("ValidationException", "not eligible"):
        acm.acm.renew_certificate(CertificateArn=arn)


def test_what_is_refused_before_the_ca_is_asked(acm):
    arn = acm.had()
    with refused("ValidationException", "cannot be used"):
        acm.revoke(arn, "CERTIFICATE_HOLD")
    assert acm.reasons() == []
    assert acm.detail(arn)["Status"] == "ISSUED"


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Problem("serverInternal", "closed today", status=500), "ConflictException"),
        (Problem("rateLimited", "not so fast", status=429), "ConflictException"),
        (Problem("unauthorized", "not yours", status=403), "ValidationException"),
    ],
)
def test_a_ca_that_does_not_revoke(acm, problem, code):
    arn = acm.had()

    def fail():
        raise problem

    acm.when("revoke", fail)
    with refused(code, problem.detail):
        acm.revoke(arn)
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert acm.events("ACM Certificate Revoked") == []
    acm.revoke(arn, "KEY_COMPROMISE")
    assert (acm.detail(arn)["Status"], acm.reasons()) == ("REVOKED", [1])


def test_the_process_ends_when_the_ca_has_revoked(acm, monkeypatch):
    arn = acm.had()
    with monkeypatch.context() as patched:

        def die(work):
            raise OSError("no space left")

        patched.setattr(acm.installation.rooms.exports._storage, "transact", die)
        with pytest.raises(ClientError):
            acm.revoke(arn)
    assert (acm.detail(arn)["Status"], acm.reasons()) == ("ISSUED", [4])
    # Whoever had no answer asks again, and the CA says that it is done.
    acm.revoke(arn)
    assert (acm.detail(arn)["Status"], acm.reasons()) == ("REVOKED", [4])
    assert len(acm.events("ACM Certificate Revoked")) == 1


def test_a_renewal_that_comes_in_between(acm):
    arn = acm.had()
    old = parse(acm.body(arn)["Certificate"])

    def renew():
        acm.acm.renew_certificate(CertificateArn=arn)
        acm.live()

    acm.when("revoke", renew)
    with refused("ConflictException", "renewed meanwhile"):
        acm.revoke(arn)
    assert parse(acm.body(arn)["Certificate"]).serial_number != old.serial_number
    assert (acm.detail(arn)["Status"], acm.reasons()) == ("ISSUED", [4])


def test_a_key_that_was_compromised_is_never_certified_again(acm):
    arn = acm.had()
    acm.revoke(arn, "KEY_COMPROMISE")
    known = acm.storage.read(lambda tx: tx.all(select(compromised_key)))
    assert len(known) == 1


def test_a_ca_that_is_not_in_the_settings_any_more(acm, storage):
    arn = acm.had()
    later = Acm(storage, clock=acm.clock)
    with refused("ValidationException", "not in the settings"):
        later.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
    assert later.detail(arn)["Status"] == "ISSUED"
    assert acm.reasons() == []
