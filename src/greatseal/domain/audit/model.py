"""What one line of the audit trail says."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act. The names follow CloudTrail, where it has one (acm-pca.md 13.2, acm.md 12)."""

    id: str
    at: datetime
    account: str
    region: str
    principal_arn: str
    access_key_id: str
    operation: str
    request_id: str
    resources: tuple[str, ...]
    source_ip: str
    user_agent: str
    service_principal: str | None
    request_parameters: str
    """JSON in CloudTrail's spelling; secrets are hidden before it gets here."""
    detail: dict[str, str] = field(default_factory=dict)
    """Facts that the request does not tell, for instance the serial number that was signed."""
