"""Who asks: the frozen value that every verb takes first."""

from dataclasses import dataclass, field
from datetime import datetime

from greatseal.kernel.arn import Arn, partition_of


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated principal and the request it sent. The account and the region name every resource it makes."""

    account: str
    region: str
    principal_arn: str
    access_key_id: str
    request_id: str
    operation: str
    """`service:Operation` as IAM writes it, for instance `acm-pca:IssueCertificate`."""
    at: datetime
    source_ip: str = ""
    user_agent: str = ""
    service_principal: str | None = None
    """Set when a Greatseal service acts for the principal, for instance `acm.amazonaws.com`."""
    request_parameters: str = field(default="{}", repr=False)
    """The request as the audit trail keeps it: JSON in CloudTrail's spelling, secrets already hidden."""

    @property
    def partition(self) -> str:
        """The partition of the caller's region."""
        return partition_of(self.region)

    def arn(self, service: str, resource: str) -> Arn:
        """The ARN of one of the caller's own resources in the caller's region."""
        return Arn(self.partition, service, self.region, self.account, resource)
