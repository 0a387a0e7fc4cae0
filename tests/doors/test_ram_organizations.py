"""Sharing within an organization: no invitations, and no access for those outside (iam.md 12, step 6)."""

import json

import pytest

from doors.member_accounts import Org
from doors.pki import refused
from doors.sharing import Pair, denied, policy

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Family(Pair):
    """An organization managed by the owner, with a unit, a member in the unit, and one beside it."""

    def __init__(self, storage):
        super().__init__(storage)
        self.org = Org(storage, control=False)
        # The organization of another object over the same database: its clients sign with the same root.
        self.unit = self.org.unit()
        self.inside = self.org.member("inside", parent=self.unit)
        self.beside = self.org.member("beside")
        self.organization_arn = self.org.arn("organization")
        self.unit_arn = self.org.arn("ou", self.unit)

    def client_of(self, account, service):
        """A client of the root of a member."""
        accounts = self.installation.rooms.accounts
        root = self.storage.transact(lambda tx: accounts.new_root_credential(tx, account, "us-east-1"))
        return self.installation.client(service, credential=root)


@pytest.fixture
def family(storage):
    return Family(storage)


def sees(pca, arn):
    """Whether a CA is listed, and the same answer from Describe."""
    found = pca.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"]
    if arn in [each["Arn"] for each in found]:
        pca.describe_certificate_authority(CertificateAuthorityArn=arn)
        return True
    with denied("because no resource-based policy allows"):
        pca.describe_certificate_authority(CertificateAuthorityArn=arn)
    return False


def test_the_whole_organization(family):
    root = family.create()
    with refused("UnknownResourceException", "could not be found"):
        family.share(root, principals=[family.organization_arn])
    assert family.ram.enable_sharing_with_aws_organization()["returnValue"] is True
    assert family.ram.enable_sharing_with_aws_organization()["returnValue"] is True
    trusted = family.org.client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert [each["ServicePrincipal"] for each in trusted] == ["ram.amazonaws.com"]
    share = family.share(root, principals=[family.organization_arn], allowExternalPrincipals=False)
    (found,) = family.ram.get_resource_share_associations(associationType="PRINCIPAL")["resourceShareAssociations"]
    assert (found["status"], found["external"]) == ("ASSOCIATED", False)
    reads, issuing = family.statements(root)
    within = {"aws:PrincipalOrgID": family.org.id, "aws:ResourceOrgID": family.org.id}
    assert (reads["Principal"], reads["Condition"]) == ("*", {"StringEquals": within})
    assert issuing["Condition"]["StringEquals"].items() >= within.items()
    for account in (family.inside, family.beside):
        assert sees(family.client_of(account, "acm-pca"), root)
        ram = family.client_of(account, "ram")
        assert ram.get_resource_share_invitations()["resourceShareInvitations"] == []
        (received,) = ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
        assert received["resourceShareArn"] == share
        (owner,) = ram.list_principals(resourceOwner="OTHER-ACCOUNTS")["principals"]
        assert (owner["id"], owner["external"]) == (family.owner, False)
    assert not sees(family.their_pca, root)
    # Who leaves, loses.
    family.org.client.remove_account_from_organization(AccountId=family.beside)
    assert not sees(family.client_of(family.beside, "acm-pca"), root)


def test_one_unit(family):
    root = family.create()
    family.ram.enable_sharing_with_aws_organization()
    family.share(root, principals=[family.unit_arn])
    below = {"aws:PrincipalOrgPaths": f"{family.org.id}/*/{family.unit}/*"}
    assert family.statements(root)[0]["Condition"]["ForAnyValue:StringLike"] == below
    assert sees(family.client_of(family.inside, "acm-pca"), root)
    beside = family.client_of(family.beside, "acm-pca")
    assert not sees(beside, root)
    family.org.client.move_account(
        AccountId=family.beside, SourceParentId=family.org.root, DestinationParentId=family.unit
    )
    assert sees(beside, root)
    deeper = family.org.unit("deeper", parent=family.unit)
    family.org.client.move_account(AccountId=family.beside, SourceParentId=family.unit, DestinationParentId=deeper)
    assert sees(beside, root)


def test_one_account_of_it(family):
    root = family.create()
    # Without sharing in the organization, members are invited as strangers are.
    first = family.share(root, principals=[family.inside])
    assert family.associations(first) == [(family.inside, "ASSOCIATING")]
    family.ram.delete_resource_share(resourceShareArn=first)
    family.ram.enable_sharing_with_aws_organization()
    share = family.share(root, principals=[family.inside, family.consumer])
    assert dict(family.associations(share)) == {family.inside: "ASSOCIATED", family.consumer: "ASSOCIATING"}
    pca = family.client_of(family.inside, "acm-pca")
    assert sees(pca, root)
    assert not sees(family.their_pca, root)
    family.org.client.remove_account_from_organization(AccountId=family.inside)
    assert not sees(pca, root)


def test_an_own_policy_for_an_organization(family):
    root = family.create()
    condition = {"StringEquals": {"aws:PrincipalOrgID": family.org.id}}
    family.pca.put_policy(ResourceArn=root, Policy=json.dumps(policy(root, "*", condition=condition)))
    assert sees(family.client_of(family.inside, "acm-pca"), root)
    assert not sees(family.their_pca, root)


def test_who_may_enable_it(family):
    with refused("OperationNotPermittedException", "not the management account"):
        family.client_of(family.inside, "ram").enable_sharing_with_aws_organization()
    with refused("OperationNotPermittedException", "not a member of an organization"):
        family.their_ram.enable_sharing_with_aws_organization()
