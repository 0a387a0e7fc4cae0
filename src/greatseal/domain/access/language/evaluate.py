"""Whether a request is allowed: all policies that have a say, in the order of iam.md section 2."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from greatseal.domain.access.language.compile import NOTHING, CompiledPolicy, Decision, Request
from greatseal.domain.access.language.document import Effect, PolicyKind, Reach
from greatseal.domain.access.language.principal import Principal, PrincipalKind

Policies = tuple[CompiledPolicy, ...]


class DecidedBy(Enum):
    """What settled a request; the values are the words of refusals (iam.md 6)."""

    SCP = "service control policy"
    RCP = "resource control policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    VPC_ENDPOINT = "VPC endpoint policy"
    GRANT = "grant"
    """A grant on a KMS key; only in verdicts that allow."""
    ROOT = "root user"
    """The right of an account's root user, which no policy writes down; only in verdicts that allow."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The policies around a request.

    `resource_account` is the owner of the resource; empty for a resource without one (`*`), which counts as
    the caller's. Federated users and sessions bring the identity policies of the user or role behind them.
    """

    principal: Principal
    resource_account: str = ""
    identity: Policies = ()
    """Inline and managed policies of the user and its groups, or of the role."""
    boundary: CompiledPolicy | None = None
    session: Policies | None = None
    """Policies passed when the session was made, as a union; None when none was."""
    resource: CompiledPolicy | None = None
    authoritative: bool = False
    """The resource's policy alone decides who may be let in, also in its own account: KMS keys (kms.md 15).

    A trust policy always does.
    """
    grants: CompiledPolicy | None = None
    """The grants on the resource that name the caller, as statements that allow and need no other (kms.md 14)."""
    scp_levels: tuple[Policies, ...] = ()
    """From the root of the organization down to the account of the *principal*; empty without service control."""
    management_account: bool = False
    """The principal belongs to the management account, which service control policies never touch."""

    def policies(self) -> Iterator[CompiledPolicy]:
        """All policies that have a say."""
        yield from self.identity
        yield from self.session or ()
        for level in self.scp_levels:
            yield from level
        yield from (each for each in (self.boundary, self.resource, self.grants) if each is not None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and what gave it. `explicit` says that a statement did: `policy`, `statement` and `sid` name it."""

    allowed: bool
    kind: DecidedBy
    explicit: bool = False
    policy: str = ""
    statement: int | None = None
    sid: str | None = None


@dataclass(slots=True)
class _Said:
    """What a union of policies of one kind says: the first denial, else the first permission."""

    kind: DecidedBy
    deny: tuple[CompiledPolicy, Decision] | None = None
    allow: tuple[CompiledPolicy, Decision] | None = None

    def refusal(self) -> Verdict | None:
        """The verdict of the statement that denies, if one does."""
        return None if self.deny is None else _verdict(False, self.kind, *self.deny)


def _said(kind: DecidedBy, policies: Policies, request: Request) -> _Said:
    said = _Said(kind)
    for policy in policies:
        decision = policy.decide(request)
        if decision.effect is Effect.DENY:
            said.deny = policy, decision
            break
        if decision.effect is Effect.ALLOW and said.allow is None:
            said.allow = policy, decision
    return said


def _verdict(allowed: bool, kind: DecidedBy, policy: CompiledPolicy, decision: Decision) -> Verdict:
    return Verdict(allowed, kind, True, policy.name, decision.index, decision.sid)


def evaluate(circumstances: Circumstances, request: Request) -> Verdict:
    """The verdict on a request (iam.md 2).

    When several kinds of policies refuse, one is reported: explicit denials before silence, and among them
    service control, resource, identity, boundary, session (iam.md 6). Raises ValueError when the request is
    another principal's than the circumstances.
    """
    caller = circumstances.principal
    # Nearly always the same object, and comparing two frozen values costs as much as a small policy.
    if request.principal is not caller and request.principal != caller:
        raise ValueError("the request and the circumstances are about different principals")
    return _Evaluation(circumstances, request).verdict()


class _Evaluation:
    """One request among its policies."""

    def __init__(self, at: Circumstances, request: Request) -> None:
        caller = at.principal
        carries = caller.kind in _CARRIERS
        exempt = at.management_account or caller.service_linked or not caller.account
        is_trust = at.resource is not None and at.resource.kind is PolicyKind.TRUST
        self._at = at
        self._caller = caller
        self._authoritative = at.authoritative or is_trust
        self._resource_kind = DecidedBy.TRUST if is_trust else DecidedBy.RESOURCE
        self._resource = NOTHING if at.resource is None else at.resource.decide(request)
        self._granted = NOTHING if at.grants is None else at.grants.decide(request)
        self._scps = [] if exempt else [_said(DecidedBy.SCP, level, request) for level in at.scp_levels]
        self._identity = _said(DecidedBy.IDENTITY, at.identity if carries else (), request)
        self._boundary = _said(DecidedBy.BOUNDARY, (at.boundary,) if at.boundary and carries else (), request)
        self._session = _said(DecidedBy.SESSION, at.session if at.session and carries else (), request)

    def verdict(self) -> Verdict:
        return self._explicit_denial() or self._silence_of_scps() or self._grant()

    def _explicit_denial(self) -> Verdict | None:
        """Step 1: one matching Deny anywhere."""
        for level in self._scps:
            if level.deny:
                return level.refusal()
        if self._resource.effect is Effect.DENY:
            return self._of_resource()
        return self._identity.refusal() or self._boundary.refusal() or self._session.refusal()

    def _of_resource(self) -> Verdict:
        assert self._at.resource is not None
        allowed = self._resource.effect is Effect.ALLOW
        return _verdict(allowed, self._resource_kind, self._at.resource, self._resource)

    def _silence_of_scps(self) -> Verdict | None:
        """Step 2: at every level one policy must allow."""
        return None if all(level.allow for level in self._scps) else Verdict(False, DecidedBy.SCP)

    def _grant(self) -> Verdict:
        """Steps 3 to 7. Neither denied nor cut off by the organization: who lets the caller in?"""
        reach = self._resource.reach
        if not self._caller.account:
            return self._of_resource() if reach else self._silence_of_resource()
        if self._granted.reach:
            return self._of_grant()
        if self._at.resource_account not in ("", self._caller.account):
            # Both accounts must agree; a closer name in the resource's policy does not replace the caller's side.
            return self._own_side() if reach else self._silence_of_resource()
        if reach is Reach.DIRECT:
            return self._of_resource()
        if reach is Reach.ROLE:
            return self._limits() or self._of_resource()
        if self._authoritative and not reach:
            return self._silence_of_resource()
        return self._own_side()

    def _of_grant(self) -> Verdict:
        """Also for callers of other accounts, and whatever the key's policy and the caller's own say."""
        assert self._at.grants is not None
        if self._granted.reach is Reach.ACCOUNT:
            return self._own_side()
        limits = self._limits() if self._granted.reach is Reach.ROLE else None
        return limits or _verdict(True, DecidedBy.GRANT, self._at.grants, self._granted)

    def _silence_of_resource(self) -> Verdict:
        return Verdict(False, self._resource_kind)

    def _own_side(self) -> Verdict:
        """The caller's own account: identity policies within boundary and session."""
        if self._caller.kind is PrincipalKind.ROOT:
            return Verdict(True, DecidedBy.ROOT)
        if self._identity.allow is None:
            return Verdict(False, DecidedBy.IDENTITY)
        return self._limits() or _verdict(True, DecidedBy.IDENTITY, *self._identity.allow)

    def _limits(self) -> Verdict | None:
        """Steps 5 and 6: what boundary and session policies do not allow."""
        if self._at.boundary is not None and self._boundary.allow is None:
            return Verdict(False, DecidedBy.BOUNDARY)
        # A federated user has nothing but what its session policy passes on; a role's session has the role.
        needs = self._at.session is not None or self._caller.kind is PrincipalKind.FEDERATED_USER
        return Verdict(False, DecidedBy.SESSION) if needs and self._session.allow is None else None


_CARRIERS = frozenset({PrincipalKind.USER, PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER})
"""Principals that carry policies: identity, boundary and session policies of others are not read."""
