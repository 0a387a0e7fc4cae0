"""Rotation, by the clock and on demand (kms.md 10, 11)."""

from datetime import timedelta

import pytest

from doors.kms import Kms
from doors.pki import refused
from greatseal.domain.keys.managed import Directory

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


def status(k, key, client=None):
    answer = (client or k.kms).get_key_rotation_status(KeyId=key)
    answer.pop("ResponseMetadata")
    return answer


@on_both
def test_by_the_clock(k):
    key = k.create()
    assert status(k, key) == {"KeyId": key, "KeyRotationEnabled": False}
    k.kms.enable_key_rotation(KeyId=key)
    year = timedelta(days=365)
    assert status(k, key) == {
        "KeyId": key,
        "KeyRotationEnabled": True,
        "RotationPeriodInDays": 365,
        "NextRotationDate": k.clock.now() + year,
    }
    materials, blobs = [], []
    for _ in range(3):
        materials.append(k.describe(key)["CurrentKeyMaterialId"])
        blobs.append(k.kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"])
        k.pass_days(364)
        assert k.describe(key)["CurrentKeyMaterialId"] == materials[-1]
        k.pass_days(1)
        k.pass_days(0)
        assert status(k, key)["NextRotationDate"] == k.clock.now() + year
    assert len({*materials, k.describe(key)["CurrentKeyMaterialId"]}) == 4
    for blob, material in zip(blobs, materials, strict=True):
        opened = k.kms.decrypt(CiphertextBlob=blob)
        assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"secret", material)
    listed = k.kms.list_key_rotations(KeyId=key)
    assert [each["RotationType"] for each in listed["Rotations"]] == ["AUTOMATIC"] * 3
    assert listed["Rotations"][0] == {
        "KeyId": key,
        "KeyMaterialId": materials[1],
        "RotationDate": k.clock.now() - 2 * year,
        "RotationType": "AUTOMATIC",
    }
    everything = k.kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [each["KeyMaterialState"] for each in everything] == ["NON_CURRENT"] * 3 + ["CURRENT"]
    assert everything[0]["KeyMaterialId"] == materials[0]
    k.kms.disable_key_rotation(KeyId=key)
    k.pass_days(800)
    assert len(k.kms.list_key_rotations(KeyId=key)["Rotations"]) == 3
    found = k.kms.list_key_rotations(KeyId=key, Limit=2)
    rest = k.kms.list_key_rotations(KeyId=key, Limit=2, Marker=found["NextMarker"])
    assert found["Rotations"] + rest["Rotations"] == listed["Rotations"]
    assert (found["Truncated"], rest["Truncated"]) == (True, False)


@on_both
def test_a_disabled_key_is_rotated_once_it_works_again(k):
    key = k.create()
    first = k.describe(key)["CurrentKeyMaterialId"]
    k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    k.kms.disable_key(KeyId=key)
    k.pass_days(100)
    assert k.describe(key)["CurrentKeyMaterialId"] == first
    k.kms.enable_key(KeyId=key)
    k.pass_days(0)
    assert k.describe(key)["CurrentKeyMaterialId"] != first
    k.kms.schedule_key_deletion(KeyId=key)
    k.kms.cancel_key_deletion(KeyId=key)
    assert status(k, key)["NextRotationDate"] == k.clock.now() + timedelta(days=90)


@on_both
def test_on_demand(k):
    key = k.create()
    k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    materials = {k.describe(key)["CurrentKeyMaterialId"]}
    for _ in range(25):
        k.clock.advance(timedelta(seconds=1))
        assert k.kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
        materials.add(k.describe(key)["CurrentKeyMaterialId"])
    assert len(materials) == 26
    with refused("LimitExceededException", "25"):
        k.kms.rotate_key_on_demand(KeyId=key)
    assert {each["RotationType"] for each in k.kms.list_key_rotations(KeyId=key)["Rotations"]} == {"ON_DEMAND"}
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_no_key_is_made_for_a_rotation_that_is_refused(k, monkeypatch):
    signing, disabled = k.create("RSA_2048", "SIGN_VERIFY"), k.create()
    k.kms.disable_key(KeyId=disabled)

    def made(*_):
        pytest.fail("a key was made")

    monkeypatch.setattr(Directory, "new_material", made)
    with refused("UnsupportedOperationException"):
        k.kms.rotate_key_on_demand(KeyId=signing)
    with refused("DisabledException"):
        k.kms.rotate_key_on_demand(KeyId=disabled)


def test_rotation_on_demand_leaves_the_schedule(k):
    key = k.create()
    k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    before = status(k, key)["NextRotationDate"]
    k.clock.advance(timedelta(days=10))
    k.kms.rotate_key_on_demand(KeyId=key)
    assert status(k, key)["NextRotationDate"] == before


def test_periods(k):
    key = k.create()
    for days in (89, 2561):
        with refused("ValidationException", "at 'rotationPeriodInDays'"):
            k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=days)
    for days in (90, 2560):
        k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=days)
        assert status(k, key)["RotationPeriodInDays"] == days


@on_both
def test_replicas_follow(k):
    key = k.create(MultiRegion=True)
    k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    there = k.installation.client("kms", region="eu-west-1")
    replica = key.replace("us-east-1", "eu-west-1")
    for name in ("enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand"):
        with refused("UnsupportedOperationException", f"{replica} is not a multi-region primary key."):
            getattr(there, name)(KeyId=replica)
    k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    assert status(k, replica, there)["RotationPeriodInDays"] == 90
    k.pass_days(90)
    k.kms.rotate_key_on_demand(KeyId=key)
    current = k.describe(key)["CurrentKeyMaterialId"]
    assert there.describe_key(KeyId=replica)["KeyMetadata"]["CurrentKeyMaterialId"] == current
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    blob = there.encrypt(KeyId=replica, Plaintext=b"back")["CiphertextBlob"]
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"back"
    # The schedule goes with the role.
    k.kms.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
    k.pass_days(90)
    assert k.describe(key)["CurrentKeyMaterialId"] != current
    there.disable_key_rotation(KeyId=replica)
    assert status(k, key)["KeyRotationEnabled"] is False
