"""Keys behind the KMS of an installation, reached as every AWS client reaches it: what signs files for people.

Endpoint, region and credential are the AWS environment's unless they are given.
"""

from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.message_signature import MessageType
from greatseal.domain.signing.keys import kms_algorithm, message_for
from greatseal.domain.signing.ports import KeyFailed
from greatseal.kernel.secret import Secret
from greatseal.x509 import public_keys

_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class KmsEndpoint:
    """Where KMS is, and who asks."""

    url: str
    region: str
    ca_bundle: str
    access_key_id: str
    secret_access_key: Secret


def connect(endpoint: KmsEndpoint | None) -> Any:
    """A KMS client; without an endpoint, that of the AWS environment. Raises KeyFailed."""
    session = Session()
    config = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=_CONNECTIONS)
    try:
        if endpoint is None:
            return session.create_client("kms", config=config)
        session.set_credentials(endpoint.access_key_id, endpoint.secret_access_key.reveal().decode())
        return session.create_client(
            "kms", region_name=endpoint.region, endpoint_url=endpoint.url, verify=endpoint.ca_bundle, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise KeyFailed(f"KMS cannot be asked: {error}") from None


class KmsKey:
    """A key pair of KMS that signs. Threads may share it."""

    def __init__(self, client: Any, key_id: str) -> None:
        """Asks for the public key. Raises KeyFailed, also for a key that does not sign."""
        self._client = client
        found = _call(client.get_public_key, KeyId=key_id)
        self.name: str = found["KeyId"]
        self.spki: bytes = found["PublicKey"]
        if found["KeyUsage"] != "SIGN_VERIFY" or found["KeySpec"] not in KeySpec.__members__:
            raise KeyFailed(f"the key {self.name} is of spec {found['KeySpec']} for {found['KeyUsage']}: not to sign")
        self.spec = KeySpec[found["KeySpec"]]

    def sign(self, data: bytes, identifier: bytes) -> bytes:
        """The signature over `data` by the algorithm of this AlgorithmIdentifier (DER). Raises KeyFailed.

        It came over a network, so that it is verified before anybody sees it.
        """
        algorithm = kms_algorithm(identifier)
        message, kind = message_for(self.spec, self.spki, algorithm, data)
        # RAW is the default; the source posts leave it out (workflows.md 7).
        more = {} if kind is MessageType.RAW else {"MessageType": kind.value}
        found = _call(self._client.sign, KeyId=self.name, Message=message, SigningAlgorithm=algorithm, **more)
        signature: bytes = found["Signature"]
        if not public_keys.verify(self.spki, identifier, signature, data):
            raise KeyFailed(f"what came back is not a signature by the key {self.name}")
        return signature


def _call(operation: Any, **parameters: Any) -> Any:
    try:
        return operation(**parameters)
    except ClientError as error:
        said = error.response.get("Error", {})
        raise KeyFailed(f"KMS refused: {said.get('Code', 'unknown')}: {said.get('Message', '')}".rstrip(": ")) from None
    except (BotoCoreError, OSError) as error:
        raise KeyFailed(f"KMS does not answer: {error}") from None
