"""The condition keys of KMS, each in the policy of a key or of a user (kms.md 15)."""

from datetime import timedelta

import pytest

from doors.kms import HERE, Kms, to, whole
from doors.organization import allow, deny, document
from doors.pki import refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
EQUALS = "StringEquals"


@pytest.fixture
def k(storage):
    return Kms(storage)


def when(**keys):
    """A condition of equal texts; `__` stands for a colon in names."""
    return {EQUALS: {f"kms:{name.replace('__', ':')}": value for name, value in keys.items()}}


def denied(text=""):
    return refused("AccessDeniedException", text)


class Alice:
    """A user with nothing of its own, and keys that let it in under conditions."""

    def __init__(self, k):
        self.k = k
        self.kms = k.user("alice")

    def key(self, actions, condition, *args, **more):
        statement = to(f"{HERE}:user/alice", actions, Condition=condition)
        return self.k.create(*args, Policy=whole(statement), **more)


@pytest.fixture
def alice(k):
    return Alice(k)


def test_encryption_context(alice):
    key = alice.key(["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"], when(EncryptionContext__App="pay"))
    blob = alice.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"App": "pay", "b": "c"})["CiphertextBlob"]
    alice.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"App": "pay", "b": "c"})
    alice.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256", EncryptionContext={"App": "pay"})
    for context in ({}, {"App": "Pay"}, {"Application": "pay"}):
        with denied():
            alice.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
        with denied():
            alice.kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)


def test_encryption_context_keys(alice):
    key = alice.key(
        "kms:Encrypt",
        {
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]},
            "Null": {"kms:EncryptionContextKeys": "false"},
        },
    )
    for context in ({"a": "1"}, {"a": "1", "b": "2"}):
        alice.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    for context in ({}, {"a": "1", "c": "3"}, {"A": "1"}):
        with denied():
            alice.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)


def test_signing(alice):
    key = alice.key(
        ["kms:Sign", "kms:Verify"],
        when(SigningAlgorithm="RSASSA_PSS_SHA_256", MessageType="RAW"),
        "RSA_2048",
        "SIGN_VERIFY",
    )
    given = {"KeyId": key, "Message": b"m" * 32, "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    signature = alice.kms.sign(**given)["Signature"]
    alice.kms.verify(**given, MessageType="RAW", Signature=signature)
    for more in ({"MessageType": "DIGEST"}, {"SigningAlgorithm": "RSASSA_PSS_SHA_384"}):
        with denied():
            alice.kms.sign(**{**given, **more})


def test_macs(alice):
    key = alice.key(
        "kms:GenerateMac",
        when(MacAlgorithm="HMAC_SHA_256", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"),
        "HMAC_256",
    )
    alice.kms.generate_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_256")
    with denied():
        alice.kms.generate_mac(KeyId=key, Message=b"m", MacAlgorithm="HMAC_SHA_512")


def test_encryption_algorithms(alice):
    key = alice.key("kms:Encrypt", when(EncryptionAlgorithm="RSAES_OAEP_SHA_256"), "RSA_2048")
    alice.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    for more in ({"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, {}):
        with denied():
            alice.kms.encrypt(KeyId=key, Plaintext=b"x", **more)
    key = alice.key(["kms:Encrypt", "kms:GenerateDataKey"], when(EncryptionAlgorithm="SYMMETRIC_DEFAULT"))
    alice.kms.encrypt(KeyId=key, Plaintext=b"x")
    alice.kms.generate_data_key(KeyId=key, KeySpec="AES_128")


def test_agreement_and_encapsulation(alice):
    condition = when(KeyAgreementAlgorithm="ECDH")
    key = alice.key("kms:DeriveSharedSecret", condition, "ECC_NIST_P256", "KEY_AGREEMENT")
    with refused("ValidationException"):
        alice.kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=b"x")
    key = alice.key("kms:Encapsulate", when(EncapsulationAlgorithm="ML_KEM"), "ML_KEM_768")
    alice.kms.encapsulate(KeyId=key, EncapsulationAlgorithm="ML_KEM")


def test_data_key_pairs(alice):
    key = alice.key("kms:GenerateDataKeyPair", when(DataKeyPairSpec="ECC_NIST_P256"))
    alice.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    with denied():
        alice.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P384")


def test_aliases(k):
    key, other = k.create(), k.create()
    k.kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    k.kms.create_alias(AliasName="alias/app-too", TargetKeyId=key)
    asked = k.user("asked", allow("kms:Encrypt", Condition=when(RequestAlias="alias/app")))
    has = k.user(
        "has", allow("kms:Encrypt", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}})
    )
    asked.encrypt(KeyId="alias/app", Plaintext=b"x")
    asked.encrypt(KeyId="arn:aws:kms:us-east-1:111122223333:alias/app", Plaintext=b"x")
    for name in (key, "alias/app-too"):
        with denied():
            asked.encrypt(KeyId=name, Plaintext=b"x")
        has.encrypt(KeyId=name, Plaintext=b"x")
    with denied():
        has.encrypt(KeyId=other, Plaintext=b"x")
    k.kms.update_alias(AliasName="alias/app", TargetKeyId=other)
    has.encrypt(KeyId=other, Plaintext=b"x")
    with denied():
        has.encrypt(KeyId=key, Plaintext=b"x")


def test_account_origin_and_regions(alice):
    here = when(CallerAccount="111122223333", KeyOrigin="AWS_KMS", MultiRegion="false")
    alice.kms.encrypt(KeyId=alice.key("kms:Encrypt", here), Plaintext=b"x")
    with denied():
        alice.kms.encrypt(KeyId=alice.key("kms:Encrypt", here, MultiRegion=True), Plaintext=b"x")
    spread = when(MultiRegion="true", MultiRegionKeyType="PRIMARY")
    alice.kms.encrypt(KeyId=alice.key("kms:Encrypt", spread, MultiRegion=True), Plaintext=b"x")
    for wrong in (when(CallerAccount="444455556666"), when(KeyOrigin="EXTERNAL")):
        with denied():
            alice.kms.encrypt(KeyId=alice.key("kms:Encrypt", wrong), Plaintext=b"x")


def test_via_service(alice):
    key = alice.key("kms:Encrypt", when(ViaService="s3.us-east-1.amazonaws.com"))
    with denied():
        alice.kms.encrypt(KeyId=key, Plaintext=b"x")
    key = alice.key("kms:Encrypt", {"Null": {"kms:ViaService": "true"}})
    alice.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_re_encryption_on_the_same_key(alice):
    actions = ["kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:Encrypt"]
    same = alice.key(actions, {"StringEqualsIfExists": {"kms:ReEncryptOnSameKey": "true"}})
    other = alice.key(actions, {"StringEqualsIfExists": {"kms:ReEncryptOnSameKey": "true"}})
    blob = alice.kms.encrypt(KeyId=same, Plaintext=b"x")["CiphertextBlob"]
    alice.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=same)
    with denied("kms:ReEncryptFrom"):
        alice.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)


def test_both_sides_of_a_re_encryption(alice):
    source = alice.key("kms:ReEncryptFrom", when(EncryptionContext__a="1"))
    target = alice.key("kms:ReEncryptTo", when(EncryptionContext__a="2"))
    blob = alice.k.kms.encrypt(KeyId=source, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    given = {"CiphertextBlob": blob, "SourceEncryptionContext": {"a": "1"}, "DestinationKeyId": target}
    alice.kms.re_encrypt(**given, DestinationEncryptionContext={"a": "2"})
    with denied("kms:ReEncryptTo"):
        alice.kms.re_encrypt(**given, DestinationEncryptionContext={"a": "1"})
    with denied("kms:ReEncryptFrom"):
        alice.kms.re_encrypt(
            **{**given, "SourceEncryptionContext": {"a": "3"}}, DestinationEncryptionContext={"a": "2"}
        )


def test_the_lockout_check(k):
    condition = {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}
    careful = k.user("careful", allow(["kms:CreateKey", "kms:PutKeyPolicy"], Condition=condition))
    key = k.create()
    careful.create_key()
    careful.put_key_policy(KeyId=key, Policy=whole())
    for call in (
        lambda: careful.create_key(BypassPolicyLockoutSafetyCheck=True),
        lambda: careful.put_key_policy(KeyId=key, Policy=whole(), BypassPolicyLockoutSafetyCheck=True),
    ):
        with denied():
            call()


def test_creation(k):
    condition = {
        **when(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", KeyOrigin="AWS_KMS"),
        "Bool": {"kms:MultiRegion": "false"},
    }
    maker = k.user("maker", allow("kms:CreateKey", Condition=condition))
    maker.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    for more in (
        {"KeyUsage": "KEY_AGREEMENT"},
        {"Origin": "EXTERNAL"},
        {"MultiRegion": True},
        {"KeySpec": "ECC_NIST_P384"},
    ):
        with denied():
            maker.create_key(**{"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", **more})


def test_the_window(k):
    key = k.create()
    condition = {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}}
    patient = k.user("patient", allow("kms:ScheduleKeyDeletion", Condition=condition))
    with denied():
        patient.schedule_key_deletion(KeyId=key, PendingWindowInDays=13)
    patient.schedule_key_deletion(KeyId=key)


def test_tags(k):
    blue = k.create(Tags=[{"TagKey": "Colour", "TagValue": "blue"}])
    red = k.create(Tags=[{"TagKey": "Colour", "TagValue": "red"}])
    statements = [
        allow("kms:Encrypt", Condition={EQUALS: {"aws:ResourceTag/Colour": "blue"}}),
        allow("kms:TagResource", Condition={EQUALS: {"aws:RequestTag/Colour": "blue"}}),
        allow("kms:UntagResource", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["Size"]}}),
    ]
    user = k.user("user", *statements)
    user.encrypt(KeyId=blue, Plaintext=b"x")
    with denied():
        user.encrypt(KeyId=red, Plaintext=b"x")
    with denied():
        user.tag_resource(KeyId=red, Tags=[{"TagKey": "Colour", "TagValue": "green"}])
    user.tag_resource(KeyId=red, Tags=[{"TagKey": "Colour", "TagValue": "blue"}])
    user.encrypt(KeyId=red, Plaintext=b"x")
    with denied():
        user.untag_resource(KeyId=red, TagKeys=["Colour"])


def test_grants(alice):
    key = alice.key(
        "kms:CreateGrant",
        {
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
            EQUALS: {
                "kms:GranteePrincipal": f"{HERE}:root",
                "kms:RetiringPrincipal": f"{HERE}:user/alice",
                "kms:GrantConstraintType": "EncryptionContextSubset",
                "kms:GrantIsForAWSResource": "false",
            },
        },
    )
    good = {
        "KeyId": key,
        "GranteePrincipal": f"{HERE}:root",
        "RetiringPrincipal": f"{HERE}:user/alice",
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextSubset": {"a": "b"}},
    }
    alice.kms.create_grant(**good)
    wrong = (
        {"Operations": ["Decrypt", "DescribeKey"]},
        {"GranteePrincipal": f"{HERE}:user/alice"},
        {"RetiringPrincipal": f"{HERE}:root"},
        {"Constraints": {"EncryptionContextEquals": {"a": "b"}}},
        {"Constraints": {}},
    )
    for more in wrong:
        with denied():
            alice.kms.create_grant(**{**good, **more})


def test_imports(k):
    key = k.external()
    soon = (k.clock.now() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    user = k.user(
        "user",
        allow(
            "kms:GetParametersForImport",
            Condition=when(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"),
        ),
        allow(
            "kms:ImportKeyMaterial",
            Condition={**when(ExpirationModel="KEY_MATERIAL_EXPIRES"), "DateLessThan": {"kms:ValidTo": soon}},
        ),
    )
    with denied():
        user.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_1", WrappingKeySpec="RSA_2048")
    with denied():
        k.bring(key, b"m" * 32, client=user)
    with denied():
        k.bring(key, b"m" * 32, client=user, ValidTo=k.clock.now() + timedelta(days=31))
    k.bring(key, b"m" * 32, client=user, ValidTo=k.clock.now() + timedelta(days=29))


def test_regions(k):
    key = k.create(MultiRegion=True)
    user = k.user(
        "user",
        allow("kms:ReplicateKey", Condition=when(ReplicaRegion="eu-west-1")),
        allow("kms:CreateKey"),
        deny("kms:CreateKey", Condition={EQUALS: {"aws:RequestedRegion": "us-east-1"}}),
        allow("kms:UpdatePrimaryRegion", Condition=when(PrimaryRegion="eu-west-1")),
    )
    with denied("kms:ReplicateKey"):
        user.replicate_key(KeyId=key, ReplicaRegion="eu-west-2")
    user.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    with denied("kms:UpdatePrimaryRegion"):
        user.update_primary_region(KeyId=key, PrimaryRegion="eu-west-2")
    user.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")


def test_rotation_periods(k):
    key = k.create()
    condition = {"NumericLessThanEquals": {"kms:RotationPeriodInDays": "180"}}
    user = k.user("user", allow("kms:EnableKeyRotation", Condition=condition))
    with denied():
        user.enable_key_rotation(KeyId=key, RotationPeriodInDays=181)
    with denied():
        user.enable_key_rotation(KeyId=key)
    user.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)


def test_other_resources_in_the_policy_of_a_key_match_nothing(k):
    alice = k.user("alice")
    statement = {**to(f"{HERE}:user/alice", "kms:Encrypt"), "Resource": "arn:aws:s3:::bucket/*"}
    key = k.create(Policy=document(to(f"{HERE}:root", "kms:*"), statement))
    with denied():
        alice.encrypt(KeyId=key, Plaintext=b"x")
