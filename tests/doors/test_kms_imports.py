"""Imported key material (kms.md 10)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from doors.kms import Kms, pkcs8, wrapped_directly, wrapped_hybrid
from doors.pki import refused
from greatseal.domain.keys.service import Keys

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
MATERIAL, OTHER = bytes(range(32)), bytes(range(1, 33))
FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def k(storage):
    return Kms(storage)


def parameters(k, key, algorithm="RSAES_OAEP_SHA_256", wrapping="RSA_2048"):
    return k.kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping)


def deliver(k, key, given, material=MATERIAL, **more):
    wrapped = wrapped_directly(given["PublicKey"], material)
    more = more or FOREVER
    return k.kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **more)


def encrypted(k, key, plaintext=b"secret"):
    return k.kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"]


@on_both
def test_a_first_import(k):
    key = k.external()
    waiting = k.describe(key)
    assert (waiting["KeyState"], waiting["Enabled"], waiting["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"ExpirationModel", "ValidTo", "CurrentKeyMaterialId"} & waiting.keys()
    given = parameters(k, key)
    assert given["KeyId"] == key
    assert given["ParametersValidTo"] == k.clock.now() + timedelta(hours=24)
    assert serialization.load_der_public_key(given["PublicKey"]).key_size == 2048
    made = deliver(k, key, given)
    found = k.describe(key)
    assert (made["KeyId"], made["KeyMaterialId"]) == (key, found["CurrentKeyMaterialId"])
    assert (found["KeyState"], found["Enabled"]) == ("Enabled", True)
    assert (found["ExpirationModel"], "ValidTo" in found) == ("KEY_MATERIAL_DOES_NOT_EXPIRE", False)
    assert k.kms.decrypt(CiphertextBlob=encrypted(k, key))["Plaintext"] == b"secret"


@on_both
def test_deletion_and_the_same_material_again(k):
    key = k.external()
    first = k.bring(key, MATERIAL)["KeyMaterialId"]
    blob = encrypted(k, key)
    assert k.kms.delete_imported_key_material(KeyId=key)["KeyMaterialId"] == first
    assert k.state(key) == "PendingImport"
    for call in (lambda: encrypted(k, key), lambda: k.kms.decrypt(CiphertextBlob=blob)):
        with refused("KMSInvalidStateException", f"{key} is pending import."):
            call()
    k.kms.delete_imported_key_material(KeyId=key)
    with refused("IncorrectKeyMaterialException"):
        k.bring(key, OTHER)
    assert k.state(key) == "PendingImport"
    assert k.bring(key, MATERIAL)["KeyMaterialId"] == first
    assert k.state(key) == "Enabled"
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    with refused("IncorrectKeyMaterialException"):
        k.bring(key, OTHER, ImportType="EXISTING_KEY_MATERIAL")
    with refused("NotFoundException"):
        k.kms.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)


@on_both
def test_expiry(k):
    key = k.external()
    ends = k.clock.now() + timedelta(days=10)
    k.bring(key, MATERIAL, ValidTo=ends)
    found = k.describe(key)
    assert (found["ExpirationModel"], found["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", ends)
    blob = encrypted(k, key)
    # The clock ends it, whether or not anybody has swept.
    k.clock.advance(timedelta(days=10))
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        k.kms.decrypt(CiphertextBlob=blob)
    k.pass_days(0)
    assert k.state(key) == "PendingImport"
    later = k.clock.now() + timedelta(days=365)
    k.bring(key, MATERIAL, ValidTo=later)
    assert k.describe(key)["ValidTo"] == later
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    k.bring(key, MATERIAL)
    assert k.describe(key)["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


@on_both
def test_expiry_while_the_key_waits_for_its_deletion(k):
    key = k.external()
    k.bring(key, MATERIAL, ValidTo=k.clock.now() + timedelta(days=3))
    k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=10)
    k.pass_days(4)
    assert k.state(key) == "PendingDeletion"
    k.kms.cancel_key_deletion(KeyId=key)
    assert k.state(key) == "PendingImport"
    k.bring(key, MATERIAL)
    k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    k.kms.cancel_key_deletion(KeyId=key)
    assert k.state(key) == "Disabled"
    k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    k.pass_days(7)
    with refused("NotFoundException"):
        k.describe(key)


@on_both
def test_tokens(k):
    key, other = k.external(), k.external()
    given, foreign = parameters(k, key), parameters(k, other)
    for token in (foreign["ImportToken"], b"x", given["ImportToken"] + b"A", b"\xff" * 20):
        with refused("InvalidImportTokenException"):
            deliver(k, key, {**given, "ImportToken": token})
    renewed = parameters(k, key)
    assert renewed["PublicKey"] != given["PublicKey"]
    with refused("InvalidImportTokenException"):
        deliver(k, key, given)
    # A failed attempt does not use the token up.
    with refused("InvalidCiphertextException"):
        deliver(k, key, {**renewed, "PublicKey": foreign["PublicKey"]})
    deliver(k, key, renewed)
    with refused("InvalidImportTokenException"):
        deliver(k, key, renewed)
    k.clock.advance(timedelta(hours=24))
    with refused("ExpiredImportTokenException"):
        deliver(k, other, foreign)
    k.pass_days(0)
    with refused("InvalidImportTokenException"):
        deliver(k, other, foreign)


def test_terms(k):
    key = k.external()
    given = parameters(k, key)
    text = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    for more in ({"ExpirationModel": "KEY_MATERIAL_EXPIRES"}, {"ImportType": "NEW_KEY_MATERIAL"}):
        with refused("ValidationException", text):
            deliver(k, key, given, **more)
    with refused("ValidationException", "cannot be set"):
        deliver(k, key, given, ValidTo=k.clock.now() + timedelta(days=1), **FOREVER)
    for days in (0, -1, 366):
        with refused("ValidationException", "validTo"):
            deliver(k, key, given, ValidTo=k.clock.now() + timedelta(days=days))
    deliver(k, key, given, ValidTo=k.clock.now() + timedelta(days=365))


def test_other_origins(k):
    key = k.create()
    for call in (
        lambda: parameters(k, key),
        lambda: k.kms.import_key_material(KeyId=key, ImportToken=b"x", EncryptedKeyMaterial=b"x", **FOREVER),
        lambda: k.kms.delete_imported_key_material(KeyId=key),
    ):
        with refused(
            "UnsupportedOperationException", f"{key} origin is AWS_KMS which is not valid for this operation."
        ):
            call()
    external = k.external()
    k.bring(external, MATERIAL)
    with refused(
        "UnsupportedOperationException", f"{external} origin is EXTERNAL which is not valid for this operation."
    ):
        k.kms.enable_key_rotation(KeyId=external)


KEYS = {
    "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
}
ALGORITHMS = {
    "RSA_2048": "RSASSA_PSS_SHA_256",
    "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
    "ML_DSA_65": "ML_DSA_SHAKE_256",
}


@pytest.mark.parametrize("spec", KEYS)
def test_key_pairs(k, spec):
    ours = KEYS[spec]()
    key = k.external(spec, "SIGN_VERIFY")
    k.bring(key, pkcs8(ours))
    public = ours.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert k.kms.get_public_key(KeyId=key)["PublicKey"] == public
    given = {"KeyId": key, "Message": b"m", "SigningAlgorithm": ALGORITHMS.get(spec, "ECDSA_SHA_256")}
    assert k.kms.verify(**given, Signature=k.kms.sign(**given)["Signature"])["SignatureValid"]
    k.kms.delete_imported_key_material(KeyId=key)
    with refused("IncorrectKeyMaterialException"):
        k.bring(key, pkcs8(KEYS[spec]()))
    with refused("UnsupportedOperationException"):
        k.bring(key, pkcs8(KEYS[spec]()), ImportType="NEW_KEY_MATERIAL")
    k.bring(key, pkcs8(ours))
    assert k.kms.verify(**given, Signature=k.kms.sign(**given)["Signature"])["SignatureValid"]


def test_an_imported_key_signs_as_before(k):
    ours = ec.generate_private_key(ec.SECP256R1())
    key = k.external("ECC_NIST_P256", "SIGN_VERIFY")
    k.bring(key, pkcs8(ours))
    before = ours.sign(b"old document", ec.ECDSA(hashes.SHA256()))
    given = {"KeyId": key, "Message": b"old document", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert k.kms.verify(**given, Signature=before)["SignatureValid"]


def test_wrong_material(k):
    p256, p384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    cases = [
        ("SYMMETRIC_DEFAULT", None, [b"x" * 31, b"x" * 33]),
        ("HMAC_256", None, [b"x" * 31, b"x" * 64]),
        ("ECC_NIST_P256", "SIGN_VERIFY", [pkcs8(p384), b"x" * 100, pkcs8(p256)[:-1] + b"\0"]),
        ("RSA_2048", "SIGN_VERIFY", [pkcs8(p256), pkcs8(rsa.generate_private_key(65537, 3072))]),
    ]
    for spec, usage, materials in cases:
        key = k.external(spec, usage)
        for material in materials:
            with refused("IncorrectKeyMaterialException"):
                k.bring(key, material)
        assert k.state(key) == "PendingImport"


def test_wrapping_algorithms(k):
    symmetric, pair = k.external(), k.external("RSA_2048", "SIGN_VERIFY")
    for key, algorithm in (
        (symmetric, "RSA_AES_KEY_WRAP_SHA_256"),
        (pair, "RSAES_OAEP_SHA_256"),
        (symmetric, "RSAES_PKCS1_V1_5"),
    ):
        with refused("UnsupportedOperationException", algorithm):
            parameters(k, key, algorithm)
    with refused("ValidationException", "at 'wrappingKeySpec'"):
        parameters(k, symmetric, wrapping="RSA_1024")
    with refused(("ValidationException", "UnsupportedOperationException"), "SM2"):
        parameters(k, symmetric, "SM2PKE", "SM2")
    given = parameters(k, pair, "RSA_AES_KEY_WRAP_SHA_256", "RSA_3072")
    wrapped = wrapped_hybrid(given["PublicKey"], pkcs8(rsa.generate_private_key(65537, 2048)))
    for changed in (wrapped[:-1], wrapped[:-1] + bytes([wrapped[-1] ^ 1]), bytes([wrapped[0] ^ 1]) + wrapped[1:], b"x"):
        with refused("InvalidCiphertextException"):
            k.kms.import_key_material(
                KeyId=pair, ImportToken=given["ImportToken"], EncryptedKeyMaterial=changed, **FOREVER
            )
    k.kms.import_key_material(KeyId=pair, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **FOREVER)


def test_hmac_material(k):
    for bits in (224, 256, 384, 512):
        key = k.external(f"HMAC_{bits}")
        k.bring(key, b"m" * (bits // 8))
        assert k.state(key) == "Enabled"


@on_both
def test_new_material_by_rotation(k):
    key = k.external()
    first = k.bring(key, MATERIAL)["KeyMaterialId"]
    old = encrypted(k, key)
    with refused("KMSInvalidStateException"):
        k.kms.rotate_key_on_demand(KeyId=key)
    k.clock.advance(timedelta(minutes=1))
    second = k.bring(key, OTHER, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="second")["KeyMaterialId"]
    assert k.describe(key)["CurrentKeyMaterialId"] == first
    with refused("IncorrectKeyMaterialException"):
        k.bring(key, MATERIAL, ImportType="NEW_KEY_MATERIAL")
    listed = k.kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [(each["KeyMaterialId"], each["KeyMaterialState"], each["ImportState"]) for each in listed] == [
        (first, "CURRENT", "IMPORTED"),
        (second, "PENDING_ROTATION", "IMPORTED"),
    ]
    assert listed[1]["KeyMaterialDescription"] == "second"
    k.clock.advance(timedelta(minutes=1))
    k.kms.rotate_key_on_demand(KeyId=key)
    assert k.describe(key)["CurrentKeyMaterialId"] == second
    new = encrypted(k, key)
    for blob, material in ((old, first), (new, second)):
        assert k.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == material
    # Without one of its materials the key does nothing.
    k.kms.delete_imported_key_material(KeyId=key, KeyMaterialId=first)
    assert k.state(key) == "PendingImport"
    with refused("KMSInvalidStateException"):
        k.kms.decrypt(CiphertextBlob=new)
    k.bring(key, MATERIAL)
    assert k.kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"secret"


def test_new_material_that_has_expired_is_not_rotated_to(k):
    key = k.external()
    k.bring(key, MATERIAL)
    blob = encrypted(k, key)
    ends = k.clock.now() + timedelta(days=10)
    k.clock.advance(timedelta(minutes=1))
    k.bring(key, OTHER, ImportType="NEW_KEY_MATERIAL", ValidTo=ends)
    k.pass_days(10)
    with refused("KMSInvalidStateException", "no key material that is pending rotation"):
        k.kms.rotate_key_on_demand(KeyId=key)
    assert k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_material_that_is_destroyed_before_it_is_opened(k, monkeypatch):
    secret, pair = k.external("HMAC_256"), k.external("ECC_NIST_P256")
    k.bring(secret, MATERIAL)
    k.bring(pair, pkcs8(ec.generate_private_key(ec.SECP256R1())))

    def destroyed(*_):
        raise LookupError("there is no such key")

    for name in ("material", "is_in_key_store"):
        monkeypatch.setattr(Keys, name, destroyed)
    with refused("KMSInvalidStateException", "pending import"):
        k.kms.generate_mac(KeyId=secret, Message=b"x", MacAlgorithm="HMAC_SHA_256")
    with refused("KMSInvalidStateException", "pending import"):
        k.kms.sign(KeyId=pair, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")


@on_both
def test_replicas_get_the_same_material(k):
    key = k.external(MultiRegion=True)
    there = k.installation.client("kms", region="eu-west-1")
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    first = k.bring(key, MATERIAL)["KeyMaterialId"]
    k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    replica = key.replace("us-east-1", "eu-west-1")
    k.clock.advance(timedelta(minutes=1))
    assert there.describe_key(KeyId=replica)["KeyMetadata"]["KeyState"] == "PendingImport"
    with refused("IncorrectKeyMaterialException"):
        k.bring(replica, OTHER, client=there)
    assert k.bring(replica, MATERIAL, client=there)["KeyMaterialId"] == first
    assert there.decrypt(CiphertextBlob=encrypted(k, key))["Plaintext"] == b"secret"
    second = k.bring(key, OTHER, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    with refused("KMSInvalidStateException"):
        k.kms.rotate_key_on_demand(KeyId=key)
    listed = k.kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert listed[-1]["KeyMaterialState"] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    k.clock.advance(timedelta(minutes=1))
    assert k.bring(replica, OTHER, client=there)["KeyMaterialId"] == second
    k.kms.rotate_key_on_demand(KeyId=key)
    blob = encrypted(k, key)
    assert there.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == second
    assert there.describe_key(KeyId=replica)["KeyMetadata"]["CurrentKeyMaterialId"] == second
