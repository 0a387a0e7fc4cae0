"""The organization, its root, its units and where accounts are (iam.md 10)."""

import re

import pytest

from doors.member_accounts import FULL, MANAGEMENT, SCP, Org, constrained
from doors.organization import deny
from doors.pki import refused
from greatseal.testing import Installation


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def org(storage):
    return Org(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
NOT_IN_USE = "Your account is not a member of an organization."


@on_both
def test_an_organization_is_made_described_and_deleted(storage):
    client = Installation(storage).client("organizations")
    for ask in (client.describe_organization, client.list_roots, client.list_accounts, client.delete_organization):
        with refused("AWSOrganizationsNotInUseException", NOT_IN_USE):
            ask()
    made = client.create_organization()["Organization"]
    assert re.fullmatch(r"o-[a-z0-9]{10}", made["Id"])
    assert made == {
        "Id": made["Id"],
        "Arn": f"arn:aws:organizations::{MANAGEMENT}:organization/{made['Id']}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"arn:aws:organizations::{MANAGEMENT}:account/{made['Id']}/{MANAGEMENT}",
        "MasterAccountId": MANAGEMENT,
        "MasterAccountEmail": f"root@{MANAGEMENT}.invalid",
        "AvailablePolicyTypes": [{"Type": SCP, "Status": "ENABLED"}],
    }
    assert client.describe_organization()["Organization"] == made
    (root,) = client.list_roots()["Roots"]
    assert re.fullmatch(r"r-[a-z0-9]{4}", root["Id"])
    assert root["Arn"] == f"arn:aws:organizations::{MANAGEMENT}:root/{made['Id']}/{root['Id']}"
    assert (root["Name"], root["PolicyTypes"]) == ("Root", [])
    with refused("AlreadyInOrganizationException", "already a member"):
        client.create_organization()
    client.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        client.describe_organization()
    assert client.create_organization(FeatureSet="CONSOLIDATED_BILLING")["Organization"]["Id"] != made["Id"]


@on_both
def test_an_organization_with_members_stays(org):
    unit = org.unit()
    member = org.member(parent=unit)
    org.policy(deny("acm:*"), target=unit)
    org.client.tag_resource(ResourceId=unit, Tags=[{"Key": "a", "Value": "b"}])
    org.client.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": org.stranger()})
    with refused("OrganizationNotEmptyException"):
        org.client.delete_organization()
    org.client.remove_account_from_organization(AccountId=member)
    org.client.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        org.of(member).describe_organization()
    org.client.create_organization()
    assert len(org.client.list_accounts()["Accounts"]) == 1


@on_both
def test_policy_types_are_switched_on_and_off(storage):
    org = Org(storage, control=False)
    unit, member = org.unit(), org.member()
    custom = org.policy(deny("acm:*"))
    assert org.attached(org.root) == []
    with refused("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."):
        org.client.attach_policy(PolicyId=custom, TargetId=unit)
    with refused("PolicyTypeNotEnabledException"):
        org.client.disable_policy_type(RootId=org.root, PolicyType=SCP)
    for wrong in ("TAG_POLICY", "RESOURCE_CONTROL_POLICY"):
        with refused("PolicyTypeNotAvailableForOrganizationException"):
            org.client.enable_policy_type(RootId=org.root, PolicyType=wrong)
        with refused("PolicyTypeNotEnabledException"):
            org.client.disable_policy_type(RootId=org.root, PolicyType=wrong)
    for ask in (org.client.enable_policy_type, org.client.disable_policy_type):
        with refused("RootNotFoundException", "You specified a root that doesn't exist."):
            ask(RootId="r-zzzz", PolicyType=SCP)
    enabled = org.client.enable_policy_type(RootId=org.root, PolicyType=SCP)["Root"]
    assert enabled["PolicyTypes"] == [{"Type": SCP, "Status": "ENABLED"}]
    assert org.client.list_roots()["Roots"] == [enabled]
    for target in (org.root, unit, member, MANAGEMENT, org.unit("later"), org.member("later")):
        assert org.attached(target) == [FULL]
    with refused("PolicyTypeAlreadyEnabledException"):
        org.client.enable_policy_type(RootId=org.root, PolicyType=SCP)
    org.client.attach_policy(PolicyId=custom, TargetId=unit)
    disabled = org.client.disable_policy_type(RootId=org.root, PolicyType=SCP)["Root"]
    assert disabled["PolicyTypes"] == []
    assert org.attached(unit) == []
    org.client.enable_policy_type(RootId=org.root, PolicyType=SCP)
    assert org.attached(unit) == [FULL]


def test_billing_only(storage):
    org = Org(storage, control=False, feature_set="CONSOLIDATED_BILLING")
    assert org.organization["AvailablePolicyTypes"] == []
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        org.client.enable_policy_type(RootId=org.root, PolicyType=SCP)
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        org.policy(deny("acm:*"))
    for ask, more in (
        (org.client.close_account, {"AccountId": org.member()}),
        (org.client.enable_aws_service_access, {"ServicePrincipal": "ram.amazonaws.com"}),
    ):
        with constrained("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
            ask(**more)


@on_both
def test_units_are_made_renamed_found_and_deleted(org):
    made = org.client.create_organizational_unit(ParentId=org.root, Name="apps", Tags=[{"Key": "t", "Value": "1"}])
    unit = made["OrganizationalUnit"]
    assert re.fullmatch(rf"ou-{org.root[2:]}-[a-z0-9]{{8}}", unit["Id"])
    assert unit["Arn"] == org.arn("ou", unit["Id"])
    assert (unit["Name"], unit["Path"]) == ("apps", f"{org.id}/{org.root}/{unit['Id']}/")
    assert org.client.list_tags_for_resource(ResourceId=unit["Id"])["Tags"] == [{"Key": "t", "Value": "1"}]
    with refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists."):
        org.unit("apps")
    inner = org.unit("apps", parent=unit["Id"])
    other = org.unit("other")
    with refused("DuplicateOrganizationalUnitException"):
        org.client.update_organizational_unit(OrganizationalUnitId=other, Name="apps")
    for name in ("apps", "services"):
        renamed = org.client.update_organizational_unit(OrganizationalUnitId=unit["Id"], Name=name)
        assert renamed["OrganizationalUnit"] == {**unit, "Name": name}
    unchanged = org.client.update_organizational_unit(OrganizationalUnitId=unit["Id"])["OrganizationalUnit"]
    assert org.client.describe_organizational_unit(OrganizationalUnitId=unit["Id"])["OrganizationalUnit"] == unchanged
    with refused("OrganizationalUnitNotEmptyException"):
        org.client.delete_organizational_unit(OrganizationalUnitId=unit["Id"])
    member = org.member(parent=inner)
    with refused("OrganizationalUnitNotEmptyException"):
        org.client.delete_organizational_unit(OrganizationalUnitId=inner)
    org.client.move_account(AccountId=member, SourceParentId=inner, DestinationParentId=org.root)
    for each in (inner, unit["Id"]):
        org.client.delete_organizational_unit(OrganizationalUnitId=each)
        for ask in (
            org.client.describe_organizational_unit,
            org.client.update_organizational_unit,
            org.client.delete_organizational_unit,
        ):
            with refused("OrganizationalUnitNotFoundException"):
                ask(OrganizationalUnitId=each)


def test_no_more_than_five_levels_of_units(org):
    parent = org.root
    for level in range(5):
        parent = org.unit(f"level {level}", parent=parent)
    with constrained("OU_DEPTH_LIMIT_EXCEEDED"):
        org.unit("too deep", parent=parent)
    member = org.member(parent=parent)
    (path,) = org.client.describe_account(AccountId=member)["Account"]["Paths"]
    assert path.count("ou-") == 5


@on_both
def test_parents_and_children(org):
    apps, data = org.unit("apps"), org.unit("data")
    inner = org.unit("inner", parent=apps)
    one, two = org.member("one", parent=apps), org.member("two", parent=apps)

    def children(parent, kind, **more):
        return org.client.list_children(ParentId=parent, ChildType=kind, **more)

    def all_of(parent, kind):
        found = children(parent, kind)["Children"]
        assert {each["Type"] for each in found} <= {kind}
        return {each["Id"] for each in found}

    assert all_of(org.root, "ORGANIZATIONAL_UNIT") == {apps, data}
    assert all_of(org.root, "ACCOUNT") == {MANAGEMENT}
    assert all_of(apps, "ORGANIZATIONAL_UNIT") == {inner}
    assert all_of(apps, "ACCOUNT") == {one, two}
    assert all_of(data, "ACCOUNT") == set()
    page = children(apps, "ACCOUNT", MaxResults=1)
    rest = children(apps, "ACCOUNT", MaxResults=1, NextToken=page["NextToken"])
    assert {page["Children"][0]["Id"], rest["Children"][0]["Id"]} == {one, two}
    assert "NextToken" not in rest
    with refused("InvalidInputException", "token"):
        children(data, "ACCOUNT", NextToken=page["NextToken"])
    for child, parent in ((apps, org.root), (inner, apps), (one, apps), (MANAGEMENT, org.root)):
        kind = "ROOT" if parent == org.root else "ORGANIZATIONAL_UNIT"
        assert org.client.list_parents(ChildId=child)["Parents"] == [{"Id": parent, "Type": kind}]
    units = org.client.list_organizational_units_for_parent(ParentId=org.root)["OrganizationalUnits"]
    assert units == [
        org.client.describe_organizational_unit(OrganizationalUnitId=each)["OrganizationalUnit"]
        for each in sorted((apps, data))
    ]
    paginator = org.client.get_paginator("list_organizational_units_for_parent")
    pages = paginator.paginate(ParentId=org.root, PaginationConfig={"PageSize": 1})
    assert [unit for page in pages for unit in page["OrganizationalUnits"]] == units


def test_what_is_not_there(org):
    unit = f"ou-{org.root[2:]}-zzzzzzzz"
    for ask, more in (
        (org.client.list_accounts_for_parent, {}),
        (org.client.list_organizational_units_for_parent, {}),
        (org.client.list_children, {"ChildType": "ACCOUNT"}),
        (org.client.create_organizational_unit, {"Name": "x"}),
    ):
        for parent in (unit, "r-zzzz"):
            with refused("ParentNotFoundException"):
                ask(ParentId=parent, **more)
    for child in (unit, "999999999999", org.stranger()):
        with refused("ChildNotFoundException"):
            org.client.list_parents(ChildId=child)
    with refused("ValidationException", "regular expression"):
        org.client.list_parents(ChildId="nonsense")


def test_only_the_management_account_and_delegates_see_the_organization(org):
    member = org.member()
    client = org.of(member)
    assert client.describe_organization()["Organization"] == org.organization
    text = "You don't have permissions to access this resource."
    reading = (
        (client.list_roots, {}),
        (client.list_accounts, {}),
        (client.describe_account, {"AccountId": member}),
        (client.list_policies, {"Filter": SCP}),
        (client.describe_policy, {"PolicyId": FULL}),
        (client.list_children, {"ParentId": org.root, "ChildType": "ACCOUNT"}),
        (client.list_tags_for_resource, {"ResourceId": member}),
    )
    changing = (
        (client.create_organizational_unit, {"ParentId": org.root, "Name": "x"}),
        (client.create_account, {"AccountName": "x", "Email": "x@example.com"}),
        (client.detach_policy, {"PolicyId": FULL, "TargetId": member}),
        (client.remove_account_from_organization, {"AccountId": member}),
        (client.disable_policy_type, {"RootId": org.root, "PolicyType": SCP}),
        (client.delete_organization, {}),
    )
    for ask, more in (*reading, *changing):
        with refused("AccessDeniedException", text):
            ask(**more)
    org.client.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
    org.client.register_delegated_administrator(AccountId=member, ServicePrincipal="ram.amazonaws.com")
    for ask, more in reading:
        ask(**more)
    for ask, more in changing:
        with refused("AccessDeniedException", text):
            ask(**more)
