"""Users, groups and roles: made, named, listed, renamed, tagged and deleted (iam.md 8, 10)."""

import pytest

from doors.iam import ACCOUNT, HERE, People, absent, allow, denied, document, refused, trust

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def people(storage):
    return People(storage)


@pytest.fixture
def iam(people):
    return people.iam


def conflict(text):
    return refused(409, "DeleteConflict", text)


def exists(text):
    return refused(409, "EntityAlreadyExists", text)


def test_the_life_of_a_user(iam):
    made = iam.create_user(UserName="Bob", Path="/team/", Tags=[{"Key": "Team", "Value": "blue"}])["User"]
    assert made["Arn"] == f"{HERE}:user/team/Bob"
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert iam.get_user(UserName="Bob")["User"] == made
    with exists("User with name bob already exists."):
        iam.create_user(UserName="bob")
    iam.create_group(GroupName="ops")
    iam.add_user_to_group(GroupName="ops", UserName="Bob")
    iam.add_user_to_group(GroupName="ops", UserName="Bob")
    key = iam.create_access_key(UserName="Bob")["AccessKey"]
    iam.put_user_policy(UserName="Bob", PolicyName="p", PolicyDocument=document(allow("acm:*")))
    iam.attach_user_policy(UserName="Bob", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with conflict("Cannot delete entity, must delete access keys first."):
        iam.delete_user(UserName="Bob")
    iam.delete_access_key(UserName="Bob", AccessKeyId=key["AccessKeyId"])
    with conflict("Cannot delete entity, must remove users from group first."):
        iam.delete_user(UserName="Bob")
    with conflict("Cannot delete entity, must remove users from group first."):
        iam.delete_group(GroupName="ops")
    iam.remove_user_from_group(GroupName="ops", UserName="Bob")
    with conflict("Cannot delete entity, must delete policies first."):
        iam.delete_user(UserName="Bob")
    iam.delete_user_policy(UserName="Bob", PolicyName="p")
    with conflict("Cannot delete entity, must detach all policies first."):
        iam.delete_user(UserName="Bob")
    iam.detach_user_policy(UserName="Bob", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.delete_user(UserName="Bob")
    iam.delete_group(GroupName="ops")
    with absent("The user with name Bob cannot be found."):
        iam.delete_user(UserName="Bob")
    again = iam.create_user(UserName="Bob", Path="/team/")["User"]
    assert again["UserId"] != made["UserId"]
    assert "Tags" not in iam.get_user(UserName="Bob")["User"]


def test_names_are_one_whatever_their_case_and_ids_never_come_back(iam):
    iam.create_user(UserName="one")
    iam.create_user(UserName="two")
    with exists("User with name TWO already exists."):
        iam.update_user(UserName="one", NewUserName="TWO")
    before = iam.get_user(UserName="one")["User"]
    iam.update_user(UserName="one", NewUserName="One", NewPath="/a/b/")
    after = iam.get_user(UserName="one")["User"]
    assert (after["UserName"], after["Path"], after["UserId"]) == ("One", "/a/b/", before["UserId"])
    iam.create_group(GroupName="two")
    iam.update_group(GroupName="two", NewGroupName="three")
    assert iam.get_group(GroupName="three")["Users"] == []
    with absent("The group with name two cannot be found."):
        iam.get_group(GroupName="two")


def test_listings_go_page_by_page_below_a_path(iam):
    for name, path in (("b", "/x/"), ("A", "/x/y/"), ("c", "/X/"), ("d", "/")):
        iam.create_user(UserName=name, Path=path)
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"))
        iam.create_group(GroupName=name, Path=path)
        iam.add_user_to_group(GroupName=name, UserName="b")
    for what, member, name in (
        ("users", "Users", "UserName"),
        ("roles", "Roles", "RoleName"),
        ("groups", "Groups", "GroupName"),
    ):
        listing = getattr(iam, f"list_{what}")
        assert [each[name] for each in listing()[member]] == ["A", "b", "c", "d"]
        assert [each[name] for each in listing(PathPrefix="/x/")[member]] == ["A", "b"]
        first = listing(MaxItems=3)
        assert first["IsTruncated"] is True
        rest = listing(MaxItems=3, Marker=first["Marker"])
        assert ([each[name] for each in rest[member]], rest["IsTruncated"]) == (["d"], False)
        with refused(400, "ValidationError"):
            listing(Marker=first["Marker"], PathPrefix="/x/")
    pages = iam.get_paginator("list_groups_for_user").paginate(UserName="b", PaginationConfig={"PageSize": 3})
    assert [[each["GroupName"] for each in page["Groups"]] for page in pages] == [["A", "b", "c"], ["d"]]
    iam.add_user_to_group(GroupName="d", UserName="A")
    pages = iam.get_paginator("get_group").paginate(GroupName="d", PaginationConfig={"PageSize": 1})
    assert [[each["UserName"] for each in page["Users"]] for page in pages] == [["A"], ["b"]]


@SQLITE
def test_names_and_paths_outside_the_model(iam):
    for wrong in ({"UserName": "a b"}, {"UserName": "a" * 65}, {"UserName": "a", "Path": "x/"}, {"UserName": ""}):
        with refused(400, "ValidationError"):
            iam.create_user(**wrong)
    with refused(400, "InvalidInput", "reserved"):
        iam.create_role(
            RoleName="r", Path="/aws-service-role/x/", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com")
        )


@SQLITE
def test_tags_of_users_are_one_key_whatever_its_case(iam):
    iam.create_user(UserName="u", Tags=[{"Key": "Team", "Value": "blue"}])
    iam.tag_user(UserName="u", Tags=[{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": ""}])
    expected = [{"Key": "cost", "Value": ""}, {"Key": "team", "Value": "red"}]
    assert iam.list_user_tags(UserName="u")["Tags"] == expected
    first = iam.list_user_tags(UserName="u", MaxItems=1)
    assert first["Tags"] == expected[:1]
    assert iam.list_user_tags(UserName="u", Marker=first["Marker"])["Tags"] == expected[1:]
    with refused(400, "InvalidInput", "Duplicate tag keys found."):
        iam.tag_user(UserName="u", Tags=[{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}])
    with refused(400, "InvalidInput", "aws:x"):
        iam.tag_user(UserName="u", Tags=[{"Key": "aws:x", "Value": "1"}])
    iam.untag_user(UserName="u", TagKeys=["TEAM", "none"])
    assert iam.list_user_tags(UserName="u")["Tags"] == expected[:1]
    with refused(409, "LimitExceeded"):
        iam.tag_user(UserName="u", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    with absent():
        iam.tag_user(UserName="nobody", Tags=[{"Key": "x", "Value": "1"}])


@SQLITE
def test_membership_has_limits(iam):
    iam.create_user(UserName="u")
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName="u")
    with refused(409, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"):
        iam.add_user_to_group(GroupName="g10", UserName="u")
    with absent("User u not in group g10"):
        iam.remove_user_from_group(GroupName="g10", UserName="u")


@SQLITE
def test_a_caller_who_is_no_user_must_name_one(people):
    assert people.iam.get_user()["User"]["Arn"] == f"{HERE}:root"
    people.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(ACCOUNT))
    people.iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    sts = people.client("sts", people.user("u", allow("sts:AssumeRole")))
    made = sts.assume_role(RoleArn=f"{HERE}:role/r", RoleSessionName="session")["Credentials"]
    iam = people.installation.client("iam", credential=people.session_key(made), token=made["SessionToken"])
    for ask in (iam.get_user, iam.list_access_keys, iam.create_access_key):
        with refused(400, "ValidationError", "Must specify userName when calling with non-User credentials"):
            ask()
    assert iam.get_user(UserName="u")["User"]["UserName"] == "u"


# -- roles -----------------------------------------------------------------------------------------------------


def test_the_life_of_a_role(iam):
    made = iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"), Description="first"
    )["Role"]
    assert "MaxSessionDuration" not in made
    found = iam.get_role(RoleName="r")["Role"]
    assert (found["MaxSessionDuration"], found["Description"]) == (3600, "first")
    iam.update_role(RoleName="r", MaxSessionDuration=43200)
    iam.update_role_description(RoleName="r", Description="second")
    found = iam.get_role(RoleName="r")["Role"]
    assert (found["MaxSessionDuration"], found["Description"]) == (43200, "second")
    for seconds in (3599, 43201):
        with refused(400, "ValidationError"):
            iam.update_role(RoleName="r", MaxSessionDuration=seconds)
    with exists("Role with name R already exists."):
        iam.create_role(RoleName="R", AssumeRolePolicyDocument=trust(Service="acm.amazonaws.com"))
    with absent("The role with name none cannot be found."):
        iam.update_assume_role_policy(RoleName="none", PolicyDocument=trust(ACCOUNT))
    iam.delete_role(RoleName="r")
    with absent("The role with name r cannot be found."):
        iam.get_role(RoleName="r")


@SQLITE
def test_trust_policies_that_are_refused(iam):
    unknown = f"{HERE}:user/nobody"
    for text, code, said in (
        ("{", "MalformedPolicyDocument", "This policy contains invalid Json"),
        (document(allow("sts:AssumeRole")), "MalformedPolicyDocument", "Statement[0]"),
        (trust(unknown), "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{unknown}"'),
    ):
        with refused(400, code, said):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument=text)
    with refused(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(Service="a" * 2048))


@SQLITE
def test_a_trusted_user_is_shown_by_name_and_after_its_deletion_by_id(iam):
    user = iam.create_user(UserName="u", Path="/p/")["User"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(user["Arn"]))

    def trusted():
        return iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]

    assert trusted() == [user["Arn"]]
    iam.update_user(UserName="u", NewUserName="v")
    assert trusted() == [f"{HERE}:user/p/v"]
    iam.delete_user(UserName="v")
    assert trusted() == [user["UserId"]]


@SQLITE
def test_roles_of_services_belong_to_the_services(iam):
    name = "AWSServiceRoleForCertificateManager"
    made = iam.create_service_linked_role(AWSServiceName="acm.amazonaws.com", Description="d")["Role"]
    assert made["Arn"] == f"{HERE}:role/aws-service-role/acm.amazonaws.com/{name}"
    with refused(400, "InvalidInput", f"Service role name {name} has been taken in this account"):
        iam.create_service_linked_role(AWSServiceName="acm.amazonaws.com")
    with refused(400, "InvalidInput", "Custom suffix is not allowed"):
        iam.create_service_linked_role(AWSServiceName="ram.amazonaws.com", CustomSuffix="x")
    with refused(400, "InvalidInput", "ec2.amazonaws.com"):
        iam.create_service_linked_role(AWSServiceName="ec2.amazonaws.com")
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    for change in (
        lambda: iam.delete_role(RoleName=name),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn=admin),
        lambda: iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("*"))),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(ACCOUNT)),
        lambda: iam.update_role(RoleName=name, MaxSessionDuration=7200),
        lambda: iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=admin),
    ):
        with refused(400, "UnmodifiableEntity", f"on the protected role '{name}'"):
            change()
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/acm.amazonaws.com/{name}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    for wrong in (task[:-8] + "AAAAAAA=", "task/x", "x", task.replace("acm", "ram")):
        with absent():
            iam.get_service_linked_role_deletion_status(DeletionTaskId=wrong)
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=trust(ACCOUNT))
    with refused(400, "InvalidInput"):
        iam.delete_service_linked_role(RoleName="mine")


# -- access keys -----------------------------------------------------------------------------------------------


def test_a_user_has_two_keys_at_most(people):
    iam = people.iam
    own = people.client("iam", people.user("u", allow("iam:*AccessKey*")))
    second = own.create_access_key()["AccessKey"]
    assert (second["UserName"], second["Status"], len(second["SecretAccessKey"])) == ("u", "Active", 40)
    with refused(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        iam.create_access_key(UserName="u")
    listed = own.list_access_keys()["AccessKeyMetadata"]
    assert len(listed) == 2
    assert all("SecretAccessKey" not in each for each in listed)
    iam.create_user(UserName="v")
    with absent(f"The Access Key with id {second['AccessKeyId']} cannot be found."):
        iam.delete_access_key(UserName="v", AccessKeyId=second["AccessKeyId"])
    with refused(400, "ValidationError"):
        own.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Expired")
    own.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    assert [each["Status"] for each in iam.list_access_keys(UserName="u")["AccessKeyMetadata"]].count("Inactive") == 1
    own.delete_access_key(AccessKeyId=second["AccessKeyId"])
    with denied("iam:ListUsers"):
        own.list_users()


@SQLITE
def test_the_root_principal_manages_its_own_keys(people):
    made = people.iam.create_access_key()["AccessKey"]
    keys = people.iam.list_access_keys()["AccessKeyMetadata"]
    assert [each["AccessKeyId"] for each in keys].count(made["AccessKeyId"]) == 1
    assert people.iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1
    second = people.installation.client("iam", credential=people.session_key(made))
    assert second.get_user()["User"]["UserId"] == ACCOUNT
    people.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    with refused(403, "InvalidClientTokenId"):
        second.get_user()


@SQLITE
def test_the_last_use_of_a_key_is_its_newest_call(people):
    key = people.user("u", allow("acm:*"))
    ask = {"AccessKeyId": key.access_key_id}
    unused = people.iam.get_access_key_last_used(**ask)
    assert (unused["UserName"], unused["AccessKeyLastUsed"]) == ("u", {"ServiceName": "N/A", "Region": "N/A"})
    people.client("acm", key).list_certificates()
    used = people.iam.get_access_key_last_used(**ask)["AccessKeyLastUsed"]
    assert used == {"LastUsedDate": people.installation.clock.now(), "ServiceName": "acm", "Region": "us-east-1"}
    with absent():
        people.iam.get_access_key_last_used(AccessKeyId="AKIA2222222222222222")


@SQLITE
def test_what_identities_never_have(iam):
    iam.create_user(UserName="u")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(ACCOUNT))
    assert iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"] == []
    assert iam.list_mfa_devices(UserName="u")["MFADevices"] == []
    assert iam.list_ssh_public_keys(UserName="u")["SSHPublicKeys"] == []
    assert iam.list_service_specific_credentials(UserName="u")["ServiceSpecificCredentials"] == []
    assert iam.list_signing_certificates(UserName="u")["Certificates"] == []
    assert iam.list_signing_certificates()["Certificates"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    with absent("Login Profile for User u cannot be found."):
        iam.get_login_profile(UserName="u")
    with absent("The role with name none cannot be found."):
        iam.list_instance_profiles_for_role(RoleName="none")
