"""The verbs of the audit room."""

from collections.abc import Sequence

from greatseal.domain.audit import store
from greatseal.domain.audit.model import AuditRecord
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_ordered_id
from greatseal.storage import Tx


class Audit:
    """Writes the trail and reads it back."""

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy

    def record(self, tx: Tx, caller: Caller, *resources: str, **detail: str) -> None:
        """Records what `caller` does to `resources` (ARNs), in the transaction that does it."""
        at = self._clock.now()
        store.append(
            tx,
            AuditRecord(
                id=new_ordered_id(self._entropy, at),
                at=at,
                account=caller.account,
                region=caller.region,
                principal_arn=caller.principal_arn,
                access_key_id=caller.access_key_id,
                operation=caller.operation,
                request_id=caller.request_id,
                resources=resources,
                source_ip=caller.source_ip,
                user_agent=caller.user_agent,
                service_principal=caller.service_principal,
                request_parameters=caller.request_parameters,
                detail=detail,
            ),
        )

    def recent(self, tx: Tx, account: str, limit: int) -> Sequence[AuditRecord]:
        """The newest records of an account, newest first."""
        return store.recent(tx, account, limit)
