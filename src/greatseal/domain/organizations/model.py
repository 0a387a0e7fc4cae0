"""What an organization is made of: a root, units below it, accounts in them, policies on all of these (iam.md 10)."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from greatseal.kernel.arn import Arn
from greatseal.kernel.entropy import Entropy

MAX_UNIT_DEPTH = 5
"""Units below each other under the root."""
MAX_ATTACHED = 5
"""Service control policies on one target."""
INVITATION_LIFE = timedelta(days=15)
HANDSHAKE_MEMORY = timedelta(days=30)
"""How long a handshake is shown after it came to its end."""


class FeatureSet(Enum):
    """What the organization is for; service control needs all features."""

    ALL = "ALL"
    CONSOLIDATED_BILLING = "CONSOLIDATED_BILLING"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization with its one root."""

    id: str
    management_account: str
    feature_set: FeatureSet
    root_id: str
    service_control: bool
    """Whether service control policies are enabled in the root."""

    def arn(self, partition: str, thing_id: str = "") -> str:
        """The ARN of something in it, or its own: all belong to the management account."""
        return arn_of(partition, self.management_account, self.id, thing_id)


_ARN_WORDS = (
    ("r-", "root/"),
    ("ou-", "ou/"),
    ("p-", "policy/service_control_policy/"),
    ("h-", "handshake/invite/"),
    ("", "account/"),
)


def arn_of(partition: str, account: str, organization_id: str, thing_id: str = "") -> str:
    """The ARN of a root, unit, account, policy or handshake, by its id; without one that of the organization."""
    if not thing_id:
        return str(Arn(partition, "organizations", "", account, f"organization/{organization_id}"))
    if thing_id == FULL_ACCESS.id:
        return str(Arn(partition, "organizations", "", "aws", f"policy/service_control_policy/{thing_id}"))
    kind, _, middle = next(words for prefix, words in _ARN_WORDS if thing_id.startswith(prefix)).partition("/")
    return str(Arn(partition, "organizations", "", account, f"{kind}/{organization_id}/{middle}{thing_id}"))


class JoinedMethod(Enum):
    """How an account came into the organization."""

    CREATED = "CREATED"
    INVITED = "INVITED"


@dataclass(frozen=True, slots=True)
class Member:
    """An account's place in an organization."""

    account: str
    organization_id: str
    parent_id: str
    joined: JoinedMethod
    joined_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as listings show it; `path` leads from the organization to the account."""

    member: Member
    name: str
    email: str
    path: str


@dataclass(frozen=True, slots=True)
class Unit:
    """An organizational unit."""

    id: str
    organization_id: str
    parent_id: str
    name: str


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A unit as listings show it; `path` leads from the organization to the unit."""

    unit: Unit
    path: str


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """A service control policy."""

    id: str
    name: str
    description: str
    content: str
    aws_managed: bool = False


FULL_ACCESS = ControlPolicy(
    id="p-FullAWSAccess",
    name="FullAWSAccess",
    description="Allows access to every operation",
    content='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    aws_managed=True,
)
"""AWS's own; it is attached everywhere when service control is enabled, and may be detached like any other."""


class TargetKind(Enum):
    """What a policy can be attached to."""

    ROOT = "ROOT"
    ORGANIZATIONAL_UNIT = "ORGANIZATIONAL_UNIT"
    ACCOUNT = "ACCOUNT"


@dataclass(frozen=True, slots=True)
class Target:
    """A root, a unit or an account, with the name that people gave it."""

    id: str
    name: str

    @property
    def kind(self) -> TargetKind:
        """What it is."""
        return kind_of(self.id)


def kind_of(target_id: str) -> TargetKind:
    """What an id names, by its form."""
    if target_id.startswith("r-"):
        return TargetKind.ROOT
    return TargetKind.ORGANIZATIONAL_UNIT if target_id.startswith("ou-") else TargetKind.ACCOUNT


class CreationState(Enum):
    """How far the making of an account is."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Creation:
    """A request for a new account, and what became of it."""

    id: str
    account_name: str
    state: CreationState
    requested_at: datetime
    completed_at: datetime | None = None
    account: str | None = None
    failure: str | None = None


class HandshakeState(Enum):
    """Where an invitation stands."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Handshake:
    """An invitation of an account into an organization."""

    id: str
    organization: Organization
    account: str
    by_email: str | None
    """The address that was invited, when it was not the account id."""
    notes: str | None
    tags: tuple[tuple[str, str], ...]
    """Tags for the account once it is a member."""
    requested_at: datetime
    expires_at: datetime
    decided: HandshakeState | None = None

    def state(self, now: datetime) -> HandshakeState:
        """The decision; without one it is open until it expires."""
        if self.decided is not None:
            return self.decided
        return HandshakeState.OPEN if now < self.expires_at else HandshakeState.EXPIRED


@dataclass(frozen=True, slots=True)
class Invitation:
    """A handshake as its parties see it."""

    handshake: Handshake
    state: HandshakeState
    inviter_name: str
    inviter_email: str


_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


def is_service(principal: str) -> bool:
    """Whether this can be the name of a service, for instance `ram.amazonaws.com`."""
    return _SERVICE.fullmatch(principal) is not None


def new_id(entropy: Entropy, prefix: str, length: int) -> str:
    """The prefix and `length` lower-case letters and digits: `o-` 10, `r-` 4, `ou-<root>-` 8, `p-` 8 (iam.md 10)."""
    return prefix + base64.b32encode(entropy.token_bytes(length)).decode("ascii").lower()[:length]


def path_of(organization_id: str, lineage: Sequence[str]) -> str:
    """`o-…/r-…/ou-…/`: a place in the tree, as `aws:PrincipalOrgPaths` has it."""
    return "/".join((organization_id, *lineage, ""))
