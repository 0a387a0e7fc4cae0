"""Who may share: the rights of IAM users of owner and consumer, and the condition keys of RAM (iam.md 5, 12)."""

import pytest

from doors.organization import allow, deny, user
from doors.pki import csr, days
from doors.sharing import DEFAULT, REVOKE, Pair, denied, permission

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

POLICIES = allow("acm-pca:PutPolicy")


@pytest.fixture
def pair(storage):
    return Pair(storage)


def ram_of(pair, name, *statements, root=None):
    """A RAM client of a new user."""
    return pair.installation.client("ram", credential=user(pair.installation, name, *statements, root=root))


def test_the_keys_of_a_new_share(pair):
    root = pair.create()
    create = "ram:CreateResourceShare"
    for number, (condition, good, bad) in enumerate(
        (
            (
                {"Bool": {"ram:RequestedAllowsExternalPrincipals": False}},
                {"allowExternalPrincipals": False},
                {},
            ),
            (
                {"ForAllValues:StringEquals": {"ram:Principal": ["777788889999"]}},
                {"principals": ["777788889999"]},
                {"principals": ["777788889999", pair.consumer]},
            ),
            (
                {"ForAnyValue:StringEquals": {"ram:RequestedResourceType": "acm-pca:CertificateAuthority"}},
                {"resourceArns": [root]},
                {},
            ),
            ({"ForAnyValue:ArnEquals": {"ram:ResourceArn": root}}, {"resourceArns": [root]}, {}),
            (
                {"StringEquals": {"aws:RequestTag/team": "web"}},
                {"tags": [{"key": "team", "value": "web"}]},
                {"tags": [{"key": "team", "value": "db"}]},
            ),
        )
    ):
        ram = ram_of(pair, f"user{number}", allow(create, Condition=condition), POLICIES)
        ram.create_resource_share(name="Good", **good)
        with denied(f"ram:CreateResourceShare on resource: arn:aws:ram:us-east-1:{pair.owner}:resource-share/*"):
            ram.create_resource_share(name="Bad", **bad)


def test_the_keys_of_a_share(pair):
    share = pair.share(principals=[], tags=[{"key": "team", "value": "web"}])
    other = pair.share(principals=[], allowExternalPrincipals=False)
    pair.ram.update_resource_share(resourceShareArn=other, name="Other")
    for number, condition in enumerate(
        (
            {"StringEquals": {"ram:ResourceShareName": "Shared"}},
            {"Bool": {"ram:AllowsExternalPrincipals": True}},
            {"StringEquals": {"aws:ResourceTag/team": "web"}},
        )
    ):
        ram = ram_of(pair, f"user{number}", allow("ram:*", Condition=condition))
        ram.update_resource_share(resourceShareArn=share, allowExternalPrincipals=True)
        with denied("because no identity-based policy allows the ram:UpdateResourceShare action"):
            ram.update_resource_share(resourceShareArn=other, name="x")


def test_sharing_needs_the_right_to_put_policies(pair):
    root, other = pair.create(), pair.create()
    share = pair.share(other)
    ram = ram_of(pair, "sharer", allow("ram:*"), allow("acm-pca:PutPolicy", root))
    ram.create_resource_share(name="Good", resourceArns=[root])
    with denied(f"acm-pca:PutPolicy on resource: {other}"):
        ram.create_resource_share(name="Bad", resourceArns=[other])
    # More principals or another permission widen what is shared already.
    for verb, more in (
        ("associate_resource_share", {"resourceArns": [root]}),
        ("associate_resource_share", {"principals": ["777788889999"]}),
        ("associate_resource_share_permission", {"permissionArn": permission(REVOKE), "replace": True}),
    ):
        with denied(f"acm-pca:PutPolicy on resource: {other}"):
            getattr(ram, verb)(resourceShareArn=share, **more)
    # Taking away needs nothing of the kind.
    ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[other])
    ram.delete_resource_share(resourceShareArn=share)


def test_an_invitation_is_the_receivers_to_answer(pair):
    share = pair.share(pair.create())
    arn = pair.invitation(share)
    wanted = {"resourceShareInvitationArn": arn}
    nobody = ram_of(pair, "nobody", root=pair.credential)
    with denied("because no identity-based policy allows the ram:AcceptResourceShareInvitation action"):
        nobody.accept_resource_share_invitation(**wanted)
    accept = "ram:AcceptResourceShareInvitation"
    choosy = ram_of(
        pair,
        "choosy",
        allow(accept, Condition={"StringEquals": {"ram:ShareOwnerAccountId": "777788889999"}}),
        root=pair.credential,
    )
    with denied():
        choosy.accept_resource_share_invitation(**wanted)
    barred = ram_of(pair, "barred", allow("ram:*"), deny(accept), root=pair.credential)
    with denied("with an explicit deny in an identity-based policy"):
        barred.accept_resource_share_invitation(**wanted)
    pending = ram_of(pair, "accepter", allow("ram:*", arn), root=pair.credential)
    pending.list_pending_invitation_resources(**wanted)
    pending.accept_resource_share_invitation(**wanted)
    reader = ram_of(pair, "reader", allow("ram:GetPermission", permission(DEFAULT)), root=pair.credential)
    reader.get_permission(permissionArn=permission(DEFAULT))
    with denied("ram:GetPermission"):
        reader.get_permission(permissionArn=permission(REVOKE))


def test_both_accounts_must_agree(pair):
    root = pair.root()
    pair.accepted(root)
    order = {
        "CertificateAuthorityArn": root,
        "Csr": csr("www.example2.com"),
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Validity": days(30),
    }
    installation = pair.installation
    nobody = installation.client("acm-pca", credential=user(installation, "nobody", root=pair.credential))
    with denied("because no identity-based policy allows the acm-pca:IssueCertificate action"):
        nobody.issue_certificate(**order)
    issuer = user(installation, "issuer", allow("acm-pca:IssueCertificate", root), root=pair.credential)
    installation.client("acm-pca", credential=issuer).issue_certificate(**order)
    # A share with one user lets in that user alone.
    other = pair.root()
    pair.accepted(other, principals=[issuer.principal_arn])
    wide = user(installation, "wide", allow("acm-pca:*"), root=pair.credential)
    with denied("because no resource-based policy allows"):
        installation.client("acm-pca", credential=wide).describe_certificate_authority(CertificateAuthorityArn=other)
    with denied("because no identity-based policy allows"):
        installation.client("acm-pca", credential=issuer).describe_certificate_authority(CertificateAuthorityArn=other)
