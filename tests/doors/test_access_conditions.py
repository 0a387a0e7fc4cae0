"""Conditions about the request itself: transport, sender, time and region (iam.md 5, workflows.md 20)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from doors.organization import allow, deny, user
from greatseal.domain.access import Credential
from greatseal.storage import Storage
from greatseal.testing import Installation
from greatseal.testing.installation import ENDPOINT, REGION, sign, to_http

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def installation(storage: Storage) -> Installation:
    return Installation(storage)


def listing(installation: Installation, who: Credential, **changed: Any) -> int:
    """The status of a ListCertificates whose connection is as `changed` says."""
    headers = {"X-Amz-Target": "CertificateManager.ListCertificates", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", headers=headers, data=b"{}")
    signed = to_http(sign(request, who, "acm", REGION, installation.clock), "request-1")
    answer = installation.handle(replace(signed, **changed))
    assert answer.status == 200 or b"AccessDeniedException" in answer.body, answer.body
    return answer.status


def test_plain_http_is_refused_by_policy(installation: Installation) -> None:
    """The statement that auditors look for; a JSON boolean is as good as its text."""
    plain = {"Bool": {"aws:SecureTransport": False}}
    alice = user(installation, "alice", allow("acm:*"), deny("*", Condition=plain))
    assert listing(installation, alice) == 200
    assert listing(installation, alice, scheme="http") == 400


def test_addresses(installation: Installation) -> None:
    inside = {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}}
    alice = user(installation, "alice", allow("acm:*", Condition=inside))
    assert listing(installation, alice, client_ip="192.0.2.200") == 200
    assert listing(installation, alice, client_ip="2001:db8::7") == 200
    assert listing(installation, alice, client_ip="198.51.100.7") == 400
    assert listing(installation, alice, client_ip="") == 400


def test_times_and_regions(installation: Installation) -> None:
    until = (installation.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateLessThan": {"aws:CurrentTime": until}, "StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    alice = user(installation, "alice", allow("acm:*", Condition=condition))
    installation.client("acm", credential=alice, region="eu-central-1").list_certificates()
    with pytest.raises(ClientError):
        installation.client("acm", credential=alice, region="us-east-1").list_certificates()
    installation.clock.advance(timedelta(hours=1))
    with pytest.raises(ClientError):
        installation.client("acm", credential=alice, region="eu-central-1").list_certificates()


def test_tags_of_principal_request_and_resource(installation: Installation) -> None:
    """Everybody works on the certificates of their own team."""
    own = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    new = {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}}
    statements = (
        allow("acm:DescribeCertificate", Condition=own),
        allow(["acm:RequestCertificate", "acm:AddTagsToCertificate", "acm-pca:IssueCertificate"], Condition=new),
        allow("acm-pca:IssueCertificate"),
    )
    iam = installation.client("iam")
    red, blue = (user(installation, name, *statements) for name in ("red", "blue"))
    for name in ("red", "blue"):
        iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": name}])
    authority = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-2222-4333-8444-555555555555"
    acm = installation.client("acm", credential=red)
    wanted = {"DomainName": "www.example.com", "CertificateAuthorityArn": authority}
    for tags in ([], [{"Key": "team", "Value": "blue"}]):
        with pytest.raises(ClientError, match="not authorized to perform: acm:RequestCertificate"):
            acm.request_certificate(**wanted, **({"Tags": tags} if tags else {}))
    arn = acm.request_certificate(**wanted, Tags=[{"Key": "team", "Value": "red"}])["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == "www.example.com"
    with pytest.raises(ClientError, match="because no identity-based policy allows"):
        installation.client("acm", credential=blue).describe_certificate(CertificateArn=arn)
