"""Managed and inline policies: versions, attachments, boundaries, sizes, encodings (iam.md 3, 8, 10)."""

import json
from urllib.parse import quote

import pytest

from doors.iam import HERE, People, absent, allow, document, refused, trust

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
READER = "arn:aws:iam::aws:policy/AWSPrivateCAReadOnly"


@pytest.fixture
def people(storage):
    return People(storage)


@pytest.fixture
def iam(people):
    return people.iam


def conflict(text):
    return refused(409, "DeleteConflict", text)


def limit(text):
    return refused(409, "LimitExceeded", text)


def malformed(text):
    return refused(400, "MalformedPolicyDocument", text)


def test_the_life_of_a_managed_policy(people, iam):
    arn = people.policy("Ours", allow("acm:*"), Path="/team/", Description="What ours may.")
    assert arn == f"{HERE}:policy/team/Ours"
    with refused(409, "EntityAlreadyExists", "A policy called ours already exists. Duplicate names are not allowed."):
        people.policy("ours", allow("acm:*"))
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert found["PolicyId"].startswith("ANPA")
    assert (found["DefaultVersionId"], found["AttachmentCount"], found["Description"]) == ("v1", 0, "What ours may.")
    for number in range(2, 6):
        made = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=document(allow(f"acm:Get{number}*")), SetAsDefault=number == 5
        )["PolicyVersion"]
        assert made["VersionId"] == f"v{number}"
    with limit("A managed policy can have up to 5 versions."):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("acm:*")))
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [each["VersionId"] for each in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [each["IsDefaultVersion"] for each in versions] == [True, False, False, False, False]
    with conflict("Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    for number in range(1, 5):
        with conflict("This policy has more than one version."):
            iam.delete_policy(PolicyArn=arn)
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    with absent(f"Policy {arn} version v1 does not exist or is not attachable."):
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    # A number is given once.
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("acm:*")))["PolicyVersion"]
    assert made["VersionId"] == "v6"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    iam.delete_policy(PolicyArn=arn)
    with absent(f"Policy {arn} was not found."):
        iam.get_policy(PolicyArn=arn)


def test_attachments_are_counted_listed_and_limited(people, iam):
    arn = people.policy("p", allow("acm:*"))
    iam.create_user(UserName="u", Path="/a/")
    iam.create_group(GroupName="g")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"), PermissionsBoundary=arn)
    iam.attach_user_policy(UserName="u", PolicyArn=arn)
    iam.attach_user_policy(UserName="u", PolicyArn=arn)
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["AttachmentCount"], found["PermissionsBoundaryUsageCount"]) == (2, 1)
    assert iam.list_attached_user_policies(UserName="u")["AttachedPolicies"] == [{"PolicyName": "p", "PolicyArn": arn}]
    assert iam.list_attached_user_policies(UserName="u", PathPrefix="/x/")["AttachedPolicies"] == []

    def entities(**asked):
        answer = iam.list_entities_for_policy(PolicyArn=arn, **asked)
        return [sorted(each[f"{word}Name"] for each in answer[f"Policy{word}s"]) for word in ("User", "Group", "Role")]

    assert entities() == [["u"], ["g"], ["r"]]
    assert entities(PolicyUsageFilter="PermissionsPolicy") == [["u"], ["g"], []]
    assert entities(PolicyUsageFilter="PermissionsBoundary") == [[], [], ["r"]]
    assert entities(EntityFilter="User") == [["u"], [], []]
    assert entities(PathPrefix="/a/") == [["u"], [], []]
    pages = list(
        iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1})
    )
    assert len(pages) == 3
    with conflict("Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=arn)
    for number in range(9):
        iam.attach_user_policy(UserName="u", PolicyArn=people.policy(f"p{number}", allow("acm:*")))
    with limit("Cannot exceed quota for PoliciesPerUser: 10"):
        iam.attach_user_policy(UserName="u", PolicyArn=READER)
    iam.detach_user_policy(UserName="u", PolicyArn=arn)
    with absent(f"Policy {arn} was not found."):
        iam.detach_user_policy(UserName="u", PolicyArn=arn)


@SQLITE
def test_what_cannot_be_attached(iam):
    iam.create_user(UserName="u")
    missing = f"{HERE}:policy/none"
    with absent(f"Policy {missing} does not exist or is not attachable."):
        iam.attach_user_policy(UserName="u", PolicyArn=missing)
    with absent(f"Scope ARN: {missing} does not exist or is not attachable."):
        iam.create_user(UserName="v", PermissionsBoundary=missing)
    with absent(missing):
        iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=missing)
    for wrong in ("longpolicynamebutnoarn", f"{HERE}:user/some-other-user", f"{HERE}:policy/team/"):
        with refused(400, "InvalidInput", f"ARN {wrong} is not valid."):
            iam.attach_user_policy(UserName="u", PolicyArn=wrong)


@SQLITE
def test_policies_are_listed_by_scope_use_and_path(people, iam):
    local = people.policy("local", allow("acm:*"), Path="/x/")
    people.policy("zzz", allow("acm:*"))
    iam.create_user(UserName="u")
    iam.attach_user_policy(UserName="u", PolicyArn=READER)
    iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=local)

    def names(**asked):
        pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 4}, **asked)
        return [each["PolicyName"] for page in pages for each in page["Policies"]]

    assert names(Scope="Local") == ["local", "zzz"]
    assert names(Scope="Local", PathPrefix="/x/") == ["local"]
    assert names(OnlyAttached=True) == ["AWSPrivateCAReadOnly", "local"]
    assert names(PolicyUsageFilter="PermissionsBoundary") == ["local"]
    everybodys = names(Scope="AWS")
    assert {
        "AdministratorAccess",
        "ReadOnlyAccess",
        "AWSCertificateManagerFullAccess",
        "AWSCertificateManagerReadOnly",
        "AWSPrivateCAFullAccess",
        "AWSPrivateCAReadOnly",
        "AWSPrivateCAUser",
        "AWSPrivateCAPrivilegedUser",
        "AWSPrivateCAAuditor",
        "AWSKeyManagementServicePowerUser",
    } <= set(everybodys)
    assert names() == [*everybodys, "local", "zzz"]
    for name in everybodys:
        policies = iam.list_policies(Scope="AWS", MaxItems=1000)["Policies"]
        found = next(each for each in policies if each["PolicyName"] == name)
        version = iam.get_policy_version(PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"])["PolicyVersion"]
        assert version["Document"]["Version"] == "2012-10-17"


@SQLITE
def test_inline_policies_of_every_kind(iam):
    iam.create_user(UserName="x")
    iam.create_group(GroupName="x")
    iam.create_role(RoleName="x", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"))
    for kind in ("user", "group", "role"):
        put, get = getattr(iam, f"put_{kind}_policy"), getattr(iam, f"get_{kind}_policy")
        delete, names = getattr(iam, f"delete_{kind}_policy"), getattr(iam, f"list_{kind}_policies")
        owner = {f"{kind.title()}Name": "x"}
        put(**owner, PolicyName="b", PolicyDocument=document(allow("acm:*")))
        put(**owner, PolicyName="a", PolicyDocument=document(allow("kms:*")))
        put(**owner, PolicyName="a", PolicyDocument=document(allow("ram:*")))
        first = names(**owner, MaxItems=1)
        assert first["PolicyNames"] + names(**owner, Marker=first["Marker"])["PolicyNames"] == ["a", "b"]
        assert get(**owner, PolicyName="a")["PolicyDocument"]["Statement"][0]["Action"] == ["ram:*"]
        delete(**owner, PolicyName="a")
        for ask in (get, delete):
            with absent(f"The {kind} policy with name a cannot be found."):
                ask(**owner, PolicyName="a")


@SQLITE
def test_sizes_count_without_white_space_and_inline_policies_together(people, iam):
    iam.create_user(UserName="u")

    def of_size(size, blanks=0):
        empty = document(allow("acm:"))
        short = len("".join(empty.split()))
        return document(allow("acm:" + "a" * (size - short))) + " " * blanks

    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=of_size(1048, blanks=5000))
    iam.put_user_policy(UserName="u", PolicyName="b", PolicyDocument=of_size(1000))
    with limit("Maximum policy size of 2048 bytes exceeded for user u"):
        iam.put_user_policy(UserName="u", PolicyName="b", PolicyDocument=of_size(1001))
    iam.create_policy(PolicyName="p", PolicyDocument=of_size(6144, blanks=100))
    with limit("Cannot exceed quota for PolicySize: 6144"):
        iam.create_policy(PolicyName="q", PolicyDocument=of_size(6145))
    with limit("Cannot exceed quota for PolicySize: 6144"):
        iam.create_policy_version(PolicyArn=f"{HERE}:policy/p", PolicyDocument=of_size(6145))


@SQLITE
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "This policy contains invalid Json"),
        ('{"Version":"2012-10-17"}', "Statement"),
        ('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*"}}', "must contain resources"),
        (
            '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}',
            "Statement.Principal: Policy document should not specify a principal.",
        ),
        ('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{"a:b":"c"}}}}', "Equals"),
        ('{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}', "Statement.Effect"),
    ],
)
def test_documents_outside_the_grammar(iam, text, said):
    iam.create_user(UserName="u")
    with malformed(said):
        iam.create_policy(PolicyName="p", PolicyDocument=text)
    with malformed(said):
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=text)
    with malformed(said):
        iam.simulate_custom_policy(PolicyInputList=[text], ActionNames=["acm:GetCertificate"])


@SQLITE
def test_documents_are_sent_with_every_reserved_character_escaped(people):
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Sid": "a", "Effect": "Allow", "Action": "acm:*", "Resource": "arn:aws:acm:*:*:x/~+ü%20"}],
        },
        ensure_ascii=False,
    )
    sent = []
    people.iam.create_user(UserName="u")
    people.iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=text)
    handle = people.installation.door.handle

    def heard(request):
        answer = handle(request)
        sent.append(answer.body.decode())
        return answer

    people.installation.handle = heard
    assert people.iam.get_user_policy(UserName="u", PolicyName="p")["PolicyDocument"] == json.loads(text)
    assert f"<PolicyDocument>{quote(text, safe='')}</PolicyDocument>" in sent[0]
    assert "%2B%C3%BC%2520" in sent[0]


@SQLITE
def test_tags_of_policies_tell_upper_from_lower_case(people, iam):
    arn = people.policy("p", allow("acm:*"), Tags=[{"Key": "a", "Value": "1"}])
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "A", "Value": "2"}])
    assert len(iam.list_policy_tags(PolicyArn=arn)["Tags"]) == 2
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.get_policy(PolicyArn=arn)["Policy"]["Tags"] == [{"Key": "A", "Value": "2"}]
    iam.delete_policy(PolicyArn=arn)
    again = people.policy("p", allow("acm:*"))
    assert "Tags" not in iam.get_policy(PolicyArn=again)["Policy"]
