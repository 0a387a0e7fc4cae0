"""Service control policies as things: made, changed, attached, listed and deleted; tags; who may (iam.md 10)."""

import re

import pytest

from doors.member_accounts import FULL, MANAGEMENT, SCP, Org, constrained
from doors.organization import allow, deny, document, user
from doors.pki import refused


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def org(storage):
    return Org(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
NO_ACM = document(deny("acm:*"))


def create(org, content=NO_ACM, **more):
    wanted = {"Content": content, "Description": "words", "Name": "policy", "Type": SCP, **more}
    return org.client.create_policy(**wanted)["Policy"]


@on_both
def test_policies_are_made_changed_listed_and_deleted(org):
    made = create(org, Tags=[{"Key": "a", "Value": "b"}])
    summary = made["PolicySummary"]
    assert re.fullmatch(r"p-[a-z0-9]{8}", summary["Id"])
    assert summary == {
        "Id": summary["Id"],
        "Arn": org.arn("policy", "service_control_policy", summary["Id"]),
        "Name": "policy",
        "Description": "words",
        "Type": SCP,
        "AwsManaged": False,
    }
    assert made["Content"] == NO_ACM
    assert org.client.describe_policy(PolicyId=summary["Id"])["Policy"] == made
    assert org.client.list_tags_for_resource(ResourceId=summary["Id"])["Tags"] == [{"Key": "a", "Value": "b"}]
    with refused("DuplicatePolicyException", "A policy with the same name already exists."):
        create(org)
    with refused("DuplicatePolicyException"):
        create(org, Name="FullAWSAccess")
    other = create(org, Name="other")["PolicySummary"]
    with refused("DuplicatePolicyException"):
        org.client.update_policy(PolicyId=other["Id"], Name="policy")
    changed = org.client.update_policy(PolicyId=other["Id"], Name="other", Description="", Content=document(allow("*")))
    assert changed["Policy"] == {
        "PolicySummary": {**other, "Description": ""},
        "Content": document(allow("*")),
    }
    listed = org.client.list_policies(Filter=SCP)["Policies"]
    assert [each["Id"] for each in listed] == [FULL, *sorted((summary["Id"], other["Id"]))]
    pages = org.client.get_paginator("list_policies").paginate(Filter=SCP, PaginationConfig={"PageSize": 1})
    assert [each for page in pages for each in page["Policies"]] == listed
    assert org.client.list_policies(Filter="TAG_POLICY")["Policies"] == []
    org.client.delete_policy(PolicyId=other["Id"])
    for ask in (org.client.describe_policy, org.client.delete_policy, org.client.update_policy):
        with refused("PolicyNotFoundException"):
            ask(PolicyId=other["Id"])
    for kind in ("RESOURCE_CONTROL_POLICY", "TAG_POLICY"):
        with refused("PolicyTypeNotAvailableForOrganizationException"):
            create(org, Type=kind, Name="another type")


def test_aws_own_policy(org):
    found = org.client.describe_policy(PolicyId=FULL)["Policy"]
    assert found["PolicySummary"] == {
        "Id": FULL,
        "Arn": f"arn:aws:organizations::aws:policy/service_control_policy/{FULL}",
        "Name": "FullAWSAccess",
        "Description": "Allows access to every operation",
        "Type": SCP,
        "AwsManaged": True,
    }
    for ask in (org.client.delete_policy, org.client.update_policy):
        with constrained("IMMUTABLE_POLICY", "InvalidInputException"):
            ask(PolicyId=FULL)


@on_both
def test_policies_are_attached_and_detached(org):
    unit, member = org.unit("apps"), org.member()
    policy = create(org)["PolicySummary"]
    for target in (org.root, unit, member):
        org.client.attach_policy(PolicyId=policy["Id"], TargetId=target)
        with refused("DuplicatePolicyAttachmentException"):
            org.client.attach_policy(PolicyId=policy["Id"], TargetId=target)
        assert org.attached(target) == sorted((FULL, policy["Id"]))
        assert org.client.list_policies_for_target(TargetId=target, Filter="TAG_POLICY")["Policies"] == []
    targets = org.client.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]
    assert sorted(targets, key=lambda each: each["Type"]) == [
        {"TargetId": member, "Arn": org.arn("account", member), "Name": "member", "Type": "ACCOUNT"},
        {"TargetId": unit, "Arn": org.arn("ou", unit), "Name": "apps", "Type": "ORGANIZATIONAL_UNIT"},
        {"TargetId": org.root, "Arn": org.arn("root", org.root), "Name": "Root", "Type": "ROOT"},
    ]
    paginator = org.client.get_paginator("list_targets_for_policy")
    pages = paginator.paginate(PolicyId=policy["Id"], PaginationConfig={"PageSize": 1})
    assert [each for page in pages for each in page["Targets"]] == targets
    with refused("PolicyInUseException"):
        org.client.delete_policy(PolicyId=policy["Id"])
    org.client.detach_policy(PolicyId=FULL, TargetId=unit)
    with constrained("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        org.client.detach_policy(PolicyId=policy["Id"], TargetId=unit)
    with refused("PolicyNotAttachedException"):
        org.client.detach_policy(PolicyId=FULL, TargetId=unit)
    org.client.attach_policy(PolicyId=FULL, TargetId=unit)
    for target in (org.root, unit, member):
        org.client.detach_policy(PolicyId=policy["Id"], TargetId=target)
    assert {each["TargetId"] for each in org.client.list_targets_for_policy(PolicyId=FULL)["Targets"]} == {
        org.root,
        unit,
        member,
        MANAGEMENT,
    }
    org.client.delete_policy(PolicyId=policy["Id"])


def test_no_more_than_five_policies_on_a_target(org):
    for number in range(4):
        org.policy(deny("acm:*"), name=f"policy {number}", target=org.root)
    with constrained("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        org.policy(deny("acm:*"), name="one more", target=org.root)


def test_targets_and_policies_that_are_not_there(org):
    policy = create(org)["PolicySummary"]["Id"]
    for ask in (org.client.attach_policy, org.client.detach_policy):
        for target in (f"ou-{org.root[2:]}-zzzzzzzz", "r-zzzz", "999999999999", org.stranger(f"of {ask.__name__}")):
            with refused("TargetNotFoundException", "You specified a target that doesn't exist."):
                ask(PolicyId=policy, TargetId=target)
        with refused("PolicyNotFoundException", "You specified a policy that doesn't exist."):
            ask(PolicyId="p-zzzzzzzz", TargetId=org.root)
    with refused("TargetNotFoundException"):
        org.client.list_policies_for_target(TargetId="r-zzzz", Filter=SCP)
    with refused("PolicyNotFoundException"):
        org.client.list_targets_for_policy(PolicyId="p-zzzzzzzz")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "invalid Json"),
        ("{}", "Version"),
        ('{"Version":"2012-10-17","Statement":[]}', "Statement"),
        (document(deny("acm:*", Principal="*")), "Statement[0].Principal"),
        (document(allow("acm:*"), deny("acm:*", Condition={"StringLik": {"a": "b"}})), "Statement[1].Condition"),
        (document({"Effect": "Deny", "Action": "acm:*"}), "Statement[0]"),
        ('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', "2012-10-17 or greater"),
    ],
)
def test_documents_outside_the_grammar(org, content, text):
    policy = org.policy(deny("kms:*"), name="fine")
    with refused("MalformedPolicyDocumentException", text):
        create(org, content)
    with refused("MalformedPolicyDocumentException", text):
        org.client.update_policy(PolicyId=policy, Content=content)
    assert org.client.describe_policy(PolicyId=policy)["Policy"]["Content"] == document(deny("kms:*"))


def test_the_size_of_a_document(org):
    actions = [f"acm:{number:0>20}" for number in range(220)]
    with constrained("POLICY_CONTENT_LIMIT_EXCEEDED"):
        create(org, document(deny(actions)))
    create(org, document(deny("acm:*")).replace(" ", " " * 2000))


def test_effective_policies(org):
    ask = org.client.describe_effective_policy
    with refused("ValidationException", "enum"):
        ask(PolicyType=SCP)
    with refused("EffectivePolicyNotFoundException"):
        ask(PolicyType="TAG_POLICY")
    with refused("EffectivePolicyNotFoundException"):
        org.of(org.member()).describe_effective_policy(PolicyType="TAG_POLICY")
    with refused("TargetNotFoundException"):
        ask(PolicyType="TAG_POLICY", TargetId="999999999999")


@on_both
def test_tags(org):
    unit, policy = org.unit(), create(org)["PolicySummary"]["Id"]
    tags = [{"Key": f"k{number:02}", "Value": "v"} for number in range(45)]
    for thing in (org.root, unit, policy, MANAGEMENT):
        org.client.tag_resource(ResourceId=thing, Tags=tags)
        org.client.tag_resource(ResourceId=thing, Tags=[{"Key": "k00", "Value": "w"}])
        pages = org.client.get_paginator("list_tags_for_resource").paginate(ResourceId=thing)
        assert [each for page in pages for each in page["Tags"]] == [{"Key": "k00", "Value": "w"}, *tags[1:]]
        with refused("ConstraintViolationException"):
            org.client.tag_resource(ResourceId=thing, Tags=[{"Key": f"x{number}", "Value": ""} for number in range(6)])
        org.client.untag_resource(ResourceId=thing, TagKeys=[each["Key"] for each in tags[1:]] + ["none"])
        assert org.client.list_tags_for_resource(ResourceId=thing)["Tags"] == [{"Key": "k00", "Value": "w"}]
        with refused("InvalidInputException"):
            org.client.tag_resource(ResourceId=thing, Tags=[{"Key": "aws:x", "Value": ""}])
    for nobody in (FULL, "r-zzzz", "p-zzzzzzzz", "rp-zzzzzzzz", "999999999999"):
        with refused("TargetNotFoundException"):
            org.client.tag_resource(ResourceId=nobody, Tags=tags[:1])


def test_what_users_of_the_management_account_may(org):
    unit = org.unit()
    statements = (
        allow(["organizations:List*", "organizations:DescribePolicy"]),
        allow("organizations:AttachPolicy", [org.arn("policy", "service_control_policy", "*"), org.arn("ou", "*")]),
        allow("organizations:CreatePolicy", Condition={"StringEquals": {"organizations:PolicyType": SCP}}),
        allow("organizations:DeleteOrganizationalUnit", Condition={"StringEquals": {"aws:ResourceTag/stage": "test"}}),
    )
    alice = org.installation.client("organizations", credential=user(org.installation, "alice", *statements))
    assert alice.list_roots()["Roots"][0]["Id"] == org.root
    assert alice.describe_policy(PolicyId=FULL)["Policy"]["PolicySummary"]["Id"] == FULL
    policy = alice.create_policy(Content=NO_ACM, Description="", Name="x", Type=SCP)["Policy"]["PolicySummary"]["Id"]
    alice.attach_policy(PolicyId=policy, TargetId=unit)
    arn = f"arn:aws:iam::{MANAGEMENT}:user/alice"
    for target, resource in ((org.root, org.arn("root", org.root)), (MANAGEMENT, org.arn("account", MANAGEMENT))):
        text = f"User: {arn} is not authorized to perform: organizations:AttachPolicy on resource: {resource} because"
        with refused("AccessDeniedException", text):
            alice.attach_policy(PolicyId=policy, TargetId=target)
    with refused("AccessDeniedException", "organizations:TagResource"):
        alice.create_policy(Content=NO_ACM, Description="", Name="y", Type=SCP, Tags=[{"Key": "a", "Value": "b"}])
    org.client.detach_policy(PolicyId=policy, TargetId=unit)
    with refused("AccessDeniedException", f"organizations:DeleteOrganizationalUnit on resource: {org.arn('ou', unit)}"):
        alice.delete_organizational_unit(OrganizationalUnitId=unit)
    org.client.tag_resource(ResourceId=unit, Tags=[{"Key": "stage", "Value": "test"}])
    alice.delete_organizational_unit(OrganizationalUnitId=unit)
