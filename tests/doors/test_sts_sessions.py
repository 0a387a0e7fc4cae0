"""Temporary credentials through the door: who may have them, what they may do, and when they end."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doors.organization import (
    OTHER,
    allow,
    deny,
    document,
    role,
    second_account,
    session_client,
    trust,
    user,
)
from greatseal.domain.access import Credential
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import Installation
from greatseal.testing.installation import ACCOUNT

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
OWN = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
LISTS = allow("acm:ListCertificates")


@pytest.fixture
def installation(storage: Storage) -> Installation:
    return Installation(storage)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_who_am_i(installation: Installation) -> None:
    root = installation.client("sts").get_caller_identity()
    assert (root["UserId"], root["Account"], root["Arn"]) == (ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    alice = user(installation, "alice", deny("*"))
    mine = installation.client("sts", credential=alice).get_caller_identity()
    # No denial forbids it (iam.md 9).
    assert (mine["UserId"], mine["Arn"]) == (alice.principal_id, alice.principal_arn)
    assert mine["UserId"].startswith("AIDA")


def test_a_role_is_assumed_and_does_what_it_may(installation: Installation) -> None:
    arn = role(installation, "reader", trust(OWN), LISTS, Path="/team/")
    alice = user(installation, "alice", allow("sts:AssumeRole"))
    answer = installation.client("sts", credential=alice).assume_role(RoleArn=arn, RoleSessionName="s-1")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s-1"
    assert answer["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA")
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":s-1")
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert "PackedPolicySize" not in answer
    assert answer["Credentials"]["Expiration"] == installation.clock.now() + timedelta(hours=1)
    identity = session_client(installation, "sts", answer).get_caller_identity()
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    acm = session_client(installation, "acm", answer)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    with pytest.raises(ClientError) as error:
        acm.get_account_configuration()
    assert refusal(error) == (
        400,
        "AccessDeniedException",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/s-1 is not authorized to perform: "
        "acm:GetAccountConfiguration on resource: * because no identity-based policy allows the "
        "acm:GetAccountConfiguration action",
    )


def test_a_token_ends_and_belongs_to_its_key(installation: Installation) -> None:
    arn = role(installation, "reader", trust(OWN), LISTS)
    answer = installation.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=900)
    other = installation.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1")
    mixed = {"Credentials": answer["Credentials"] | {"SessionToken": other["Credentials"]["SessionToken"]}}
    for wrong in (mixed, {"Credentials": answer["Credentials"] | {"SessionToken": "AAAA"}}):
        with pytest.raises(ClientError) as error:
            session_client(installation, "acm", wrong).list_certificates()
        assert refusal(error)[1:] == (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
        with pytest.raises(ClientError) as error:
            session_client(installation, "sts", wrong).get_caller_identity()
        assert refusal(error)[:2] == (403, "InvalidClientTokenId")
    # A temporary key without its token is no key at all.
    given = answer["Credentials"]
    bare = Credential(given["AccessKeyId"], Secret(given["SecretAccessKey"].encode()), "", "", "")
    with pytest.raises(ClientError) as error:
        installation.client("acm", credential=bare).list_certificates()
    assert refusal(error)[1] == "UnrecognizedClientException"
    installation.clock.advance(timedelta(minutes=15))
    with pytest.raises(ClientError) as error:
        session_client(installation, "acm", answer).list_certificates()
    assert refusal(error) == (
        400,
        "ExpiredTokenException",
        "The security token included in the request is expired",
    )
    with pytest.raises(ClientError) as error:
        session_client(installation, "sts", answer).get_caller_identity()
    assert refusal(error)[:2] == (403, "ExpiredToken")
    session_client(installation, "acm", other).list_certificates()


def test_trust_decides(installation: Installation) -> None:
    alice = user(installation, "alice")
    bob = user(installation, "bob", allow("sts:AssumeRole"))
    named = role(installation, "named", trust({"AWS": alice.principal_arn}), LISTS)
    account = role(installation, "account", trust(OWN), LISTS)
    sts = installation.client("sts", credential=alice)
    # Named alone is enough in the same account; the account's name needs an identity policy besides (iam.md 2).
    sts.assume_role(RoleArn=named, RoleSessionName="s1")
    for arn in (account, f"arn:aws:iam::{ACCOUNT}:role/does-not-exist"):
        with pytest.raises(ClientError) as error:
            sts.assume_role(RoleArn=arn, RoleSessionName="s1")
        assert refusal(error) == (
            403,
            "AccessDenied",
            f"User: {alice.principal_arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        )
    bobs = installation.client("sts", credential=bob)
    bobs.assume_role(RoleArn=account, RoleSessionName="s1")
    with pytest.raises(ClientError) as error:
        bobs.assume_role(RoleArn=named, RoleSessionName="s1")
    assert refusal(error)[1] == "AccessDenied"


def test_external_id_between_accounts(installation: Installation) -> None:
    """The confused deputy: the account is trusted only with the word that was agreed."""
    other = second_account(installation)
    condition = {"StringEquals": {"sts:ExternalId": "agreed"}}
    arn = role(installation, "vendor", trust({"AWS": OTHER}, Condition=condition), LISTS)
    carol = user(installation, "carol", allow("sts:AssumeRole", arn), root=other)
    sts = installation.client("sts", credential=carol)
    for given in ({}, {"ExternalId": "guessed"}):
        with pytest.raises(ClientError) as error:
            sts.assume_role(RoleArn=arn, RoleSessionName="s1", **given)
        assert refusal(error)[1] == "AccessDenied"
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="s1", ExternalId="agreed")
    assert session_client(installation, "sts", answer).get_caller_identity()["Account"] == ACCOUNT
    # Both accounts see it in their trails.
    for root in (None, other):
        trail = installation.client("cloudtrail", credential=root)
        events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}])
        assert [each["EventName"] for each in events["Events"] if "errorCode" not in each["CloudTrailEvent"]] == [
            "AssumeRole"
        ]


def test_session_policies_only_take_away(installation: Installation) -> None:
    arn = role(installation, "wide", trust(OWN), allow(["acm:*", "acm-pca:*"]))
    sts = installation.client("sts")
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="s1", Policy=document(LISTS, allow("iam:*")))
    assert answer["PackedPolicySize"] > 0
    session_client(installation, "acm", answer).list_certificates()
    with pytest.raises(ClientError) as error:
        session_client(installation, "acm-pca", answer).list_certificate_authorities()
    assert refusal(error)[2].endswith("because no session policy allows the acm-pca:ListCertificateAuthorities action")
    with pytest.raises(ClientError) as error:
        session_client(installation, "iam", answer).list_users()
    assert refusal(error)[2].endswith("because no identity-based policy allows the iam:ListUsers action")


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"Policy": "{"}, "MalformedPolicyDocument", "line 1 column 2: This policy contains invalid Json"),
        ({"Policy": document(allow("acm:*", Conditions={}))}, "MalformedPolicyDocument", None),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/NoSuchPolicy"}]}, "ValidationError", None),
        ({"PolicyArns": [{"arn": f"arn:aws:iam::{OTHER}:policy/x"}]}, "ValidationError", None),
        (
            {"DurationSeconds": 3601},
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        ({"DurationSeconds": 899}, "ValidationError", None),
        (
            {"RoleSessionName": "Session1:2"},
            "ValidationError",
            "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        ),
        ({"RoleArn": "arn:aws:iam::111122223333:user/alice"}, "ValidationError", None),
        ({"RoleArn": "not-an-arn-but-long-enough"}, "ValidationError", "not-an-arn-but-long-enough is invalid"),
        (
            {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        ({"TransitiveTagKeys": ["team"]}, "InvalidParameterValue", None),
        ({"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/x", "TokenCode": "123456"}, "AccessDenied", None),
    ],
)
def test_wishes_that_cannot_be(installation: Installation, given: Any, code: str, message: str | None) -> None:
    arn = role(installation, "reader", trust(OWN, ["sts:AssumeRole", "sts:TagSession"]), LISTS)
    with pytest.raises(ClientError) as error:
        installation.client("sts").assume_role(**{"RoleArn": arn, "RoleSessionName": "s1", **given})
    assert refusal(error)[1] == code
    if message is not None:
        assert refusal(error)[2] == message


def test_a_policy_may_be_too_large_for_the_token(installation: Installation) -> None:
    arn = role(installation, "reader", trust(OWN, ["sts:AssumeRole", "sts:TagSession"]), LISTS)
    tags = [{"Key": f"key-{n}", "Value": hashlib.sha512(bytes([n])).hexdigest()} for n in range(50)]
    with pytest.raises(ClientError) as error:
        installation.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1", Tags=tags)
    assert refusal(error)[:2] == (400, "PackedPolicyTooLarge")


def test_tags_and_source_identity_go_along(installation: Installation) -> None:
    may = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    team = {"StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceIdentity": "alice"}}
    first = role(installation, "first", trust(OWN, may), allow(may))
    second = role(installation, "second", trust(OWN, may), allow("acm:ListCertificates", Condition=team))
    sts = installation.client("sts")
    answer = sts.assume_role(
        RoleArn=first,
        RoleSessionName="s1",
        Tags=[{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": "7"}],
        TransitiveTagKeys=["team"],
        SourceIdentity="alice",
    )
    assert answer["SourceIdentity"] == "alice"
    chained = session_client(installation, "sts", answer)
    again = chained.assume_role(RoleArn=second, RoleSessionName="s2")
    assert again["SourceIdentity"] == "alice"
    session_client(installation, "acm", again).list_certificates()
    for given, code in (
        ({"Tags": [{"Key": "Team", "Value": "blue"}]}, "InvalidParameterValue"),
        ({"SourceIdentity": "mallory"}, "AccessDenied"),
        ({"DurationSeconds": 7200}, "ValidationError"),
    ):
        with pytest.raises(ClientError) as error:
            chained.assume_role(RoleArn=second, RoleSessionName="s2", **given)
        assert refusal(error)[1] == code
    # Without a say of the trust policy, no tags.
    plain = role(installation, "plain", trust(OWN), LISTS)
    with pytest.raises(ClientError) as error:
        sts.assume_role(RoleArn=plain, RoleSessionName="s1", Tags=[{"Key": "team", "Value": "red"}])
    assert "sts:TagSession" in refusal(error)[2]


def test_a_right_that_is_taken_away_is_gone_at_once(installation: Installation) -> None:
    arn = role(installation, "reader", trust(OWN), LISTS)
    answer = installation.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1")
    acm = session_client(installation, "acm", answer)
    acm.list_certificates()
    installation.client("iam").delete_role_policy(RoleName="reader", PolicyName="inline")
    with pytest.raises(ClientError) as error:
        acm.list_certificates()
    assert refusal(error)[1] == "AccessDeniedException"
    installation.client("iam").delete_role(RoleName="reader")
    role(installation, "reader", trust(OWN), LISTS)
    # The session is of the role that is gone, not of its namesake.
    with pytest.raises(ClientError) as error:
        acm.list_certificates()
    assert refusal(error)[1] == "AccessDeniedException"


def test_sessions_of_users(installation: Installation) -> None:
    alice = user(installation, "alice", LISTS, allow(["iam:*", "sts:*"]))
    sts = installation.client("sts", credential=alice)
    answer = sts.get_session_token()
    assert answer["Credentials"]["Expiration"] == installation.clock.now() + timedelta(hours=12)
    session_client(installation, "acm", answer).list_certificates()
    mine = session_client(installation, "sts", answer)
    assert mine.get_caller_identity()["Arn"] == alice.principal_arn
    with pytest.raises(ClientError) as error:
        session_client(installation, "iam", answer).list_users()
    assert refusal(error) == (403, "AccessDenied", "Cannot call ListUsers with session credentials")
    for call in (mine.get_session_token, lambda: mine.get_federation_token(Name="bob")):
        with pytest.raises(ClientError) as error:
            call()
        assert refusal(error)[1] == "AccessDenied"
    root = installation.client("sts").get_session_token(DurationSeconds=129600)
    assert root["Credentials"]["Expiration"] == installation.clock.now() + timedelta(hours=1)


def test_federated_users_have_what_both_allow(installation: Installation) -> None:
    alice = user(installation, "alice", LISTS, allow("sts:GetFederationToken"))
    sts = installation.client("sts", credential=alice)
    answer = sts.get_federation_token(Name="bob", Policy=document(allow("acm:*")))
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:bob",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
    }
    acm = session_client(installation, "acm", answer)
    acm.list_certificates()
    with pytest.raises(ClientError) as error:
        acm.get_account_configuration()
    assert "no identity-based policy allows" in refusal(error)[2]
    bare = sts.get_federation_token(Name="bob")
    with pytest.raises(ClientError) as error:
        session_client(installation, "acm", bare).list_certificates()
    assert "no session policy allows" in refusal(error)[2]


def test_whose_key_is_it(installation: Installation) -> None:
    alice = user(installation, "alice")
    sts = installation.client("sts")
    assert sts.get_access_key_info(AccessKeyId=alice.access_key_id)["Account"] == ACCOUNT
    with pytest.raises(ClientError) as error:
        sts.get_access_key_info(AccessKeyId="AKIAAAAAAAAAAAAAAAAA")
    assert refusal(error)[1] == "ValidationError"


def test_what_is_recorded_of_a_session(installation: Installation) -> None:
    arn = role(installation, "reader", trust(OWN), LISTS)
    installation.clock.advance(timedelta(seconds=1))
    answer = installation.client("sts").assume_role(RoleArn=arn, RoleSessionName="s1")
    acm = session_client(installation, "acm", answer)
    installation.clock.advance(timedelta(seconds=1))
    acm.list_certificates()
    installation.clock.advance(timedelta(seconds=1))
    with pytest.raises(ClientError):
        acm.get_account_configuration()
    found = installation.client("cloudtrail").lookup_events(MaxResults=3)["Events"]
    refused, listed, assumed = (json.loads(each["CloudTrailEvent"]) for each in found)
    assert (refused["errorCode"], refused["responseElements"]) == ("AccessDenied", None)
    assert refused["errorMessage"].startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/s1 is not")
    assert listed["userIdentity"]["type"] == "AssumedRole"
    assert listed["userIdentity"]["principalId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    issuer = listed["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"], issuer["userName"]) == ("Role", arn, "reader")
    assert listed["readOnly"] is True
    assert assumed["responseElements"]["credentials"]["accessKeyId"] == answer["Credentials"]["AccessKeyId"]
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert assumed["responseElements"]["credentials"]["sessionToken"] == hidden
    assert assumed["responseElements"]["credentials"]["secretAccessKey"] == hidden
    assert answer["Credentials"]["SecretAccessKey"] not in json.dumps(found, default=str)
