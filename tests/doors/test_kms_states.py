"""Every operation in every state of a key (kms.md 11)."""

import pytest
from botocore.exceptions import ClientError

from doors.kms import HERE, Kms, whole

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
STATES = ("Enabled", "Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion")
INVALID = "KMSInvalidStateException"
NEEDS_IT = {"Disabled": "DisabledException", **dict.fromkeys(STATES[2:], INVALID)}
NOT_ON_ITS_WAY_OUT = dict.fromkeys(("PendingDeletion", "PendingReplicaDeletion"), INVALID)
SWITCHES = dict.fromkeys(STATES[2:], INVALID)
CANCELS = dict.fromkeys(("Enabled", "Disabled", "PendingImport"), INVALID)
TEXTS = {
    "Disabled": "is disabled.",
    "PendingDeletion": "is pending deletion.",
    "PendingImport": "is pending import.",
    "PendingReplicaDeletion": "is pending replica deletion.",
}
CRYPTOGRAPHY = {
    "encrypt": {"Plaintext": b"x"},
    "decrypt": {"CiphertextBlob": b"x"},
    "re_encrypt": {"CiphertextBlob": b"x"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "generate_data_key_pair": {"KeyPairSpec": "ECC_NIST_P256"},
    "generate_data_key_pair_without_plaintext": {"KeyPairSpec": "ECC_NIST_P256"},
}
EVERYWHERE = (
    "describe_key",
    "get_key_policy",
    "list_key_policies",
    "list_aliases",
    "list_grants",
    "list_resource_tags",
)


class Keys(Kms):
    """A key with everything, put into a state."""

    def __init__(self, storage, state):
        super().__init__(storage)
        more = {"MultiRegion": True} if state == "PendingReplicaDeletion" else {}
        self.key = self.external() if state == "PendingImport" else self.create(**more)
        self.kms.create_alias(AliasName="alias/old", TargetKeyId=self.key)
        self.blob = b"x"
        if state != "PendingImport":
            self.blob = self.kms.encrypt(KeyId=self.key, Plaintext=b"x")["CiphertextBlob"]
            given = {"KeyId": self.key, "GranteePrincipal": f"{HERE}:root", "Operations": ["Decrypt"]}
            self.grants = [self.kms.create_grant(**given) for _ in range(2)]
        if state == "PendingReplicaDeletion":
            self.kms.replicate_key(KeyId=self.key, ReplicaRegion="eu-west-1")
        if state == "Disabled":
            self.kms.disable_key(KeyId=self.key)
        if state in ("PendingDeletion", "PendingReplicaDeletion"):
            self.kms.schedule_key_deletion(KeyId=self.key)
        assert self.state(self.key) == state

    def outcome(self, name, **more):
        """None, or the code of the refusal."""
        try:
            getattr(self.kms, name)(**more)
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"]["Message"]
        return None

    def expect(self, table, state, name, **more):
        found = self.outcome(name, **more)
        if state not in table:
            assert found is None, (name, found)
            return
        assert found is not None, name
        assert found[0] == table[state], (name, found)
        expected = "is not pending deletion." if table is CANCELS else TEXTS[state]
        assert found[1] == f"{self.key} {expected}", name


@pytest.fixture
def k(storage, state):
    return Keys(storage, state)


@pytest.mark.parametrize("state", STATES)
def test_cryptography(k, state):
    for name, more in CRYPTOGRAPHY.items():
        given = {**more, "KeyId": k.key}
        if "CiphertextBlob" in more:
            given["CiphertextBlob"] = k.blob
        if name == "re_encrypt":
            given = {"CiphertextBlob": k.blob, "SourceKeyId": k.key, "DestinationKeyId": k.key}
        k.expect(NEEDS_IT, state, name, **given)
    given = {"KeyId": k.key, "GranteePrincipal": f"{HERE}:root", "Operations": ["Decrypt"]}
    k.expect(NEEDS_IT, state, "create_grant", **given)
    k.expect(NEEDS_IT, state, "create_grant", **given, Name="named")


@pytest.mark.parametrize(
    ("spec", "usage", "calls"),
    [
        ("ECC_NIST_P256", "SIGN_VERIFY", ("sign", "verify", "get_public_key")),
        ("HMAC_256", None, ("generate_mac", "verify_mac")),
        ("ECC_NIST_P256", "KEY_AGREEMENT", ("derive_shared_secret",)),
        ("ML_KEM_768", None, ("encapsulate", "decapsulate")),
        ("RSA_2048", "ENCRYPT_DECRYPT", ("encrypt", "decrypt")),
    ],
)
@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_key_pairs_and_macs(storage, state, spec, usage, calls):
    k = Kms(storage)
    key = k.create(spec, usage)
    if state == "Disabled":
        k.kms.disable_key(KeyId=key)
    else:
        k.kms.schedule_key_deletion(KeyId=key)
    signing = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    mac = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    more = {
        "sign": signing,
        "verify": {**signing, "Signature": b"s"},
        "get_public_key": {},
        "generate_mac": mac,
        "verify_mac": {**mac, "Mac": b"m"},
        "derive_shared_secret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": b"p"},
        "encapsulate": {"EncapsulationAlgorithm": "ML_KEM"},
        "decapsulate": {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": b"c" * 1088},
        "encrypt": {"Plaintext": b"p", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
        "decrypt": {"CiphertextBlob": b"c" * 256, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
    }
    for name in calls:
        with pytest.raises(ClientError) as found:
            getattr(k.kms, name)(KeyId=key, **more[name])
        answer = found.value.response["Error"]
        assert (answer["Code"], answer["Message"]) == (NEEDS_IT[state], f"{key} {TEXTS[state]}"), name


@pytest.mark.parametrize("state", STATES)
def test_management(k, state):
    for name in EVERYWHERE:
        k.expect({}, state, name, KeyId=k.key)
    k.expect({}, state, "put_key_policy", KeyId=k.key, Policy=whole())
    if state != "PendingImport":
        k.expect({}, state, "retire_grant", GrantToken=k.grants[0]["GrantToken"])
        k.expect({}, state, "revoke_grant", KeyId=k.key, GrantId=k.grants[1]["GrantId"])
    k.expect(NOT_ON_ITS_WAY_OUT, state, "create_alias", AliasName="alias/new", TargetKeyId=k.key)
    k.expect(NOT_ON_ITS_WAY_OUT, state, "tag_resource", KeyId=k.key, Tags=[{"TagKey": "a", "TagValue": "b"}])
    k.expect(NOT_ON_ITS_WAY_OUT, state, "untag_resource", KeyId=k.key, TagKeys=["a"])
    k.expect(NOT_ON_ITS_WAY_OUT, state, "update_key_description", KeyId=k.key, Description="x")
    k.expect(SWITCHES, state, "disable_key", KeyId=k.key)
    if state == "Disabled":
        assert k.state(k.key) == "Disabled"
    k.expect(SWITCHES, state, "enable_key", KeyId=k.key)


@pytest.mark.parametrize("state", STATES)
def test_aliases_move_away_from_any_key(k, state):
    target = k.external() if state == "PendingImport" else k.create()
    k.expect({}, state, "update_alias", AliasName="alias/old", TargetKeyId=target)
    k.expect(NOT_ON_ITS_WAY_OUT, state, "update_alias", AliasName="alias/old", TargetKeyId=k.key)
    k.expect({}, state, "delete_alias", AliasName="alias/old")


@pytest.mark.parametrize("state", STATES)
def test_the_end_and_its_cancellation(k, state):
    k.expect(CANCELS, state, "cancel_key_deletion", KeyId=k.key)
    if state in NOT_ON_ITS_WAY_OUT:
        assert k.state(k.key) == "Disabled"
    k.expect({}, state, "schedule_key_deletion", KeyId=k.key)
    after = "PendingReplicaDeletion" if state == "PendingReplicaDeletion" else "PendingDeletion"
    assert k.state(k.key) == after
    k.expect({after: INVALID}, after, "schedule_key_deletion", KeyId=k.key)
    k.kms.cancel_key_deletion(KeyId=k.key)
    assert k.state(k.key) == ("PendingImport" if state == "PendingImport" else "Disabled")


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
def test_rotation(k, state):
    for name in ("enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand"):
        k.expect(NEEDS_IT, state, name, KeyId=k.key)
    k.expect(NOT_ON_ITS_WAY_OUT, state, "get_key_rotation_status", KeyId=k.key)


@pytest.mark.parametrize("state", ["Enabled"])
def test_rotation_is_for_symmetric_keys(k, state):
    for key in (k.create("HMAC_256"), k.create("RSA_2048"), k.create("ML_DSA_44")):
        for name in ("enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand", "get_key_rotation_status"):
            assert k.outcome(name, KeyId=key) == ("UnsupportedOperationException", ""), name
