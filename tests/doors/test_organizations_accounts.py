"""Accounts of an organization: made, entered, listed, moved, closed, and let go (iam.md 10)."""

import re

import pytest

from doors.member_accounts import FULL, MANAGEMENT, Org, constrained
from doors.organization import allow, session_client, user
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


@on_both
def test_an_account_is_made_and_entered_through_its_role(org):
    begun = org.client.create_account(
        AccountName="Payments", Email="pay@example.com", Tags=[{"Key": "team", "Value": "pay"}]
    )["CreateAccountStatus"]
    assert re.fullmatch(r"car-[a-z0-9]{32}", begun["Id"])
    assert begun == {
        "Id": begun["Id"],
        "AccountName": "Payments",
        "State": "IN_PROGRESS",
        "RequestedTimestamp": START,
    }
    ask = org.client.describe_create_account_status
    done = ask(CreateAccountRequestId=begun["Id"])["CreateAccountStatus"]
    account = done["AccountId"]
    assert done == {**begun, "State": "SUCCEEDED", "CompletedTimestamp": START, "AccountId": account}
    assert org.client.describe_account(AccountId=account)["Account"] == {
        "Id": account,
        "Arn": org.arn("account", account),
        "Email": "pay@example.com",
        "Name": "Payments",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "Paths": [f"{org.id}/{org.root}/{account}/"],
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": START,
    }
    assert org.client.list_tags_for_resource(ResourceId=account)["Tags"] == [{"Key": "team", "Value": "pay"}]
    assert org.attached(account) == [FULL]
    admin = user(org.installation, "admin", allow("sts:AssumeRole"))
    for role in ("OrganizationAccountAccessRole", "Entry"):
        if role == "Entry":
            account = org.member("second", RoleName="Entry")
        sts = org.installation.client("sts", credential=admin)
        answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="admin")
        inside = session_client(org.installation, "acm", answer)
        assert inside.list_certificates()["CertificateSummaryList"] == []
    with refused("CreateAccountStatusNotFoundException"):
        ask(CreateAccountRequestId="car-zzzzzzzz")


@on_both
def test_an_address_that_is_taken_makes_a_request_fail(org):
    org.member("first")
    begun = org.client.create_account(AccountName="again", Email="First@Example.com")["CreateAccountStatus"]
    assert begun["State"] == "IN_PROGRESS"
    failed = org.client.describe_create_account_status(CreateAccountRequestId=begun["Id"])["CreateAccountStatus"]
    assert (failed["State"], failed["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    assert "AccountId" not in failed
    org.member("third")
    lists = org.client.list_create_account_status
    assert [each["AccountName"] for each in lists(States=["FAILED"])["CreateAccountStatuses"]] == ["again"]
    everything = lists()["CreateAccountStatuses"]
    assert {each["AccountName"] for each in everything} == {"first", "again", "third"}
    assert lists(States=["IN_PROGRESS"])["CreateAccountStatuses"] == []
    page = lists(MaxResults=2)
    assert page["CreateAccountStatuses"] == everything[:2]
    assert lists(NextToken=page["NextToken"])["CreateAccountStatuses"] == everything[2:]
    with refused("InvalidInputException"):
        lists(NextToken=page["NextToken"], States=["FAILED"])


@on_both
def test_accounts_page_by_page(org):
    unit = org.unit()
    members = [org.member(f"member{number}", parent=unit if number % 2 else None) for number in range(5)]
    listed = org.client.list_accounts()["Accounts"]
    assert [each["Id"] for each in listed] == sorted((*members, MANAGEMENT))
    assert next(each for each in listed if each["Id"] == MANAGEMENT)["JoinedMethod"] == "INVITED"
    pages = list(org.client.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Accounts"]) for page in pages] == [2, 2, 2]
    assert [each for page in pages for each in page["Accounts"]] == listed
    below = org.client.list_accounts_for_parent(ParentId=unit)["Accounts"]
    assert [each["Id"] for each in below] == sorted((members[1], members[3]))
    with refused("ValidationException", "less than or equal to 20"):
        org.client.list_accounts(MaxResults=21)


@on_both
def test_accounts_move(org):
    unit, other, member = org.unit("unit"), org.unit("other"), org.member()
    gone = f"ou-{org.root[2:]}-zzzzzzzz"

    def move(account, source, destination):
        org.client.move_account(AccountId=account, SourceParentId=source, DestinationParentId=destination)

    move(member, org.root, unit)
    assert org.client.list_parents(ChildId=member)["Parents"][0]["Id"] == unit
    move(member, unit, other)
    with refused("AccountNotFoundException"):
        move(member, unit, org.root)
    with refused("DuplicateAccountException"):
        move(member, other, other)
    with refused("SourceParentNotFoundException"):
        move(member, gone, other)
    with refused("DestinationParentNotFoundException"):
        move(member, other, gone)
    for stranger in ("999999999999", org.stranger()):
        with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
            move(stranger, org.root, unit)
    move(MANAGEMENT, org.root, unit)
    assert org.client.describe_organization()["Organization"] == org.organization


@on_both
def test_accounts_are_closed(org):
    member = org.member()
    org.client.close_account(AccountId=member)
    found = org.client.describe_account(AccountId=member)["Account"]
    assert (found["Status"], found["State"]) == ("SUSPENDED", "CLOSED")
    with refused("AccountAlreadyClosedException", "The provided account is already closed."):
        org.client.close_account(AccountId=member)
    with constrained("CANNOT_CLOSE_MANAGEMENT_ACCOUNT"):
        org.client.close_account(AccountId=MANAGEMENT)
    with refused("AccountNotFoundException"):
        org.client.close_account(AccountId=org.stranger())
    with constrained("ACCOUNT_CANNOT_LEAVE_ORGANIZATION"):
        org.client.remove_account_from_organization(AccountId=member)


@on_both
def test_accounts_leave_and_are_removed(org):
    leaving, removed = org.member("leaving"), org.member("removed")
    org.client.tag_resource(ResourceId=removed, Tags=[{"Key": "a", "Value": "b"}])
    for ask in (
        lambda: org.client.remove_account_from_organization(AccountId=MANAGEMENT),
        org.client.leave_organization,
    ):
        with refused("MasterCannotLeaveOrganizationException"):
            ask()
    org.of(leaving).leave_organization()
    org.client.remove_account_from_organization(AccountId=removed)
    for account in (leaving, removed):
        client = org.of(account)
        with refused("AWSOrganizationsNotInUseException"):
            client.describe_organization()
        with refused("AWSOrganizationsNotInUseException"):
            client.leave_organization()
        with refused("AccountNotFoundException"):
            org.client.describe_account(AccountId=account)
        with refused("TargetNotFoundException"):
            org.client.list_tags_for_resource(ResourceId=account)
    own = org.of(removed).create_organization()["Organization"]
    assert own["MasterAccountId"] == removed


@on_both
def test_services_are_trusted_and_administrated(org):
    service = "ram.amazonaws.com"
    member = org.member()
    client = org.client
    with constrained("SERVICE_ACCESS_NOT_ENABLED"):
        client.register_delegated_administrator(AccountId=member, ServicePrincipal=service)
    for _ in range(2):
        client.enable_aws_service_access(ServicePrincipal=service)
    client.enable_aws_service_access(ServicePrincipal="acm-pca.amazonaws.com")
    trusted = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert trusted == [
        {"ServicePrincipal": "acm-pca.amazonaws.com", "DateEnabled": START},
        {"ServicePrincipal": service, "DateEnabled": START},
    ]
    with constrained("UNRECOGNIZED_SERVICE_PRINCIPAL", "InvalidInputException"):
        client.enable_aws_service_access(ServicePrincipal="ram")
    with refused("AccountNotRegisteredException"):
        client.list_delegated_services_for_account(AccountId=member)
    client.register_delegated_administrator(AccountId=member, ServicePrincipal=service)
    with refused("AccountAlreadyRegisteredException"):
        client.register_delegated_administrator(AccountId=member, ServicePrincipal=service)
    client.register_delegated_administrator(AccountId=member, ServicePrincipal="acm-pca.amazonaws.com")
    (administrator,) = client.list_delegated_administrators()["DelegatedAdministrators"]
    account = client.describe_account(AccountId=member)["Account"]
    del account["Paths"]
    assert administrator == {**account, "DelegationEnabledDate": START}
    assert client.list_delegated_administrators(ServicePrincipal=service)["DelegatedAdministrators"] == [administrator]
    assert client.list_delegated_administrators(ServicePrincipal="kms.amazonaws.com")["DelegatedAdministrators"] == []
    delegated = client.list_delegated_services_for_account(AccountId=member)["DelegatedServices"]
    assert [each["ServicePrincipal"] for each in delegated] == ["acm-pca.amazonaws.com", service]
    with constrained("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"):
        client.disable_aws_service_access(ServicePrincipal=service)
    with constrained("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"):
        client.remove_account_from_organization(AccountId=member)
    for each in (service, "acm-pca.amazonaws.com"):
        client.deregister_delegated_administrator(AccountId=member, ServicePrincipal=each)
        client.disable_aws_service_access(ServicePrincipal=each)
    with refused("AccountNotRegisteredException"):
        client.deregister_delegated_administrator(AccountId=member, ServicePrincipal=service)
    assert client.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []
    client.enable_aws_service_access(ServicePrincipal=service)
    with constrained("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"):
        client.register_delegated_administrator(AccountId=MANAGEMENT, ServicePrincipal=service)
    client.close_account(AccountId=member)
    with constrained("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"):
        client.register_delegated_administrator(AccountId=member, ServicePrincipal=service)
