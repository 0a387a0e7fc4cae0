"""The way from e-mail to DNS beside its plain course: zones at providers, and a change that fails (acm.md 8.6)."""

import pytest

from doors.publics import Publics
from greatseal.domain.zones import Hosted


class Defect(Exception):
    """Something is wrong with the program, not with the request."""


class Provider:
    """A provider of DNS whose records the installation's own look finds."""

    name = "made"

    def __init__(self, records):
        self.records = records

    def upsert(self, zone, name, kind, value, ttl):
        assert (zone, kind) == ("example.com", "CNAME")
        self.records[name] = value

    def remove(self, zone, name, kind, value):
        raise AssertionError("records of a validation stay")


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Publics(storage)


def by_mail(acm, *names):
    """A certificate whose names were approved by mail."""
    arn = acm.ask(*names, method="EMAIL")
    acm.work()
    for name in names:
        assert acm.answer(*acm.mail.codes(f"admin@{name.removeprefix('*.')}")) == 200
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    return arn


def to_dns(acm, arn):
    acm.acm.update_certificate_options(CertificateArn=arn, Options={"ValidationMethod": "DNS"})


def test_hosted_zones_get_the_records_of_the_new_method(acm):
    hosted = Hosted(Provider(acm.control.cnames), ("example.com",), auto_create=True)
    acm.installation.rooms.zones.employ([], [hosted])
    arn = by_mail(acm, "a.example.com", "*.b.example.com")
    assert acm.control.cnames == {}
    to_dns(acm, arn)
    for _ in range(3):
        acm.work()
        acm.advance(minutes=1)
    assert acm.detail(arn)["UpdateSummary"]["Status"] == "SUCCESS"
    records = [each["ResourceRecord"] for each in acm.options(arn)]
    assert {each["Name"].rstrip(".") for each in records} == set(acm.control.cnames)


def test_a_change_that_cannot_be_carried_out_may_be_asked_for_again(acm, monkeypatch):
    arn = by_mail(acm, "a.example.com")

    def fail(*_):
        raise Defect

    to_dns(acm, arn)
    for entry in acm.acm.list_certificate_domain_validations(CertificateArn=arn)["DomainValidationSummaryList"]:
        challenge = entry["RequestedValidationConfiguration"]["ValidationChallenge"]
        record = challenge["DnsValidationChallenge"]["ResourceRecord"]
        acm.control.cnames[record["Name"]] = record["Value"]
    with monkeypatch.context() as patched:
        patched.setattr(acm.installation.rooms.publics.public, "_change_method", fail)
        for _ in range(13):
            assert acm.detail(arn)["UpdateSummary"]["Status"] in ("PENDING_DOMAIN_VALIDATION", "FAILED")
            acm.work()
            acm.advance(hours=2)
    assert acm.detail(arn)["UpdateSummary"]["Status"] == "FAILED"
    assert acm.options(arn)[0]["ValidationMethod"] == "EMAIL"
    to_dns(acm, arn)
    acm.work()
    assert acm.detail(arn)["UpdateSummary"]["Status"] == "SUCCESS"
    assert acm.options(arn)[0]["ValidationMethod"] == "DNS"
