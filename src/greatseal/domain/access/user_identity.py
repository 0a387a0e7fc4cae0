"""What the audit trail tells of a caller beyond its ARN: CloudTrail's `userIdentity` and `sessionContext`."""

import json
from functools import lru_cache

from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session


def members(caller: Caller) -> str:
    """JSON with the members of `userIdentity` that only the access room knows; `{}` when there are none."""
    if caller.session is None:
        return _of_principal(caller.principal_id)
    told: dict[str, object] = {"principalId": caller.principal_id} if caller.principal_id else {}
    told["sessionContext"] = _context(caller, caller.session)
    return json.dumps(told, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _of_principal(principal_id: str) -> str:
    return json.dumps({"principalId": principal_id} if principal_id else {}, separators=(",", ":"))


def _context(caller: Caller, session: Session) -> dict[str, object]:
    context: dict[str, object] = {
        "attributes": {
            "creationDate": session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "mfaAuthenticated": "false",
        }
    }
    if session.issuer_arn != caller.principal_arn:
        issuer = Arn.parse(session.issuer_arn)
        kind, _, path = issuer.resource.partition("/")
        context["sessionIssuer"] = {
            "type": {"role": "Role", "user": "IAMUser"}.get(kind, "Root"),
            "principalId": session.issuer_id,
            "arn": session.issuer_arn,
            "accountId": issuer.account,
            **({"userName": path.rpartition("/")[2]} if path else {}),
        }
    if session.provider:
        context["webIdFederationData"] = {"federatedProvider": session.provider, "attributes": {}}
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    return context
