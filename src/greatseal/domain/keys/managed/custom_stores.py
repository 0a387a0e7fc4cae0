"""The verbs of custom key stores: external key stores behind a proxy that speaks the XKS API (kms.md 10).

1. Whatever is to be written is first tried at the proxy, outside of any transaction.
2. One transaction then checks again what it depends on, writes the store and its sealed credential, and records it.

A crash between the two leaves nothing: the proxy keeps no state of ours. Connecting is the same: a store is connected
by the transaction that follows a good answer, and the answer of ConnectCustomKeyStore comes after it.
"""

from dataclasses import dataclass, replace

from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed.custom_store import CustomStore, StoreState
from greatseal.domain.keys.managed.external import CHANGED, own_store, proxy_of
from greatseal.domain.keys.managed.faults import MEANINGS
from greatseal.domain.keys.managed.ports import KeyProxies, KeyProxy, Occasion, ProxyFailed
from greatseal.domain.keys.managed.refusals import (
    CustomStoreHasKeys,
    CustomStoreInvalidState,
    CustomStoreNameInUse,
    CustomStoreNotFound,
    ProxyUriInUse,
)
from greatseal.domain.keys.managed.store import keys as key_store
from greatseal.domain.keys.managed.store import stores
from greatseal.domain.keys.model import NewSecret, Purpose
from greatseal.domain.keys.service import Keys
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import LimitExceeded, ValidationFailed
from greatseal.kernel.pages import Page, PageTokens
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx

MOST = 10
"""Custom key stores of an account in a region (kms.md 17)."""

_VERSION = "/kms/xks/v1"


@dataclass(frozen=True, slots=True)
class ProxyCredential:
    """Who we are at a proxy."""

    access_key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class StoreOrder:
    """What CreateCustomKeyStore asks for."""

    name: str
    endpoint: str
    path: str
    credential: ProxyCredential


@dataclass(frozen=True, slots=True)
class StoreChange:
    """What UpdateCustomKeyStore asks for; None leaves a thing as it is."""

    name: str | None = None
    endpoint: str | None = None
    path: str | None = None
    credential: ProxyCredential | None = None


class CustomStores:
    """Makes, describes, changes, connects and ends custom key stores."""

    def __init__(
        self,
        *,
        storage: Storage,
        keys: Keys,
        proxies: KeyProxies,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._keys = keys
        self._proxies = proxies
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._tokens = tokens

    def create(self, caller: Caller, order: StoreOrder) -> CustomStore:
        """A new store, not connected.

        Raises ValidationFailed, LimitExceeded, CustomStoreNameInUse, ProxyUriInUse, and what the proxy's answer to a
        health check means.
        """
        sealed = self._keys.seal(order.credential.secret)
        new = CustomStore(
            id=f"cks-{self._entropy.token_bytes(9).hex()[:17]}",
            account=caller.account,
            region=caller.region,
            name=order.name,
            endpoint=order.endpoint,
            path=_checked_path(order.path),
            access_key_id=order.credential.access_key_id,
            secret_id=sealed.id,
            created_at=self._clock.now(),
        )
        self._storage.read(lambda tx: _require_room(tx, new))
        self._try(caller, _proxy(new, order.credential.secret))

        def work(tx: Tx) -> None:
            _require_room(tx, new)
            self._keys.add(tx, sealed, account=new.account, purpose=Purpose.KMS)
            stores.add(tx, new)
            self._audit.record(tx, caller, response={"custom_key_store_id": new.id})

        self._storage.transact(work)
        return new

    def list(self, caller: Caller, *, limit: int, marker: str | None) -> Page[CustomStore]:
        """The stores of the caller's account and region."""
        scope = (caller.account, caller.region, "DescribeCustomKeyStores")
        after = str(self._tokens.open(scope, marker)[0]) if marker is not None else ""
        found = self._storage.read(
            lambda tx: stores.listing(tx, caller.account, caller.region, after=after, limit=limit + 1)
        )
        token = self._tokens.issue(scope, [found[limit - 1].id]) if len(found) > limit else None
        return Page(tuple(found[:limit]), token)

    def find(self, caller: Caller, store_id: str) -> CustomStore:
        """By id. Raises CustomStoreNotFound."""
        return self._storage.read(lambda tx: own_store(tx, caller, store_id))

    def find_named(self, caller: Caller, name: str) -> CustomStore:
        """By name. Raises CustomStoreNotFound."""
        found = self._storage.read(lambda tx: stores.named(tx, caller.account, caller.region, name))
        if found is None:
            raise CustomStoreNotFound(f"Custom key store {name} does not exist.")
        return found

    def update(self, caller: Caller, store_id: str, change: StoreChange) -> None:
        """Changes what is given, once the proxy answers under the new values.

        A connected store takes another name, path and credential; its endpoint changes while it is disconnected.
        Raises as `create`, CustomStoreNotFound and CustomStoreInvalidState.
        """
        before = self.find(caller, store_id)
        _require_changeable(before, change)
        sealed = None if change.credential is None else self._keys.seal(change.credential.secret)
        wanted = _changed(before, change, sealed)
        self._storage.read(lambda tx: _require_unique(tx, wanted))
        if wanted.connection != before.connection:
            given = change.credential
            secret = proxy_of(self._keys, before).secret if given is None else given.secret
            self._try(caller, _proxy(wanted, secret))

        def work(tx: Tx) -> None:
            current = own_store(tx, caller, store_id)
            _require_changeable(current, change)
            if current.connection != before.connection:
                raise CustomStoreInvalidState(CHANGED)
            changed = _changed(current, change, sealed)
            _require_unique(tx, changed)
            stores.save(tx, changed)
            if sealed is not None:
                self._keys.add(tx, sealed, account=changed.account, purpose=Purpose.KMS)
                self._keys.destroy(tx, current.secret_id)
            self._audit.record(tx, caller)

        self._storage.transact(work)

    def connect(self, caller: Caller, store_id: str) -> None:
        """Connects the store, or notes why that failed: `DescribeCustomKeyStores` tells.

        Raises CustomStoreNotFound, and CustomStoreInvalidState for a store that failed and was not disconnected since.
        """
        before = self.find(caller, store_id)
        _require_connectable(before)
        error = None
        try:
            self._proxies.check(proxy_of(self._keys, before), _occasion(caller))
        except ProxyFailed as failure:
            error = MEANINGS[failure.fault].code

        def work(tx: Tx) -> None:
            current = own_store(tx, caller, store_id)
            _require_connectable(current)
            if current.connection != before.connection:
                raise CustomStoreInvalidState(CHANGED)
            state = StoreState.CONNECTED if error is None else StoreState.FAILED
            stores.save(tx, replace(current, state=state, error=error))
            self._audit.record(tx, caller)

        self._storage.transact(work)

    def disconnect(self, caller: Caller, store_id: str) -> None:
        """No key of the store works from now on. Raises CustomStoreNotFound and CustomStoreInvalidState."""

        def work(tx: Tx) -> None:
            current = own_store(tx, caller, store_id)
            if current.state is StoreState.DISCONNECTED:
                raise CustomStoreInvalidState(f"Custom key store {store_id} is disconnected.")
            stores.save(tx, replace(current, state=StoreState.DISCONNECTED, error=None))
            self._audit.record(tx, caller)

        self._storage.transact(work)

    def delete(self, caller: Caller, store_id: str) -> None:
        """Forgets a store and its credential. Raises CustomStoreHasKeys, also for keys that wait for their deletion."""

        def work(tx: Tx) -> None:
            current = own_store(tx, caller, store_id)
            if key_store.in_store(tx, store_id):
                raise CustomStoreHasKeys(f"Custom key store {store_id} contains KMS keys.")
            if current.state is not StoreState.DISCONNECTED:
                raise CustomStoreInvalidState(f"Custom key store {store_id} must be disconnected to be deleted.")
            stores.remove(tx, store_id)
            self._keys.destroy(tx, current.secret_id)
            self._audit.record(tx, caller)

        self._storage.transact(work)

    def _try(self, caller: Caller, proxy: KeyProxy) -> None:
        try:
            self._proxies.check(proxy, _occasion(caller))
        except ProxyFailed as failure:
            meaning = MEANINGS[failure.fault]
            raise meaning.for_store(meaning.text) from None


def _changed(before: CustomStore, change: StoreChange, sealed: NewSecret | None) -> CustomStore:
    wanted = replace(
        before,
        name=before.name if change.name is None else change.name,
        endpoint=before.endpoint if change.endpoint is None else change.endpoint,
        path=before.path if change.path is None else _checked_path(change.path),
    )
    if change.credential is None or sealed is None:
        return wanted
    return replace(wanted, access_key_id=change.credential.access_key_id, secret_id=sealed.id)


def _checked_path(path: str) -> str:
    """The model lets other versions and empty segments pass; signatures over the latter are ambiguous."""
    if not path.endswith(_VERSION) or "//" in path:
        raise ValidationFailed(f"XksProxyUriPath must end with {_VERSION} and have no empty segments.")
    return path


def _require_room(tx: Tx, new: CustomStore) -> None:
    if stores.count(tx, new.account, new.region) >= MOST:
        raise LimitExceeded(f"An account has at most {MOST} custom key stores in a Region.")
    _require_unique(tx, new)


def _require_unique(tx: Tx, wanted: CustomStore) -> None:
    named = stores.named(tx, wanted.account, wanted.region, wanted.name)
    if named is not None and named.id != wanted.id:
        raise CustomStoreNameInUse(f"The custom key store name {wanted.name} is in use.")
    there = stores.at(tx, wanted.account, wanted.region, wanted.uri)
    if there is not None and there.id != wanted.id:
        raise ProxyUriInUse(f"{wanted.endpoint}{wanted.path} is associated with another external key store.")


def _require_changeable(store: CustomStore, change: StoreChange) -> None:
    allowed = {
        StoreState.DISCONNECTED: True,
        StoreState.CONNECTED: change.endpoint is None,
        StoreState.FAILED: change.endpoint is None and change.path is None and change.credential is None,
    }
    if not allowed[store.state]:
        raise CustomStoreInvalidState(f"Custom key store {store.id} must be disconnected for this change.")


def _require_connectable(store: CustomStore) -> None:
    if store.state is StoreState.FAILED:
        raise CustomStoreInvalidState(
            f"Custom key store {store.id} could not be connected before. Disconnect it, and connect it again."
        )


def _proxy(store: CustomStore, secret: Secret) -> KeyProxy:
    return KeyProxy(store.endpoint, store.path, store.region, store.access_key_id, secret)


def _occasion(caller: Caller) -> Occasion:
    """The XKS API tells a health check neither the principal nor a key."""
    return Occasion(caller.operation.partition(":")[2], caller.request_id)
