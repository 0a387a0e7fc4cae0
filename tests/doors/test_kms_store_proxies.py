"""External key stores whose proxy fails, lies, hangs, or is not where requests may go (kms.md 10)."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from doors.pki import refused
from doors.xks_proxy import HOST, MANAGER, STATUS, TestProxy, b64, encrypted, refusal
from doors.xks_stores import opened
from greatseal.integrations.addresses import is_elsewhere
from greatseal.integrations.xks_connections import resolve


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def s(storage, tmp_path):
    with opened(storage, tmp_path) as made:
        yield made


def test_an_idle_connection_that_was_closed_is_replaced(s):
    """The proxy hangs up without having said so."""
    store = s.connected()
    key = s.key(store)
    ended = s.proxy.connections
    for _, connection in s.connections._lanes[HOST].idle:
        connection.sock.shutdown(2)
    assert s.decrypt(s.encrypt(key)) == b"attack at dawn"
    assert s.proxy.connections == ended + 1


RESPONSE = ("XksProxyInvalidResponse", "XKS_PROXY_INVALID_RESPONSE")
CONFIGURATION = ("XksProxyInvalidConfiguration", "XKS_PROXY_INVALID_CONFIGURATION")
STATE, KEY = "CustomKeyStoreInvalidState", "XksKeyInvalidConfiguration"
ERRORS = {
    # error of the proxy: when a store is made, when it is connected, when a key is made, what the text says
    "ValidationException": (*RESPONSE, STATE, "interpret"),
    "InvalidStateException": (*CONFIGURATION, KEY, "not enabled"),
    "InvalidCiphertextException": (*RESPONSE, STATE, "corrupted"),
    "InvalidKeyUsageException": (*RESPONSE, KEY, "does not support"),
    "AuthenticationFailedException": (
        *("XksProxyIncorrectAuthenticationCredential", "INVALID_CREDENTIALS"),
        *(STATE, "authenticate"),
    ),
    "AccessDeniedException": ("XksProxyInvalidResponse", "XKS_PROXY_ACCESS_DENIED", "KMSInvalidState", "denied access"),
    "KeyNotFoundException": (*RESPONSE, "XksKeyNotFound", "not found"),
    "InvalidUriPathException": (*CONFIGURATION, STATE, "URI path"),
    "ThrottlingException": ("XksProxyUriUnreachable", "XKS_PROXY_NOT_REACHABLE", STATE, "request rate"),
    "InternalException": (*RESPONSE, STATE, "external key manager"),
    "UnsupportedOperationException": (*RESPONSE, "XksProxyInvalidResponse", "does not support"),
    "DependencyTimeoutException": ("XksProxyUriUnreachable", "XKS_PROXY_TIMED_OUT", STATE, "time allotted"),
}


@pytest.mark.parametrize("name", STATUS)
def test_every_error_of_the_proxy_has_its_name(s, name):
    for_store, code, for_key, text = ERRORS[name]
    s.proxy.paths.append("/other/kms/xks/v1")
    store = s.connected()
    key = s.key(store)
    blob = s.encrypt(key)
    s.proxy.lie = lambda operation, asked: refusal(name)
    with refused(f"{for_store}Exception", text):
        s.make("second", XksProxyUriPath="/other/kms/xks/v1")
    with refused(f"{for_key}Exception", text):
        s.key(store, "key-2")
    with pytest.raises(ClientError, match=text) as error:
        s.encrypt(key)
    assert error.value.response["Error"]["Code"] == "KMSInvalidStateException"
    assert "own words" not in str(error.value)
    with refused("KMSInvalidStateException", text):
        s.decrypt(blob)
    s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert (s.told(store)["ConnectionState"], s.told(store)["ConnectionErrorCode"]) == ("FAILED", code)
    with refused("CustomKeyStoreInvalidStateException", "Disconnect it"):
        s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    s.proxy.lie = lambda operation, asked: None
    s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert "ConnectionErrorCode" not in s.told(store)
    s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert s.decrypt(blob) == b"attack at dawn"


def _given(asked):
    return base64.b64decode(asked["additionalAuthenticatedData"])


def _size(asked):
    return len(base64.b64decode(asked["plaintext"]))


LIES = {
    "no JSON": lambda asked: (200, b"<html>"),
    "another type": lambda asked: (200, b"[]"),
    "nothing": lambda asked: (200, b""),
    "not even text": lambda asked: (200, b"\xff\xfe\x00"),
    "members missing": lambda asked: (200, b"{}"),
    "deep": lambda asked: (200, b"[" * 30000),
    "huge": lambda asked: (200, b" " * 70000 + b"{}"),
    "a redirect": lambda asked: (307, b"{}"),
    "an error of nobody": lambda asked: (418, b'{"errorName": "Teapot"}'),
    "an error without a body": lambda asked: (500, b""),
    "no content": lambda asked: (204, b""),
    "short iv": lambda asked: (200, encrypted(_given(asked), bytes(8), bytes(_size(asked)), bytes(16))),
    "short tag": lambda asked: (200, encrypted(_given(asked), bytes(12), bytes(_size(asked)), bytes(12))),
    "too short": lambda asked: (200, encrypted(_given(asked), bytes(12), bytes(_size(asked) - 1), bytes(16))),
    "much metadata": lambda asked: (
        200,
        encrypted(_given(asked), bytes(12), bytes(_size(asked)), bytes(16), bytes(21)),
    ),
    "another digest": lambda asked: (200, encrypted(b"", bytes(12), bytes(_size(asked)), bytes(16))),
    "no digest": lambda asked: (
        200,
        json.dumps(
            {
                "ciphertext": b64(bytes(_size(asked))),
                "initializationVector": b64(bytes(12)),
                "authenticationTag": b64(bytes(16)),
            }
        ).encode(),
    ),
    "wrong base64": lambda asked: (
        200,
        encrypted(_given(asked), bytes(12), bytes(_size(asked)), bytes(16)).replace(b"AAAA", b"-_*!", 1),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_that_a_lying_proxy_encrypted_is_handed_out(s, lie):
    key = s.key(s.connected())
    s.proxy.lie = lambda operation, asked: LIES[lie](asked)
    with refused("KMSInvalidStateException", "cannot interpret the response"):
        s.encrypt(key)
    s.proxy.lie = lambda operation, asked: None
    assert s.decrypt(s.encrypt(key)) == b"attack at dawn"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda asked: {"plaintext": asked["ciphertext"]}, "corrupted"),
        (lambda asked: {"plaintext": b64(bytes(len(base64.b64decode(asked["ciphertext"]))))}, "corrupted"),
        (lambda asked: {"plaintext": b64(b"attack at dawn")}, "cannot interpret"),
        (lambda asked: {"plaintext": "???"}, "cannot interpret"),
        (lambda asked: {"plaintext": None}, "cannot interpret"),
    ],
)
def test_nothing_that_a_lying_proxy_decrypted_is_believed(s, answer, text):
    key = s.key(s.connected())
    blob = s.encrypt(key)
    s.proxy.lie = lambda operation, asked: (200, json.dumps(answer(asked)).encode())
    with refused("KMSInvalidStateException", text):
        s.decrypt(blob)


def test_a_proxy_that_decrypts_with_another_blob_is_caught(s):
    """It gives the plaintext of a ciphertext of the same length: our own layer is bound to nothing else."""
    store = s.connected()
    key, other = s.key(store), s.key(store, "key-2")
    captured = []
    s.proxy.lie = lambda operation, asked: captured.append(asked.get("plaintext"))
    s.encrypt(other)
    blob = s.encrypt(key)
    s.proxy.lie = lambda operation, asked: (200, json.dumps({"plaintext": captured[0]}).encode())
    with refused("KMSInvalidStateException", "corrupted"):
        s.decrypt(blob)


@pytest.mark.parametrize(
    "change",
    [
        {"keySpec": "AES_128"},
        {"keyUsage": ["ENCRYPT"]},
        {"keyUsage": []},
        {"keyStatus": "DISABLED"},
    ],
)
def test_only_good_external_keys_are_taken(s, change):
    store = s.connected()
    s.proxy.key_metadata = {**s.proxy.key_metadata, **change}
    with refused("XksKeyInvalidConfigurationException", "256-bit AES"):
        s.key(store)


@pytest.mark.parametrize("change", [{"keyUsage": ["ENCRYPT"] * 11}, {"keyStatus": "MAYBE"}, {"keySpec": 7}])
def test_key_metadata_that_breaks_the_rules(s, change):
    store = s.connected()
    s.proxy.key_metadata = {**s.proxy.key_metadata, **change}
    with refused("CustomKeyStoreInvalidStateException", "interpret"):
        s.key(store)


def test_a_proxy_without_a_key_manager(s):
    s.proxy.health = {**s.proxy.health, "ekmFleetDetails": [{**MANAGER, "healthStatus": "UNAVAILABLE"}] * 2}
    with refused("XksProxyUriUnreachableException", "unavailable"):
        s.make()
    s.proxy.health = {**s.proxy.health, "ekmFleetDetails": [MANAGER, {**MANAGER, "healthStatus": "UNAVAILABLE"}]}
    store = s.make()
    for wrong in ([], [MANAGER] * 11, [{**MANAGER, "healthStatus": "FINE"}]):
        s.proxy.health = {**s.proxy.health, "ekmFleetDetails": wrong}
        s.kms.connect_custom_key_store(CustomKeyStoreId=store)
        assert s.told(store)["ConnectionErrorCode"] == "XKS_PROXY_INVALID_RESPONSE"
        s.kms.disconnect_custom_key_store(CustomKeyStoreId=store)


def test_a_proxy_that_hangs_stops_nobody_else(s):
    key, plain = s.key(s.connected()), s.create()
    s = s.again(timeout=1.5)
    with s.proxy.silence(), ThreadPoolExecutor(12) as pool:
        s.proxy.heard.clear()
        calls = [pool.submit(s.encrypt, key) for _ in range(12)]
        assert s.proxy.heard.wait(10)
        assert s.decrypt(s.encrypt(plain)) == b"attack at dawn"
        for call in calls:
            with refused("KMSInvalidStateException", "did not respond in time"):
                call.result()
        asked = s.proxy.connections
        lane = s.connections._lanes[HOST]
        assert lane.silent is not None
        # While one call tries it, the others fail at once.
        assert lane.probe.acquire(blocking=False)
        with refused("KMSInvalidStateException", "did not respond in time"):
            s.encrypt(key)
        assert s.proxy.connections == asked
        lane.probe.release()
    assert s.decrypt(s.encrypt(key)) == b"attack at dawn"
    assert lane.silent is None


def test_octets_that_trickle_do_not_keep_a_call_waiting(s):
    store = s.make()
    s = s.again(timeout=0.5)
    over = threading.Event()

    def trickle(operation, asked):
        return 200, _Trickle(over)

    s.proxy.lie = trickle
    s.kms.connect_custom_key_store(CustomKeyStoreId=store)
    over.set()
    assert s.told(store)["ConnectionErrorCode"] == "XKS_PROXY_TIMED_OUT"


class _Trickle(bytes):
    """A long answer that is sent slowly."""

    def __new__(cls, over):
        made = super().__new__(cls, b" " * 5000)
        made.over = over
        return made

    def send(self, wfile):
        for _ in range(5000):
            if self.over.wait(0.05):
                return
            wfile.write(b" ")
            wfile.flush()


def test_tls_is_verified(s, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = TestProxy(folder, s.clock.now)
    other._certify()
    stranger = s.again(ca_file=other.certificate)
    with refused("XksProxyUriUnreachableException", "TLS"):
        stranger.make()
    wrong_name = s.again(routes={"wrong.example.com": ("127.0.0.1", s.proxy.port)})
    with refused("XksProxyUriUnreachableException", "TLS"):
        wrong_name.make(XksProxyUriEndpoint="https://wrong.example.com")
    assert s.proxy.seen == []
    store = wrong_name.make()
    stranger.kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert wrong_name.told(store)["ConnectionErrorCode"] == "XKS_PROXY_INVALID_TLS_CONFIGURATION"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("inside", "127.0.0.1"),
        ("inside", "::1"),
        ("inside", "::ffff:127.0.0.1"),
        ("inside", "0.0.0.0"),
        ("inside", "169.254.169.254"),
        ("inside", "::ffff:169.254.169.254"),
        ("inside", "64:ff9b::a9fe:a9fe"),
        ("inside", "fd00:ec2::254"),
        ("inside", "fe80::1"),
        ("inside", "100.100.100.200"),
        ("inside", "168.63.129.16"),
        ("inside", "224.0.0.1"),
        ("routed", "169.254.169.254"),
        ("routed", "fd00:ec2::254"),
    ],
)
def test_where_no_request_goes(s, name, address):
    asked = []

    def answer(host, port):
        asked.append((host, port))
        return [address, "127.0.0.1"]

    connections = s.connections
    connections._resolve = answer
    connections._routes = {"routed.example.com": ("somewhere", s.proxy.port)}
    with refused("XksProxyUriUnreachableException", "cannot communicate"):
        s.make(XksProxyUriEndpoint=f"https://{name}.example.com")
    assert asked == [("somewhere", s.proxy.port) if name == "routed" else ("inside.example.com", 443)]
    assert s.proxy.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1"])
def test_spellings_of_this_host(s, host):
    with refused("XksProxyUriUnreachableException"):
        s.make(XksProxyUriEndpoint=f"https://{host}")
    assert s.proxy.connections == 0


def test_private_networks_are_where_proxies_are():
    assert all(is_elsewhere(each) for each in ("10.1.2.3", "192.168.0.7", "172.16.0.1", "fd12::1", "8.8.8.8"))
    assert is_elsewhere("127.0.0.1", or_here=True)
    assert not is_elsewhere("no address")
    assert "127.0.0.1" in resolve("localhost", 443) or "::1" in resolve("localhost", 443)
