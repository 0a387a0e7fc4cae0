"""What the policies that IAM keeps mean at the doors: with the next request, exactly what they say (iam.md 2, 6)."""

import pytest

from doors.iam import ACCOUNT, HERE, People, absent, allow, denied, deny, document, refused, trust

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
ANYTHING = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/*"


@pytest.fixture
def people(storage):
    return People(storage)


def not_allowed(operation, why):
    return refused(
        400, "AccessDeniedException", f"is not authorized to perform: acm-pca:{operation} on resource: {why}"
    )


def new_authority(pca):
    return pca.create_certificate_authority(
        CertificateAuthorityType="ROOT",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CommonName": "Root"},
        },
    )["CertificateAuthorityArn"]


def test_a_user_may_do_exactly_what_its_inline_policy_says(people):
    arn = new_authority(people.installation.client("acm-pca"))
    other = new_authority(people.installation.client("acm-pca"))
    key = people.user(
        "carol",
        allow("acm-pca:Describe*", resource=arn),
        allow("acm-pca:ListTags", "acm-pca:Get*"),
        deny("acm-pca:GetCertificateAuthorityCsr", resource=other),
    )
    pca = people.client("acm-pca", key)
    assert pca.describe_certificate_authority(CertificateAuthorityArn=arn)
    assert pca.list_tags(CertificateAuthorityArn=other)["Tags"] == []
    assert pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"]
    silent = " because no identity-based policy allows the acm-pca:"
    with not_allowed("DescribeCertificateAuthority", f"{other}{silent}DescribeCertificateAuthority action"):
        pca.describe_certificate_authority(CertificateAuthorityArn=other)
    with not_allowed("GetCertificateAuthorityCsr", f"{other} with an explicit deny in an identity-based policy"):
        pca.get_certificate_authority_csr(CertificateAuthorityArn=other)
    with not_allowed("CreateCertificateAuthority", f"{ANYTHING}{silent}CreateCertificateAuthority action"):
        new_authority(pca)
    people.iam.delete_user_policy(UserName="carol", PolicyName="inline")
    with refused(400, "AccessDeniedException", f"User: {HERE}:user/carol is not authorized"):
        pca.describe_certificate_authority(CertificateAuthorityArn=arn)


def test_policies_of_groups_come_and_go_with_membership(people):
    acm = people.client("acm", people.user("dave"))
    people.iam.create_group(GroupName="readers")
    people.iam.put_group_policy(
        GroupName="readers", PolicyName="read", PolicyDocument=document(allow("acm:ListCertificates"))
    )
    with refused(400, "AccessDeniedException"):
        acm.list_certificates()
    people.iam.add_user_to_group(GroupName="readers", UserName="dave")
    assert acm.list_certificates()["CertificateSummaryList"] == []
    people.iam.remove_user_from_group(GroupName="readers", UserName="dave")
    with refused(400, "AccessDeniedException"):
        acm.list_certificates()
    people.iam.add_user_to_group(GroupName="readers", UserName="dave")
    people.iam.delete_group_policy(GroupName="readers", PolicyName="read")
    people.iam.attach_group_policy(
        GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AWSCertificateManagerReadOnly"
    )
    assert acm.list_certificates()["CertificateSummaryList"] == []


def test_a_boundary_lets_through_only_what_it_allows(people):
    boundary = people.policy("boundary", allow("acm:*"))
    key = people.user("erin", allow("*"), PermissionsBoundary=boundary)
    acm, pca = people.client("acm", key), people.client("acm-pca", key)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    with not_allowed(
        "ListCertificateAuthorities",
        "* because no permissions boundary allows the acm-pca:ListCertificateAuthorities action",
    ):
        pca.list_certificate_authorities()
    shown = people.iam.get_user(UserName="erin")["User"]["PermissionsBoundary"]
    assert shown == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary}
    people.iam.delete_user_permissions_boundary(UserName="erin")
    assert pca.list_certificate_authorities()["CertificateAuthorities"] == []
    people.iam.put_user_permissions_boundary(UserName="erin", PermissionsBoundary=boundary)
    with refused(400, "AccessDeniedException", "no permissions boundary allows"):
        pca.list_certificate_authorities()
    with refused(409, "DeleteConflict"):
        people.iam.delete_policy(PolicyArn=boundary)


def test_the_version_in_force_changes_at_once(people):
    policy = people.policy("switched", allow("acm:ListCertificates"))
    acm = people.client("acm", people.user("frank"))
    people.iam.attach_user_policy(UserName="frank", PolicyArn=policy)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    closed = document(deny("acm:*"))
    people.iam.create_policy_version(PolicyArn=policy, PolicyDocument=closed)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    people.iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
    with refused(400, "AccessDeniedException", "with an explicit deny in an identity-based policy"):
        acm.list_certificates()
    people.iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    assert acm.list_certificates()["CertificateSummaryList"] == []
    people.iam.detach_user_policy(UserName="frank", PolicyArn=policy)
    with refused(400, "AccessDeniedException"):
        acm.list_certificates()


def test_a_key_that_is_switched_off_is_refused_at_once(people):
    key = people.user("grace", allow("acm:*"))
    acm = people.client("acm", key)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    people.iam.update_access_key(UserName="grace", AccessKeyId=key.access_key_id, Status="Inactive")
    with refused(400, "UnrecognizedClientException"):
        acm.list_certificates()
    people.iam.update_access_key(UserName="grace", AccessKeyId=key.access_key_id, Status="Active")
    assert acm.list_certificates()["CertificateSummaryList"] == []
    people.iam.delete_access_key(UserName="grace", AccessKeyId=key.access_key_id)
    with refused(400, "UnrecognizedClientException"):
        acm.list_certificates()


def test_a_renamed_user_keeps_its_rights_and_tags_under_its_new_arn(people):
    own = allow("iam:GetUser", resource=f"{HERE}:user/new/${{aws:username}}")
    key = people.user("heidi", own, Tags=[{"Key": "team", "Value": "blue"}])
    iam = people.client("iam", key)
    with denied(f"on resource: {HERE}:user/heidi because no identity-based policy allows the iam:GetUser action"):
        iam.get_user()
    people.iam.update_user(UserName="heidi", NewUserName="Heidi2", NewPath="/new/")
    found = iam.get_user()["User"]
    assert (found["Arn"], found["Tags"]) == (f"{HERE}:user/new/Heidi2", [{"Key": "team", "Value": "blue"}])
    with absent("The user with name heidi cannot be found."):
        people.iam.get_user(UserName="heidi")


def test_who_may_not_ask_is_not_told_whether_a_user_exists(people):
    iam = people.client("iam", people.user("ivan"))
    people.iam.create_user(UserName="there", Path="/deep/")
    for name, shown in (("there", "deep/there"), ("not-there", "not-there")):
        with denied(
            f"User: {HERE}:user/ivan is not authorized to perform: iam:GetUser on resource: {HERE}:user/{shown}"
        ):
            iam.get_user(UserName=name)


def test_conditions_of_iam_itself(people):
    reader = "arn:aws:iam::aws:policy/AWSPrivateCAReadOnly"
    boundary = people.policy("limit", allow("acm:*"))
    key = people.user(
        "judy",
        allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": reader}}),
        allow("iam:CreateUser", "iam:PutUserPolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": boundary}}),
        allow("iam:TagUser", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
        allow("iam:DeleteUser", Condition={"StringEquals": {"iam:ResourceTag/team": "blue"}}),
        allow("iam:ListUserTags", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}}),
    )
    iam = people.client("iam", key)
    with denied("iam:CreateUser"):
        iam.create_user(UserName="free")
    with denied("iam:TagUser"):
        iam.create_user(UserName="x", PermissionsBoundary=boundary, Tags=[{"Key": "cost", "Value": "1"}])
    iam.create_user(UserName="bounded", PermissionsBoundary=boundary, Tags=[{"Key": "team", "Value": "blue"}])
    iam.put_user_policy(UserName="bounded", PolicyName="p", PolicyDocument=document(allow("acm:*")))
    people.iam.create_user(UserName="unbounded")
    with denied("iam:PutUserPolicy"):
        iam.put_user_policy(UserName="unbounded", PolicyName="p", PolicyDocument=document(allow("acm:*")))
    iam.attach_user_policy(UserName="unbounded", PolicyArn=reader)
    with denied("iam:AttachUserPolicy"):
        iam.attach_user_policy(UserName="unbounded", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    with denied("iam:DeleteUser"):
        iam.delete_user(UserName="unbounded")
    with denied("iam:ListUserTags"):
        iam.list_user_tags(UserName="unbounded")
    assert iam.list_user_tags(UserName="bounded")["Tags"] == [{"Key": "team", "Value": "blue"}]
    people.iam.delete_user_policy(UserName="bounded", PolicyName="p")
    iam.delete_user(UserName="bounded")


def test_a_role_of_the_same_name_is_not_the_one_that_was_trusted(people):
    people.iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust(ACCOUNT))
    people.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole")))
    trusted = trust(f"{HERE}:role/caller")
    people.iam.create_role(RoleName="target", AssumeRolePolicyDocument=trusted)
    kim = people.client("sts", people.user("kim", allow("sts:AssumeRole")))

    def session():
        made = kim.assume_role(RoleArn=f"{HERE}:role/caller", RoleSessionName="first")["Credentials"]
        return people.installation.client("sts", credential=people.session_key(made), token=made["SessionToken"])

    assert session().assume_role(RoleArn=f"{HERE}:role/target", RoleSessionName="second")["AssumedRoleUser"]
    old = people.iam.get_role(RoleName="caller")["Role"]["RoleId"]
    people.iam.delete_role_policy(RoleName="caller", PolicyName="p")
    people.iam.delete_role(RoleName="caller")
    people.iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust(ACCOUNT))
    people.iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole")))
    with denied("sts:AssumeRole"):
        session().assume_role(RoleArn=f"{HERE}:role/target", RoleSessionName="second")
    shown = people.iam.get_role(RoleName="target")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == [old]
    people.iam.update_assume_role_policy(RoleName="target", PolicyDocument=trusted)
    assert session().assume_role(RoleArn=f"{HERE}:role/target", RoleSessionName="second")["AssumedRoleUser"]


def test_policies_of_another_account_are_neither_read_nor_attached(people):
    foreign = "arn:aws:iam::444455556666:policy/Theirs"
    with denied("because no resource-based policy allows the iam:GetPolicy action"):
        people.iam.get_policy(PolicyArn=foreign)
    people.iam.create_user(UserName="lena")
    with absent(f"Policy {foreign} does not exist or is not attachable."):
        people.iam.attach_user_policy(UserName="lena", PolicyArn=foreign)
    everybodys = "arn:aws:iam::aws:policy/AdministratorAccess"
    for change in (
        lambda: people.iam.delete_policy(PolicyArn=everybodys),
        lambda: people.iam.create_policy_version(PolicyArn=everybodys, PolicyDocument=document(allow("*"))),
        lambda: people.iam.tag_policy(PolicyArn=everybodys, Tags=[{"Key": "a", "Value": "b"}]),
    ):
        with denied(f"on resource: {everybodys}"):
            change()
