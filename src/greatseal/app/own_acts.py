"""What the installation does for itself: the key that signs its trail, and the records of its own acts."""

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.domain.access.model import root_arn
from greatseal.domain.audit import Audit
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.keys.key_encryption import Recorder
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, installation

INSTALLATION_ACCOUNT = "000000000000"
"""An account of its own: what belongs to the installation is not in anybody's lists."""

_AUDIT_KEY = "audit-key"


def audit_signer(storage: Storage, keys: Keys) -> Signer:
    """The key that signs checkpoints; made when the first one is due."""
    stored = storage.read(lambda tx: installation.recall(tx, _AUDIT_KEY))
    if stored is None:
        new = keys.generate(KeyAlgorithm.EC_prime256v1, Purpose.AUDIT)

        def work(tx: Tx) -> bytes:
            decided = installation.remember(tx, _AUDIT_KEY, new.id.encode())
            if decided == new.id.encode():
                keys.add(tx, new, account=INSTALLATION_ACCOUNT, purpose=Purpose.AUDIT)
            return decided

        stored = storage.transact(work)
    return keys.signer(stored.decode())


def recorder(audit: Audit, *, clock: Clock, entropy: Entropy, region: str) -> Recorder:
    """Records what the installation does to its own keys."""

    def record(tx: Tx, operation: str, details: dict[str, str]) -> None:
        caller = Caller(
            account=INSTALLATION_ACCOUNT,
            region=region,
            principal_arn=root_arn(INSTALLATION_ACCOUNT, region),
            access_key_id="",
            request_id=new_uuid(entropy),
            operation=f"greatseal:{operation}",
            at=clock.now(),
            source_ip="greatseal",
            service_principal="greatseal",
        )
        audit.record(tx, caller, response=None, **details)

    return record
