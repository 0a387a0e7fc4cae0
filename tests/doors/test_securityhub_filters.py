"""GetFindings' filters, each kind of them."""

from datetime import timedelta

import pytest

from doors.hub import finding, ids, put, refused, text
from greatseal.testing import Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def resource(kind, **more):
    return {"Type": kind, "Id": f"arn:{kind}", **more}


@pytest.fixture
def installation(storage):
    return Installation(storage)


@pytest.fixture
def hub(installation):
    made = installation.client("securityhub")
    network = {"SourceIpV4": "10.1.2.3", "SourcePort": 443}
    put(
        made,
        finding("root", Title="Private CA Certificate Creation", Severity={"Normalized": 60}, Confidence=40),
        finding("old", CreatedAt="2025-11-01T00:00:00Z", Severity={"Label": "HIGH"}, Network=network),
        finding(
            "iam",
            Title="Keys of a user",
            Resources=[resource("AwsIamUser", Tags={"team": "a"}), resource("AwsIamPolicy")],
            ProductFields={"rule": "r-1"},
            Sample=True,
        ),
        finding(
            "ec2",
            Title="private ca",
            Resources=[resource("AwsEc2Instance", Details={"Other": {"CAArn": "arn:ca"}})],
            RecordState="ARCHIVED",
        ),
    )
    return made


def number(**bounds):
    return [bounds]


CASES = (
    ({}, "root old iam ec2"),
    ({"Title": text("Private CA Certificate Creation")}, "root"),
    ({"Title": [*text("private ca"), *text("Keys of a user")]}, "iam ec2"),
    ({"Title": text("Private", "PREFIX")}, "root"),
    ({"Title": text("Certificate", "CONTAINS")}, "root"),
    ({"Title": text("CA", "CONTAINS_WORD")}, "root"),
    ({"Title": text("Cert", "CONTAINS_WORD")}, ""),
    ({"Title": text("Private", "PREFIX_NOT_EQUALS")}, "old iam ec2"),
    ({"Title": text("Something", "NOT_EQUALS")}, "root iam ec2"),
    ({"Title": text("user", "NOT_CONTAINS")}, "root old ec2"),
    ({"ResourceType": [*text("Aws", "PREFIX"), *text("AwsIamPolicy", "NOT_EQUALS")]}, "ec2"),
    ({"ResourceType": text("AwsIamPolicy")}, "iam"),
    ({"RecordState": text("ACTIVE"), "SeverityLabel": text("MEDIUM")}, "root iam"),
    ({"WorkflowStatus": text("NEW"), "RecordState": text("ARCHIVED")}, "ec2"),
    ({"SeverityNormalized": number(Gte=70)}, "old"),
    ({"SeverityNormalized": number(Gte=60, Lte=69)}, "root iam ec2"),
    ({"SeverityNormalized": number(Gt=60)}, "old"),
    ({"Confidence": number(Eq=40)}, "root"),
    ({"Confidence": number(Lt=40)}, ""),
    ({"CreatedAt": [{"End": "2025-12-01T00:00:00Z"}]}, "old"),
    ({"CreatedAt": [{"Start": "2026-01-01T00:00:00Z", "End": "2026-02-01T00:00:00Z"}]}, "root iam ec2"),
    ({"CreatedAt": [{"DateRange": {"Value": 30, "Unit": "DAYS"}}]}, "root iam ec2"),
    ({"CreatedAt": [{"DateRange": {"Value": 30, "Unit": "DAYS", "Comparison": "OLDER_THAN"}}]}, "old"),
    ({"ResourceTags": [{"Key": "team", "Value": "a", "Comparison": "EQUALS"}]}, "iam"),
    ({"ResourceTags": [{"Key": "team", "Value": "a", "Comparison": "NOT_EQUALS"}]}, "root old ec2"),
    ({"ProductFields": [{"Key": "rule", "Value": "r-", "Comparison": "CONTAINS"}]}, "iam"),
    ({"ResourceDetailsOther": [{"Key": "CAArn", "Value": "arn:ca", "Comparison": "EQUALS"}]}, "ec2"),
    ({"NetworkSourceIpV4": [{"Cidr": "10.0.0.0/8"}]}, "old"),
    ({"NetworkSourceIpV4": [{"Cidr": "192.168.0.0/16"}]}, ""),
    ({"NetworkSourcePort": number(Eq=443)}, "old"),
    ({"Keyword": [{"Value": "of a USER"}]}, "iam"),
    ({"Sample": [{"Value": True}]}, "iam"),
    ({"Sample": [{"Value": False}]}, "root old ec2"),
    ({"Id": text("root"), "Title": text("Something")}, ""),
)


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_filters(hub, filters, expected):
    assert sorted(ids(hub, **filters)) == sorted(expected.split())


@pytest.mark.parametrize(
    "filters",
    [
        {"Title": [*text("a"), *text("b", "NOT_EQUALS")]},
        {"Title": [{"Value": "a"}]},
        {"Title": [{}]},
        {"Title": text("x") * 21},
        {"CreatedAt": [{"Start": "soon"}]},
        {"CreatedAt": [{"DateRange": {"Value": 10**9, "Unit": "DAYS"}}]},
        {"NetworkSourceIpV4": [{"Cidr": "10.0.0.0/99"}]},
        {"ResourceTags": [{"Value": "a", "Comparison": "EQUALS"}]},
    ],
)
def test_filters_that_mean_nothing(hub, filters):
    with refused("InvalidInputException"):
        ids(hub, **filters)


def test_a_span_of_days_moves_with_the_clock(hub, installation):
    recent = {"CreatedAt": [{"DateRange": {"Value": 1, "Unit": "DAYS"}}]}
    assert len(ids(hub, **recent)) == 3
    installation.clock.advance(timedelta(days=2))
    assert ids(hub, **recent) == []
