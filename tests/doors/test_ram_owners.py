"""What owners do with shares, what they may not, and what happens when they ask twice (acm-pca.md 12.4)."""

from datetime import timedelta

import pytest

from doors.pki import refused
from doors.sharing import DEFAULT, Pair, denied, permission
from greatseal.domain.sharing import shares as verbs

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

NOWHERE = "arn:aws:ram:us-east-1:111122223333:resource-share/00000000-0000-4000-8000-000000000000"
NO_CA = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def pair(storage):
    return Pair(storage)


def test_a_share_is_made_changed_and_deleted(pair):
    made = pair.ram.create_resource_share(name="Shared", tags=[{"key": "team", "value": "web"}])["resourceShare"]
    arn = made["resourceShareArn"]
    assert arn.startswith(f"arn:aws:ram:us-east-1:{pair.owner}:resource-share/")
    assert made["tags"] == [{"key": "team", "value": "web"}]
    assert (made["status"], made["allowExternalPrincipals"], made["featureSet"]) == ("ACTIVE", True, "STANDARD")
    pair.clock.advance(timedelta(minutes=1))
    changed = pair.ram.update_resource_share(resourceShareArn=arn, name="Other", allowExternalPrincipals=False)
    assert changed["resourceShare"]["name"] == "Other"
    assert changed["resourceShare"]["lastUpdatedTime"] - made["creationTime"] == timedelta(minutes=1)
    assert pair.ram.delete_resource_share(resourceShareArn=arn)["returnValue"] is True
    (shown,) = pair.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert shown["status"] == "DELETED"
    with refused("UnknownResourceException", f"ResourceShare {arn} could not be found."):
        pair.ram.delete_resource_share(resourceShareArn=arn)


def test_tags(pair):
    arn = pair.share(principals=[])
    pair.ram.tag_resource(resourceShareArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b"}])
    pair.ram.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
    (shown,) = pair.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert shown["tags"] == [{"key": "b", "value": ""}]
    wanted = {"resourceOwner": "SELF"}
    for filters, count in (
        ([{"tagKey": "b"}], 1),
        ([{"tagKey": "b", "tagValues": [""]}], 1),
        ([{"tagKey": "b", "tagValues": ["x"]}], 0),
        ([{"tagKey": "a"}], 0),
    ):
        assert len(pair.ram.get_resource_shares(tagFilters=filters, **wanted)["resourceShares"]) == count
    with refused("InvalidParameterException"):
        pair.ram.tag_resource(tags=[{"key": "a"}])
    with refused("InvalidParameterException"):
        pair.ram.tag_resource(resourceShareArn=arn, tags=[{"value": "a"}])
    with refused("InvalidParameterException"):
        pair.ram.tag_resource(resourceShareArn=arn, tags=[{"key": "aws:a", "value": "1"}])
    with refused("TagLimitExceededException"):
        pair.ram.tag_resource(resourceShareArn=arn, tags=[{"key": str(n), "value": ""} for n in range(51)])
    with refused("UnknownResourceException"):
        pair.ram.untag_resource(resourceShareArn=NOWHERE, tagKeys=["a"])


def test_resources_that_cannot_be_shared(pair):
    share = pair.share(principals=[])
    for arn, code in (
        ("no ARN", "MalformedArnException"),
        ("arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1", "MalformedArnException"),
        (NO_CA, "UnknownResourceException"),
        (NO_CA.replace("us-east-1", "eu-west-1"), "UnknownResourceException"),
        (NO_CA.replace("111122223333", pair.consumer), "UnknownResourceException"),
    ):
        for verb in (pair.ram.associate_resource_share, pair.ram.disassociate_resource_share):
            with refused(code):
                verb(resourceShareArn=share, resourceArns=[arn])
        with refused(code):
            pair.share(arn)
    assert pair.associations(share, "RESOURCE") == []
    assert len(pair.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]) == 1


def test_principals_that_cannot_be_shared_with(pair):
    share = pair.share(principals=[])
    for principal, code in (
        ("nobody", "InvalidParameterException"),
        ("o-example1234", "InvalidParameterException"),
        ("arn:aws:iam::444455556666:user/*", "InvalidParameterException"),
        ("arn:aws:iam::444455556666:user/ghost", "InvalidParameterException"),
        (pair.owner, "InvalidParameterException"),
        (f"arn:aws:iam::{pair.owner}:role/own", "InvalidParameterException"),
        ("arn:aws:organizations::111122223333:organization/o-example1234", "UnknownResourceException"),
        ("arn:aws:organizations::111122223333:ou/o-example1234/ou-abcd-12345678", "UnknownResourceException"),
    ):
        with refused(code):
            pair.ram.associate_resource_share(resourceShareArn=share, principals=[principal])
    assert pair.associations(share) == []


def test_outsiders_are_kept_out(pair):
    share = pair.share(principals=[], allowExternalPrincipals=False)
    with refused("OperationNotPermittedException", "can only be shared within your AWS Organization"):
        pair.ram.associate_resource_share(resourceShareArn=share, principals=[pair.consumer])
    with refused("OperationNotPermittedException"):
        pair.share(allowExternalPrincipals=False)
    open_share = pair.share()
    with refused("OperationNotPermittedException"):
        pair.ram.update_resource_share(resourceShareArn=open_share, allowExternalPrincipals=False)
    pair.ram.disassociate_resource_share(resourceShareArn=open_share, principals=[pair.consumer])
    pair.ram.update_resource_share(resourceShareArn=open_share, allowExternalPrincipals=False)
    with refused("OperationNotPermittedException", "not a member of an organization"):
        pair.ram.enable_sharing_with_aws_organization()


def test_shares_that_are_not_the_callers(pair):
    share = pair.share()
    for verb, more in (
        ("update_resource_share", {"name": "x"}),
        ("delete_resource_share", {}),
        ("associate_resource_share", {}),
        ("disassociate_resource_share", {}),
        ("associate_resource_share_permission", {"permissionArn": permission(DEFAULT)}),
        ("disassociate_resource_share_permission", {"permissionArn": permission(DEFAULT)}),
        ("list_resource_share_permissions", {}),
        ("tag_resource", {"tags": [{"key": "a", "value": ""}]}),
        ("untag_resource", {"tagKeys": ["a"]}),
    ):
        with denied("because no resource-based policy allows"):
            getattr(pair.their_ram, verb)(resourceShareArn=share, **more)
        with refused("UnknownResourceException"):
            getattr(pair.ram, verb)(resourceShareArn=NOWHERE, **more)
        elsewhere = pair.installation.client("ram", region="eu-west-1")
        with refused("UnknownResourceException"):
            getattr(elsewhere, verb)(resourceShareArn=share, **more)
        for wrong in ("no ARN", "arn:aws:ram:us-east-1:111122223333:permission/x"):
            with refused("MalformedArnException", "The specified resource share ARN is not valid."):
                getattr(pair.ram, verb)(resourceShareArn=wrong, **more)


def test_what_is_not_offered_is_refused(pair):
    share = pair.share(principals=[])
    with refused("MissingRequiredParameterException"):
        pair.ram.update_resource_share(resourceShareArn=share)
    with refused("InvalidParameterException"):
        pair.share(sources=["444455556666"])
    with refused("InvalidParameterException"):
        pair.share(permissionTemplateParameters=[{"permissionArn": permission(DEFAULT)}])
    with refused("OperationNotPermittedException"):
        pair.share(resourceShareConfiguration={"retainSharingOnAccountLeaveOrganization": True})
    for arn, code in (("no ARN", "MalformedArnException"), (permission("Unknown"), "UnknownResourceException")):
        with refused(code):
            pair.share(permissionArns=[arn])
        with refused(code):
            pair.ram.associate_resource_share_permission(resourceShareArn=share, permissionArn=arn)
    with refused("UnknownResourceException"):
        pair.ram.associate_resource_share_permission(
            resourceShareArn=share, permissionArn=permission(DEFAULT), permissionVersion=2
        )


def test_the_quota(pair, monkeypatch):
    monkeypatch.setattr(verbs, "MAX_SHARES", 1)
    pair.ram.delete_resource_share(resourceShareArn=pair.share(principals=[]))
    pair.share(principals=[])
    with refused("ResourceShareLimitExceededException"):
        pair.share(principals=[])


def test_the_same_request_twice(pair):
    root = pair.create()
    wanted = {"name": "Shared", "resourceArns": [root], "principals": [pair.consumer], "clientToken": "once"}
    first = pair.ram.create_resource_share(**wanted)
    assert first["clientToken"] == "once"
    again = pair.ram.create_resource_share(**wanted)
    assert again["resourceShare"] == first["resourceShare"]
    assert len(pair.their_ram.get_resource_share_invitations()["resourceShareInvitations"]) == 1
    with refused("IdempotentParameterMismatchException"):
        pair.ram.create_resource_share(**{**wanted, "name": "Other"})
    for wrong in ("", "a b", "x" * 65):
        with refused("InvalidClientTokenException"):
            pair.ram.create_resource_share(**{**wanted, "clientToken": wrong})
    arn = first["resourceShare"]["resourceShareArn"]
    answer = {"resourceShareInvitationArn": pair.invitation(arn), "clientToken": "once"}
    for _ in range(2):
        shown = pair.their_ram.accept_resource_share_invitation(**answer)["resourceShareInvitation"]
        assert shown["status"] == "ACCEPTED"
    leave = {"resourceShareArn": arn, "principals": [pair.consumer], "clientToken": "once"}
    for _ in range(2):
        (ended,) = pair.ram.disassociate_resource_share(**leave)["resourceShareAssociations"]
        assert ended["status"] == "DISASSOCIATED"
    for _ in range(2):
        (back,) = pair.ram.associate_resource_share(**leave)["resourceShareAssociations"]
        assert back["status"] == "ASSOCIATING"
    for _ in range(2):
        assert pair.ram.delete_resource_share(resourceShareArn=arn, clientToken="once")["returnValue"]
    pair.clock.advance(timedelta(hours=9))
    with refused("UnknownResourceException"):
        pair.ram.delete_resource_share(resourceShareArn=arn, clientToken="once")
