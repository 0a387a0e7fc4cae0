"""Grants: given, used, passed on, retired and revoked (kms.md 14)."""

import pytest

from doors.kms import ACCOUNT, HERE, Kms, to, whole
from doors.organization import OTHER, allow, deny, document, second_account
from doors.pki import refused
from greatseal.storage.tx import open_storage
from greatseal.testing import Installation

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
ALICE, BOB = f"{HERE}:user/alice", f"{HERE}:user/bob"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


def denied(text=""):
    return refused("AccessDeniedException", text)


def give(k, key, *operations, to=ALICE, client=None, **more):
    """A grant's id and token."""
    answer = (client or k.kms).create_grant(KeyId=key, GranteePrincipal=to, Operations=list(operations), **more)
    return answer["GrantId"], answer["GrantToken"]


def ids(k, key, **more):
    return [each["GrantId"] for each in k.kms.list_grants(KeyId=key, **more)["Grants"]]


@on_both
def test_a_grant(k):
    alice, key = k.user("alice"), k.create()
    with denied():
        alice.encrypt(KeyId=key, Plaintext=b"x")
    grant, token = give(k, key, "Encrypt", "Decrypt", RetiringPrincipal=f"{HERE}:root", Name="n-1")
    assert len(grant) == 64
    assert int(grant, 16)
    blob = alice.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[token])["CiphertextBlob"]
    assert alice.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    for call in (lambda: alice.describe_key(KeyId=key), lambda: alice.generate_data_key(KeyId=key, KeySpec="AES_256")):
        with denied():
            call()
    listed = k.kms.list_grants(KeyId=key)
    assert listed["Truncated"] is False
    assert listed["Grants"] == [
        {
            "KeyId": key,
            "GrantId": grant,
            "Name": "n-1",
            "CreationDate": k.clock.now(),
            "GranteePrincipal": ALICE,
            "RetiringPrincipal": f"{HERE}:root",
            "IssuingAccount": f"{HERE}:root",
            "Operations": ["Encrypt", "Decrypt"],
        }
    ]
    k.kms.revoke_grant(KeyId=key, GrantId=grant)
    with denied():
        alice.encrypt(KeyId=key, Plaintext=b"x")
    assert ids(k, key) == []
    with refused("InvalidGrantIdException"):
        k.kms.revoke_grant(KeyId=key, GrantId=grant)
    with refused("InvalidGrantTokenException"):
        k.kms.describe_key(KeyId=key, GrantTokens=[token])


@on_both
def test_names_make_grants_repeatable(k):
    k.user("alice"), k.user("bob")
    key, other = k.create(), k.create()
    first, token = give(k, key, "Encrypt", "Decrypt", Name="app")
    again, second = give(k, key, "Decrypt", "Encrypt", Name="app")
    assert (first, token != second) == (again, True)
    different = [
        give(k, key, "Encrypt", Name="app"),
        give(k, key, "Encrypt", "Decrypt", Name="App"),
        give(k, key, "Encrypt", "Decrypt", Name="app", to=BOB),
        give(k, key, "Encrypt", "Decrypt", Name="app", RetiringPrincipal=BOB),
        give(k, key, "Encrypt", "Decrypt", Name="app", Constraints={"EncryptionContextEquals": {"a": "b"}}),
        give(k, key, "Encrypt", "Decrypt"),
        give(k, key, "Encrypt", "Decrypt"),
        give(k, other, "Encrypt", "Decrypt", Name="app"),
    ]
    assert len({first, *(grant for grant, _ in different)}) == 9
    assert len(ids(k, key)) == 8


def test_constraints(k):
    alice, key = k.user("alice"), k.create()
    grant, _ = give(k, key, "Encrypt", "DescribeKey", Constraints={"EncryptionContextSubset": {"a": "1"}})
    good = ({"a": "1"}, {"a": "1", "b": "2"})
    bad = ({}, {"a": "2"}, {"b": "1"}, {"a": "1x"}, {"A": "1"})
    for context in good:
        alice.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    for context in bad:
        with denied():
            alice.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    # What takes no context is not constrained.
    alice.describe_key(KeyId=key)
    k.kms.revoke_grant(KeyId=key, GrantId=grant)
    give(k, key, "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1", "b": "2"}})
    alice.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"b": "2", "a": "1"})
    for context in (*bad, {"a": "1"}, {"a": "1", "b": "2", "c": "3"}):
        with denied():
            alice.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)


def test_grants_that_are_refused(k):
    k.user("alice")
    key, signer, mac = k.create(), k.create("ECC_NIST_P256"), k.create("HMAC_256")
    for where, operation in (
        (key, "Sign"),
        (key, "GetPublicKey"),
        (key, "GenerateMac"),
        (signer, "Encrypt"),
        (signer, "GenerateDataKey"),
        (signer, "DeriveSharedSecret"),
        (mac, "Sign"),
        (mac, "GetPublicKey"),
    ):
        with refused("ValidationException", f"Operation {operation} is not supported for {where}."):
            give(k, where, operation)
    with refused("ValidationException", "at 'operations"):
        give(k, key, "ListGrants")
    for constraints in ({"EncryptionContextEquals": {"a": "b"}}, {"EncryptionContextSubset": {"a": "b"}}):
        with refused("ValidationException", "symmetric"):
            give(k, signer, "Sign", Constraints=constraints)
    with refused("ValidationException", "at most 8 pairs"):
        give(k, key, "Encrypt", Constraints={"EncryptionContextSubset": {str(n): "x" for n in range(9)}})
    with refused("ValidationException", "384 characters"):
        give(k, key, "Encrypt", Constraints={"EncryptionContextSubset": {"a": "x" * 385}})
    with refused("ValidationException", "exclude"):
        give(
            k,
            key,
            "Encrypt",
            Constraints={"EncryptionContextSubset": {"a": "x"}, "EncryptionContextEquals": {"a": "x"}},
        )
    for principal in (
        f"{HERE}:user/nobody",
        f"{HERE}:role/none",
        f"{HERE}:group/g",
        "arn:aws:s3:::b",
        "s3.amazonaws.com",
        "a",
    ):
        with refused("InvalidArnException"):
            give(k, key, "Encrypt", to=principal)
        with refused("InvalidArnException"):
            give(k, key, "Encrypt", RetiringPrincipal=principal)
    with refused("InvalidGrantTokenException"):
        give(k, key, "Encrypt", GrantTokens=["x"])
    assert ids(k, key) == []


def test_sessions_and_roles_as_grantees(k):
    key = k.create()
    session = k.role("worker")
    give(k, key, "Encrypt", to=f"{HERE}:role/worker")
    session.encrypt(KeyId=key, Plaintext=b"x")
    give(k, key, "GenerateDataKey", to=f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/s1")
    session.generate_data_key(KeyId=key, KeySpec="AES_256")
    with denied():
        session.describe_key(KeyId=key)


def test_the_account_as_grantee(k):
    """Its own policies still decide."""
    key = k.create(Policy=document(to(f"{HERE}:root", ["kms:PutKeyPolicy", "kms:CreateGrant"])))
    strong, weak = k.user("strong", allow("kms:Encrypt")), k.user("weak")
    with denied():
        strong.encrypt(KeyId=key, Plaintext=b"x")
    give(k, key, "Encrypt", to=f"{HERE}:root")
    strong.encrypt(KeyId=key, Plaintext=b"x")
    k.kms.encrypt(KeyId=key, Plaintext=b"x")
    with denied():
        weak.encrypt(KeyId=key, Plaintext=b"x")


def test_explicit_denials_win(k):
    alice = k.user("alice", deny("kms:Encrypt"))
    key = k.create(Policy=whole({**to(ALICE, "kms:Decrypt"), "Effect": "Deny"}))
    give(k, key, "Encrypt", "Decrypt", "GenerateDataKey")
    alice.generate_data_key(KeyId=key, KeySpec="AES_256")
    with denied("with an explicit deny in an identity-based policy"):
        alice.encrypt(KeyId=key, Plaintext=b"x")
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with denied("with an explicit deny in a resource-based policy"):
        alice.decrypt(CiphertextBlob=blob)


@on_both
def test_other_accounts(k):
    root = second_account(k.installation)
    carol = k.user("carol", root=root)
    key = k.create()
    with denied():
        carol.encrypt(KeyId=key, Plaintext=b"x")
    give(k, key, "Encrypt", "DescribeKey", to=f"arn:aws:iam::{OTHER}:user/carol")
    carol.encrypt(KeyId=key, Plaintext=b"x")
    carol.describe_key(KeyId=key)
    with denied():
        carol.generate_data_key(KeyId=key, KeySpec="AES_256")


def test_passing_on(k):
    alice, bob = k.user("alice"), k.user("bob")
    key = k.create()
    give(k, key, "CreateGrant", "Encrypt", Constraints={"EncryptionContextSubset": {"a": "1"}})
    narrow = {"EncryptionContextSubset": {"a": "1"}}
    for operations, constraints in (
        (["Decrypt"], narrow),
        (["Encrypt", "Decrypt"], narrow),
        (["Encrypt"], {}),
        (["Encrypt"], {"EncryptionContextSubset": {"b": "1"}}),
        (["Encrypt"], {"EncryptionContextEquals": {"a": "2"}}),
    ):
        with denied("kms:CreateGrant"):
            give(k, key, *operations, to=BOB, client=alice, Constraints=constraints)
    for constraints in (
        narrow,
        {"EncryptionContextSubset": {"a": "1", "b": "2"}},
        {"EncryptionContextEquals": {"a": "1"}},
    ):
        give(k, key, "Encrypt", to=BOB, client=alice, Constraints=constraints)
    bob.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})
    with denied():
        give(k, key, "Encrypt", to=ALICE, client=bob, Constraints=narrow)
    # Any one of several grants may cover it, wherever it stands.
    for operation in ("Decrypt", "GenerateDataKey", "DescribeKey"):
        give(k, key, "CreateGrant", operation)
        give(k, key, operation, to=BOB, client=alice)
    with denied():
        give(k, key, "Decrypt", "GenerateDataKey", to=BOB, client=alice)


def test_who_may_retire(k):
    alice, bob, carol = k.user("alice"), k.user("bob"), k.user("carol")
    key = k.create()
    grants = [give(k, key, "Encrypt", RetiringPrincipal=BOB) for _ in range(4)]
    plain, own = give(k, key, "Encrypt"), give(k, key, "Encrypt", "RetireGrant")
    # The grantee only when RetireGrant is among the operations, of that very grant.
    for grant, token in (*grants, plain):
        with denied("kms:RetireGrant"):
            alice.retire_grant(GrantToken=token)
        with denied("kms:RetireGrant"):
            carol.retire_grant(KeyId=key, GrantId=grant)
    with denied("kms:RetireGrant"):
        bob.retire_grant(GrantToken=plain[1])
    alice.retire_grant(KeyId=key, GrantId=own[0])
    bob.retire_grant(GrantToken=grants[0][1])
    bob.retire_grant(KeyId=key, GrantId=grants[1][0])
    k.kms.retire_grant(GrantToken=grants[2][1])
    delegate = k.user("delegate", allow("kms:RetireGrant"))
    delegate.retire_grant(GrantToken=grants[3][1])
    assert ids(k, key) == [plain[0]]
    with refused("InvalidGrantTokenException"):
        k.kms.retire_grant(GrantToken=grants[0][1])
    for given in ({}, {"KeyId": key}, {"GrantId": plain[0]}):
        with refused(("InvalidGrantTokenException", "ValidationException")):
            k.kms.retire_grant(**given)
    for token in ("x", grants[0][1][:-2], plain[1] + "AA"):
        with refused("InvalidGrantTokenException"):
            k.kms.retire_grant(GrantToken=token)
    with refused("InvalidGrantIdException"):
        k.kms.retire_grant(KeyId=k.create(), GrantId=plain[0])


def test_a_denial_also_stops_who_may_retire(k):
    k.user("alice")
    bob = k.user("bob", deny("kms:RetireGrant"))
    key = k.create()
    _, token = give(k, key, "Encrypt", RetiringPrincipal=BOB)
    with denied("explicit deny"):
        bob.retire_grant(GrantToken=token)


def test_who_may_revoke(k):
    alice = k.user("alice")
    key = k.create()
    grant, _ = give(k, key, "Encrypt", "RetireGrant", RetiringPrincipal=ALICE)
    with denied("kms:RevokeGrant"):
        alice.revoke_grant(KeyId=key, GrantId=grant)
    with refused("InvalidGrantIdException"):
        k.kms.revoke_grant(KeyId=k.create(), GrantId=grant)
    k.user("revoker", allow("kms:RevokeGrant")).revoke_grant(KeyId=key, GrantId=grant)
    assert ids(k, key) == []


@on_both
def test_listings(k):
    k.user("alice"), k.user("bob")
    key, other = k.create(), k.create()
    made = sorted(give(k, key, "Encrypt", to=who, RetiringPrincipal=BOB)[0] for who in (ALICE, BOB) for _ in range(3))
    there = [give(k, other, "Encrypt", RetiringPrincipal=BOB)[0]]
    assert ids(k, key) == made
    assert ids(k, key, GrantId=made[3]) == [made[3]]
    assert set(ids(k, key, GranteePrincipal=ALICE)) | set(ids(k, key, GranteePrincipal=BOB)) == set(made)
    assert len(ids(k, key, GranteePrincipal=ALICE)) == 3
    for call, given, expected in (
        (k.kms.list_grants, {"KeyId": key}, made),
        (k.kms.list_retirable_grants, {"RetiringPrincipal": BOB}, sorted(made + there)),
    ):
        found, more = [], {}
        while True:
            page = call(**given, Limit=2, **more)
            found += [each["GrantId"] for each in page["Grants"]]
            assert page["Truncated"] is ("NextMarker" in page)
            if not page["Truncated"]:
                break
            more = {"Marker": page["NextMarker"]}
        assert found == expected
        with refused("InvalidMarkerException"):
            call(**given, Marker="x")
    with refused("InvalidMarkerException"):
        k.kms.list_grants(KeyId=other, Marker=k.kms.list_grants(KeyId=key, Limit=1)["NextMarker"])
    assert k.kms.list_retirable_grants(RetiringPrincipal=ALICE)["Grants"] == []
    with refused("InvalidGrantIdException"):
        k.kms.list_grants(KeyId=other, GrantId=made[0])


@on_both
def test_a_namesake_of_a_deleted_user_inherits_nothing(k):
    k.user("alice")
    key = k.create()
    grant, token = give(k, key, "Encrypt", RetiringPrincipal=ALICE)
    iam = k.installation.client("iam")
    for each in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="alice", AccessKeyId=each["AccessKeyId"])
    iam.delete_user(UserName="alice")
    alice = k.user("alice")
    with denied():
        alice.encrypt(KeyId=key, Plaintext=b"x")
    with denied():
        alice.retire_grant(GrantToken=token)
    found = k.kms.list_grants(KeyId=key)["Grants"][0]
    assert found["GrantId"] == grant
    assert found["GranteePrincipal"].startswith("AIDA")


def test_dry_runs(k):
    k.user("alice")
    key = k.create()
    text = "The request would have succeeded, but the DryRun option is set."
    with refused("DryRunOperationException", text):
        give(k, key, "Encrypt", DryRun=True)
    assert ids(k, key) == []
    grant, token = give(k, key, "Encrypt", Name="n", DryRun=False)
    with refused("DryRunOperationException", text):
        give(k, key, "Encrypt", Name="n", DryRun=True)
    with refused("ValidationException"):
        give(k, key, "Sign", DryRun=True)
    for call in (
        lambda: k.kms.retire_grant(GrantToken=token, DryRun=True),
        lambda: k.kms.revoke_grant(KeyId=key, GrantId=grant, DryRun=True),
    ):
        with refused("DryRunOperationException", text):
            call()
    assert ids(k, key) == [grant]
    with refused("InvalidGrantIdException"):
        k.kms.revoke_grant(KeyId=key, GrantId="0" * 64, DryRun=True)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_another_node_knows_at_once(k, storage_url):
    elsewhere = open_storage(storage_url)
    try:
        node = Installation(elsewhere)
        key = k.create()
        credential = k.installation.client("iam")
        credential.create_user(UserName="alice")
        made = credential.create_access_key(UserName="alice")["AccessKey"]
        there = node.client("kms", credential=node.rooms.access.find(made["AccessKeyId"]))
        with denied():
            there.encrypt(KeyId=key, Plaintext=b"x")
        grant, _ = give(k, key, "Encrypt")
        there.encrypt(KeyId=key, Plaintext=b"x")
        k.kms.revoke_grant(KeyId=key, GrantId=grant)
        with denied():
            there.encrypt(KeyId=key, Plaintext=b"x")
    finally:
        elsewhere.close()
