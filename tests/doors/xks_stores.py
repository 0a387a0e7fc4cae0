"""What tests of external key stores import: an installation that reaches a real proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doors.kms import Kms
from doors.xks_proxy import ACCESS_KEY_ID, HOST, PREFIX, SECRET, TestProxy
from greatseal.integrations.xks import XksProxies
from greatseal.integrations.xks_connections import ProxyConnections
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy

CREDENTIAL = {"AccessKeyId": ACCESS_KEY_ID, "RawSecretAccessKey": SECRET}
CONTEXT = {"department": "R&D", "né": "ü"}


class Stores(Kms):
    """An installation that reaches one proxy, and the operations on stores in few words."""

    def __init__(self, storage, proxy, clock, family, *, timeout=5.0, routes=None, ca_file=None):
        where = {HOST: ("127.0.0.1", proxy.port), **(routes or {})}
        self.connections = ProxyConnections(timeout=timeout, ca_file=ca_file or proxy.certificate, routes=where)
        proxies = XksProxies(connections=self.connections, clock=clock)
        entropy = FakeEntropy(f"installation {len(family)}")
        super().__init__(storage, clock=clock, entropy=entropy, key_proxies=proxies)
        self.proxy = proxy
        self._family = family
        family.append(self)

    def again(self, **more):
        """Another installation over the same database and proxy."""
        return Stores(self.storage, self.proxy, self.clock, self._family, **more)

    def make(self, name="vault", **more):
        wanted = {
            "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
            "XksProxyConnectivity": "PUBLIC_ENDPOINT",
            "XksProxyUriEndpoint": f"https://{HOST}",
            "XksProxyUriPath": PREFIX,
            "XksProxyAuthenticationCredential": CREDENTIAL,
            **more,
        }
        wanted = {name: value for name, value in wanted.items() if value is not None}
        return self.kms.create_custom_key_store(CustomKeyStoreName=name, **wanted)["CustomKeyStoreId"]

    def connected(self, **more):
        store = self.make(**more)
        self.kms.connect_custom_key_store(CustomKeyStoreId=store)
        assert self.told(store)["ConnectionState"] == "CONNECTED"
        return store

    def told(self, store):
        (found,) = self.kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
        return found

    def key(self, store, external="key-1", **more):
        wanted = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": external, **more}
        return self.kms.create_key(**wanted)["KeyMetadata"]["Arn"]

    def encrypt(self, key, plaintext=b"attack at dawn"):
        return self.kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=CONTEXT)["CiphertextBlob"]

    def decrypt(self, blob):
        return self.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"]


@contextmanager
def opened(storage: Storage, folder: Path) -> Iterator[Stores]:
    """A proxy that listens, and an installation that reaches it."""
    clock = FakeClock()
    made: list[Stores] = []
    with TestProxy(folder, clock.now).open() as proxy:
        try:
            yield Stores(storage, proxy, clock, made)
        finally:
            for each in made:
                each.connections.close()
