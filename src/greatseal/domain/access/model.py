"""Principals and their credentials, and the questions that operations ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greatseal.kernel.arn import Arn, partition_of
from greatseal.kernel.caller import Caller, Session
from greatseal.kernel.secret import Secret


class IdentityKind(Enum):
    """What carries policies; the value is the word in its ARN."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, a group or a role."""

    id: str
    """AIDA…, AGPA… or AROA…: 21 characters that never come back (iam.md 8)."""
    account: str
    kind: IdentityKind
    name: str
    path: str
    created_at: datetime
    boundary_arn: str | None = None
    trust_policy: str | None = None
    """Of roles, with users and roles named by their ids."""
    description: str | None = None
    max_session_seconds: int | None = None
    service_linked: bool = False

    def arn(self, partition: str = "aws") -> str:
        """`arn:aws:iam::ACCOUNT:KIND/PATH/NAME`."""
        return str(Arn(partition, "iam", "", self.account, f"{self.kind.value}{self.path}{self.name}"))


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the installation."""

    id: str
    name: str
    email: str
    created_at: datetime
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key, long-term or temporary, and the principal that it stands for."""

    access_key_id: str
    secret: Secret
    account: str
    principal_arn: str
    principal_id: str
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """May this caller do `action` to `resource`? `context` holds the condition keys with defaults filled in."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    deferred: Mapping[str, Callable[[], str | tuple[str, ...]]] = field(default_factory=dict)
    """Condition keys that cost a query, which is made when a policy speaks of them."""
    owner: str = ""
    """The account that owns the resource, where its ARN does not tell, as those of buckets do not."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's place in an organization, as conditions and service control see it."""

    organization_id: str
    path: str
    """`o-…/r-…/ou-…/`: `aws:PrincipalOrgPaths`."""
    management_account: bool
    service_control: tuple[tuple[tuple[str, str], ...], ...] = ()
    """(name, document) of the service control policies, from the root down to the account; empty when not enabled."""


def root_arn(account: str, region: str) -> str:
    """The ARN of an account's root principal."""
    return str(Arn(partition_of(region), "iam", "", account, "root"))


def is_root(caller: Caller) -> bool:
    """Whether the caller is the root principal of its account."""
    return caller.principal_arn.endswith(f":iam::{caller.account}:root")


def owner_of(resource: str) -> str:
    """The account in a resource's ARN; empty for `*`, for resources without an account and for everybody's policies."""
    try:
        account = Arn.parse(resource).account
    except ValueError:
        return ""
    # arn:aws:iam::aws:policy/…: whoever reads it needs nobody's permission but its own account's.
    return "" if account == "aws" else account
