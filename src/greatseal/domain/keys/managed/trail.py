"""Acts with keys in the audit trail: a call across accounts is told in both (kms.md 18)."""

from msgspec import structs

from greatseal.domain.audit import Audit
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.storage import Tx


def record_use(audit: Audit, caller: Caller, *key_arns: str) -> None:
    """Records that keys worked for the caller; before the answer is given. Raises AuditFailed."""
    own = f":{caller.account}:"
    strange = [arn for arn in key_arns if own not in arn]
    for owner in dict.fromkeys(Arn.parse(arn).account for arn in strange):
        theirs = [arn for arn in strange if Arn.parse(arn).account == owner]
        audit.record_call(structs.replace(caller, account=owner), *theirs, read_only=True)
    audit.record_call(caller, *key_arns, read_only=True)


def record_lending(audit: Audit, tx: Tx, caller: Caller, key_arn: str, grant_id: str) -> None:
    """Records that a grant was given or ended, in the transaction that does it."""
    response = {"grant_id": grant_id, "key_id": key_arn}
    owner = Arn.parse(key_arn).account
    if owner != caller.account:
        audit.record(tx, structs.replace(caller, account=owner), key_arn, response=response)
    audit.record(tx, caller, key_arn, response=response)
