"""Invitations: who is a party, who decides, and when an invitation ends (iam.md 10)."""

import re
from datetime import timedelta

import pytest

from doors.member_accounts import FULL, MANAGEMENT, Org, constrained
from doors.pki import refused
from greatseal.testing.clock import START


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def org(storage):
    return Org(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


def invite(org, account, **more):
    target = {"Type": "ACCOUNT", "Id": account}
    return org.client.invite_account_to_organization(**{"Target": target, **more})["Handshake"]


@on_both
def test_an_account_is_invited_and_joins(org):
    account = org.stranger()
    client = org.of(account)
    made = invite(org, account, Notes="welcome", Tags=[{"Key": "a", "Value": "b"}])
    assert re.fullmatch(r"h-[a-z0-9]{32}", made["Id"])
    assert made == {
        "Id": made["Id"],
        "Arn": org.arn("handshake", "invite", made["Id"]),
        "Parties": [{"Id": org.id, "Type": "ORGANIZATION"}, {"Id": account, "Type": "ACCOUNT"}],
        "State": "OPEN",
        "RequestedTimestamp": START,
        "ExpirationTimestamp": START + timedelta(days=15),
        "Action": "INVITE",
        "Resources": [
            {
                "Value": org.id,
                "Type": "ORGANIZATION",
                "Resources": [
                    {"Value": f"root@{MANAGEMENT}.invalid", "Type": "MASTER_EMAIL"},
                    {"Value": "Greatseal", "Type": "MASTER_NAME"},
                    {"Value": "ALL", "Type": "ORGANIZATION_FEATURE_SET"},
                ],
            },
            {"Value": account, "Type": "ACCOUNT"},
            {"Value": "welcome", "Type": "NOTES"},
        ],
    }
    for side in (client, org.client):
        assert side.describe_handshake(HandshakeId=made["Id"])["Handshake"] == made
    assert client.list_handshakes_for_account()["Handshakes"] == [made]
    assert org.client.list_handshakes_for_organization()["Handshakes"] == [made]
    with refused("DuplicateHandshakeException"):
        invite(org, account)
    with refused("AccessDeniedException"):
        org.client.accept_handshake(HandshakeId=made["Id"])
    with refused("AccessDeniedException"):
        client.cancel_handshake(HandshakeId=made["Id"])
    accepted = client.accept_handshake(HandshakeId=made["Id"])["Handshake"]
    assert accepted == {**made, "State": "ACCEPTED"}
    found = org.client.describe_account(AccountId=account)["Account"]
    assert (found["JoinedMethod"], found["Name"]) == ("INVITED", "stranger")
    assert org.attached(account) == [FULL]
    assert org.client.list_tags_for_resource(ResourceId=account)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert client.describe_organization()["Organization"] == org.organization
    with refused("HandshakeAlreadyInStateException"):
        client.accept_handshake(HandshakeId=made["Id"])
    for ask in (client.decline_handshake, org.client.cancel_handshake):
        with refused("InvalidHandshakeTransitionException"):
            ask(HandshakeId=made["Id"])
    with constrained("ALREADY_IN_AN_ORGANIZATION", "HandshakeConstraintViolationException"):
        invite(org, account)


@on_both
def test_invitations_by_address_that_are_declined_and_canceled(org):
    account = org.stranger()
    target = {"Type": "EMAIL", "Id": "Stranger@example.com"}
    for end, side in (("decline", org.of(account)), ("cancel", org.client)):
        made = invite(org, account, Target=target)
        assert made["Parties"][1] == target
        ended = getattr(side, f"{end}_handshake")(HandshakeId=made["Id"])["Handshake"]
        assert ended["State"] == {"decline": "DECLINED", "cancel": "CANCELED"}[end]
        with refused("InvalidHandshakeTransitionException"):
            org.of(account).accept_handshake(HandshakeId=made["Id"])
    listed = org.client.list_handshakes_for_organization()["Handshakes"]
    assert {each["State"] for each in listed} == {"DECLINED", "CANCELED"}
    assert org.client.list_handshakes_for_organization(Filter={"ActionType": "INVITE"})["Handshakes"] == listed
    assert org.client.list_handshakes_for_organization(Filter={"ActionType": "ENABLE_ALL_FEATURES"})["Handshakes"] == []
    page = org.client.list_handshakes_for_organization(MaxResults=1)
    rest = org.client.list_handshakes_for_organization(MaxResults=1, NextToken=page["NextToken"])
    assert [*page["Handshakes"], *rest["Handshakes"]] == listed


@on_both
def test_invitations_expire_and_are_forgotten(org):
    account = org.stranger()
    client = org.of(account)
    made = invite(org, account)
    org.installation.clock.advance(timedelta(days=15))
    assert client.describe_handshake(HandshakeId=made["Id"])["Handshake"]["State"] == "EXPIRED"
    for ask in (client.accept_handshake, client.decline_handshake, org.client.cancel_handshake):
        with refused("InvalidHandshakeTransitionException"):
            ask(HandshakeId=made["Id"])
    again = invite(org, account)
    client.decline_handshake(HandshakeId=again["Id"])
    assert len(client.list_handshakes_for_account()["Handshakes"]) == 2
    org.installation.clock.advance(timedelta(days=30))
    assert client.list_handshakes_for_account()["Handshakes"] == []
    with refused("HandshakeNotFoundException"):
        client.describe_handshake(HandshakeId=again["Id"])


def test_strangers_and_nobody(org):
    made = invite(org, org.stranger())
    other = org.of(org.stranger("other"))
    for ask in (other.describe_handshake, other.accept_handshake, other.cancel_handshake):
        with refused("HandshakeNotFoundException", "You specified a handshake that doesn't exist."):
            ask(HandshakeId=made["Id"])
    with refused("AWSOrganizationsNotInUseException"):
        other.list_handshakes_for_organization()
    for target, reason in (
        ({"Type": "ACCOUNT", "Id": "999999999999"}, "INVALID_PARTY_TYPE_TARGET"),
        ({"Type": "ORGANIZATION", "Id": org.id}, "INVALID_PARTY_TYPE_TARGET"),
        ({"Type": "EMAIL", "Id": "nobody@example.com"}, "INVALID_EMAIL_ADDRESS_TARGET"),
    ):
        with constrained(reason, "InvalidInputException"):
            invite(org, "", Target=target)


def test_whoever_joined_elsewhere_cannot_accept(org):
    account = org.stranger()
    client = org.of(account)
    made = invite(org, account)
    client.create_organization()
    with constrained("ALREADY_IN_AN_ORGANIZATION", "HandshakeConstraintViolationException"):
        client.accept_handshake(HandshakeId=made["Id"])
    assert client.describe_handshake(HandshakeId=made["Id"])["Handshake"]["State"] == "OPEN"
