"""The events of public certificates: exactly the columns of acm.md 11, with the values of its samples."""

from datetime import UTC, datetime, timedelta

import pytest

from doors.pki import refused
from doors.publics import Publics
from doors.renewals import LISTENER, associate, dissociate
from greatseal.testing import FakeClock

SOON, ENDED = "ACM Certificate Approaching Expiration", "ACM Certificate Expired"
AVAILABLE, REVOKED = "ACM Certificate Available", "ACM Certificate Revoked"
COMMON = {
    "CommonName": "example.com",
    "FirstSubjectAlternativeName": "example.com",
    "ValidityInDays": 198,
    "CertificateKeyPairOrigin": "AWS_MANAGED",
}
ABOUT = COMMON | {"CertificateType": "AMAZON_ISSUED", "CertificateExpirationDate": "2027-04-15T23:59:59Z"}


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    # The moment of the reference's sample.
    return Publics(storage, clock=FakeClock(datetime(2026, 9, 30, 6, 51, 8, tzinfo=UTC)))


def only(acm, kind):
    (event,) = acm.events(kind)
    assert (event["source"], event["region"], event["account"]) == ("aws.acm", "us-east-1", "111122223333")
    return event["detail"]


def test_issuance(acm):
    acm.had("example.com")
    assert only(acm, AVAILABLE) == ABOUT | {
        "Action": "ISSUANCE",
        "DomainValidationMethod": "DNS",
        "CertificateCreatedDate": "2026-09-30T06:51:08Z",
        "DaysToExpiry": 198,
        "InUse": False,
        "Exported": False,
        # Subscribers filter on it; the real service has it in `Revoked` only.
        "Exportable": False,
    }


def test_the_end(acm):
    arn = acm.had("example.com")
    end = acm.detail(arn)["NotAfter"]
    acm.clock.at = end - timedelta(days=3, minutes=5)
    sweep = acm.installation.rooms.watching.expiry.sweep
    sweep()
    assert only(acm, SOON) == COMMON | {"DaysToExpiry": 3}
    acm.clock.at = end + timedelta(minutes=5)
    sweep()
    sweep()
    assert only(acm, ENDED) == ABOUT | {
        "DomainValidationMethod": "DNS",
        "CertificateCreatedDate": "2026-09-30T06:51:08Z",
        "InUse": False,
        "Exported": False,
    }


def test_revocation(acm):
    arn = acm.had("example.com", Options={"Export": "ENABLED"})
    acm.export(arn)
    acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="CESSATION_OF_OPERATION")
    acm.work()
    assert only(acm, REVOKED) == ABOUT | {"Exportable": True}


def test_nothing_is_told_of_requests_that_fail(acm):
    acm.ask("host.corp.internal")
    timed_out = acm.ask("never.example.com")
    acm.work()
    acm.advance(hours=73)
    acm.work()
    assert acm.detail(timed_out)["Status"] == "VALIDATION_TIMED_OUT"
    assert acm.events(AVAILABLE, SOON, ENDED, REVOKED) == []


def test_what_is_in_use_is_neither_deleted_nor_revoked(acm):
    arn = acm.had("example.com", Options={"Export": "ENABLED"})
    acm.export(arn)
    associate(acm, arn)
    assert acm.detail(arn)["InUseBy"] == [LISTENER]
    in_use = f"Certificate {arn} in account 111122223333 is in use."
    with refused("ResourceInUseException", in_use):
        acm.acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceInUseException", in_use):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
    assert acm.detail(arn)["Status"] == "ISSUED"
    dissociate(acm, arn)
    acm.acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException", arn):
        acm.acm.delete_certificate(CertificateArn=arn)
