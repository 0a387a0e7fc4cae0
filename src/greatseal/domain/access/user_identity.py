"""What the audit trail tells of a caller beyond its ARN: CloudTrail's `userIdentity` and `sessionContext`."""

import json

from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller, Session


def members(caller: Caller) -> str:
    """JSON with the members of `userIdentity` that only the access room knows; `{}` when there are none."""
    told: dict[str, object] = {}
    if caller.principal_id:
        told["principalId"] = caller.principal_id
    if caller.session is not None:
        told["sessionContext"] = _context(caller, caller.session)
    return json.dumps(told, separators=(",", ":"))


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
