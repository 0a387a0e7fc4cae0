"""The watchers: roots that issue, certificates that end, issuers that are not trusted (workflows.md 5, 16, 18)."""

from datetime import timedelta

import pytest
from cryptography.x509.oid import NameOID

from doors.acm_material import START, Acm, distinguished, make
from doors.hub import emitted, ids, text
from doors.pki import csr, days
from greatseal.domain.watch import Distrusted, Wishes
from greatseal.testing import Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
REPORT = "Greatseal Certificate Expiry Report"
ENTRUST = Distrusted.parse("Entrust, Inc.|2026-01-10")


class Watched(Acm):
    """An installation with watchers."""

    def __init__(self, storage, wishes):
        super().__init__(storage)
        self.installation = Installation(storage, clock=self.clock, watch=wishes)
        self.acm, self.pca = (self.installation.client(each) for each in ("acm", "acm-pca"))
        self.hub = self.installation.client("securityhub")
        self.rounds = self.installation.rooms.watching.rounds
        self.rounds.begin_due()

    def findings(self, **filters):
        return self.hub.get_findings(Filters=filters)["Findings"]

    def reports(self):
        return [each["detail"] for each in emitted(self.installation, REPORT)]

    def next_round(self, **by):
        self.advance(**(by or {"days": 1}))
        self.rounds.begin_due()
        self.work()


@pytest.fixture
def watched(storage):
    return Watched(storage, Wishes(distrusted=(ENTRUST,)))


def test_a_finding_whenever_a_root_issues(watched):
    root = watched.root()
    watched.work()
    (first,) = watched.findings()
    certificate = first["GeneratorId"]
    account = "111122223333"
    assert first["Id"] == f"us-east-1/{account}/{certificate}"
    assert certificate.startswith(f"{root}/certificate/")
    assert first["ProductArn"] == f"arn:aws:securityhub:us-east-1:{account}:product/{account}/default"
    assert (first["SchemaVersion"], first["AwsAccountId"]) == ("2018-10-08", account)
    assert first["Types"] == ["Unusual Behaviors"]
    assert first["RecordState"] == "ACTIVE"
    assert first["Severity"] == {"Normalized": 60, "Label": "MEDIUM"}
    assert first["CompanyName"] == "Personal"
    assert first["Title"] == "Private CA Certificate Creation"
    assert first["ProductFields"]["ProductName"] == "ACM PCA"
    assert set(first["Remediation"]["Recommendation"]) == {"Text", "Url"}
    (resource,) = first["Resources"]
    assert (resource["Type"], resource["Id"], resource["Region"]) == ("Other", certificate, "us-east-1")
    assert resource["Partition"] == "aws"
    assert resource["Details"]["Other"] == {"CAArn": root, "CertARN": certificate}
    subordinate = watched.subordinate(root)
    watched.work()
    assert len(ids(watched.hub, Title=text("Private CA Certificate Creation"))) == 2
    watched.issue(subordinate)
    watched.work()
    assert len(watched.findings()) == 2, "what a subordinate issues is not unusual"


def test_without_the_wish_there_is_no_finding(storage):
    watched = Watched(storage, Wishes(root_issuance=False))
    watched.root()
    watched.work()
    assert watched.findings() == []


def issue(watched, authority, **validity):
    return watched.pca.issue_certificate(
        CertificateAuthorityArn=authority,
        Csr=csr("mydomain.com"),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity=days(20) | validity,
    )["CertificateArn"]


def test_what_ends_within_the_threshold_is_found_and_told(watched):
    root = watched.root()
    direct, later = issue(watched, root), issue(watched, root, Value=200)
    revoked = issue(watched, root)
    watched.pca.revoke_certificate(
        CertificateAuthorityArn=root, CertificateSerial=revoked.rpartition("/")[2], RevocationReason="SUPERSEDED"
    )
    imported = watched.take(make("www.example.com", end=START + timedelta(days=5)))
    watched.next_round()
    found = {
        each["Resources"][0]["Id"]: each for each in watched.findings(GeneratorId=text("greatseal/expiry-monitor"))
    }
    assert set(found) == {direct, imported}
    assert later not in found
    assert found[imported]["Severity"]["Label"] == "HIGH"
    assert found[direct]["Severity"]["Label"] == "MEDIUM"
    assert found[direct]["Resources"][0]["Details"]["Other"]["NotAfter"] == "2026-02-04T12:00:00Z"
    (report,) = watched.reports()
    assert [each["CertificateArn"] for each in report["Expiring"]] == [imported, direct]
    assert [each["DaysToExpiry"] for each in report["Expiring"]] == [4, 19]
    assert report["ExpiringCount"] == 2
    assert [each["CertificateArn"] for each in report["Revoked"]] == [revoked]
    assert report["Expiring"][1]["Name"] == "CN=mydomain.com"


def test_a_round_is_idempotent_and_archives_what_is_not_true_any_more(watched):
    arn = watched.take(make(end=START + timedelta(days=20)))
    watched.next_round()
    before = watched.findings()
    watched.rounds.look_at("111122223333", "us-east-1", START + timedelta(hours=9))
    assert watched.findings() == before
    assert len(watched.reports()) == 1
    watched.next_round()
    assert [each["CreatedAt"] for each in watched.findings()] == [before[0]["CreatedAt"]]
    assert watched.findings()[0]["UpdatedAt"] == before[0]["UpdatedAt"], "the same words are not said anew"
    watched.take(make(end=START + timedelta(days=300)), CertificateArn=arn)
    watched.next_round()
    assert [each["RecordState"] for each in watched.findings()] == ["ARCHIVED"]


def test_what_has_ended_is_listed_apart(watched):
    gone = watched.take(make(end=START + timedelta(days=2)))
    watched.take(make(end=START + timedelta(days=20)))
    watched.next_round(days=3)
    (report,) = watched.reports()
    assert [each["CertificateArn"] for each in report["Expired"]] == [gone]
    assert report["ExpiringCount"] == 1


def test_a_clock_that_jumps_begins_one_round(watched):
    watched.take(make(end=START + timedelta(days=29)))
    watched.next_round(days=10)
    assert len(watched.reports()) == 1
    watched.next_round(hours=1)
    assert len(watched.reports()) == 1


def test_managed_certificates_are_told_once_and_under_their_own_name(watched):
    root = watched.root()
    watched.permit(root)
    arn = watched.issued(root)
    watched.next_round(days=380)
    assert [each["Resources"][0]["Id"] for each in watched.findings(GeneratorId=text("greatseal/expiry-monitor"))] == [
        arn
    ]


def foreign(organization, begins, *, key="EC_prime256v1"):
    subject = distinguished((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, "Issuing CA"))
    issuer = make(
        subject=subject, ca=True, number=77, end=START + timedelta(days=4000), start=START - timedelta(days=99)
    )
    return make("shop.example.com", issuer=issuer, key=key, start=begins, end=START + timedelta(days=300))


def test_imported_certificates_of_a_distrusted_issuer(watched):
    trusted = watched.take(foreign("Entrust, Inc.", START - timedelta(days=30)))
    last_day = watched.take(foreign("Entrust, Inc.", START.replace(day=10, hour=23)))
    other = watched.take(foreign("Entrust", START))
    elsewhere = watched.installation.client("acm", region="eu-west-1")
    flagged = [
        elsewhere.import_certificate(**foreign("Entrust, Inc.", START.replace(day=11, hour=0), key=key).parcel())
        for key in ("EC_prime256v1", "RSA_3072")
    ]
    watched.next_round()
    found = watched.installation.client("securityhub", region="eu-west-1").get_findings()["Findings"]
    assert {each["Resources"][0]["Id"] for each in found} == {each["CertificateArn"] for each in flagged}
    assert found[0]["Resources"][0]["Details"]["Other"]["Issuer"] == "Entrust, Inc."
    assert watched.findings() == []
    assert trusted
    assert last_day
    assert other
    elsewhere.delete_certificate(CertificateArn=flagged[0]["CertificateArn"])
    watched.next_round()
    found = watched.installation.client("securityhub", region="eu-west-1").get_findings()["Findings"]
    assert sorted(each["RecordState"] for each in found) == ["ACTIVE", "ARCHIVED"]


def test_no_findings_for_an_account_that_switched_its_hub_off(watched):
    watched.hub.disable_security_hub()
    watched.take(make(end=START + timedelta(days=20)))
    watched.next_round()
    assert len(watched.reports()) == 1
    watched.hub.enable_security_hub()
    assert watched.findings() == []


@pytest.mark.parametrize("wrong", ["", "|2026-01-01", "Entrust|soon", "Entrust|"])
def test_issuers_that_mean_nothing(wrong, database_kind):
    with pytest.raises(ValueError, match=r"issuer|day"):
        Distrusted.parse(wrong)
