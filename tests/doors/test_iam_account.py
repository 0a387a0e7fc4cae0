"""An account as a whole, and the identity providers that it trusts (iam.md 9, 10)."""

import pytest

from doors.iam import HERE, People, absent, allow, denied, document, refused, trust
from greatseal.testing import FakeEntropy, Installation

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
URL = "https://oidc.example.com/id/7"
PROVIDER = f"{HERE}:oidc-provider/oidc.example.com/id/7"


@pytest.fixture
def people(storage):
    return People(storage)


@pytest.fixture
def iam(people):
    return people.iam


def test_the_life_of_an_identity_provider(iam):
    made = iam.create_open_id_connect_provider(
        Url=URL, ClientIDList=["one", "one"], ThumbprintList=["a" * 40], Tags=[{"Key": "k", "Value": "v"}]
    )
    assert made["OpenIDConnectProviderArn"] == PROVIDER
    with refused(409, "EntityAlreadyExists", f"Provider with url {URL} already exists."):
        iam.create_open_id_connect_provider(Url=URL)
    about = {"OpenIDConnectProviderArn": PROVIDER}
    iam.add_client_id_to_open_id_connect_provider(**about, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(**about, ClientID="one")
    iam.remove_client_id_from_open_id_connect_provider(**about, ClientID="none")
    iam.update_open_id_connect_provider_thumbprint(**about, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(**about, Tags=[{"Key": "l", "Value": ""}])
    iam.untag_open_id_connect_provider(**about, TagKeys=["k"])
    found = iam.get_open_id_connect_provider(**about)
    assert (found["Url"], found["ClientIDList"], found["ThumbprintList"]) == (URL[8:], ["two"], ["b" * 40])
    assert found["Tags"] == iam.list_open_id_connect_provider_tags(**about)["Tags"] == [{"Key": "l", "Value": ""}]
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == [{"Arn": PROVIDER}]
    for _ in range(2):
        iam.delete_open_id_connect_provider(**about)
    with absent(f"OpenIDConnect Provider not found for arn {PROVIDER}"):
        iam.get_open_id_connect_provider(**about)


@SQLITE
def test_providers_that_are_refused(iam):
    for wrong in ("http://oidc.example.com", "https://x.example.com/?a=b", "oidc.example.com", "https://"):
        with refused(400, "ValidationError", "Invalid Open ID Connect Provider URL"):
            iam.create_open_id_connect_provider(Url=wrong)
    for wrong in (["z" * 40], ["a" * 40] * 6):
        with refused(400, "InvalidInput", "humbprint"):
            iam.create_open_id_connect_provider(Url=URL, ThumbprintList=wrong)
    with refused(409, "LimitExceeded", "ClientIds"):
        iam.create_open_id_connect_provider(Url=URL, ClientIDList=[f"c{n}" for n in range(101)])
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_an_alias_belongs_to_one_account(people, iam):
    stranger = Installation(people.installation.rooms.storage, account="444455556666", entropy=FakeEntropy("other"))
    theirs = stranger.client("iam")
    iam.create_account_alias(AccountAlias="first")
    iam.create_account_alias(AccountAlias="second")
    assert iam.list_account_aliases()["AccountAliases"] == ["second"]
    assert iam.get_user()["User"]["UserName"] == "second"
    theirs.create_account_alias(AccountAlias="first")
    with refused(409, "EntityAlreadyExists", "The account alias second already exists."):
        theirs.create_account_alias(AccountAlias="second")
    with absent("The account alias first cannot be found."):
        iam.delete_account_alias(AccountAlias="first")
    iam.delete_account_alias(AccountAlias="second")
    assert iam.list_account_aliases()["AccountAliases"] == []
    with refused(400, "ValidationError"):
        iam.create_account_alias(AccountAlias="Not-Good")


@SQLITE
def test_accounts_do_not_see_each_other(people, iam):
    stranger = Installation(people.installation.rooms.storage, account="444455556666", entropy=FakeEntropy("other"))
    theirs = stranger.client("iam")
    iam.create_user(UserName="u")
    assert theirs.list_users()["Users"] == []
    assert theirs.create_user(UserName="u")["User"]["Arn"] == "arn:aws:iam::444455556666:user/u"
    iam.create_open_id_connect_provider(Url=URL)
    with denied("iam:GetOpenIDConnectProvider"):
        theirs.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    with denied("iam:SimulatePrincipalPolicy"):
        theirs.simulate_principal_policy(PolicySourceArn=f"{HERE}:user/u", ActionNames=["acm:GetCertificate"])


def test_everything_in_the_account_at_once(people, iam):
    used = people.policy("used", allow("acm:*"))
    people.policy("unused", allow("acm:*"))
    people.user("u", allow("acm:Get*"), Tags=[{"Key": "k", "Value": "v"}])
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document(allow("kms:*")))
    iam.add_user_to_group(GroupName="g", UserName="u")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"))
    iam.attach_role_policy(RoleName="r", PolicyArn=used)
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    whole = iam.get_account_authorization_details()
    user = whole["UserDetailList"][0]
    assert (user["GroupList"], user["Tags"]) == (["g"], [{"Key": "k", "Value": "v"}])
    assert user["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["acm:Get*"]
    assert whole["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyName"] == "p"
    role = whole["RoleDetailList"][0]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "acm.amazonaws.com"}
    assert {each["PolicyName"] for each in role["AttachedManagedPolicies"]} == {"used", "ReadOnlyAccess"}
    policies = {each["PolicyName"]: each for each in whole["Policies"]}
    assert set(policies) == {"used", "unused", "ReadOnlyAccess"}
    assert policies["used"]["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"] == ["acm:*"]
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    for member in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
        assert [each for page in pages for each in page[member]] == whole[member]
    only = iam.get_account_authorization_details(Filter=["Role", "LocalManagedPolicy"])
    assert (only["UserDetailList"], len(only["RoleDetailList"]), len(only["Policies"])) == ([], 1, 2)
    summary = iam.get_account_summary()["SummaryMap"]
    assert [summary[name] for name in ("Users", "Groups", "Roles", "Policies")] == [1, 1, 1, 2]
    assert (summary["PolicyVersionsInUse"], summary["AccessKeysPerUserQuota"]) == (2, 2)


@SQLITE
def test_operations_that_are_not_offered_say_why(iam):
    with refused(400, "UnsupportedOperation", "passwords"):
        iam.create_login_profile(UserName="u", Password="p")
