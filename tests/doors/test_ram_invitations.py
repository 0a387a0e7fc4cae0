"""Invitations: their life, their answers and their refusals (acm-pca.md 12.4, iam.md 12)."""

from datetime import timedelta

import pytest

from doors.pki import refused
from doors.sharing import Pair

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pair(storage):
    return Pair(storage)


def test_accepted_once(pair):
    share = pair.share(pair.create())
    wanted = {"resourceShareInvitationArn": pair.invitation(share)}
    pair.their_ram.accept_resource_share_invitation(**wanted)
    for verb in (pair.their_ram.accept_resource_share_invitation, pair.their_ram.reject_resource_share_invitation):
        with refused("ResourceShareInvitationAlreadyAcceptedException"):
            verb(**wanted)
    # Still told, for as long as invitations are kept.
    found = pair.their_ram.list_pending_invitation_resources(**wanted)["resources"]
    assert [each["status"] for each in found] == ["AVAILABLE"]


def test_rejected_and_asked_again(pair):
    share = pair.share(pair.create())
    first = {"resourceShareInvitationArn": pair.invitation(share)}
    answer = pair.their_ram.reject_resource_share_invitation(**first)["resourceShareInvitation"]
    assert answer["status"] == "REJECTED"
    assert pair.associations(share) == [(pair.consumer, "FAILED")]
    assert pair.their_shared() == []
    for verb in (
        pair.their_ram.accept_resource_share_invitation,
        pair.their_ram.reject_resource_share_invitation,
        pair.their_ram.list_pending_invitation_resources,
    ):
        with refused("ResourceShareInvitationAlreadyRejectedException"):
            verb(**first)
    pair.clock.advance(timedelta(seconds=1))
    pair.ram.associate_resource_share(resourceShareArn=share, principals=[pair.consumer])
    second = pair.invitation(share)
    assert second != first["resourceShareInvitationArn"]
    pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=second)
    assert pair.associations(share) == [(pair.consumer, "ASSOCIATED")]


def test_twelve_hours(pair):
    share = pair.share(pair.create())
    wanted = {"resourceShareInvitationArn": pair.invitation(share)}
    pair.clock.advance(timedelta(hours=12) - timedelta(microseconds=1))
    assert pair.associations(share) == [(pair.consumer, "ASSOCIATING")]
    pair.clock.advance(timedelta(microseconds=1))
    (found,) = pair.their_ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert found["status"] == "EXPIRED"
    assert pair.associations(share) == [(pair.consumer, "FAILED")]
    for verb in (
        pair.their_ram.accept_resource_share_invitation,
        pair.their_ram.reject_resource_share_invitation,
        pair.their_ram.list_pending_invitation_resources,
    ):
        with refused("ResourceShareInvitationExpiredException"):
            verb(**wanted)
    for status, count in (("FAILED", 1), ("ASSOCIATING", 0), ("ASSOCIATED", 0), ("SUSPENDED", 0)):
        listed = pair.ram.get_resource_share_associations(associationType="PRINCIPAL", associationStatus=status)
        assert len(listed["resourceShareAssociations"]) == count, status


def test_whose_invitation(pair):
    share = pair.share(pair.create())
    arn = pair.invitation(share)
    third = pair.installation.client("ram", credential=pair.new_account("third"))
    # The sender cannot answer for the receiver.
    for client in (pair.ram, third):
        with refused("ResourceShareInvitationArnNotFoundException"):
            client.accept_resource_share_invitation(resourceShareInvitationArn=arn)
        with refused("ResourceShareInvitationArnNotFoundException"):
            client.get_resource_share_invitations(resourceShareInvitationArns=[arn])
        assert client.get_resource_share_invitations()["resourceShareInvitations"] == []
    elsewhere = pair.installation.client("ram", credential=pair.credential, region="eu-west-1")
    with refused("ResourceShareInvitationArnNotFoundException"):
        elsewhere.accept_resource_share_invitation(resourceShareInvitationArn=arn)
    for wrong in (share, "no ARN", "arn:aws:ram:us-east-1:111122223333:resource-share-invitation/"):
        with refused("MalformedArnException"):
            pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=wrong)
        with refused("MalformedArnException"):
            pair.their_ram.get_resource_share_invitations(resourceShareInvitationArns=[wrong])


def test_withdrawn(pair):
    root = pair.create()
    for end in (
        lambda share: pair.ram.delete_resource_share(resourceShareArn=share),
        lambda share: pair.ram.disassociate_resource_share(resourceShareArn=share, principals=[pair.consumer]),
    ):
        share = pair.share(root)
        arn = pair.invitation(share)
        end(share)
        with refused("ResourceShareInvitationArnNotFoundException"):
            pair.their_ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)


def test_page_by_page(pair):
    root = pair.create()
    shares = {pair.share(root) for _ in range(3)}
    listed, more = set(), {}
    for _ in range(3):
        answer = pair.their_ram.get_resource_share_invitations(maxResults=1, **more)
        listed |= {each["resourceShareArn"] for each in answer["resourceShareInvitations"]}
        more = {"nextToken": answer.get("nextToken")}
    assert (listed, more) == (shares, {"nextToken": None})
    with refused("InvalidNextTokenException"):
        pair.their_ram.get_resource_share_invitations(nextToken="AAAA")
