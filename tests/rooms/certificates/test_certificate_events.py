"""The events of certificates, member by member (acm.md 11; Exportable as DESIGN section 5 has it)."""

import re

import pytest
from cryptography.x509.oid import NameOID

from doors.acm_material import Acm, distinguished, make

AVAILABLE, REVOKED = "ACM Certificate Available", "ACM Certificate Revoked"


@pytest.fixture
def database_kind():
    """The outbox has tests of its own on every database."""
    return "sqlite"


@pytest.fixture
def acm(storage):
    return Acm(storage)


def only(acm, detail_type, arn, count=1):
    """The last event; the envelope is checked here."""
    events = acm.events(detail_type)
    assert len(events) == count
    event = events[-1]
    detail = event.pop("detail")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event.pop("id"))
    assert event == {
        "version": "0",
        "detail-type": detail_type,
        "source": "aws.acm",
        "account": "111122223333",
        "time": acm.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [arn],
    }
    return detail


ISSUANCE = {
    "Action": "ISSUANCE",
    "CertificateType": "PRIVATE",
    "CommonName": "app.example.com",
    "FirstSubjectAlternativeName": "app.example.com",
    "ValidityInDays": 396,
    "CertificateKeyPairOrigin": "AWS_MANAGED",
    "CertificateCreatedDate": "2026-01-15T12:00:00Z",
    "CertificateExpirationDate": "2027-02-15T12:00:00Z",
    "DaysToExpiry": 396,
    "InUse": False,
    "Exported": False,
    "Exportable": True,
}
IMPORT = {
    "Action": "IMPORT",
    "CertificateType": "IMPORTED",
    "CommonName": "www.example.com",
    "FirstSubjectAlternativeName": "b.example.com",
    "ValidityInDays": 366,
    "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED",
    "CertificateCreatedDate": "2026-01-15T12:00:00Z",
    "CertificateExpirationDate": "2027-01-15T12:00:00Z",
    "DaysToExpiry": 365,
    "InUse": False,
    "Exported": False,
    "Exportable": False,
}


def test_issuance_and_renewal(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.request(ca)
    assert acm.events(AVAILABLE) == []
    acm.work()
    detail = only(acm, AVAILABLE, arn)
    assert detail == ISSUANCE
    # 1 would be equal to True, and a rule that filters on a boolean would not match it.
    assert all(type(detail[name]) is bool for name in ("InUse", "Exported", "Exportable"))
    acm.export(arn)
    acm.advance(days=10)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    assert only(acm, AVAILABLE, arn, 2) == ISSUANCE | {
        "Action": "RENEWAL",
        "CertificateExpirationDate": "2027-02-25T12:00:00Z",
        "Exported": True,
    }


def test_import_and_reimport(acm):
    made = make("www.example.com", ["b.example.com", "www.example.com"])
    arn = acm.take(made)
    detail = only(acm, AVAILABLE, arn)
    assert detail == IMPORT
    assert type(detail["Exportable"]) is bool
    acm.advance(days=5)
    acm.take(made, CertificateArn=arn)
    assert only(acm, AVAILABLE, arn, 2) == IMPORT | {"Action": "REIMPORT", "DaysToExpiry": 360}


def test_an_import_without_any_name(acm):
    arn = acm.take(make(None, subject=distinguished((NameOID.COUNTRY_NAME, "NL"))))
    expected = IMPORT | {"CommonName": ""}
    del expected["FirstSubjectAlternativeName"]
    assert only(acm, AVAILABLE, arn) == expected


@pytest.mark.parametrize("at", ["acm", "acm-pca"])
def test_revocation(acm, at):
    ca = acm.root()
    arn = acm.exported(ca, SubjectAlternativeNames=["b.example.com"])
    acm.advance(days=2)
    if at == "acm":
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
    else:
        acm.pca.revoke_certificate(
            CertificateAuthorityArn=ca, CertificateSerial=acm.detail(arn)["Serial"], RevocationReason="SUPERSEDED"
        )
    acm.work()
    acm.work()
    detail = only(acm, REVOKED, arn)
    assert detail == {
        "CertificateType": "PRIVATE",
        "CommonName": "app.example.com",
        "FirstSubjectAlternativeName": "app.example.com",
        "ValidityInDays": 396,
        "CertificateKeyPairOrigin": "AWS_MANAGED",
        "CertificateExpirationDate": "2027-02-15T12:00:00Z",
        "Exportable": True,
    }
    assert type(detail["Exportable"]) is bool


def test_nothing_is_told_of_failures_and_deletions(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    failed = acm.request(ca)
    acm.work()
    acm.acm.delete_certificate(CertificateArn=failed)
    assert acm.events(AVAILABLE, REVOKED) == []
