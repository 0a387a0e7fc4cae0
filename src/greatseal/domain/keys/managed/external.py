"""External keys: the outer half of KMS keys in external key stores. Asked for here, held outside (kms.md 10).

What is encrypted under such a key is encrypted first with the material that every KMS key has, and then by the key
manager behind the store's proxy. Neither we nor the key manager can decrypt alone.
"""

from greatseal.crypto.key_specs import KeySpec
from greatseal.domain.keys.managed.custom_store import CustomStore, StoreState
from greatseal.domain.keys.managed.faults import MEANINGS, NOT_CONNECTED
from greatseal.domain.keys.managed.model import ManagedKey
from greatseal.domain.keys.managed.ports import ExternalCiphertext, KeyProxies, KeyProxy, Occasion, ProxyFailed
from greatseal.domain.keys.managed.refusals import (
    CustomStoreInvalidState,
    CustomStoreNotFound,
    ExternalKeyInUse,
    ExternalKeyInvalidConfiguration,
    KeyInvalidState,
    UnsupportedOnKey,
)
from greatseal.domain.keys.managed.store import keys as key_store
from greatseal.domain.keys.managed.store import stores
from greatseal.domain.keys.service import Keys
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed
from greatseal.storage import Storage, Tx

CHANGED = "The custom key store was changed by another request in the meantime. Try again."


class ExternalKeys:
    """Uses external keys, and says which may become part of a new KMS key."""

    def __init__(self, *, storage: Storage, keys: Keys, proxies: KeyProxies) -> None:
        self._storage = storage
        self._keys = keys
        self._proxies = proxies

    def admit(
        self, caller: Caller, spec: KeySpec, usage: str, *, multi_region: bool, store_id: str | None, key_id: str | None
    ) -> None:
        """Whether an external key can be that of a new KMS key. Asks the proxy: never inside of a transaction.

        Raises ValidationFailed, UnsupportedOnKey, CustomStoreNotFound, CustomStoreInvalidState, ExternalKeyInUse,
        ExternalKeyNotFound, ExternalKeyInvalidConfiguration and KeyInvalidState.
        """
        if store_id is None or key_id is None:
            raise ValidationFailed("CustomKeyStoreId and XksKeyId are required for the origin EXTERNAL_KEY_STORE.")
        if spec is not KeySpec.SYMMETRIC_DEFAULT or usage != "ENCRYPT_DECRYPT" or multi_region:
            raise UnsupportedOnKey(
                "Only symmetric encryption KMS keys of a single Region can be created in a custom key store."
            )
        if not key_id.strip("."):
            # Such a segment means another path, and every verifier of signatures has its own opinion about which.
            raise ValidationFailed("XksKeyId must not consist of dots.")
        store = self._storage.read(lambda tx: self.claim(tx, caller, store_id, key_id))
        try:
            found = self._proxies.describe(proxy_of(self._keys, store), key_id, occasion(caller))
        except ProxyFailed as failure:
            meaning = MEANINGS[failure.fault]
            raise meaning.for_new_key(meaning.text) from None
        if found.spec != "AES_256" or not found.usages >= {"ENCRYPT", "DECRYPT"} or not found.enabled:
            raise ExternalKeyInvalidConfiguration(
                f"The external key {key_id} must be a 256-bit AES key that is enabled, and that encrypts and decrypts."
            )

    def claim(self, tx: Tx, caller: Caller, store_id: str, key_id: str) -> CustomStore:
        """The caller's store, connected, of whose keys this one is free. Asked again where the KMS key is stored."""
        store = own_store(tx, caller, store_id)
        if store.state is not StoreState.CONNECTED:
            raise CustomStoreInvalidState(NOT_CONNECTED)
        if key_store.has_external(tx, store_id, key_id):
            raise ExternalKeyInUse(f"The external key {key_id} is associated with another KMS key in {store_id}.")
        return store

    def is_reachable(self, tx: Tx, store_id: str) -> bool:
        """Whether a store is connected."""
        store = stores.find(tx, store_id)
        return store is not None and store.state is StoreState.CONNECTED

    def encrypt(self, caller: Caller, key: ManagedKey, plaintext: bytes, associated: bytes) -> ExternalCiphertext:
        """Encrypted outside. Raises KeyInvalidState for whatever goes wrong there."""
        proxy, key_id = self._proxy_of(key)
        try:
            return self._proxies.encrypt(proxy, key_id, occasion(caller, key), plaintext, associated)
        except ProxyFailed as failure:
            raise KeyInvalidState(MEANINGS[failure.fault].text) from None

    def decrypt(self, caller: Caller, key: ManagedKey, sealed: ExternalCiphertext, associated: bytes) -> bytes:
        """Decrypted outside. Raises as `encrypt`."""
        proxy, key_id = self._proxy_of(key)
        try:
            return self._proxies.decrypt(proxy, key_id, occasion(caller, key), sealed, associated)
        except ProxyFailed as failure:
            raise KeyInvalidState(MEANINGS[failure.fault].text) from None

    def _proxy_of(self, key: ManagedKey) -> tuple[KeyProxy, str]:
        store_id, key_id = key.store_id, key.external_id
        assert store_id is not None
        assert key_id is not None
        store = self._storage.read(lambda tx: stores.find(tx, store_id))
        if store is None or store.state is not StoreState.CONNECTED:
            raise KeyInvalidState(NOT_CONNECTED)
        try:
            return proxy_of(self._keys, store), key_id
        except CustomStoreInvalidState as error:
            raise KeyInvalidState(error.message) from None


def own_store(tx: Tx, caller: Caller, store_id: str) -> CustomStore:
    """A store of the caller's account and region. Raises CustomStoreNotFound."""
    found = stores.find(tx, store_id)
    if found is None or (found.account, found.region) != (caller.account, caller.region):
        raise CustomStoreNotFound(f"Custom key store {store_id} does not exist.")
    return found


def proxy_of(keys: Keys, store: CustomStore) -> KeyProxy:
    """The proxy of a store, with the credential opened. Raises CustomStoreInvalidState when it was replaced since."""
    try:
        secret = keys.material(store.secret_id)
    except LookupError:
        raise CustomStoreInvalidState(CHANGED) from None
    return KeyProxy(store.endpoint, store.path, store.region, store.access_key_id, secret)


def occasion(caller: Caller, key: ManagedKey | None = None) -> Occasion:
    """What a proxy is told about the call that makes us ask."""
    via = caller.called_via[-1].partition(".")[0] if caller.called_via else None
    return Occasion(
        operation=caller.operation.partition(":")[2],
        request_id=caller.request_id,
        principal=caller.service_principal or caller.principal_arn,
        key_arn=None if key is None else key.arn,
        via_service=via,
    )
