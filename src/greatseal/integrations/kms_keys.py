"""Keys behind the KMS of an installation, reached as every AWS client reaches it: what signs files for people."""

from collections.abc import Mapping
from typing import Any

from greatseal.crypto.key_specs import KeySpec
from greatseal.crypto.message_signature import MessageType
from greatseal.domain.signing.keys import kms_algorithm, message_for
from greatseal.domain.signing.ports import KeyFailed
from greatseal.integrations.aws_service import AwsService, CallFailed


class KmsKey:
    """A key pair of KMS that signs. Threads may share it."""

    def __init__(self, service: AwsService, key_id: str) -> None:
        """Asks for the public key. Raises KeyFailed, also for a key that does not sign."""
        self._service = service
        found = self._call("get_public_key", KeyId=key_id)
        self.name: str = found["KeyId"]
        self.spki: bytes = found["PublicKey"]
        if found["KeyUsage"] != "SIGN_VERIFY" or found["KeySpec"] not in KeySpec.__members__:
            raise KeyFailed(f"the key {self.name} is of spec {found['KeySpec']} for {found['KeyUsage']}: not to sign")
        self.spec = KeySpec[found["KeySpec"]]

    def sign(self, data: bytes, identifier: bytes) -> bytes:
        """The signature over `data` by the algorithm of this AlgorithmIdentifier (DER). Raises KeyFailed."""
        algorithm = kms_algorithm(identifier)
        message, kind = message_for(self.spec, self.spki, algorithm, data)
        # RAW is the default; the source posts leave it out (workflows.md 7).
        more = {} if kind is MessageType.RAW else {"MessageType": kind.value}
        found = self._call("sign", KeyId=self.name, Message=message, SigningAlgorithm=algorithm, **more)
        signature: bytes = found["Signature"]
        return signature

    def _call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            return self._service.call("kms", operation, **parameters)
        except CallFailed as error:
            how = "refused" if error.code else "cannot be asked"
            raise KeyFailed(f"KMS {how}: {error}") from None
