"""What a custom key store is: a proxy of an external key manager, under a name, in an account and region."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class StoreState(Enum):
    """Whether the keys of a store can be used. Connecting takes one call, so that nothing is ever half connected."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    FAILED = "FAILED"
    """The last attempt to connect was in vain."""


@dataclass(frozen=True, slots=True)
class CustomStore:
    """A custom key store as `DescribeCustomKeyStores` tells it."""

    id: str
    """`cks-` and 17 hex digits."""
    account: str
    region: str
    name: str
    endpoint: str
    path: str
    access_key_id: str
    secret_id: str
    """The secret of the credential at the proxy: a row of the keys room."""
    created_at: datetime
    state: StoreState = StoreState.DISCONNECTED
    error: str | None = None
    """Why it could not be connected, in the words of KMS (`XKS_PROXY_TIMED_OUT`, …)."""

    @property
    def uri(self) -> str:
        """Endpoint and path; hosts are the same in upper and lower case."""
        return self.endpoint.lower() + self.path

    @property
    def connection(self) -> tuple[str, str, str, str]:
        """What a check of the connection was about."""
        return self.endpoint, self.path, self.access_key_id, self.secret_id
