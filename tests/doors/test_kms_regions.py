"""Multi-Region keys (kms.md 10)."""

import json

import pytest

from doors.kms import HERE, Kms, to, whole
from doors.organization import user
from doors.pki import refused

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
EU = "eu-west-1"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


@pytest.fixture
def eu(k):
    return k.installation.client("kms", region=EU)


def moved(key, region=EU):
    return key.replace("us-east-1", region)


@on_both
def test_a_replica(k, eu):
    key = k.create(MultiRegion=True, Description="first", Tags=[{"TagKey": "a", "TagValue": "b"}])
    k.kms.create_alias(AliasName="alias/here", TargetKeyId=key)
    found = k.describe(key)
    assert found["KeyId"].startswith("mrk-")
    assert len(found["KeyId"]) == 36
    primary = {"Arn": key, "Region": "us-east-1"}
    assert found["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": primary,
        "ReplicaKeys": [],
    }
    answer = k.kms.replicate_key(KeyId=key, ReplicaRegion=EU, Tags=[{"TagKey": "c", "TagValue": "d"}])
    told = answer["ReplicaKeyMetadata"]
    assert (told["KeyState"], told["Enabled"], told["Arn"]) == ("Creating", False, moved(key))
    assert answer["ReplicaTags"] == [{"TagKey": "c", "TagValue": "d"}]
    assert json.loads(answer["ReplicaPolicy"])["Id"] == "key-default-1"
    replica = eu.describe_key(KeyId=moved(key))["KeyMetadata"]
    for member in ("KeyId", "KeySpec", "KeyUsage", "Origin", "CurrentKeyMaterialId"):
        assert replica[member] == found[member]
    assert (replica["KeyState"], replica["Enabled"], replica["Description"]) == ("Enabled", True, "")
    assert replica["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": primary,
        "ReplicaKeys": [{"Arn": moved(key), "Region": EU}],
    }
    assert eu.list_resource_tags(KeyId=moved(key))["Tags"] == [{"TagKey": "c", "TagValue": "d"}]
    assert eu.list_aliases(KeyId=moved(key))["Aliases"] == []
    eu.disable_key(KeyId=moved(key))
    assert k.state(key) == "Enabled"


def test_what_is_shared(k, eu):
    key = k.create("ECC_NIST_P256", MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    given = {"KeyId": key.rpartition("/")[2], "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert eu.verify(**given, Signature=k.kms.sign(**given)["Signature"])["SignatureValid"]
    assert eu.get_public_key(KeyId=moved(key))["PublicKey"] == k.kms.get_public_key(KeyId=key)["PublicKey"]
    key = k.create(MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    opened = eu.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", moved(key))
    with refused("AccessDeniedException"):
        k.installation.client("kms", region="eu-west-2").decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})


def test_a_policy_of_its_own(k, eu):
    alice = k.client(user(k.installation, "alice"), region=EU)
    key = k.create(MultiRegion=True)
    policy = whole(to(f"{HERE}:user/alice", "kms:Encrypt"))
    assert k.kms.replicate_key(KeyId=key, ReplicaRegion=EU, Policy=policy)["ReplicaPolicy"] == policy
    alice.encrypt(KeyId=moved(key), Plaintext=b"x")
    with refused("MalformedPolicyDocumentException"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-2", Policy=whole(to(f"{HERE}:user/nobody", "kms:Sign")))


def test_replicas_that_are_refused(k, eu):
    single, key = k.create(), k.create(MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    for client, arn in ((k.kms, single), (eu, moved(key))):
        with refused("UnsupportedOperationException", f"{arn} is not a multi-region primary key."):
            client.replicate_key(KeyId=arn, ReplicaRegion="eu-west-2")
    with refused("AlreadyExistsException"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    with refused("ValidationException", "us-east-1"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion="us-east-1")
    with refused("ValidationException", "at 'replicaRegion'"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion="local")
    k.kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-2")


@on_both
def test_the_roles_swap(k, eu):
    key = k.create(MultiRegion=True)
    for region in (EU, "eu-west-2"):
        k.kms.replicate_key(KeyId=key, ReplicaRegion=region)
    k.kms.update_primary_region(KeyId=key, PrimaryRegion=EU)
    for client, arn, kind in ((k.kms, key, "REPLICA"), (eu, moved(key), "PRIMARY")):
        found = client.describe_key(KeyId=arn)["KeyMetadata"]["MultiRegionConfiguration"]
        assert found["MultiRegionKeyType"] == kind
        assert found["PrimaryKey"] == {"Arn": moved(key), "Region": EU}
        assert {each["Region"] for each in found["ReplicaKeys"]} == {"us-east-1", "eu-west-2"}
    with refused("UnsupportedOperationException"):
        k.kms.update_primary_region(KeyId=key, PrimaryRegion="eu-west-2")
    eu.replicate_key(KeyId=moved(key), ReplicaRegion="eu-central-1")
    with refused("NotFoundException"):
        eu.update_primary_region(KeyId=moved(key), PrimaryRegion="sa-east-1")
    with refused("ValidationException"):
        eu.update_primary_region(KeyId=moved(key), PrimaryRegion=EU)


@on_both
def test_a_primary_waits_for_its_replicas(k, eu):
    key = k.create(MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    answer = k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=8)
    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingReplicaDeletion", 8)
    assert "DeletionDate" not in answer
    found = k.describe(key)
    assert (found["KeyState"], found["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 8)
    assert "DeletionDate" not in found
    blob = eu.encrypt(KeyId=moved(key), Plaintext=b"x")["CiphertextBlob"]
    assert eu.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    k.pass_days(100)
    assert k.state(key) == "PendingReplicaDeletion"
    eu.schedule_key_deletion(KeyId=moved(key), PendingWindowInDays=7)
    k.pass_days(7)
    with refused("NotFoundException"):
        eu.describe_key(KeyId=moved(key))
    assert k.state(key) == "PendingDeletion"
    k.pass_days(7.9)
    assert k.state(key) == "PendingDeletion"
    k.pass_days(0.2)
    with refused("NotFoundException"):
        k.describe(key)


def test_a_deleted_replica_leaves_the_material(k, eu):
    key = k.create(MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    blob = eu.encrypt(KeyId=moved(key), Plaintext=b"x")["CiphertextBlob"]
    eu.schedule_key_deletion(KeyId=moved(key), PendingWindowInDays=7)
    k.pass_days(7)
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert k.describe(key)["MultiRegionConfiguration"]["ReplicaKeys"] == []
    k.kms.replicate_key(KeyId=key, ReplicaRegion=EU)
    assert eu.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert eu.list_keys()["Keys"] == [{"KeyId": key.rpartition("/")[2], "KeyArn": moved(key)}]
