"""Who asks: the frozen value that every verb takes first."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from greatseal.kernel.arn import Arn, partition_of


@dataclass(frozen=True, slots=True)
class Session:
    """What temporary credentials say about themselves (iam.md 9). It travels, sealed, in the session token."""

    issuer_arn: str
    """The role (with its path) or the user that the session was made from; the root principal's ARN for a root."""
    issuer_id: str
    """AROA… or AIDA… of the issuer; the account id for a root."""
    issued_at: datetime
    expires_at: datetime
    policies: tuple[str, ...] = ()
    """Session policies, as documents. Together with `policy_arns` they limit the session when there are any."""
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    provider: str = ""
    """The identity provider whose token was exchanged; `aws:FederatedProvider`."""
    keys: tuple[tuple[str, str], ...] = ()
    """Further condition keys, for instance those of a web identity's token."""


class Caller(Struct, frozen=True):
    """An authenticated principal and the request it sent. The account and the region name every resource it makes.

    A Struct, because two are made for each request, and a frozen dataclass of so many fields takes ten times as long.
    `msgspec.structs.replace` makes a changed copy.
    """

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
    request_parameters: str = "{}"
    """The request as the audit trail keeps it: JSON in CloudTrail's spelling, secrets already hidden."""

    principal_id: str = ""
    """`aws:userid`: the account id of a root, AIDA… of a user, `AROA…:session` of a role's session (iam.md 5)."""
    session: Session | None = None
    """Set for temporary credentials."""
    secure: bool = True
    """Whether the request came over TLS."""
    called_via: tuple[str, ...] = ()
    """The services that act for the principal, in the order in which they called each other."""

    @property
    def partition(self) -> str:
        """The partition of the caller's region."""
        return partition_of(self.region)

    def arn(self, service: str, resource: str) -> Arn:
        """The ARN of one of the caller's own resources in the caller's region."""
        return Arn(self.partition, service, self.region, self.account, resource)
