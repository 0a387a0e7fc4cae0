"""The job that gets a certificate for a pending key, for requests and renewals alike."""

from datetime import datetime

from greatseal.domain.certificates.model import ManagedCertificate
from greatseal.kernel.caller import Caller
from greatseal.storage import Tx, queue

ISSUE_JOB = "certificate-issue"


def enqueue(tx: Tx, caller: Caller, item: ManagedCertificate, *, permitted: bool, due: datetime) -> None:
    """Writes the job. `permitted`: whether the caller's own rights allow the first issuance (issuing.py)."""
    # The generation is part of the key: were it not, a renewal requested while the earlier job is
    # about to finish would be mistaken for it.
    queue.enqueue(
        tx,
        kind=ISSUE_JOB,
        key=f"{item.id}/{item.generation}",
        payload={
            "certificate_id": item.id,
            "generation": item.generation,
            "principal_arn": caller.principal_arn,
            "request_id": caller.request_id,
            "permitted": permitted,
        },
        due=due,
    )
