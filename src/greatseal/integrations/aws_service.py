"""Calls to a service that speaks the wire of AWS, for commands that work with CAs and keys as any client does.

The service is an installation of Greatseal, or AWS itself: whatever the caller's address and credential lead to.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from greatseal.kernel.secret import Secret

MOST_CALLS = 16
"""Calls that one AwsService has under way at once; more wait for a connection."""
_ATTEMPTS = 5


class CallFailed(Exception):
    """The service refused a call or did not answer. `code` is its word for it, empty when there was no answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ServicePoint:
    """Where a service is and who we are there. `ca_bundle` is the file of its root."""

    endpoint: str
    region: str
    ca_bundle: str
    access_key_id: str
    secret_access_key: Secret


class AwsService:
    """Clients of one service point; None takes everything from the environment and profile, as the AWS CLI does.

    Threads may share it.
    """

    def __init__(self, point: ServicePoint | None) -> None:
        self._point = point
        self._lock = threading.Lock()
        self._session = Session()
        self._clients: dict[str, Any] = {}
        if point is not None:
            self._session.set_credentials(point.access_key_id, point.secret_access_key.reveal().decode())

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """One call, by the names of boto3: `call("kms", "sign", KeyId=…)`. Raises CallFailed."""
        try:
            answer: Mapping[str, Any] = getattr(self._client(service), operation)(**parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code", "unknown"))
            raise CallFailed(code, f"{code}: {told.get('Message', '')}".rstrip(": ")) from error
        except (BotoCoreError, OSError, ValueError) as error:
            raise CallFailed("", str(error)) from error
        return answer

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:
        config = Config(max_pool_connections=MOST_CALLS, retries={"mode": "standard", "max_attempts": _ATTEMPTS})
        if self._point is None:
            return self._session.create_client(service, config=config)
        return self._session.create_client(
            service,
            region_name=self._point.region,
            endpoint_url=self._point.endpoint,
            verify=self._point.ca_bundle,
            config=config,
        )
