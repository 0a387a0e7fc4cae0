"""KMS: the operations on custom key stores (kms.md 10): external key stores with a reachable proxy."""

from collections.abc import Mapping, Sequence
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.domain.keys.managed.custom_store import CustomStore
from greatseal.domain.keys.managed.custom_stores import CustomStores, ProxyCredential, StoreChange, StoreOrder
from greatseal.domain.keys.managed.refusals import UnsupportedOnKey
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.secret import Secret

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_PAGE = 100
_EXTERNAL, _PUBLIC = "EXTERNAL_KEY_STORE", "PUBLIC_ENDPOINT"
_NEEDED = ("XksProxyUriEndpoint", "XksProxyUriPath", "XksProxyAuthenticationCredential", "XksProxyConnectivity")
_OF_CLOUDHSM = ("CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword")
_OF_VPC = ("XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner")


class StoreOperations:
    """Creates, describes, changes, connects and ends custom key stores."""

    def __init__(self, *, asking: KeyAsking, stores: CustomStores) -> None:
        self._asking = asking
        self._stores = stores

    def create(self, caller: Caller, p: Parameters) -> Result:
        """The proxy must answer; the store is not connected yet."""
        self._ask(caller)
        if p.get("CustomKeyStoreType") != _EXTERNAL:
            raise UnsupportedOnKey(
                "AWS CloudHSM key stores are not supported; keys in hardware come from [key_stores], or from a store "
                "of the type EXTERNAL_KEY_STORE."
            )
        missing = [name for name in _NEEDED if name not in p]
        if missing:
            raise ValidationFailed(f"{missing[0]} is required for a key store of the type EXTERNAL_KEY_STORE.")
        _refuse_others(p)
        order = StoreOrder(
            p["CustomKeyStoreName"],
            p["XksProxyUriEndpoint"],
            p["XksProxyUriPath"],
            _credential(p["XksProxyAuthenticationCredential"]),
        )
        return {"CustomKeyStoreId": self._stores.create(caller, order).id}

    def describe(self, caller: Caller, p: Parameters) -> Result:
        """One by its id or name, or all of the account and region."""
        self._ask(caller)
        store_id, name = p.get("CustomKeyStoreId"), p.get("CustomKeyStoreName")
        if store_id is not None and name is not None:
            raise ValidationFailed("CustomKeyStoreId and CustomKeyStoreName cannot be used together.")
        if store_id is not None:
            return _page([self._stores.find(caller, store_id)], None)
        if name is not None:
            return _page([self._stores.find_named(caller, name)], None)
        found = self._stores.list(caller, limit=p.get("Limit", _PAGE), marker=p.get("Marker"))
        return _page(found.items, found.next_token)

    def update(self, caller: Caller, p: Parameters) -> Result:
        """The proxy must answer under the new values."""
        self._ask(caller)
        _refuse_others(p)
        given = p.get("XksProxyAuthenticationCredential")
        change = StoreChange(
            name=p.get("NewCustomKeyStoreName"),
            endpoint=p.get("XksProxyUriEndpoint"),
            path=p.get("XksProxyUriPath"),
            credential=None if given is None else _credential(given),
        )
        self._stores.update(caller, p["CustomKeyStoreId"], change)
        return {}

    def connect(self, caller: Caller, p: Parameters) -> Result:
        """Never fails for the proxy's sake: whether it worked is told by DescribeCustomKeyStores."""
        self._ask(caller)
        self._stores.connect(caller, p["CustomKeyStoreId"])
        return {}

    def disconnect(self, caller: Caller, p: Parameters) -> Result:
        """The keys of the store are unavailable from now on."""
        self._ask(caller)
        self._stores.disconnect(caller, p["CustomKeyStoreId"])
        return {}

    def delete(self, caller: Caller, p: Parameters) -> Result:
        """Only without keys, and disconnected."""
        self._ask(caller)
        self._stores.delete(caller, p["CustomKeyStoreId"])
        return {}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateCustomKeyStore": self.create,
            "DescribeCustomKeyStores": self.describe,
            "UpdateCustomKeyStore": self.update,
            "ConnectCustomKeyStore": self.connect,
            "DisconnectCustomKeyStore": self.disconnect,
            "DeleteCustomKeyStore": self.delete,
        }

    def _ask(self, caller: Caller) -> None:
        """Stores have no ARN: only policies of the caller's own say yes (kms.md 15)."""
        self._asking.anything(caller, {"kms:CallerAccount": caller.account})


def _refuse_others(p: Parameters) -> None:
    """What belongs to kinds of stores and networks that are not there."""
    if p.get("XksProxyConnectivity", _PUBLIC) != _PUBLIC or any(p.get(name) for name in _OF_VPC):
        raise UnsupportedOnKey(
            "VPC endpoint services are not supported. PUBLIC_ENDPOINT reaches proxies in private networks, too."
        )
    given = [name for name in _OF_CLOUDHSM if name in p]
    if given:
        raise ValidationFailed(f"{given[0]} is valid for key stores of the type AWS_CLOUDHSM only.")


def _credential(given: Mapping[str, str]) -> ProxyCredential:
    return ProxyCredential(given["AccessKeyId"], Secret(given["RawSecretAccessKey"].encode()))


def _page(stores: Sequence[CustomStore], marker: str | None) -> dict[str, Any]:
    """`Truncated` is always there: clients for Java need it (workflows.md 6)."""
    return {"CustomKeyStores": [_entry(each) for each in stores], "NextMarker": marker, "Truncated": marker is not None}


def _entry(store: CustomStore) -> dict[str, Any]:
    return {
        "CustomKeyStoreId": store.id,
        "CustomKeyStoreName": store.name,
        "CustomKeyStoreType": _EXTERNAL,
        "ConnectionState": store.state.value,
        "ConnectionErrorCode": store.error,
        "CreationDate": store.created_at,
        "XksProxyConfiguration": {
            "Connectivity": _PUBLIC,
            "AccessKeyId": store.access_key_id,
            "UriEndpoint": store.endpoint,
            "UriPath": store.path,
        },
    }
