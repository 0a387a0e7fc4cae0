"""A policy document as frozen values: what the grammar makes and what the compiler reads (iam.md 3)."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class PolicyKind(Enum):
    """Where a policy is attached; the value is how sentences of refusal speak of it (iam.md 6)."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    KEY = "key policy"
    """That of a KMS key: a resource-based policy whose statements may lack actions or resources (kms.md 10)."""
    TRUST = "role trust policy"
    SCP = "service control policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


NAMES_PRINCIPALS = frozenset({PolicyKind.RESOURCE, PolicyKind.KEY, PolicyKind.TRUST})
"""Kinds whose statements say whom they speak of; all others speak of whoever carries them."""

CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"


class Effect(Enum):
    """What a statement does to a request that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


class Quantifier(Enum):
    """The prefix that spreads an operator over the values of a multivalued key."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


class Reach(IntEnum):
    """How closely a statement names the caller; a closer name grants more (iam.md 2, step 3)."""

    NONE = 0
    ACCOUNT = 1
    """Only the caller's account: the account's own policies decide who of it may."""
    ROLE = 2
    """The role behind a session: boundary and session policy still limit."""
    DIRECT = 3
    """The user, the session, the federated user, the service, or everybody."""


@dataclass(frozen=True, slots=True)
class Principals:
    """The names of a `Principal` or `NotPrincipal` element, sorted by how they are compared."""

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    """Account ids; a root ARN is written as its account id, which means the same."""
    names: frozenset[str] = frozenset()
    """ARNs of users, roles, sessions and federated users, and unique ids (AIDA…, AROA…)."""
    services: frozenset[str] = frozenset()
    """Service principals, or `*`."""
    federated: frozenset[str] = frozenset()
    """Identity providers, or `*`."""
    canonical_users: frozenset[str] = frozenset()
    """Kept for completeness: no caller of ours has one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of one operator: `quantifier:operatorIfExists {key: values}`."""

    operator: str
    quantifier: Quantifier | None
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `not_…` says that the element was written in its negated form."""

    index: int
    sid: str | None
    effect: Effect
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    """Empty only in trust policies, which speak of the role that carries them."""
    not_resources: bool
    principals: Principals | None
    """None in the kinds that speak of whoever carries them."""
    not_principals: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed document of one kind."""

    kind: PolicyKind
    version: str
    statements: tuple[Statement, ...]
    id: str | None = None

    @property
    def has_variables(self) -> bool:
        """Whether `${…}` is more than text: only in the current version (iam.md 3)."""
        return self.version == CURRENT_VERSION


class MalformedPolicy(ValueError):
    """A document outside the grammar; `place` says where (`Statement[1].Condition.StringLik`), `reason` why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class PolicyTooLarge(MalformedPolicy):
    """A document over the size of its kind; some doors have their own error for it."""
