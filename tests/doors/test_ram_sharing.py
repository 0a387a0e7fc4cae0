"""A private CA for two accounts, from the share to the certificate (workflows.md 3, iam.md 12)."""

from datetime import timedelta

import pytest

from doors.pki import csr, days, parse, refused, template
from doors.sharing import DEFAULT, PATH_LEN_0, READS, REVOKE, Pair, denied, permission

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pair(storage):
    return Pair(storage)


def issue(pair, arn, using=None, client=None):
    """What the consumer asks of the owner's CA."""
    more = {"TemplateArn": template(using)} if using else {}
    return (client or pair.their_pca).issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=csr("www.example2.com", "www.example2.com"),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity=days(30),
        **more,
    )["CertificateArn"]


def test_the_walk(pair):
    root = pair.root()
    share = pair.share(root)
    assert pair.associations(share, "RESOURCE") == [(root, "ASSOCIATED")]
    assert pair.associations(share) == [(pair.consumer, "ASSOCIATING")]
    # Until the invitation is accepted nothing is allowed, and nothing is there to see.
    with denied("because no resource-based policy allows the acm-pca:DescribeCertificateAuthority action"):
        pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=root)
    with refused("ResourceNotFoundException", f"Could not find policy for resource {root}."):
        pair.pca.get_policy(ResourceArn=root)
    assert pair.their_shared() == []
    assert pair.their_ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"] == []

    (invitation,) = pair.their_ram.get_resource_share_invitations()["resourceShareInvitations"]
    arn = invitation["resourceShareInvitationArn"]
    assert arn.startswith(f"arn:aws:ram:us-east-1:{pair.owner}:resource-share-invitation/")
    assert (invitation["senderAccountId"], invitation["receiverAccountId"]) == (pair.owner, pair.consumer)
    assert invitation["status"] == "PENDING"
    pending = pair.their_ram.list_pending_invitation_resources(resourceShareInvitationArn=arn)["resources"]
    assert [each["arn"] for each in pending] == [root]
    accepted = pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)
    assert accepted["resourceShareInvitation"]["status"] == "ACCEPTED"

    assert pair.associations(share) == [(pair.consumer, "ASSOCIATED")]
    assert pair.their_shared() == [root]
    shown = pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=root)["CertificateAuthority"]
    assert shown["OwnerAccount"] == pair.owner
    issued = issue(pair, root)
    answer = pair.their_pca.get_certificate(CertificateAuthorityArn=root, CertificateArn=issued)
    assert parse(answer["Certificate"]).issuer == parse(answer["CertificateChain"]).subject
    pair.their_pca.get_certificate_authority_certificate(CertificateAuthorityArn=root)
    pair.their_pca.list_permissions(CertificateAuthorityArn=root)
    pair.their_pca.list_tags(CertificateAuthorityArn=root)

    pair.ram.delete_resource_share(resourceShareArn=share)
    assert pair.their_shared() == []
    with denied("because no resource-based policy allows the acm-pca:IssueCertificate action"):
        issue(pair, root)


@ONE
def test_the_policy_of_a_share(pair):
    root = pair.root()
    share = pair.accepted(root)
    reads, issuing = pair.statements(root)
    sid = share.rpartition("/")[2] + "-external-principals"
    assert reads == {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": pair.consumer},
        "Action": READS,
        "Resource": root,
    }
    assert issuing == {
        **reads,
        "Action": ["acm-pca:IssueCertificate"],
        "Condition": {"StringEquals": {"acm-pca:TemplateArn": template("EndEntityCertificate")}},
    }
    assert pair.ram.get_resource_policies(resourceArns=[root])["policies"] == [
        pair.pca.get_policy(ResourceArn=root)["Policy"]
    ]


@ONE
def test_what_is_not_shared_is_denied(pair):
    root = pair.root()
    pair.accepted(root)
    for using in ("EndEntityClientAuthCertificate", "SubordinateCACertificate_PathLen0", "RootCACertificate"):
        with denied("because no resource-based policy allows the acm-pca:IssueCertificate action"):
            issue(pair, root, using)
    with denied("acm-pca:GetCertificateAuthorityCsr"):
        pair.their_pca.get_certificate_authority_csr(CertificateAuthorityArn=root)
    with denied("acm-pca:UpdateCertificateAuthority"):
        pair.their_pca.update_certificate_authority(CertificateAuthorityArn=root, Status="DISABLED")
    with denied("acm-pca:PutPolicy"):
        pair.their_pca.put_policy(ResourceArn=root, Policy="{}")
    with denied("acm-pca:DeletePolicy"):
        pair.their_pca.delete_policy(ResourceArn=root)
    # A third account has nothing to do with it.
    third = pair.installation.client("acm-pca", credential=pair.new_account("third"))
    with denied("because no resource-based policy allows"):
        third.describe_certificate_authority(CertificateAuthorityArn=root)
    assert third.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"] == []


@ONE
def test_permissions_are_changed_and_combined(pair):
    root = pair.root()
    share = pair.accepted(root)
    with refused("InvalidParameterException"):
        pair.ram.associate_resource_share_permission(resourceShareArn=share, permissionArn=permission(PATH_LEN_0))
    assert pair.ram.associate_resource_share_permission(
        resourceShareArn=share, permissionArn=permission(PATH_LEN_0), replace=True
    )["returnValue"]
    issue(pair, root, "SubordinateCACertificate_PathLen0")
    with denied():
        issue(pair, root)
    (found,) = pair.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert (found["arn"], found["version"]) == (permission(PATH_LEN_0), "1")
    # To issue and to revoke needs two shares (acm-pca.md 12.3).
    serial = issue(pair, root, "SubordinateCACertificate_PathLen0").rpartition("/")[2]
    wanted = {"CertificateAuthorityArn": root, "CertificateSerial": serial, "RevocationReason": "SUPERSEDED"}
    with denied("acm-pca:RevokeCertificate"):
        pair.their_pca.revoke_certificate(**wanted)
    pair.accepted(root, permissionArns=[permission(REVOKE)])
    pair.their_pca.revoke_certificate(**wanted)
    assert pair.their_shared() == [root]
    with refused("InvalidParameterException", "one permission"):
        pair.share(root, permissionArns=[permission(DEFAULT), permission(REVOKE)])


@ONE
def test_a_permission_leaves_only_an_empty_share(pair):
    root = pair.root()
    share = pair.share(root)
    wanted = {"resourceShareArn": share, "permissionArn": permission(DEFAULT)}
    with refused("InvalidStateTransitionException"):
        pair.ram.disassociate_resource_share_permission(**wanted)
    pair.ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[root])
    with refused("InvalidParameterException"):
        pair.ram.disassociate_resource_share_permission(resourceShareArn=share, permissionArn=permission(REVOKE))
    assert pair.ram.disassociate_resource_share_permission(**wanted)["returnValue"]
    assert pair.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"] == []
    # A resource brings the default permission along.
    pair.ram.associate_resource_share(resourceShareArn=share, resourceArns=[root])
    (found,) = pair.ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert found["arn"] == permission(DEFAULT)


@ONE
def test_principals_and_resources_come_and_go(pair):
    root, other = pair.root(), pair.create()
    share = pair.accepted(root)
    pair.ram.associate_resource_share(resourceShareArn=share, resourceArns=[other])
    # The second CA is there without another invitation.
    assert set(pair.their_shared()) == {root, other}
    (ended,) = pair.ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[root])[
        "resourceShareAssociations"
    ]
    assert (ended["associatedEntity"], ended["status"]) == (root, "DISASSOCIATED")
    assert pair.their_shared() == [other]
    with refused("ResourceNotFoundException"):
        pair.pca.get_policy(ResourceArn=root)
    pair.ram.disassociate_resource_share(resourceShareArn=share, principals=[pair.consumer])
    assert pair.their_shared() == []
    with denied():
        pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=other)
    with refused("UnknownResourceException", "is not associated"):
        pair.ram.disassociate_resource_share(resourceShareArn=share, principals=[pair.consumer])
    # Whoever comes back is asked again.
    pair.ram.associate_resource_share(resourceShareArn=share, principals=[pair.consumer])
    assert pair.associations(share) == [(pair.consumer, "ASSOCIATING")]
    pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=pair.invitation(share))
    assert pair.their_shared() == [other]


@ONE
def test_a_share_with_one_role_and_the_role_that_is_made_anew(pair):
    root = pair.root()
    share = pair.share(root)
    with refused("InvalidParameterException", "Principal ID"):
        pair.ram.associate_resource_share(
            resourceShareArn=share, principals=[f"arn:aws:iam::{pair.consumer}:role/nobody"]
        )
    accounts = pair.installation.rooms.accounts
    role = pair.storage.transact(lambda tx: accounts.add_entry_role(tx, pair.consumer, pair.owner))
    share = pair.share(root, principals=[role])
    (invitation,) = pair.their_ram.get_resource_share_invitations(resourceShareArns=[share])["resourceShareInvitations"]
    assert (invitation["receiverAccountId"], invitation["receiverArn"]) == (pair.consumer, role)
    pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
    assert pair.statements(root)[0]["Principal"] == {"AWS": role}
    # The account itself, its root included, is not named.
    with denied("because no resource-based policy allows"):
        pair.their_pca.describe_certificate_authority(CertificateAuthorityArn=root)


@ONE
def test_the_shared_listing_goes_page_by_page(pair):
    made = []
    for number in range(3):
        made.append(pair.create(common_name=f"CA {number}"))
        pair.clock.advance(timedelta(seconds=1))
    pair.accepted(*made)
    listed, more = [], {}
    for _ in range(3):
        answer = pair.their_pca.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS", MaxResults=1, **more)
        listed += [each["Arn"] for each in answer["CertificateAuthorities"]]
        more = {"NextToken": answer.get("NextToken")}
    assert listed == made
    assert more == {"NextToken": None}
    token = pair.their_pca.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS", MaxResults=1)["NextToken"]
    with refused("InvalidNextTokenException"):
        pair.their_pca.list_certificate_authorities(NextToken=token)


@ONE
def test_a_deleted_authority_leaves_its_shares(pair):
    root = pair.create()
    share = pair.accepted(root)
    pair.delete(root)
    (found,) = pair.ram.list_resources(resourceOwner="SELF")["resources"]
    assert (found["arn"], found["status"]) == (root, "UNAVAILABLE")
    pair.pca.restore_certificate_authority(CertificateAuthorityArn=root)
    assert pair.ram.list_resources(resourceOwner="SELF")["resources"][0]["status"] == "AVAILABLE"
    pair.delete(root)
    with refused("UnknownResourceException"):
        pair.share(root)
    pair.clock.advance(timedelta(days=8))
    pair.installation.rooms.sharing.shares.sweep()
    assert pair.associations(share, "RESOURCE") == [(root, "DISASSOCIATED")]
    assert pair.ram.list_resources(resourceOwner="SELF")["resources"] == []
    policies = pair.installation.rooms.resource_policies
    assert pair.storage.read(lambda tx: policies.document(tx, root)) is None
    # What ended is forgotten after two hours.
    pair.clock.advance(timedelta(hours=3))
    pair.ram.delete_resource_share(resourceShareArn=pair.share(principals=[]))
    pair.installation.rooms.sharing.shares.sweep()
    assert pair.associations(share, "RESOURCE") == []
    pair.clock.advance(timedelta(hours=3))
    pair.installation.rooms.sharing.shares.sweep()
    assert len(pair.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]) == 1


@ONE
def test_acm_requests_a_certificate_from_a_foreign_authority(pair):
    root = pair.root("RSA_2048")
    share = pair.accepted(root)
    acm = pair.installation.client("acm", credential=pair.credential)
    # As the walk of the documentation has it: a validation method does no harm.
    wanted = {"DomainName": "www.example2.com", "CertificateAuthorityArn": root, "ValidationMethod": "DNS"}
    arn = acm.request_certificate(**wanted)["CertificateArn"]
    assert arn.split(":")[4] == pair.consumer
    pair.clock.advance(timedelta(seconds=5))
    pair.installation.work()
    shown = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (shown["Type"], shown["Status"], shown["CertificateAuthorityArn"]) == ("PRIVATE", "ISSUED", root)
    assert shown["KeyAlgorithm"] == "RSA-2048"
    # A stopped share: what was issued stays.
    pair.ram.delete_resource_share(resourceShareArn=share)
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
