"""What is told about calls of KMS: CloudTrail, GetKeyLastUsage, and rehearsals with DryRun (kms.md 16, 18)."""

import base64
import json
from datetime import timedelta

import pytest

from doors.kms import ACCOUNT, HERE, Kms
from doors.organization import OTHER, allow, second_account
from doors.pki import refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
REHEARSED = "The request would have succeeded, but the DryRun option is set."


@pytest.fixture
def k(storage):
    return Kms(storage)


def records(k, name, credential=None):
    """The records of an operation, the latest first."""
    trail = k.installation.client("cloudtrail", credential=credential)
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"]
    return [json.loads(each["CloudTrailEvent"]) for each in found]


def test_a_signature_in_the_trail(k):
    key = k.create("ECC_NIST_P256")
    k.kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    k.kms.sign(KeyId="alias/app", Message=b"secret", SigningAlgorithm="ECDSA_SHA_256", MessageType="RAW")
    (record,) = records(k, "Sign")
    assert record["requestParameters"] == {
        "keyId": "alias/app",
        "messageType": "RAW",
        "signingAlgorithm": "ECDSA_SHA_256",
    }
    assert record["responseElements"] is None
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]
    assert (record["readOnly"], record["eventSource"], record["eventType"]) == (True, "kms.amazonaws.com", "AwsApiCall")
    (record,) = records(k, "CreateAlias")
    assert record["readOnly"] is False
    assert record["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"},
        {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key},
    ]


def test_no_secret_is_in_the_trail(k):
    secret = b"never-to-be-seen"
    key, mac, external = k.create(), k.create("HMAC_256"), k.external()
    blob = k.kms.encrypt(KeyId=key, Plaintext=secret, EncryptionContext={"app": "x"})["CiphertextBlob"]
    k.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"app": "x"})
    k.kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"app": "x"}, DestinationKeyId=key)
    made = [k.kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]]
    made.append(k.kms.generate_random(NumberOfBytes=32)["Plaintext"])
    made.append(k.kms.generate_mac(KeyId=mac, Message=secret, MacAlgorithm="HMAC_SHA_256")["Mac"])
    k.kms.verify_mac(KeyId=mac, Message=secret, MacAlgorithm="HMAC_SHA_256", Mac=made[-1])
    k.bring(external, b"m" * 32)
    token = k.kms.create_grant(KeyId=key, GranteePrincipal=f"{HERE}:root", Operations=["Decrypt"])["GrantToken"]
    trail = k.installation.client("cloudtrail")
    text = "".join(page["CloudTrailEvent"] for page in trail.lookup_events()["Events"])
    for octets in (secret, blob, *made):
        assert base64.b64encode(octets).decode()[:16] not in text
    assert secret.decode() not in text
    assert token not in text
    (record,) = records(k, "Encrypt")
    assert record["requestParameters"]["encryptionContext"] == {"app": "x"}


def test_answers_in_the_trail(k):
    key = k.create()
    (record,) = records(k, "CreateKey")
    told = record["responseElements"]["keyMetadata"]
    assert (told["AWSAccountId"], told["arn"], told["keyState"]) == (ACCOUNT, key, "Enabled")
    grant = k.kms.create_grant(KeyId=key, GranteePrincipal=f"{HERE}:root", Operations=["Decrypt"])["GrantId"]
    (record,) = records(k, "CreateGrant")
    assert record["responseElements"] == {"grantId": grant, "keyId": key}
    k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    (record,) = records(k, "ScheduleKeyDeletion")
    assert record["requestParameters"] == {"keyId": key, "pendingWindowInDays": 7}
    assert record["responseElements"].keys() == {"keyId", "keyState", "deletionDate"}
    k.pass_days(7)
    (record,) = records(k, "DeleteKey")
    assert (record["eventType"], record["requestParameters"]) == ("AwsServiceEvent", None)
    assert record["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]


def test_failures_in_the_trail(k):
    key = k.create("ECC_NIST_P256")
    alice = k.user("alice")
    given = {"KeyId": key, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    with refused("AccessDeniedException"):
        alice.sign(**given)
    with refused("DryRunOperationException"):
        k.kms.sign(**given, DryRun=True)
    codes = {each["errorCode"]: each for each in records(k, "Sign")}
    assert codes.keys() == {"AccessDenied", "DryRunOperationException"}
    assert codes["AccessDenied"]["userIdentity"]["userName"] == "alice"


def test_calls_across_accounts(k):
    root = second_account(k.installation)
    other = k.user("carol", allow("kms:*"), root=root)
    key = k.create()
    k.kms.create_grant(KeyId=key, GranteePrincipal=f"arn:aws:iam::{OTHER}:user/carol", Operations=["Encrypt"])
    other.encrypt(KeyId=key, Plaintext=b"x")
    with refused("AccessDeniedException"):
        other.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert len(records(k, "Encrypt")) == len(records(k, "Encrypt", root)) == 1
    assert (len(records(k, "GenerateDataKey")), len(records(k, "GenerateDataKey", root))) == (0, 1)


def test_the_last_use(k):
    key = k.create()
    made = k.clock.now()
    answer = k.kms.get_key_last_usage(KeyId=key)
    answer.pop("ResponseMetadata")
    assert answer.pop("KeyLastUsage", {}) == {}
    assert answer == {"KeyId": key, "KeyCreationDate": made, "TrackingStartDate": made}
    k.clock.advance(timedelta(hours=1))
    k.kms.encrypt(KeyId=key, Plaintext=b"x")
    k.clock.advance(timedelta(hours=1))
    sent = k.kms.generate_data_key(KeyId=key, KeySpec="AES_256")["ResponseMetadata"]["RequestId"]
    at = k.clock.now()
    k.clock.advance(timedelta(hours=1))
    k.describe(key)
    with refused("DryRunOperationException"):
        k.kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)
    used = k.kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]
    (record,) = records(k, "GenerateDataKey")
    assert used == {
        "Operation": "GenerateDataKey",
        "Timestamp": at,
        "CloudTrailEventId": record["eventID"],
        "KmsRequestId": sent,
    }


def test_rehearsals(k):
    key, signer, mac = k.create(), k.create("ECC_NIST_P256"), k.create("HMAC_256")
    agreeing, kem = k.create("ECC_NIST_P256", "KEY_AGREEMENT"), k.create("ML_KEM_768")
    blob = k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    peer = k.kms.get_public_key(KeyId=signer)["PublicKey"]
    encapsulated = k.kms.encapsulate(KeyId=kem, EncapsulationAlgorithm="ML_KEM")["SharedSecretCiphertextBlob"]
    signed = {"KeyId": signer, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    maced = {"KeyId": mac, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    calls = {
        "encrypt": {"KeyId": key, "Plaintext": b"x"},
        "decrypt": {"CiphertextBlob": blob},
        "re_encrypt": {"CiphertextBlob": blob, "DestinationKeyId": key},
        "generate_data_key": {"KeyId": key, "KeySpec": "AES_256"},
        "generate_data_key_without_plaintext": {"KeyId": key, "KeySpec": "AES_256"},
        "generate_data_key_pair": {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"},
        "generate_data_key_pair_without_plaintext": {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"},
        "sign": signed,
        "verify": {**signed, "Signature": k.kms.sign(**signed)["Signature"]},
        "generate_mac": maced,
        "verify_mac": {**maced, "Mac": k.kms.generate_mac(**maced)["Mac"]},
        "derive_shared_secret": {"KeyId": agreeing, "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer},
        "encapsulate": {"KeyId": kem, "EncapsulationAlgorithm": "ML_KEM"},
        "decapsulate": {
            "KeyId": kem,
            "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": encapsulated,
        },
    }
    nobody = k.user("nobody")
    for name, given in calls.items():
        with refused("DryRunOperationException", REHEARSED):
            getattr(k.kms, name)(**given, DryRun=True)
        getattr(k.kms, name)(**given, DryRun=False)
        with refused("AccessDeniedException"):
            getattr(nobody, name)(**given, DryRun=True)
    for arn in (key, signer, mac, agreeing, kem):
        k.kms.disable_key(KeyId=arn)
    for name, given in calls.items():
        with refused("DisabledException"):
            getattr(k.kms, name)(**given, DryRun=True)


def test_rehearsals_without_a_ciphertext(k):
    key, other = k.create(), k.create()
    ignoring = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    with refused("DryRunOperationException", REHEARSED):
        k.kms.decrypt(KeyId=key, **ignoring)
    with refused("DryRunOperationException", REHEARSED):
        k.kms.re_encrypt(SourceKeyId=key, DestinationKeyId=other, **ignoring)
    with refused("ValidationException"):
        k.kms.decrypt(KeyId=key, DryRun=True)
    with refused("ValidationException"):
        k.kms.decrypt(KeyId=key, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    k.kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        k.kms.decrypt(KeyId=key, **ignoring)
    with refused("InvalidKeyUsageException"):
        k.kms.decrypt(KeyId=k.create("RSA_2048"), **ignoring)
