"""Private requests that fail later: each reason that the CA can give (acm.md 6.2, workflows.md 23)."""

import pytest

from doors.acm_material import Acm
from doors.pki import days, refused

ACCOUNT = "111122223333"
UNKNOWN = "certificate-authority/11111111-2222-4333-8444-555555555555"
# Permitted .dev, .prod and .test.example.com, excluded .prod.dev.example.com (workflows.md 23).
CONSTRAINTS = (
    "MFugPjASghAuZGV2LmV4YW1wbGUuY29tMBOCES5wcm9kLmV4YW1wbGUuY29tMBOCES50ZXN0LmV4YW1wbGUuY29t"
    "oRkwF4IVLnByb2QuZGV2LmV4YW1wbGUuY29t"
)


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


def failure(acm, arn):
    """The reason, once everything else about a failed request was checked."""
    acm.work()
    detail = acm.detail(arn)
    assert detail["Status"] == "FAILED"
    assert not {"Serial", "NotBefore", "NotAfter", "IssuedAt", "Issuer", "RenewalSummary"} & set(detail)
    assert {each["ValidationStatus"] for each in detail["DomainValidationOptions"]} == {"FAILED"}
    assert detail["RenewalEligibility"] == "INELIGIBLE"
    # Its key is of no use to anybody any more.
    assert acm.key_count() == 0
    with refused("RequestInProgressException"):
        acm.acm.get_certificate(CertificateArn=arn)
    with refused("RequestInProgressException"):
        acm.export(arn)
    with refused("ValidationException"):
        acm.acm.renew_certificate(CertificateArn=arn)
    with refused("ValidationException"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="UNSPECIFIED")
    assert acm.arns(CertificateStatuses=["FAILED"], Includes={"keyTypes": ["EC_prime256v1"]}) == [arn]
    assert acm.events("ACM Certificate Available") == []
    acm.acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException"):
        acm.detail(arn)
    return detail["FailureReason"]


def test_name_constraints(acm):
    extension = {"ObjectIdentifier": "2.5.29.30", "Value": CONSTRAINTS, "Critical": True}
    ca = acm.subordinate(
        acm.root(),
        using="SubordinateCACertificate_PathLen0_APIPassthrough",
        passthrough={"Extensions": {"CustomExtensions": [extension]}},
    )
    for name in ("app.prod.dev.example.com", "www.example.org", "*.prod.dev.example.com"):
        with acm.nothing_issued():
            assert failure(acm, acm.request(ca, name)) == "PCA_NAME_CONSTRAINTS_VALIDATION"
    with acm.nothing_issued():
        arn = acm.request(ca, "app.dev.example.com", SubjectAlternativeNames=["www.example.org"])
        assert failure(acm, arn) == "PCA_NAME_CONSTRAINTS_VALIDATION"
    acm.issued(ca, "app.dev.example.com")
    acm.issued(ca, "*.test.example.com")


def test_a_disabled_ca(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    assert failure(acm, acm.request(ca)) == "PCA_INVALID_STATE"


def test_a_deleted_ca(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    acm.delete(ca)
    assert failure(acm, acm.request(ca)) == "PCA_INVALID_STATE"
    acm.advance(days=8)
    assert failure(acm, acm.request(ca)) == "PCA_RESOURCE_NOT_FOUND"


def test_a_ca_that_waits_for_its_certificate(acm):
    assert failure(acm, acm.request(acm.create())) == "PCA_INVALID_STATE"


def test_an_expired_ca(acm):
    ca = acm.root(valid=days(30))
    acm.advance(days=31)
    assert failure(acm, acm.request(ca)) == "PCA_INVALID_STATE"


def test_a_ca_with_less_than_thirteen_months_left(acm):
    assert failure(acm, acm.request(acm.root(valid=days(390)))) == "PCA_INVALID_DURATION"
    acm.issued(acm.root(valid=days(400)))


def test_an_unknown_ca(acm):
    arn = acm.request(f"arn:aws:acm-pca:us-east-1:{ACCOUNT}:{UNKNOWN}")
    assert failure(acm, arn) == "PCA_RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("resource", ["certificate-authority", "template/x", "certificate-authority/a/certificate/b"])
def test_the_arn_of_something_else(acm, resource):
    arn = acm.request(f"arn:aws:acm-pca:us-east-1:{ACCOUNT}:{resource}")
    assert failure(acm, arn) == "PCA_INVALID_ARN"


def test_a_ca_of_another_region(acm):
    ca = acm.root()
    ireland = acm.installation.client("acm", region="eu-west-1")
    arn = ireland.request_certificate(
        DomainName="app.example.com", CertificateAuthorityArn=ca, KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    with acm.nothing_issued():
        acm.work()
    detail = ireland.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", "PCA_INVALID_ARN")


@pytest.mark.parametrize(
    "arn",
    [
        "nonsense-of-twenty-characters",
        "arn:aws:acm:us-east-1:111122223333:certificate/x",
        "arn:aws:acm-pca:us-east-1:account:certificate-authority/x",
        "short",
    ],
)
def test_what_is_no_arn_of_a_ca_is_refused_at_once(acm, arn):
    with refused("ValidationException", "'certificateAuthorityArn'"):
        acm.request(arn)


def test_a_ca_for_short_lived_certificates(acm):
    assert failure(acm, acm.request(acm.root(UsageMode="SHORT_LIVED_CERTIFICATE"))) == "PCA_REQUEST_FAILED"


@pytest.mark.parametrize("ca_key", ["RSA_2048", "ML_DSA_44"])
def test_a_ca_of_another_family(acm, ca_key):
    assert failure(acm, acm.request(acm.root(ca_key))) == "PCA_REQUEST_FAILED"


def test_a_ca_of_another_account(acm):
    arn = acm.request(f"arn:aws:acm-pca:us-east-1:444455556666:{UNKNOWN}")
    assert failure(acm, arn) == "PCA_ACCESS_DENIED"


def test_the_state_of_the_ca_counts_when_the_job_runs(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    arn = acm.request(ca)
    acm.set_status(ca, "ACTIVE")
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_a_failed_request_stays_failed(acm):
    ca = acm.root()
    acm.set_status(ca, "DISABLED")
    arn = acm.request(ca)
    acm.work()
    acm.set_status(ca, "ACTIVE")
    acm.advance(days=1)
    acm.work()
    assert acm.detail(arn)["Status"] == "FAILED"
    acm.issued(ca)
