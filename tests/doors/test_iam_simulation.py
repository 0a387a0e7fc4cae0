"""Simulations: what policies would say, and which of their statements (iam.md 2, 10)."""

import json

import pytest

from doors.iam import HERE, People, absent, allow, deny, document, refused, trust

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
CA = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/1"


@pytest.fixture
def people(storage):
    return People(storage)


@pytest.fixture
def custom(people):
    def simulate(*policies, actions=("acm:GetCertificate",), **more):
        answer = people.iam.simulate_custom_policy(PolicyInputList=list(policies), ActionNames=list(actions), **more)
        return answer["EvaluationResults"]

    return simulate


def decisions(results):
    return [each["EvalDecision"] for each in results]


def entry(name, kind, *values):
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": list(values)}


def test_every_action_on_every_resource(custom):
    policy = document(
        allow("acm:Get*", resource="arn:aws:acm:::a"), deny("acm:GetCertificate", resource="arn:aws:acm:::b")
    )
    results = custom(
        policy,
        actions=["acm:GetCertificate", "acm:ListCertificates"],
        ResourceArns=["arn:aws:acm:::a", "arn:aws:acm:::b"],
    )
    assert [(each["EvalActionName"], each["EvalResourceName"][-1], each["EvalDecision"]) for each in results] == [
        ("acm:GetCertificate", "a", "allowed"),
        ("acm:GetCertificate", "b", "explicitDeny"),
        ("acm:ListCertificates", "a", "implicitDeny"),
        ("acm:ListCertificates", "b", "implicitDeny"),
    ]
    assert [len(each["MatchedStatements"]) for each in results] == [1, 1, 0, 0]


def test_statements_are_found_in_the_text(custom):
    statements = [allow("acm:*"), deny("acm:GetCertificate")]
    text = json.dumps({"Statement": statements, "Version": "2012-10-17"}, indent=1)
    first, second = custom(document(allow("kms:*")), text, actions=["acm:GetCertificate", "acm:ListCertificates"])
    [denied] = first["MatchedStatements"]
    assert (denied["SourcePolicyId"], denied["SourcePolicyType"]) == ("PolicyInputList.2", "none")
    lines = text.splitlines()
    start, end = denied["StartPosition"], denied["EndPosition"]
    assert lines[start["Line"] - 1][start["Column"] - 1] == "{"
    assert lines[end["Line"] - 1][end["Column"] - 1] == "}"
    found = "\n".join(lines[start["Line"] - 1 : end["Line"]])
    assert json.loads(found.rstrip(",")) == statements[1]
    assert second["MatchedStatements"][0]["StartPosition"]["Line"] < start["Line"]


def test_condition_keys_are_given_and_missed(custom, people):
    policy = document(
        allow("acm:*", Condition={"StringEquals": {"aws:username": "bob", "acm:KeyAlgorithm": "RSA_2048"}}),
        allow("kms:*", resource="arn:aws:kms:*:*:key/${aws:PrincipalTag/team}"),
    )
    [result] = custom(policy)
    assert result["MissingContextValues"] == ["acm:KeyAlgorithm", "aws:PrincipalTag/team", "aws:username"]
    assert result["EvalDecision"] == "implicitDeny"
    given = [entry("AWS:UserName", "string", "bob"), entry("acm:KeyAlgorithm", "string", "RSA_2048")]
    [result] = custom(policy, ContextEntries=given)
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", ["aws:PrincipalTag/team"])
    names = people.iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert names == ["acm:KeyAlgorithm", "aws:PrincipalTag/team", "aws:username"]


@pytest.mark.parametrize(
    ("operator", "kind", "wanted", "values"),
    [
        ("NumericLessThan", "numeric", "5", ["4.5"]),
        ("Bool", "boolean", "true", ["true"]),
        ("DateGreaterThan", "date", "2026-01-01T00:00:00Z", ["2026-02-01T00:00:00Z"]),
        ("IpAddress", "ip", "10.0.0.0/8", ["10.1.2.3"]),
        ("BinaryEquals", "binary", "QQ==", ["QQ=="]),
        ("ForAllValues:StringEquals", "stringList", ["a", "b"], ["a", "b", "a"]),
        ("ForAnyValue:NumericEquals", "numericList", ["7"], ["1", "7"]),
    ],
)
def test_context_entries_of_every_type(custom, operator, kind, wanted, values):
    policy = document(allow("acm:*", Condition={operator: {"acm:Some": wanted}}))
    assert decisions(custom(policy, ContextEntries=[entry("acm:Some", kind, *values)])) == ["allowed"]


@pytest.mark.parametrize(
    "wrong",
    [
        entry("acm:Some", "numeric", "x"),
        entry("acm:Some", "boolean", "yes"),
        entry("acm:Some", "ip", "10.0.0"),
        entry("acm:Some", "date", "soon"),
        entry("acm:Some", "binary", "*"),
        entry("acm:Some", "string", "a", "b"),
        {"ContextKeyType": "string", "ContextKeyValues": ["a"]},
    ],
)
def test_context_entries_that_are_refused(custom, wrong):
    with refused(400, "InvalidInput"):
        custom(document(allow("acm:*")), ContextEntries=[wrong])


def test_boundary_and_service_control_are_told_apart(custom):
    policy = document(allow("*"))
    [result] = custom(policy, PermissionsBoundaryPolicyInputList=[document(allow("kms:*"))])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    levels = [{"ServiceControlPolicyInputList": [text]} for text in (policy, document(allow("*"), deny("acm:*")))]
    [result] = custom(policy, OrderedOrganizationPolicyInputList=levels)
    assert result["EvalDecision"] == "explicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert "PermissionsBoundaryDecisionDetail" not in result
    [result] = custom(policy, OrderedOrganizationPolicyInputList=levels[:1])
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_resource_policies_let_in_whom_they_name(custom):
    nobody = document(allow("kms:*"))
    me = f"{HERE}:user/me"
    policy = document({"Effect": "Allow", "Principal": {"AWS": me}, "Action": "acm-pca:*", "Resource": CA})
    asked = {"actions": ["acm-pca:GetCertificate"], "ResourceArns": [CA], "ResourcePolicy": policy}
    [result] = custom(nobody, **asked, CallerArn=me)
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"][0]["SourcePolicyType"] == "resource"
    assert decisions(custom(nobody, **asked, CallerArn=f"{HERE}:user/other")) == ["implicitDeny"]
    stranger = "arn:aws:iam::444455556666:user/x"
    theirs = document({"Effect": "Allow", "Principal": {"AWS": stranger}, "Action": "acm-pca:*", "Resource": CA})
    asked["ResourcePolicy"] = theirs
    assert decisions(custom(nobody, **asked, CallerArn=stranger)) == ["implicitDeny"]
    assert decisions(custom(document(allow("acm-pca:*")), **asked, CallerArn=stranger)) == ["allowed"]
    with refused(400, "InvalidInput", "CallerArn is required"):
        custom(nobody, **asked)
    with refused(400, "InvalidInput", "must be the ARN of an IAM user"):
        custom(nobody, **asked, CallerArn=f"{HERE}:role/r")


def test_the_policies_that_a_user_carries(people):
    people.user("u", allow("acm:Get*"), Path="/p/")
    people.iam.create_group(GroupName="g")
    people.iam.add_user_to_group(GroupName="g", UserName="u")
    people.iam.put_group_policy(GroupName="g", PolicyName="no", PolicyDocument=document(deny("acm:DeleteCertificate")))
    reader = "arn:aws:iam::aws:policy/AWSPrivateCAReadOnly"
    people.iam.attach_user_policy(UserName="u", PolicyArn=reader)
    boundary = people.policy("limit", allow("acm:*"))
    people.iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=boundary)
    actions = ["acm:GetCertificate", "acm:DeleteCertificate", "acm-pca:GetCertificate", "kms:Sign"]

    def simulate(**more):
        source = f"{HERE}:user/p/u"
        return people.iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=actions, **more)[
            "EvaluationResults"
        ]

    results = simulate()
    assert decisions(results) == ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]
    sources = [(each["SourcePolicyId"], each["SourcePolicyType"]) for r in results for each in r["MatchedStatements"]]
    assert sources == [("user_u_inline", "user"), ("group_g_no", "group")]
    results = simulate(
        PermissionsBoundaryPolicyInputList=[document(allow("*"))], PolicyInputList=[document(allow("kms:*"))]
    )
    assert decisions(results) == ["allowed", "explicitDeny", "allowed", "allowed"]
    assert results[2]["MatchedStatements"][0]["SourcePolicyType"] == "aws-managed"
    for exclusion, expected in (
        ({"PolicyType": "permission-boundary"}, ["allowed", "explicitDeny", "allowed", "implicitDeny"]),
        ({"PolicyType": "inline"}, ["implicitDeny", "implicitDeny", "implicitDeny", "implicitDeny"]),
        (
            {"InlinePolicyIdentifier": {"PolicyName": "no", "AttachmentType": "group", "AttachmentName": "g"}},
            ["allowed", "implicitDeny", "implicitDeny", "implicitDeny"],
        ),
        ({"PolicyType": "rcp"}, ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]),
    ):
        assert decisions(simulate(PolicyExclusionList=[exclusion])) == expected
    first = people.iam.simulate_principal_policy(PolicySourceArn=f"{HERE}:user/p/u", ActionNames=actions, MaxItems=3)
    assert (len(first["EvaluationResults"]), first["IsTruncated"]) == (3, True)
    rest = people.iam.simulate_principal_policy(
        PolicySourceArn=f"{HERE}:user/p/u", ActionNames=actions, MaxItems=3, Marker=first["Marker"]
    )
    assert [each["EvalActionName"] for each in rest["EvaluationResults"]] == ["kms:Sign"]


def test_groups_and_roles_are_sources_too(people):
    people.iam.create_group(GroupName="g")
    people.iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document(allow("acm:*")))
    people.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"))
    people.iam.put_role_policy(
        RoleName="r",
        PolicyName="p",
        PolicyDocument=document(allow("acm:*", Condition={"StringEquals": {"aws:RequestedRegion": "x"}})),
    )
    group = people.iam.simulate_principal_policy(PolicySourceArn=f"{HERE}:group/g", ActionNames=["acm:GetCertificate"])
    role = people.iam.simulate_principal_policy(PolicySourceArn=f"{HERE}:role/r", ActionNames=["acm:GetCertificate"])
    assert decisions(group["EvaluationResults"]) == ["allowed"]
    assert decisions(role["EvaluationResults"]) == ["implicitDeny"]
    keys = people.iam.get_context_keys_for_principal_policy(
        PolicySourceArn=f"{HERE}:role/r",
        PolicyInputList=[document(allow("acm:*", resource="arn:aws:acm:::x/${aws:userid}"))],
    )
    assert keys["ContextKeyNames"] == ["aws:RequestedRegion", "aws:userid"]
    with absent("The role with name none cannot be found."):
        people.iam.simulate_principal_policy(PolicySourceArn=f"{HERE}:role/none", ActionNames=["acm:GetCertificate"])
    with refused(400, "InvalidInput", "does not clearly define entity type and name"):
        people.iam.simulate_principal_policy(PolicySourceArn=f"{HERE}:policy/none", ActionNames=["acm:GetCertificate"])


def test_actions_have_a_service(custom):
    with refused(400, "InvalidInput", "Invalid Action Name: acm.Get"):
        custom(document(allow("*")), actions=["acm.Get"])
