"""Pages, tags, permissions and ARNs (acm-pca.md 1.3, 2, 2.15, 2.17; faults.md 57)."""

import base64
from datetime import timedelta

import pytest

from doors.pki import Pki, refused
from greatseal.testing import FakeEntropy, Installation

ACM = "acm.amazonaws.com"


@pytest.fixture
def pki(storage):
    return Pki(storage)


def altered(token):
    """Tokens that are nearly right."""
    raw = base64.urlsafe_b64decode(token)
    yield token[:-1]
    yield token + "A"
    yield base64.urlsafe_b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()
    yield base64.urlsafe_b64encode(raw[:-2] + b"0]").decode()
    yield base64.urlsafe_b64encode(raw[:16]).decode()
    yield "AAAA"
    yield "no token \u2603"


def test_authorities_page_by_page(pki):
    made = []
    for number in range(4):
        made.append(pki.create(common_name=f"CA {number}"))
        if number % 2:
            # Two of them are made at the same instant.
            pki.clock.advance(timedelta(seconds=1))
    pki.delete(made[1])
    listed, answer = [], {}
    for size in (1, 1, 1, 1):
        token = {"NextToken": answer["NextToken"]} if answer else {}
        answer = pki.pca.list_certificate_authorities(MaxResults=size, **token)
        listed += answer["CertificateAuthorities"]
    assert "NextToken" not in answer
    assert sorted(item["Arn"] for item in listed) == sorted(made)
    assert listed == pki.pca.list_certificate_authorities()["CertificateAuthorities"]
    assert [item["CreatedAt"] for item in listed] == sorted(item["CreatedAt"] for item in listed)
    assert listed == [pki.describe(item["Arn"]) for item in listed]
    paginator = pki.pca.get_paginator("list_certificate_authorities")
    pages = list(paginator.paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["CertificateAuthorities"]) for page in pages] == [3, 1]


def test_at_most_100_authorities_on_a_page(pki, monkeypatch):
    assert pki.pca.list_certificate_authorities()["CertificateAuthorities"] == []
    monkeypatch.setattr("greatseal.domain.authorities.registry.MAX_PAGE", 2)
    for _ in range(3):
        pki.create()
    assert len(pki.pca.list_certificate_authorities(MaxResults=1000)["CertificateAuthorities"]) == 2
    for size, bound in ((0, "greater than or equal to 1"), (1001, "less than or equal to 1000")):
        with refused("ValidationException", bound):
            pki.pca.list_certificate_authorities(MaxResults=size)


def test_nothing_is_shared_between_accounts(pki):
    pki.create()
    assert pki.pca.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"] == []
    assert len(pki.pca.list_certificate_authorities(ResourceOwner="SELF")["CertificateAuthorities"]) == 1


def test_tokens_of_authorities_are_bound_to_listing_account_and_region(pki):
    for _ in range(2):
        pki.create()
    token = pki.pca.list_certificate_authorities(MaxResults=1)["NextToken"]
    for wrong in altered(token):
        with refused("InvalidNextTokenException"):
            pki.pca.list_certificate_authorities(NextToken=wrong)
    with refused("ValidationException", "greater than or equal to 1"):
        pki.pca.list_certificate_authorities(NextToken="")
    abroad = pki.installation.client("acm-pca", region="eu-central-1")
    with refused("InvalidNextTokenException"):
        abroad.list_certificate_authorities(NextToken=token)
    stranger = Installation(pki.storage, account="444455556666", entropy=FakeEntropy("stranger")).client("acm-pca")
    with refused("InvalidNextTokenException"):
        stranger.list_certificate_authorities(NextToken=token)
    with refused("InvalidNextTokenException"):
        pki.pca.list_permissions(CertificateAuthorityArn=pki.create(), NextToken=token)


def test_authorities_are_regional_and_of_one_account(pki):
    arn = pki.create()
    abroad = pki.installation.client("acm-pca", region="eu-central-1")
    stranger = Installation(pki.storage, account="444455556666", entropy=FakeEntropy("stranger")).client("acm-pca")
    for other in (abroad, stranger):
        assert other.list_certificate_authorities()["CertificateAuthorities"] == []
    with refused("ResourceNotFoundException", f"Could not find Certificate Authority {arn}"):
        abroad.describe_certificate_authority(CertificateAuthorityArn=arn)
    with refused(
        "AccessDeniedException",
        "User: arn:aws:iam::444455556666:root is not authorized to perform: acm-pca:DescribeCertificateAuthority "
        f"on resource: {arn} because no resource-based policy allows the acm-pca:DescribeCertificateAuthority action",
    ):
        stranger.describe_certificate_authority(CertificateAuthorityArn=arn)


# -- tags (2.17) ---------------------------------------------------------------------------------------------


def tags_of(pki, arn):
    return pki.pca.list_tags(CertificateAuthorityArn=arn)["Tags"]


def test_tags_are_set_overwritten_listed_by_page_and_removed(pki):
    arn = pki.create(Tags=[{"Key": "b", "Value": "1"}, {"Key": "a"}])
    pki.pca.tag_certificate_authority(
        CertificateAuthorityArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "B", "Value": ""}]
    )
    everything = tags_of(pki, arn)
    assert sorted(everything, key=lambda tag: tag["Key"]) == [
        {"Key": "B", "Value": ""},
        {"Key": "a"},
        {"Key": "b", "Value": "2"},
    ]
    pages = list(
        pki.pca.get_paginator("list_tags").paginate(CertificateAuthorityArn=arn, PaginationConfig={"PageSize": 1})
    )
    assert [page["Tags"] for page in pages] == [[tag] for tag in everything]
    for gone in ([{"Key": "b", "Value": "1"}], [{"Key": "none"}, {"Key": "a", "Value": "x"}]):
        pki.pca.untag_certificate_authority(CertificateAuthorityArn=arn, Tags=gone)
        assert tags_of(pki, arn) == everything
    for gone in ([{"Key": "b", "Value": "2"}], [{"Key": "a"}], [{"Key": "B", "Value": ""}]):
        pki.pca.untag_certificate_authority(CertificateAuthorityArn=arn, Tags=gone)
    assert tags_of(pki, arn) == []


def test_tokens_of_tags_belong_to_one_authority(pki):
    tags = [{"Key": key, "Value": key} for key in "abc"]
    arn, other = pki.create(Tags=tags), pki.create(Tags=tags)
    token = pki.pca.list_tags(CertificateAuthorityArn=arn, MaxResults=1)["NextToken"]
    for wrong in altered(token):
        with refused("InvalidNextTokenException"):
            pki.pca.list_tags(CertificateAuthorityArn=arn, NextToken=wrong)
    with refused("InvalidNextTokenException"):
        pki.pca.list_tags(CertificateAuthorityArn=other, NextToken=token)


@pytest.mark.parametrize(
    ("tags", "code", "text"),
    [
        ([{"Key": "aws:x"}], "InvalidTagException", "aws:x"),
        ([{"Key": "AWS:x"}], "InvalidTagException", "AWS:x"),
        ([{"Key": "a"}, {"Key": "a", "Value": "2"}], "InvalidTagException", "once"),
        ([{"Key": ""}], "ValidationException", "greater than or equal to 1"),
        ([{"Key": "k" * 129}], "ValidationException", "less than or equal to 128"),
        ([{"Key": "k", "Value": "v" * 257}], "ValidationException", "less than or equal to 256"),
        ([{"Key": "k*"}], "ValidationException", "regular expression"),
        ([], "ValidationException", "greater than or equal to 1"),
        ([{"Value": "x"}], "ValidationException", "must not be null"),
        ([{"Key": f"k{n}"} for n in range(51)], "ValidationException", "less than or equal to 50"),
    ],
)
def test_tags_that_may_not_be_set(pki, tags, code, text):
    arn = pki.create()
    with refused(code, text):
        pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=tags)
    with refused(code, text):
        pki.create(Tags=tags)
    assert tags_of(pki, arn) == []
    assert len(pki.pca.list_certificate_authorities()["CertificateAuthorities"]) == 1


def test_no_more_than_fifty_tags(pki):
    arn = pki.create(Tags=[{"Key": f"k{n}"} for n in range(50)])
    with refused("TooManyTagsException"):
        pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[{"Key": "one more"}])
    assert len(tags_of(pki, arn)) == 50
    pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[{"Key": "k7", "Value": "again"}])
    assert {"Key": "k7", "Value": "again"} in tags_of(pki, arn)
    letters = "Z\u00fcrich _.:/=+-@ 1"
    other = pki.create(Tags=[{"Key": letters, "Value": letters}])
    assert tags_of(pki, other) == [{"Key": letters, "Value": letters}]


# -- permissions (2.15) --------------------------------------------------------------------------------------


def test_permissions_are_made_listed_and_deleted(pki):
    arn = pki.create()
    grant = {"CertificateAuthorityArn": arn, "Principal": ACM}
    pki.pca.create_permission(**grant, Actions=["IssueCertificate", "GetCertificate", "ListPermissions"])
    for account in ("111122223333", None):
        more = {"SourceAccount": account} if account else {}
        with refused("PermissionAlreadyExistsException"):
            pki.pca.create_permission(**grant, Actions=["GetCertificate"], **more)
    pki.pca.create_permission(**grant, Actions=["GetCertificate"], SourceAccount="444455556666")
    listed = pki.pca.list_permissions(CertificateAuthorityArn=arn)["Permissions"]
    assert listed == [
        {
            "CertificateAuthorityArn": arn,
            "CreatedAt": pki.now,
            "Principal": ACM,
            "SourceAccount": "111122223333",
            "Actions": ["IssueCertificate", "GetCertificate", "ListPermissions"],
        },
        {**listed[0], "SourceAccount": "444455556666", "Actions": ["GetCertificate"]},
    ]
    first = pki.pca.list_permissions(CertificateAuthorityArn=arn, MaxResults=1)
    second = pki.pca.list_permissions(CertificateAuthorityArn=arn, MaxResults=1, NextToken=first["NextToken"])
    assert first["Permissions"] + second["Permissions"] == listed
    assert "NextToken" not in second
    for wrong in altered(first["NextToken"]):
        with refused("InvalidNextTokenException"):
            pki.pca.list_permissions(CertificateAuthorityArn=arn, NextToken=wrong)
    with refused("InvalidNextTokenException"):
        pki.pca.list_permissions(CertificateAuthorityArn=pki.create(), NextToken=first["NextToken"])
    pki.pca.delete_permission(**grant)
    with refused("ResourceNotFoundException"):
        pki.pca.delete_permission(**grant)
    assert pki.pca.list_permissions(CertificateAuthorityArn=arn)["Permissions"] == listed[1:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Principal": "ec2.amazonaws.com"}, "InvalidArgsException"),
        ({"Principal": "*"}, "ValidationException"),
        ({"Actions": []}, "ValidationException"),
        ({"Actions": ["RevokeCertificate"]}, "ValidationException"),
        ({"SourceAccount": "12345"}, "ValidationException"),
    ],
)
def test_permissions_that_cannot_be_given(pki, change, code):
    arn = pki.create()
    asked = {"CertificateAuthorityArn": arn, "Principal": ACM, "Actions": ["GetCertificate"], **change}
    with refused(code):
        pki.pca.create_permission(**asked)
    assert pki.pca.list_permissions(CertificateAuthorityArn=arn)["Permissions"] == []


# -- ARNs ----------------------------------------------------------------------------------------------------

UNKNOWN = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/00000000-0000-4000-8000-000000000000"
READERS = (
    "describe_certificate_authority",
    "get_certificate_authority_csr",
    "get_certificate_authority_certificate",
    "restore_certificate_authority",
    "delete_certificate_authority",
    "list_permissions",
    "list_tags",
)


@pytest.mark.parametrize(
    ("arn", "code", "text"),
    [
        (UNKNOWN, "ResourceNotFoundException", f"Could not find Certificate Authority {UNKNOWN}"),
        (UNKNOWN.replace("aws:", "aws-cn:"), "ResourceNotFoundException", "Could not find"),
        (UNKNOWN.replace("us-east-1", ""), "ResourceNotFoundException", "Could not find"),
        (UNKNOWN.replace("111122223333", "444455556666"), "AccessDeniedException", "resource-based policy"),
        (f"{UNKNOWN}/certificate/{'0' * 32}", "InvalidArnException", "certificate authority"),
        (UNKNOWN.replace("-authority", ""), "InvalidArnException", "certificate authority"),
        ("arn:aws:acm-pca:us-east-1:111122223333:certificate-authority", "InvalidArnException", ""),
        ("arn:aws:acm-pca:::template/RootCACertificate/V1", "InvalidArnException", ""),
        ("arn:aws:acm:us-east-1:111122223333:certificate/x", "ValidationException", "regular expression pattern"),
        ("certificate-authority/x", "ValidationException", "'certificateAuthorityArn'"),
        ("arn", "ValidationException", "greater than or equal to 5"),
        (UNKNOWN + "0" * 150, "ValidationException", "less than or equal to 200"),
        ("", "ValidationException", ""),
    ],
)
def test_arns_that_name_no_authority(pki, arn, code, text):
    for operation in READERS:
        with refused(code, text):
            getattr(pki.pca, operation)(CertificateAuthorityArn=arn)


def test_arns_that_name_no_certificate(pki):
    one, two = pki.root(), pki.root()
    issued = pki.issue(one)
    for arn, code in (
        (f"{one}/certificate/{'0' * 32}", "ResourceNotFoundException"),
        (issued.upper().replace("ARN:AWS:ACM-PCA", "arn:aws:acm-pca"), "InvalidArnException"),
        (f"{one}/certificate/", "ValidationException"),
        (f"{one}/certificate/xyz", "InvalidArnException"),
        (f"{one}/certificate/{'0' * 64}", "InvalidArnException"),
        (one, "InvalidArnException"),
        (pki.issue(two), "InvalidArnException"),
    ):
        with refused(code):
            pki.get(one, arn)
