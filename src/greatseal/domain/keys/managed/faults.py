"""What a failure of a proxy means to the caller of KMS: THE table.

The texts are those that the XKS API gives ("Error codes"): KMS names no new exceptions for keys in use, so that the
text is what tells causes apart. A proxy's own message goes into the log only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from greatseal.domain.keys.managed import refusals
from greatseal.domain.keys.managed.ports import Fault
from greatseal.domain.keys.managed.refusals import KeyInvalidState
from greatseal.kernel.errors import Refusal

NOT_CONNECTED = (
    "This KMS key is in a custom key store that is not connected to its external key store proxy. Connect the external "
    "key store and try the request again."
)
WRONG_PLAINTEXT = (
    "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is "
    "corrupted, missing, or otherwise invalid."
)
_UNINTELLIGIBLE = (
    "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report "
    "it to your external key store proxy administrator."
)
_NO_ANSWER = (
    "Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator."
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row."""

    text: str
    for_store: type[Refusal]
    """When a store is made or changed."""
    code: str
    """When it is connected."""
    for_new_key: type[Refusal] = refusals.CustomStoreInvalidState
    """When a key is made. When it is used, it is always KeyInvalidState."""


_INVALID_RESPONSE = Meaning(_UNINTELLIGIBLE, refusals.ProxyInvalidResponse, "XKS_PROXY_INVALID_RESPONSE")

MEANINGS: Mapping[Fault, Meaning] = {
    Fault.INVALID_RESPONSE: _INVALID_RESPONSE,
    Fault.KEY_DISABLED: Meaning(
        "The external key associated with this KMS key in an external key store is not enabled in the external key "
        "manager. Enable the external key in the external key manager and retry the request.",
        refusals.ProxyInvalidConfiguration,
        "XKS_PROXY_INVALID_CONFIGURATION",
        refusals.ExternalKeyInvalidConfiguration,
    ),
    Fault.INVALID_CIPHERTEXT: Meaning(
        "The external key store proxy rejected the request because the specified ciphertext or encryption context is "
        "corrupted, missing, or otherwise invalid.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_INVALID_RESPONSE",
    ),
    Fault.KEY_USAGE: Meaning(
        "The external key associated with this KMS key in an external key store does not support the requested "
        "operation. Enable the operation on the key in your external key manager, and try the request again.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_INVALID_RESPONSE",
        refusals.ExternalKeyInvalidConfiguration,
    ),
    Fault.AUTHENTICATION: Meaning(
        "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS "
        "proxy authentication credentials for your external key store and update if necessary.",
        refusals.ProxyIncorrectCredential,
        "INVALID_CREDENTIALS",
    ),
    Fault.ACCESS_DENIED: Meaning(
        "The external key store proxy denied access to the operation. Verify that the user and the external key are "
        "both authorized for this operation, and try the request again.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_ACCESS_DENIED",
        KeyInvalidState,
    ),
    Fault.KEY_NOT_FOUND: Meaning(
        "The external key associated with this KMS key in an external key store was not found in its external key "
        "manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the "
        "correct external key ID.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_INVALID_RESPONSE",
        refusals.ExternalKeyNotFound,
    ),
    Fault.URI_PATH: Meaning(
        "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for "
        "your external key store and update if necessary.",
        refusals.ProxyInvalidConfiguration,
        "XKS_PROXY_INVALID_CONFIGURATION",
    ),
    Fault.UNSUPPORTED: Meaning(
        "The external key store proxy rejected the request because it does not support the requested operation. If "
        "you see this error repeatedly, report it to your external key store proxy administrator.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_INVALID_RESPONSE",
        refusals.ProxyInvalidResponse,
    ),
    Fault.DEPENDENCY_TIMEOUT: Meaning(
        "The external key store proxy did not respond to the request in the time allotted. " + _NO_ANSWER,
        refusals.ProxyUnreachable,
        "XKS_PROXY_TIMED_OUT",
    ),
    Fault.THROTTLED: Meaning(
        "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of "
        "your calls using KMS keys in this external key store.",
        refusals.ProxyUnreachable,
        "XKS_PROXY_NOT_REACHABLE",
    ),
    Fault.INTERNAL: Meaning(
        "The external key store proxy rejected the request because it cannot communicate with the external key "
        "manager. Verify that the external key store proxy configuration is correct and that the external key manager "
        "is available.",
        refusals.ProxyInvalidResponse,
        "XKS_PROXY_INVALID_RESPONSE",
    ),
    Fault.UNREACHABLE: Meaning(
        "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If "
        "you see this error repeatedly, verify that your external key store proxy is active and is connected to the "
        "network, and that its endpoint URI is correct in your external key store.",
        refusals.ProxyUnreachable,
        "XKS_PROXY_NOT_REACHABLE",
    ),
    Fault.TLS: Meaning(
        "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, "
        "including its certificate.",
        refusals.ProxyUnreachable,
        "XKS_PROXY_INVALID_TLS_CONFIGURATION",
    ),
    Fault.TIMED_OUT: Meaning(
        "AWS KMS rejected the request because the external key store proxy did not respond in time. " + _NO_ANSWER,
        refusals.ProxyUnreachable,
        "XKS_PROXY_TIMED_OUT",
    ),
    Fault.UNAVAILABLE: Meaning(
        "The external key store proxy reports that all external key manager instances are unavailable.",
        refusals.ProxyUnreachable,
        "XKS_PROXY_NOT_REACHABLE",
    ),
}
