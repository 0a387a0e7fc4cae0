"""External key stores and the keys in them: their life, and what is refused (kms.md 10)."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from doors.kms import ACCOUNT
from doors.organization import allow
from doors.pki import refused
from doors.xks_proxy import ACCESS_KEY_ID, HOST, PREFIX, SECRET
from doors.xks_stores import CONTEXT, CREDENTIAL, opened
from greatseal.domain.keys import store as sealed
from greatseal.domain.keys.managed.store import stores
from greatseal.domain.keys.service import Keys
from greatseal.storage.errors import OutcomeUnknown, StorageUnavailable
from greatseal.testing.faults import FaultyStorage

on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def s(storage, tmp_path):
    with opened(storage, tmp_path) as made:
        yield made


@on_both
def test_a_store_lives_and_its_keys_with_it(s):
    store = s.make()
    assert s.told(store) == {
        "CustomKeyStoreId": store,
        "CustomKeyStoreName": "vault",
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "ConnectionState": "DISCONNECTED",
        "CreationDate": s.clock.now(),
        "XksProxyConfiguration": {
            "Connectivity": "PUBLIC_ENDPOINT",
            "AccessKeyId": ACCESS_KEY_ID,
            "UriEndpoint": f"https://{HOST}",
            "UriPath": PREFIX,
        },
    }
    with refused("CustomKeyStoreInvalidStateException", "not connected"):
        s.key(store)
    s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    key = s.key(store)
    metadata = s.describe(key)
    assert metadata["CustomKeyStoreId"] == store
    assert metadata["XksKeyConfiguration"] == {"Id": "key-1"}
    assert metadata["Origin"] == "EXTERNAL_KEY_STORE"
    assert "CurrentKeyMaterialId" not in metadata
    blob = s.encrypt(key)
    assert s.decrypt(blob) == b"attack at dawn"

    s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert (s.state(key), s.describe(key)["Enabled"]) == ("Unavailable", False)
    with refused("KMSInvalidStateException", f"{key} is unavailable."):
        s.decrypt(blob)
    s.kms.disable_key(KeyId=key)
    s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert s.state(key) == "Disabled"
    s.kms.enable_key(KeyId=key)
    assert s.decrypt(blob) == b"attack at dawn"

    s.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert s.state(key) == "PendingDeletion"
    with refused("CustomKeyStoreHasCMKsException"):
        s.kms.delete_custom_key_store(CustomKeyStoreId=store)
    s.pass_days(8)
    s.kms.delete_custom_key_store(CustomKeyStoreId=store)
    with refused("CustomKeyStoreNotFoundException"):
        s.kms.describe_custom_key_stores(CustomKeyStoreId=store)
    assert s.kms.describe_custom_key_stores()["CustomKeyStores"] == []


def test_everything_that_symmetric_keys_do(s):
    store = s.connected()
    key, other, plain = s.key(store), s.key(store, "key-2"), s.create()
    made = s.kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    assert "KeyMaterialId" not in made
    assert s.decrypt(made["CiphertextBlob"]) == made["Plaintext"]
    only = s.kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=64, EncryptionContext=CONTEXT)
    assert len(s.decrypt(only["CiphertextBlob"])) == 64
    longest = s.encrypt(key, bytes(4096))
    assert len(longest) <= 6144
    assert s.decrypt(longest) == bytes(4096)
    blob = s.encrypt(key)
    for target in (other, plain, key):
        moved = s.kms.re_encrypt(
            CiphertextBlob=blob,
            SourceEncryptionContext=CONTEXT,
            DestinationKeyId=target,
            DestinationEncryptionContext=CONTEXT,
        )
        assert (moved["SourceKeyId"], moved["KeyId"]) == (key, target)
        assert s.decrypt(moved["CiphertextBlob"]) == b"attack at dawn"
    with refused("IncorrectKeyException"):
        s.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, KeyId=other)
    with refused("UnsupportedOperationException"):
        s.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    with refused("UnsupportedOperationException"):
        s.kms.enable_key_rotation(KeyId=key)
    with refused("DryRunOperationException"):
        s.kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)


def test_the_proxy_learns_who_asks_and_nothing_else(s):
    store = s.connected()
    key = s.key(store)
    s.decrypt(s.encrypt(key))
    operations = [(operation, asked["requestMetadata"]) for operation, asked in s.proxy.seen]
    root = f"arn:aws:iam::{ACCOUNT}:root"
    assert [(name, told["kmsOperation"]) for name, told in operations] == [
        ("health", "CreateCustomKeyStore"),
        ("health", "ConnectCustomKeyStore"),
        ("metadata", "CreateKey"),
        ("encrypt", "Encrypt"),
        ("decrypt", "Decrypt"),
    ]
    assert all(len(told["kmsRequestId"]) == 36 for _, told in operations)
    assert [told.keys() - {"kmsOperation", "kmsRequestId"} for _, told in operations] == [
        set(),
        set(),
        {"awsPrincipalArn"},
        {"awsPrincipalArn", "kmsKeyArn"},
        {"awsPrincipalArn", "kmsKeyArn"},
    ]
    assert operations[3][1]["awsPrincipalArn"] == root
    assert operations[3][1]["kmsKeyArn"] == key
    sent = [base64.b64decode(asked["plaintext"]) for name, asked in s.proxy.seen if name == "encrypt"]
    assert b"dawn" not in sent[0]
    assert b"department" not in json.dumps(s.proxy.seen).encode()
    # One connection for all of it, and a fresh one when the proxy has closed that.
    assert s.proxy.connections == 1
    s.proxy.hang_up = True
    assert s.decrypt(s.encrypt(key)) == b"attack at dawn"
    assert s.proxy.connections == 2


def test_requests_are_signed_for_the_region_of_the_store(s):
    client = s.installation.client("kms", region="eu-west-1")
    given = {
        "CustomKeyStoreName": "far",
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyUriEndpoint": f"https://{HOST}",
        "XksProxyUriPath": PREFIX,
        "XksProxyAuthenticationCredential": CREDENTIAL,
    }
    with refused("XksProxyIncorrectAuthenticationCredentialException"):
        client.create_custom_key_store(**given)
    assert "/eu-west-1/kms-xks-proxy/aws4_request, SignedHeaders=host;x-amz-date," in s.proxy.signatures[-1]
    s.proxy._region = "eu-west-1"
    far = client.create_custom_key_store(**given)["CustomKeyStoreId"]
    with refused("CustomKeyStoreNotFoundException"):
        s.told(far)


def test_a_ciphertext_altered_anywhere_does_not_open(s):
    key = s.key(s.connected())
    blob = s.encrypt(key)
    codes = set()
    for place in range(len(blob)):
        altered = blob[:place] + bytes((blob[place] ^ 1,)) + blob[place + 1 :]
        with pytest.raises(ClientError) as error:
            s.decrypt(altered)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        codes.add(error.value.response["Error"]["Code"])
    assert (
        codes
        == {
            "InvalidCiphertextException",
            "KMSInvalidStateException",
            "AccessDeniedException",
            "NotFoundException",
        }
        & codes
    )
    assert "KMSInvalidStateException" in codes
    for size in range(1, len(blob)):
        with pytest.raises(ClientError):
            s.decrypt(blob[:size])
    with refused("KMSInvalidStateException", "encryption context"):
        s.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"another": "context"})


@on_both
def test_an_external_key_belongs_to_one_key(s):
    store = s.connected()
    key = s.key(store)
    with refused("XksKeyAlreadyInUseException"):
        s.key(store)
    with refused("XksKeyNotFoundException"):
        s.key(store, "nobody")
    s.key(store, "key-2")
    s.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with refused("XksKeyAlreadyInUseException"):
        s.key(store)
    s.pass_days(8)
    s.key(store)


@on_both
def test_of_many_at_once_one_gets_the_external_key(s):
    store = s.connected()

    def attempt(_):
        try:
            return s.key(store)
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(attempt, range(4)))
    assert codes[:3] == ["XksKeyAlreadyInUseException"] * 3
    assert len(s.kms.list_keys()["Keys"]) == 1


def test_which_keys_a_store_takes(s):
    store = s.connected()
    for more in ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, {"MultiRegion": True}):
        with refused("UnsupportedOperationException", "single Region"):
            s.key(store, **more)
    with refused("UnsupportedOperationException", "single Region"):
        s.key(store, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    for missing in ({"XksKeyId": "key-1"}, {"CustomKeyStoreId": store}, {}):
        with refused("ValidationException", "required"):
            s.kms.create_key(Origin="EXTERNAL_KEY_STORE", **missing)
    for origin in ("AWS_KMS", "EXTERNAL"):
        with refused("ValidationException", "EXTERNAL_KEY_STORE only"):
            s.kms.create_key(Origin=origin, CustomKeyStoreId=store)
    for dots in (".", ".."):
        with refused("ValidationException", "dots"):
            s.key(store, dots)
    with refused("CustomKeyStoreNotFoundException"):
        s.key("cks-00000000000000000")
    elsewhere = s.installation.client("kms", region="eu-west-1")
    with refused("CustomKeyStoreNotFoundException"):
        elsewhere.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="key-1")


@on_both
def test_names_and_proxies_are_unique_and_there_are_ten(s):
    s.proxy.paths = [PREFIX, *(f"/{number}/kms/xks/v1" for number in range(12))]
    s.make("0")
    with refused("CustomKeyStoreNameInUseException"):
        s.make("0", XksProxyUriPath="/0/kms/xks/v1")
    with refused("XksProxyUriInUseException"):
        s.make("1", XksProxyUriEndpoint=f"https://{HOST.upper()}")
    made = [s.make(str(number), XksProxyUriPath=f"/{number}/kms/xks/v1") for number in range(1, 10)]
    with refused("LimitExceededException"):
        s.make("10", XksProxyUriPath="/10/kms/xks/v1")
    page = s.kms.describe_custom_key_stores(Limit=7)
    rest = s.kms.describe_custom_key_stores(Limit=7, Marker=page["NextMarker"])
    assert (page["Truncated"], rest["Truncated"]) == (True, False)
    names = [each["CustomKeyStoreName"] for each in (*page["CustomKeyStores"], *rest["CustomKeyStores"])]
    assert sorted(names) == [str(number) for number in range(10)]
    with refused("InvalidMarkerException"):
        s.kms.describe_custom_key_stores(Marker="mine")
    (found,) = s.kms.describe_custom_key_stores(CustomKeyStoreName="3")["CustomKeyStores"]
    assert found["CustomKeyStoreName"] == "3"
    with refused("CustomKeyStoreNotFoundException"):
        s.kms.describe_custom_key_stores(CustomKeyStoreName="nobody")
    with refused("ValidationException", "together"):
        s.kms.describe_custom_key_stores(CustomKeyStoreName="3", CustomKeyStoreId=made[0])
    for taken, code in (
        ({"NewCustomKeyStoreName": "2"}, "CustomKeyStoreNameInUse"),
        ({"XksProxyUriPath": PREFIX}, "XksProxyUriInUse"),
    ):
        with refused(f"{code}Exception"):
            s.kms.update_custom_key_store(CustomKeyStoreId=made[0], **taken)


def test_kinds_that_are_not_offered(s):
    with refused("UnsupportedOperationException", "CloudHSM"):
        s.make(CustomKeyStoreType=None)
    with refused("UnsupportedOperationException", "CloudHSM"):
        s.make(CustomKeyStoreType="AWS_CLOUDHSM", CloudHsmClusterId="cluster-abcdefghijk", KeyStorePassword="password")
    with refused("UnsupportedOperationException", "private networks"):
        s.make(XksProxyConnectivity="VPC_ENDPOINT_SERVICE")
    for missing in (
        "XksProxyConnectivity",
        "XksProxyUriEndpoint",
        "XksProxyUriPath",
        "XksProxyAuthenticationCredential",
    ):
        with refused("ValidationException", missing):
            s.make(**{missing: None})
    for path in ("/kms/xks/v2", "//x/kms/xks/v1"):
        with refused("ValidationException"):
            s.make(XksProxyUriPath=path)
    with refused("ValidationException"):
        s.make(XksProxyUriEndpoint=f"http://{HOST}")
    assert s.proxy.seen == []


def test_what_can_be_changed_when(s):
    s.proxy.paths.append("/new/kms/xks/v1")
    store = s.connected()
    key = s.key(store)
    blob = s.encrypt(key)
    update = s.kms.update_custom_key_store
    update(CustomKeyStoreId=store, NewCustomKeyStoreName="renamed")
    update(CustomKeyStoreId=store, XksProxyUriPath="/new/kms/xks/v1")
    assert s.decrypt(blob) == b"attack at dawn"
    assert s.told(store)["XksProxyConfiguration"]["UriPath"] == "/new/kms/xks/v1"
    with refused("CustomKeyStoreInvalidStateException", "must be disconnected"):
        update(CustomKeyStoreId=store, XksProxyUriEndpoint="https://elsewhere.example.com")
    with refused("XksProxyInvalidConfigurationException"):
        update(CustomKeyStoreId=store, XksProxyUriPath="/nowhere/kms/xks/v1")

    fresh = {"AccessKeyId": "B" * 20, "RawSecretAccessKey": "n" * 43}
    with refused("XksProxyIncorrectAuthenticationCredentialException"):
        update(CustomKeyStoreId=store, XksProxyAuthenticationCredential=fresh)
    s.proxy.credentials = {"B" * 20: "n" * 43}
    with refused("KMSInvalidStateException", "authenticate"):
        s.decrypt(blob)
    before = s.storage.read(lambda tx: stores.find(tx, store)).secret_id
    update(CustomKeyStoreId=store, XksProxyAuthenticationCredential=fresh)
    assert s.decrypt(blob) == b"attack at dawn"
    assert s.storage.read(lambda tx: sealed.find(tx, before)) is None

    s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    with refused("CustomKeyStoreInvalidStateException"):
        s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    with refused("XksProxyUriUnreachableException"):
        update(CustomKeyStoreId=store, XksProxyUriEndpoint="https://nowhere.invalid")
    assert s.told(store)["CustomKeyStoreName"] == "renamed"
    for other in ({"KeyStorePassword": "password"}, {"CloudHsmClusterId": "cluster-abcdefghijk"}):
        with refused("ValidationException", "AWS_CLOUDHSM only"):
            update(CustomKeyStoreId=store, **other)
    with refused("CustomKeyStoreNotFoundException"):
        update(CustomKeyStoreId="cks-00000000000000000", NewCustomKeyStoreName="x")


def test_a_credential_that_is_replaced_before_it_is_opened(s, monkeypatch):
    store = s.connected()
    key = s.key(store)
    real = Keys.material

    def replaced(keys, key_id):
        if key_id == s.storage.read(lambda tx: stores.find(tx, store)).secret_id:
            raise LookupError("there is no such key")
        return real(keys, key_id)

    monkeypatch.setattr(Keys, "material", replaced)
    with refused("KMSInvalidStateException", "changed by another request"):
        s.kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("CustomKeyStoreInvalidStateException", "changed by another request"):
        s.key(store, "key-2")
    with refused("CustomKeyStoreInvalidStateException", "changed by another request"):
        s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    with refused("CustomKeyStoreInvalidStateException", "changed by another request"):
        s.kms.update_custom_key_store(CustomKeyStoreId=store, XksProxyUriPath="/other/kms/xks/v1")


def test_a_connected_store_is_not_deleted(s):
    store = s.connected()
    with refused("CustomKeyStoreInvalidStateException", "must be disconnected"):
        s.kms.delete_custom_key_store(CustomKeyStoreId=store)
    secret = s.storage.read(lambda tx: stores.find(tx, store)).secret_id
    s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    s.kms.delete_custom_key_store(CustomKeyStoreId=store)
    assert s.storage.read(lambda tx: sealed.find(tx, secret)) is None


def test_who_may(s):
    store = s.make()
    nobody = s.user("nobody", allow("kms:List*"))
    for act in (nobody.connect_custom_key_store, nobody.disconnect_custom_key_store, nobody.delete_custom_key_store):
        with refused("AccessDeniedException"):
            act(CustomKeyStoreId=store)
    with refused("AccessDeniedException"):
        nobody.describe_custom_key_stores()
    somebody = s.user("somebody", allow("kms:ConnectCustomKeyStore"))
    somebody.connect_custom_key_store(CustomKeyStoreId=store)


def test_the_credential_is_in_no_record(s):
    store = s.make()
    s.kms.update_custom_key_store(CustomKeyStoreId=store, XksProxyAuthenticationCredential=CREDENTIAL)
    records = s.storage.read(lambda tx: s.installation.rooms.audit.recent(tx, ACCOUNT, 50))
    assert {"CreateCustomKeyStore", "UpdateCustomKeyStore"} <= {each.event_name for each in records}
    assert SECRET not in repr(records)
    row = s.storage.read(lambda tx: stores.find(tx, store))
    secret = s.storage.read(lambda tx: sealed.find(tx, row.secret_id))
    assert SECRET.encode() not in secret.sealed


@pytest.mark.parametrize("applied", [False, True])
@on_both
def test_a_creation_that_dies_leaves_nothing_in_the_way(storage_url, tmp_path, applied):
    storage = FaultyStorage(storage_url)
    with closing(storage), opened(storage, tmp_path) as s:
        made = _until_it_works(storage, applied, s.make)
        (listed,) = s.kms.describe_custom_key_stores()["CustomKeyStores"]
        store = made or listed["CustomKeyStoreId"]
        s.kms.connect_custom_key_store(CustomKeyStoreId=store)
        key = _until_it_works(storage, applied, lambda: s.key(store))
        (found,) = s.kms.list_keys()["Keys"]
        assert s.decrypt(s.encrypt(key or found["KeyArn"])) == b"attack at dawn"


def _until_it_works(storage, applied, act):
    """Has every call of the database fail once, in turn, and the act tried again."""
    for at in range(1, 30):
        storage.fail(at=at, applied=applied)
        try:
            return act()
        except (StorageUnavailable, OutcomeUnknown):
            pass
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code.endswith("InUseException"):
                return None  # it had been committed, and only the answer was lost
            assert storage.failed, code
        finally:
            storage.heal()
    raise AssertionError("it never works")
