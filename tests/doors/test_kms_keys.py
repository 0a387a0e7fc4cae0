"""Keys as things: creation, metadata, names, listings and their end (kms.md 2, 3, 10, 11)."""

from datetime import timedelta

import pytest

from doors.kms import ACCOUNT, KEYS, NO_KEY, USAGES, Kms, whole
from doors.pki import refused
from greatseal.domain.keys import store as sealed
from greatseal.domain.keys.managed.store import aliases, grants, keys, materials
from greatseal.domain.tags import Tags

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
PAIRS = [(spec, usage) for spec, usages in USAGES.items() for usage in usages if spec not in ("RSA_3072", "RSA_4096")]
ALGORITHMS = {
    "SIGN_VERIFY": "SigningAlgorithms",
    "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
    "GENERATE_VERIFY_MAC": "MacAlgorithms",
    "KEY_AGREEMENT": "KeyAgreementAlgorithms",
    "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms",
}
ALWAYS = {
    *("AWSAccountId", "Arn", "CreationDate", "CustomerMasterKeySpec", "Description", "Enabled", "KeyId"),
    *("KeyManager", "KeySpec", "KeyState", "KeyUsage", "MultiRegion", "Origin"),
}


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


@pytest.mark.parametrize(("spec", "usage"), PAIRS)
def test_metadata_of_every_spec_and_usage(k, spec, usage):
    made = k.kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    extra = {"CurrentKeyMaterialId"} if spec == "SYMMETRIC_DEFAULT" else set()
    assert made.keys() == ALWAYS | {ALGORITHMS[usage]} | extra
    assert made["Arn"] == KEYS + made["KeyId"]
    assert (made["AWSAccountId"], made["KeyManager"], made["Origin"]) == (ACCOUNT, "CUSTOMER", "AWS_KMS")
    assert (made["KeySpec"], made["CustomerMasterKeySpec"], made["KeyUsage"]) == (spec, spec, usage)
    assert (made["KeyState"], made["Enabled"], made["MultiRegion"], made["Description"]) == ("Enabled", True, False, "")
    assert made["CreationDate"] == k.clock.now()
    assert k.describe(made["Arn"]) == made


@pytest.mark.parametrize(
    ("spec", "usage", "algorithms"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]),
        ("ECC_NIST_P384", "SIGN_VERIFY", ["ECDSA_SHA_384"]),
        ("ECC_NIST_P384", "KEY_AGREEMENT", ["ECDH"]),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", ["ECDSA_SHA_256"]),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ["ED25519_SHA_512", "ED25519_PH_SHA_512"]),
        ("ML_DSA_65", "SIGN_VERIFY", ["ML_DSA_SHAKE_256"]),
        ("HMAC_224", "GENERATE_VERIFY_MAC", ["HMAC_SHA_224"]),
    ],
)
def test_algorithms(k, spec, usage, algorithms):
    assert k.describe(k.create(spec, usage))[ALGORITHMS[usage]] == algorithms


def test_a_key_without_parameters(k):
    made = k.kms.create_key()["KeyMetadata"]
    assert (made["KeySpec"], made["KeyUsage"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert len(made["CurrentKeyMaterialId"]) == 64


def test_combinations_that_are_refused(k):
    for spec in set(USAGES) - {"SYMMETRIC_DEFAULT"}:
        text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        with refused("ValidationException", text):
            k.kms.create_key(KeySpec=spec)
    for spec, usages in USAGES.items():
        for usage in set(ALGORITHMS) - set(usages):
            with refused("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}"):
                k.kms.create_key(KeySpec=spec, KeyUsage=usage)
    for spec, usage in (("SM2", "SIGN_VERIFY"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")):
        with refused("ValidationException", f"KeySpec {spec} is not supported."):
            k.kms.create_key(KeySpec=spec, KeyUsage=usage)
    with refused(
        "ValidationException", "at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set"
    ):
        k.kms.create_key(KeySpec="RSA_1024", KeyUsage="SIGN_VERIFY")
    with refused("UnsupportedOperationException", "CloudHSM"):
        k.kms.create_key(Origin="AWS_CLOUDHSM")
    with refused("ValidationException", "KeySpec and CustomerMasterKeySpec cannot differ."):
        k.kms.create_key(KeySpec="RSA_2048", CustomerMasterKeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")
    assert k.kms.list_keys()["Keys"] == []


def test_the_former_name_of_the_spec(k):
    made = k.kms.create_key(CustomerMasterKeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert (made["KeySpec"], made["CustomerMasterKeySpec"]) == ("ECC_NIST_P256", "ECC_NIST_P256")


@on_both
def test_description(k):
    key = k.create(Description="first é")
    assert k.describe(key)["Description"] == "first é"
    k.kms.update_key_description(KeyId=key, Description="x" * 8192)
    assert k.describe(key)["Description"] == "x" * 8192
    k.kms.update_key_description(KeyId=key, Description="")
    assert k.describe(key)["Description"] == ""
    with refused("ValidationException", "at 'description'"):
        k.kms.update_key_description(KeyId=key, Description="x" * 8193)


def test_names_of_keys(k):
    key = k.create("HMAC_256")
    bare = key.rpartition("/")[2]
    k.kms.create_alias(AliasName="alias/mac", TargetKeyId=key)
    for given in (bare, key, "alias/mac", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/mac"):
        assert k.kms.describe_key(KeyId=given)["KeyMetadata"]["Arn"] == key
        assert k.kms.generate_mac(KeyId=given, Message=b"m", MacAlgorithm="HMAC_SHA_256")["KeyId"] == key
    for name in ("describe_key", "enable_key", "get_key_policy"):
        with refused("NotFoundException", f"Key '{NO_KEY}' does not exist"):
            getattr(k.kms, name)(KeyId=NO_KEY)
        with refused("NotFoundException", f"Key '{NO_KEY}' does not exist"):
            getattr(k.kms, name)(KeyId=NO_KEY.rpartition("/")[2])
        with refused("NotFoundException", f"Key '{KEYS}mrk-{'0' * 32}' does not exist"):
            getattr(k.kms, name)(KeyId=f"mrk-{'0' * 32}")
        for bad in (bare.replace("-", ""), "mrk-xyz", bare.upper(), "x", f" {bare}"):
            with refused("NotFoundException", f"Invalid keyId '{bad}'"):
                getattr(k.kms, name)(KeyId=bad)
        with refused("NotFoundException", "Invalid arn eu-west-1"):
            getattr(k.kms, name)(KeyId=key.replace("us-east-1", "eu-west-1"))
        for bad in ("arn:aws:s3:::bucket", key.replace(":key/", ":thing/"), key.replace("arn:aws:", "arn:aws-cn:")):
            with refused("NotFoundException", "Invalid arn"):
                getattr(k.kms, name)(KeyId=bad)
    with refused("NotFoundException", f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found."):
        k.kms.describe_key(KeyId="alias/none")


MANAGING = {
    "cancel_key_deletion": {},
    "create_grant": {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root", "Operations": ["Decrypt"]},
    "delete_imported_key_material": {},
    "disable_key": {},
    "disable_key_rotation": {},
    "enable_key": {},
    "enable_key_rotation": {},
    "get_key_last_usage": {},
    "get_key_policy": {},
    "get_key_rotation_status": {},
    "get_parameters_for_import": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "import_key_material": {"ImportToken": b"x", "EncryptedKeyMaterial": b"x"},
    "list_aliases": {},
    "list_grants": {},
    "list_key_policies": {},
    "list_key_rotations": {},
    "list_resource_tags": {},
    "put_key_policy": {"Policy": whole()},
    "replicate_key": {"ReplicaRegion": "eu-west-1"},
    "revoke_grant": {"GrantId": "0" * 64},
    "rotate_key_on_demand": {},
    "schedule_key_deletion": {},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "untag_resource": {"TagKeys": ["a"]},
    "update_key_description": {"Description": "x"},
    "update_primary_region": {"PrimaryRegion": "eu-west-1"},
}


def test_managing_operations_take_no_alias(k):
    k.kms.create_alias(AliasName="alias/x", TargetKeyId=k.create())
    for name, more in MANAGING.items():
        with refused("NotFoundException", "Invalid keyId 'alias/x'"):
            getattr(k.kms, name)(KeyId="alias/x", **more)
    with refused("NotFoundException", "Invalid keyId 'alias/x'"):
        k.kms.create_alias(AliasName="alias/y", TargetKeyId="alias/x")


@on_both
def test_listing(k):
    made = sorted(k.create() for _ in range(5))
    k.kms.schedule_key_deletion(KeyId=made[0])
    assert k.installation.client("kms", region="eu-west-1").list_keys()["Keys"] == []
    found, more = [], {}
    while True:
        page = k.kms.list_keys(Limit=2, **more)
        found += [each["KeyArn"] for each in page["Keys"]]
        assert page["Truncated"] is ("NextMarker" in page)
        if not page["Truncated"]:
            break
        more = {"Marker": page["NextMarker"]}
    assert found == made
    assert k.kms.list_keys()["Keys"][0].keys() == {"KeyId", "KeyArn"}
    for marker in ("x", page.get("NextMarker", "") + "AAAA", k.kms.list_aliases(Limit=1).get("NextMarker", "none")):
        with refused("InvalidMarkerException"):
            k.kms.list_keys(Marker=marker)
    for limit in (0, 1001):
        with refused("ValidationException", "at 'limit'"):
            k.kms.list_keys(Limit=limit)


def test_switching(k):
    key = k.create()
    k.kms.disable_key(KeyId=key)
    k.kms.disable_key(KeyId=key)
    assert (k.describe(key)["KeyState"], k.describe(key)["Enabled"]) == ("Disabled", False)
    k.kms.enable_key(KeyId=key)
    k.kms.enable_key(KeyId=key)
    assert (k.describe(key)["KeyState"], k.describe(key)["Enabled"]) == ("Enabled", True)


def test_the_window(k):
    key = k.create()
    for days in (1, 6, 31, 365):
        with refused("ValidationException", "PendingWindowInDays"):
            k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
    for days in (0, 366):
        with refused("ValidationException", "at 'pendingWindowInDays'"):
            k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
    answer = k.kms.schedule_key_deletion(KeyId=key)
    answer.pop("ResponseMetadata")
    ends = k.clock.now() + timedelta(days=30)
    assert answer == {"KeyId": key, "DeletionDate": ends, "KeyState": "PendingDeletion", "PendingWindowInDays": 30}
    found = k.describe(key)
    assert (found["KeyState"], found["Enabled"], found["DeletionDate"]) == ("PendingDeletion", False, ends)
    with refused("KMSInvalidStateException", f"{key} is pending deletion."):
        k.kms.schedule_key_deletion(KeyId=key)
    assert k.kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    found = k.describe(key)
    assert (found["KeyState"], "DeletionDate" in found) == ("Disabled", False)
    with refused("KMSInvalidStateException", f"{key} is not pending deletion."):
        k.kms.cancel_key_deletion(KeyId=key)


@on_both
def test_nothing_is_left_of_a_deleted_key(k):
    other = k.create(Tags=[{"TagKey": "a", "TagValue": "b"}])
    k.kms.create_alias(AliasName="alias/stays", TargetKeyId=other)
    key = k.create(Tags=[{"TagKey": "a", "TagValue": "b"}])
    k.kms.create_alias(AliasName="alias/goes", TargetKeyId=key)
    k.kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root", Operations=["Decrypt"])
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    secrets = [each.secret_id for each in k.storage.read(lambda tx: materials.of_key(tx, key))]
    k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    k.pass_days(6.99)
    assert k.state(key) == "PendingDeletion"
    k.pass_days(0.02)
    for name in ("describe_key", "list_resource_tags", "get_key_policy", "list_grants", "cancel_key_deletion"):
        with refused("NotFoundException", f"Key '{key}' does not exist"):
            getattr(k.kms, name)(KeyId=key)
    with refused("NotFoundException", "is not found."):
        k.kms.describe_key(KeyId="alias/goes")
    with refused("AccessDeniedException", "customer master key that does not exist"):
        k.kms.decrypt(CiphertextBlob=blob)

    def left(tx):
        found = keys.find(tx, key), aliases.names(tx, key), grants.count(tx, key), materials.of_key(tx, key)
        return found, Tags().of(tx, key), [sealed.find(tx, each) for each in secrets]

    assert k.storage.read(left) == ((None, [], 0, []), (), [None])
    assert [each["KeyArn"] for each in k.kms.list_keys()["Keys"]] == [other]
    assert k.kms.describe_key(KeyId="alias/stays")["KeyMetadata"]["Arn"] == other
    k.kms.create_alias(AliasName="alias/goes", TargetKeyId=other)
