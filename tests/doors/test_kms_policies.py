"""Key policies: the first word about a key, for everybody (kms.md 10, 15)."""

import json

import pytest

from doors.kms import ACCOUNT, HERE, NO_KEY, Kms, to, to_account, whole
from doors.member_accounts import Org
from doors.organization import OTHER, allow, deny, document, second_account
from doors.pki import refused

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
ANY = "arn:aws:kms:us-east-1:111122223333:key/*"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


def sentence(principal, operation, key, why):
    return f"User: {principal} is not authorized to perform: kms:{operation} on resource: {key} because {why}"


def denied(text=""):
    return refused("AccessDeniedException", text)


@on_both
def test_the_default_policy(k):
    key = k.create()
    answer = k.kms.get_key_policy(KeyId=key)
    assert answer["PolicyName"] == "default"
    assert json.loads(answer["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"{HERE}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    assert "\n" in answer["Policy"]
    listed = k.kms.list_key_policies(KeyId=key)
    assert (listed["PolicyNames"], listed["Truncated"]) == (["default"], False)
    assert k.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == answer["Policy"]
    for ask in (k.kms.get_key_policy, lambda **more: k.kms.put_key_policy(Policy=whole(), **more)):
        with refused("NotFoundException", "No such policy exists"):
            ask(KeyId=key, PolicyName="other")


@on_both
def test_a_policy_is_given_back_as_it_was_written(k):
    text = whole({"Sid": "Sids may have blanks", "Effect": "Allow", "Principal": "*"}).replace(",", " ,\n")
    key = k.create(Policy=text)
    assert k.kms.get_key_policy(KeyId=key)["Policy"] == text
    other = whole(to(f"{HERE}:root", "kms:Sign"))
    k.kms.put_key_policy(KeyId=key, Policy=other)
    assert k.kms.get_key_policy(KeyId=key)["Policy"] == other


def test_principals_of_statements_without_actions_are_read(k):
    key = k.create()
    for principal in ({"AWS": 5}, {"AWS": [1]}, {"AWS": None}, {"AWS": [{}]}, 5, None):
        text = whole({"Sid": "idle", "Effect": "Allow", "Principal": principal})
        with refused("MalformedPolicyDocumentException"):
            k.kms.put_key_policy(KeyId=key, Policy=text)
    k.kms.put_key_policy(KeyId=key, Policy=whole({"Effect": "Allow", "Principal": {"AWS": f"{HERE}:root"}}))
    k.kms.put_key_policy(KeyId=key, Policy=whole({"Effect": "Allow"}))


def test_what_another_thread_forgets_is_read_again(k):
    """The memory of a node is emptied when it is full, also while a request is using it."""

    class Forgetful(dict):
        def __setitem__(self, key, value):
            pass

    key = k.create()
    k.describe(key)
    memory = k.installation.rooms.access._memory
    memory.policies, memory.grants = Forgetful(), Forgetful()
    memory.memberships, memory.others, memory.standings = Forgetful(), Forgetful(), Forgetful()
    assert k.state(key) == "Enabled"
    assert k.installation.rooms.access._memory is memory


def test_policies_that_are_refused(k):
    key = k.create()
    nobody = whole(to(f"{HERE}:user/nobody", "kms:Sign"))
    long = whole({**to_account("kms:Sign"), "Sid": "x" * 32768})
    malformed = "MalformedPolicyDocumentException"
    locked_out = "The new key policy will not allow you to update the key policy in the future."
    own_denial = whole({**to(f"{HERE}:root", "kms:PutKeyPolicy"), "Effect": "Deny"})
    cases = [
        ("{", malformed, ""),
        ("[]", malformed, ""),
        (nobody, malformed, "Policy contains a statement with one or more invalid principals."),
        (long, "LimitExceededException", "32768"),
        (document(to(f"{HERE}:root", "kms:Sign")), malformed, locked_out),
        (own_denial, malformed, locked_out),
        ("x" * 131073, "ValidationException", "at 'policy'"),
        (whole({**to_account("kms:Sign"), "Sid": "x"}).replace("x", "→"), "ValidationException", "at 'policy'"),
        ("", "ValidationException", "at 'policy'"),
    ]
    for text, code, message in cases:
        with refused(code, message):
            k.kms.put_key_policy(KeyId=key, Policy=text)
        with refused(code, message):
            k.kms.create_key(Policy=text)
    assert [each["KeyArn"] for each in k.kms.list_keys()["Keys"]] == [key]
    assert "key-default-1" in k.kms.get_key_policy(KeyId=key)["Policy"]
    fits = whole({**to_account("kms:Sign"), "Sid": ""})
    fits = fits.replace('"Sid": ""', f'"Sid": "{"x" * (32768 - len(fits))}"')
    k.kms.put_key_policy(KeyId=key, Policy=fits)
    assert len(k.kms.get_key_policy(KeyId=key)["Policy"]) == 32768


def test_the_lockout_check_can_be_skipped(k):
    alice = k.user("alice")
    key = k.create(Policy=document(to(f"{HERE}:user/alice", "kms:*")), BypassPolicyLockoutSafetyCheck=True)
    with denied(
        sentence(f"{HERE}:root", "DescribeKey", key, "no resource-based policy allows the kms:DescribeKey action")
    ):
        k.describe(key)
    assert alice.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    alice.put_key_policy(KeyId=key, Policy=whole(), BypassPolicyLockoutSafetyCheck=True)
    assert k.state(key) == "Enabled"


def test_a_policy_without_the_account_locks_out_its_root(k):
    key = k.create(Policy=whole())
    alice = k.user("alice", allow("kms:*"))
    k.kms.put_key_policy(
        KeyId=key, Policy=document(to(f"{HERE}:user/alice", "kms:Sign")), BypassPolicyLockoutSafetyCheck=True
    )
    for client, name in ((k.kms, f"{HERE}:root"), (alice, f"{HERE}:user/alice")):
        with denied(sentence(name, "GetKeyPolicy", key, "no resource-based policy allows the kms:GetKeyPolicy action")):
            client.get_key_policy(KeyId=key)


def test_the_account_in_a_key_policy_enables_its_own_policies(k):
    key = k.create(Policy=whole())
    nobody, reader = k.user("nobody"), k.user("reader", allow("kms:DescribeKey", key))
    assert reader.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    text = sentence(
        f"{HERE}:user/nobody", "DescribeKey", key, "no identity-based policy allows the kms:DescribeKey action"
    )
    with denied(text):
        nobody.describe_key(KeyId=key)
    # Only for the actions that it names.
    k.kms.put_key_policy(
        KeyId=key,
        Policy=document(to_account(["kms:PutKeyPolicy", "kms:GetKeyPolicy"])),
        BypassPolicyLockoutSafetyCheck=False,
    )
    with denied("no resource-based policy allows"):
        reader.describe_key(KeyId=key)


def test_a_principal_in_a_key_policy_needs_nothing_else(k):
    alice, bob = k.user("alice"), k.role("bob")
    key = k.create(Policy=whole(to(f"{HERE}:user/alice", "kms:Encrypt"), to(f"{HERE}:role/bob", "kms:Decrypt")))
    blob = alice.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert bob.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    for client, name in ((alice, "user/alice"), (bob, "assumed-role/bob/s1")):
        with denied(f"{name} is not authorized to perform: kms:GenerateDataKey"):
            client.generate_data_key(KeyId=key, KeySpec="AES_256")
    with denied():
        alice.decrypt(CiphertextBlob=blob)
    with denied():
        bob.encrypt(KeyId=key, Plaintext=b"x")


def test_session_policies_and_boundaries_narrow(k):
    key = k.create(Policy=whole())
    limited = k.role("limited", allow("kms:*"), Policy=document(allow("kms:DescribeKey")))
    assert limited.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    with denied("no session policy allows the kms:Encrypt action"):
        limited.encrypt(KeyId=key, Plaintext=b"x")
    alice = k.user("alice", allow("kms:*"))
    iam = k.installation.client("iam")
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=document(allow("kms:Describe*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=boundary)
    assert alice.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    with denied("no permissions boundary allows the kms:Encrypt action"):
        alice.encrypt(KeyId=key, Plaintext=b"x")


def test_explicit_denials_win(k):
    alice = k.user("alice", deny("kms:Encrypt"))
    key = k.create(Policy=whole(to(f"{HERE}:user/alice", "kms:*"), {**to("*", "kms:Decrypt"), "Effect": "Deny"}))
    with denied("with an explicit deny in an identity-based policy"):
        alice.encrypt(KeyId=key, Plaintext=b"x")
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    for client in (alice, k.kms):
        with denied("with an explicit deny in a resource-based policy"):
            client.decrypt(CiphertextBlob=blob)


def test_service_control(storage):
    org = Org(storage)
    account = org.member("member")
    kms = org.installation.client("kms", credential=org.root_of(account))
    key = kms.create_key()["KeyMetadata"]["Arn"]
    org.policy(deny("kms:Encrypt"), target=account)
    with denied("with an explicit deny in a service control policy"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert kms.generate_data_key(KeyId=key, KeySpec="AES_256")["KeyId"] == key


@on_both
def test_other_accounts(k):
    root = second_account(k.installation)
    other = k.client(root)
    alice = k.user("alice", allow("kms:*"), root=root)
    weak = k.user("weak", root=root)
    key = k.create(
        Policy=whole(to_account(["kms:Encrypt", "kms:DescribeKey", "kms:TagResource", "kms:ListGrants"], OTHER))
    )
    k.kms.create_alias(AliasName="alias/shared", TargetKeyId=key)
    for client in (other, alice):
        assert client.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"] == ACCOUNT
        assert client.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
        assert client.encrypt(KeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/shared", Plaintext=b"x")["KeyId"] == key
        assert client.list_grants(KeyId=key)["Grants"] == []
        # Managing a key is for its own account, whatever the policy says.
        with denied("on this resource because the resource does not exist in this Region"):
            client.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}])
        with denied("on this resource because the resource does not exist in this Region"):
            client.decrypt(KeyId=key, CiphertextBlob=k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
        # A key that is not there looks like one that is forbidden.
        with denied("on this resource because the resource does not exist in this Region"):
            client.describe_key(KeyId=NO_KEY)
        with denied("on this resource because the resource does not exist in this Region"):
            client.encrypt(KeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/none", Plaintext=b"x")
    with denied():
        weak.encrypt(KeyId=key, Plaintext=b"x")
    with refused("NotFoundException", "alias/shared is not found"):
        other.encrypt(KeyId="alias/shared", Plaintext=b"x")


def test_a_principal_of_another_account_needs_both_sides(k):
    root = second_account(k.installation)
    strong, weak = k.user("strong", allow("kms:Encrypt", ANY), root=root), k.user("weak", root=root)
    users = [to(f"arn:aws:iam::{OTHER}:user/{name}", "kms:Encrypt") for name in ("strong", "weak")]
    key = k.create(Policy=whole(*users))
    assert strong.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    with denied():
        weak.encrypt(KeyId=key, Plaintext=b"x")


def test_operations_without_a_key(k):
    reader = k.user("reader", allow(["kms:ListKeys", "kms:GenerateRandom"]))
    assert reader.list_keys()["Keys"] == []
    assert len(reader.generate_random(NumberOfBytes=16)["Plaintext"]) == 16
    text = sentence(
        f"{HERE}:user/reader", "ListAliases", "*", "no identity-based policy allows the kms:ListAliases action"
    )
    with denied(text):
        reader.list_aliases()
    with denied("kms:CreateKey"):
        reader.create_key()
    maker = k.user("maker", allow("kms:CreateKey"))
    assert maker.create_key()["KeyMetadata"]["Enabled"]
    with denied("kms:TagResource"):
        maker.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])


def test_names_need_permission_for_the_alias_and_the_keys(k):
    old, new = k.create(), k.create()
    name = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"
    verbs = ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"]
    full = k.user("full", allow(verbs, [name, old, new]))
    half = k.user("half", allow(verbs, [name, old]))
    unnamed = k.user("unnamed", allow(verbs, [old, new]))
    with denied(f"on resource: {name}"):
        unnamed.create_alias(AliasName="alias/app", TargetKeyId=old)
    with denied(f"on resource: {new}"):
        half.create_alias(AliasName="alias/app", TargetKeyId=new)
    full.create_alias(AliasName="alias/app", TargetKeyId=old)
    with denied(f"on resource: {new}"):
        half.update_alias(AliasName="alias/app", TargetKeyId=new)
    full.update_alias(AliasName="alias/app", TargetKeyId=new)
    for client, missing in ((half, new), (unnamed, name)):
        with denied(f"on resource: {missing}"):
            client.delete_alias(AliasName="alias/app")
    full.delete_alias(AliasName="alias/app")


def test_aliases_of_a_key_are_listed_by_whoever_may_list(k):
    key = k.create()
    k.kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    reader = k.user("reader", allow("kms:ListAliases"))
    assert [each["AliasName"] for each in reader.list_aliases(KeyId=key)["Aliases"]] == ["alias/app"]


@on_both
def test_a_namesake_inherits_nothing(k):
    alice = k.user("alice")
    key = k.create(Policy=whole(to(f"{HERE}:user/alice", "kms:Encrypt")))
    assert alice.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    iam = k.installation.client("iam")
    for each in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="alice", AccessKeyId=each["AccessKeyId"])
    iam.delete_user(UserName="alice")
    with denied():
        k.user("alice").encrypt(KeyId=key, Plaintext=b"x")
    assert "AIDA" in k.kms.get_key_policy(KeyId=key)["Policy"]


def test_a_change_holds_with_the_next_request(k):
    alice = k.user("alice")
    key = k.create(Policy=whole(to(f"{HERE}:user/alice", "kms:Encrypt")))
    assert alice.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    k.kms.put_key_policy(KeyId=key, Policy=whole())
    with denied():
        alice.encrypt(KeyId=key, Plaintext=b"x")


def test_two_roles_of_the_signing_workflow(k):
    """workflows.md 8: one signs, the other verifies; an action with a trailing blank matches nothing."""
    signer, verifier = k.role("SignRole"), k.role("VerifyRole")
    key = k.create(
        "ECC_NIST_P384",
        Policy=whole(
            to(f"{HERE}:role/SignRole", "kms:Sign"), to(f"{HERE}:role/VerifyRole", ["kms:Verify", "kms:GetPublicKey "])
        ),
    )
    given = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_384", "Message": b"d" * 48, "MessageType": "DIGEST"}
    signature = signer.sign(**given)["Signature"]
    assert verifier.verify(**given, Signature=signature)["SignatureValid"] is True
    with denied("assumed-role/SignRole/s1 is not authorized to perform: kms:Verify"):
        signer.verify(**given, Signature=signature)
    with denied("assumed-role/VerifyRole/s1 is not authorized to perform: kms:Sign"):
        verifier.sign(**given)
    with denied("kms:GetPublicKey"):
        verifier.get_public_key(KeyId=key)
    with refused("KMSInvalidSignatureException"):
        verifier.verify(**{**given, "Message": b"e" * 48}, Signature=signature)
    with refused("InvalidKeyUsageException", "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384."):
        signer.sign(**{**given, "SigningAlgorithm": "ECDSA_SHA_256"})
    with refused("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_384."):
        signer.sign(**{**given, "Message": b"ab" * 48})
    assert "kms:GetPublicKey " in k.kms.get_key_policy(KeyId=key)["Policy"]


def test_refusals_have_a_capital_message(k):
    key = k.create(Policy=whole())
    alice = k.user("alice")
    seen = {}
    alice.meta.events.register("after-call", lambda http_response, **_: seen.update(body=http_response.content))
    with denied():
        alice.describe_key(KeyId=key)
    assert json.loads(seen["body"]).keys() == {"__type", "Message"}
