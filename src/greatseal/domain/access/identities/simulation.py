"""What would policies say? Simulations weigh real policies with the real evaluation, and change nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import product

from greatseal.domain.access.identities.registrar import After, Registrar, partition
from greatseal.domain.access.identities.sources import (
    Category,
    Exclusion,
    Source,
    boundary_of,
    carried_by,
    given,
    service_control,
)
from greatseal.domain.access.language import (
    AmbiguousContext,
    Circumstances,
    Context,
    Effect,
    PolicyKind,
    Principal,
    Request,
    evaluate,
)
from greatseal.domain.access.language.context import Value
from greatseal.domain.access.model import Identity, IdentityKind, owner_of
from greatseal.domain.access.service import Access
from greatseal.domain.access.store import reading
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidRequest, NotFound
from greatseal.kernel.pages import Page
from greatseal.storage import Tx

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_VARIABLE = re.compile(r"\$\{\s*([^\s{},'*?$]+)")
_NOBODY = "simulation"


class Decision(Enum):
    """How a simulated request ends."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked, and what of the world is replaced or added."""

    actions: Sequence[str]
    resources: Sequence[str] = ("*",)
    policies: Sequence[str] = ()
    boundaries: Sequence[str] = ()
    service_control: Sequence[Sequence[str]] = ()
    resource_policy: str | None = None
    resource_owner: str | None = None
    caller_arn: str | None = None
    context: Mapping[str, Value] = field(default_factory=dict)
    exclusions: Sequence[Exclusion] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One action on one resource."""

    action: str
    resource: str
    decision: Decision
    matched: tuple[tuple[Source, int], ...]
    """The statements that decided, each with its number in its policy."""
    missing: tuple[str, ...]
    """Condition keys that the policies name and nobody gave."""
    organizations: bool | None = None
    """Whether service control policies let it through; None without them."""
    boundary: bool | None = None


@dataclass(frozen=True, slots=True)
class _Stage:
    """All that is the same for every action and resource of a scenario."""

    principal: Principal
    account: str
    identity: Sequence[Source]
    boundary: Sequence[Source]
    resource: Sequence[Source]
    levels: Sequence[Sequence[Source]]
    management_account: bool = False

    def all(self) -> list[Source]:
        return [*self.identity, *self.boundary, *self.resource, *(each for level in self.levels for each in level)]


class Simulation:
    """Simulates requests of identities and of policies that nobody carries."""

    def __init__(self, registrar: Registrar, access: Access) -> None:
        self._registrar = registrar
        self._access = access

    def of_policies(self, caller: Caller, scenario: Scenario, limit: int, marker: str | None) -> Page[Result]:
        """Only what is given counts. Raises InvalidPolicy, InvalidRequest."""
        if scenario.resource_policy is not None and scenario.caller_arn is None:
            raise InvalidRequest("CallerArn is required when a ResourcePolicy is given.")
        principal = _principal(caller, scenario.caller_arn, None)
        levels = [given(level, PolicyKind.SCP, "ServiceControlPolicyInputList") for level in scenario.service_control]
        stage = _Stage(
            principal,
            principal.account,
            given(scenario.policies, PolicyKind.IDENTITY, "PolicyInputList"),
            _one_boundary(scenario),
            _resource_policy(scenario),
            levels,
        )
        return self._page(caller, scenario, stage, limit, marker)

    def of_principal(
        self, caller: Caller, source_arn: str, scenario: Scenario, limit: int, marker: str | None
    ) -> Page[Result]:
        """What an identity carries counts, and what is given. Raises NotFound, InvalidPolicy, InvalidRequest."""

        def load(tx: Tx) -> tuple[Identity, list[Source], list[Source]]:
            found = identity_at(tx, caller, source_arn)
            return found, carried_by(tx, found), boundary_of(tx, found)

        found, carried, boundary = self._registrar.storage.read(load)
        if scenario.resource_policy is not None and scenario.caller_arn is None and found.kind is not IdentityKind.USER:
            raise InvalidRequest("CallerArn is required when a ResourcePolicy is given and the source is not a user.")
        membership = self._access.membership(found.account)
        stage = _Stage(
            _principal(caller, scenario.caller_arn, found),
            found.account,
            _kept(scenario, [*carried, *given(scenario.policies, PolicyKind.IDENTITY, "PolicyInputList")]),
            _kept(scenario, _one_boundary(scenario) or boundary),
            _resource_policy(scenario),
            [_kept(scenario, level) for level in service_control(membership.service_control if membership else ())],
            management_account=bool(membership and membership.management_account),
        )
        if any(exclusion.category is Category.SERVICE_CONTROL for exclusion in scenario.exclusions):
            stage = _Stage(stage.principal, stage.account, stage.identity, stage.boundary, stage.resource, ())
        return self._page(caller, scenario, stage, limit, marker)

    def keys_of_policies(self, documents: Sequence[str]) -> Sequence[str]:
        """The condition keys and variables that policies name. Raises InvalidPolicy."""
        return _keys(given(documents, PolicyKind.IDENTITY, "PolicyInputList"))

    def keys_of_principal(self, caller: Caller, source_arn: str, documents: Sequence[str]) -> Sequence[str]:
        """As `keys_of_policies`, with the policies that an identity carries. Raises NotFound too."""
        carried = self._registrar.storage.read(lambda tx: carried_by(tx, identity_at(tx, caller, source_arn)))
        return _keys([*carried, *given(documents, PolicyKind.IDENTITY, "PolicyInputList")])

    def _page(self, caller: Caller, scenario: Scenario, stage: _Stage, limit: int, marker: str | None) -> Page[Result]:
        for action in scenario.actions:
            if not _ACTION.fullmatch(action):
                raise InvalidRequest(f"Invalid Action Name: {action}")
        try:
            context = Context(scenario.context)
        except AmbiguousContext as error:
            raise InvalidRequest(str(error)) from None
        asked = list(enumerate(product(scenario.actions, scenario.resources), 1))

        def fetch(_: Tx, after: After, count: int) -> list[tuple[int, Result]]:
            start = int(after[0]) if after else 0
            return [
                (number, _simulated(stage, action, resource, context, scenario))
                for number, (action, resource) in asked[start : start + count]
            ]

        listing = (caller.operation, repr(scenario))
        page = self._registrar.page(caller, listing, limit, marker, fetch, lambda item: (str(item[0]),))
        return Page(tuple(result for _, result in page.items), page.next_token)


def identity_at(tx: Tx, caller: Caller, arn: str) -> Identity:
    """The user, group or role of the caller's account with exactly this ARN. Raises NotFound, InvalidRequest."""
    try:
        parsed = Arn.parse(arn)
        kind = IdentityKind(parsed.resource.partition("/")[0])
    except ValueError:
        raise InvalidRequest(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.") from None
    name = parsed.resource.rpartition("/")[2]
    found = reading.identity_by_name(tx, caller.account, kind, name)
    if found is None or found.arn(partition(caller)) != arn:
        raise NotFound(f"The {kind.value} with name {name} cannot be found.")
    return found


def _principal(caller: Caller, caller_arn: str | None, found: Identity | None) -> Principal:
    here = f"arn:{partition(caller)}"
    if caller_arn is not None:
        if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:user/.+", caller_arn):
            raise InvalidRequest(f"CallerArn must be the ARN of an IAM user: {caller_arn}")
        return Principal.user(caller_arn)
    if found is None or found.kind is IdentityKind.GROUP:
        return Principal.user(f"{here}:iam::{caller.account}:user/{_NOBODY}")
    if found.kind is IdentityKind.USER:
        return Principal.user(found.arn(partition(caller)), found.id)
    session = f"{here}:sts::{found.account}:assumed-role/{found.name}/{_NOBODY}"
    role_arn = found.arn(partition(caller))
    return Principal.assumed_role(session, role_arn, found.id, service_linked=found.service_linked)


def _one_boundary(scenario: Scenario) -> list[Source]:
    if len(scenario.boundaries) > 1:
        raise InvalidRequest("PermissionsBoundaryPolicyInputList may contain only one policy.")
    return given(scenario.boundaries, PolicyKind.BOUNDARY, "PermissionsBoundaryPolicyInputList")


def _resource_policy(scenario: Scenario) -> list[Source]:
    documents = [] if scenario.resource_policy is None else [scenario.resource_policy]
    return given(documents, PolicyKind.RESOURCE, "ResourcePolicy")


def _kept(scenario: Scenario, sources: Sequence[Source]) -> list[Source]:
    return [each for each in sources if not any(exclusion.speaks_of(each) for exclusion in scenario.exclusions)]


def _simulated(stage: _Stage, action: str, resource: str, context: Context, scenario: Scenario) -> Result:
    request = Request(stage.principal, action, resource, context)
    owner = owner_of(resource) or (scenario.resource_owner or "") or stage.principal.account
    verdict = evaluate(
        Circumstances(
            principal=stage.principal,
            resource_account=owner,
            identity=tuple(each.policy for each in stage.identity),
            boundary=stage.boundary[0].policy if stage.boundary else None,
            resource=stage.resource[0].policy if stage.resource else None,
            authoritative=":kms:" in resource,
            scp_levels=tuple(tuple(each.policy for each in level) for level in stage.levels),
            management_account=stage.management_account,
        ),
        request,
    )
    decision = Decision.ALLOWED
    if not verdict.allowed:
        decision = Decision.EXPLICIT_DENY if verdict.explicit else Decision.IMPLICIT_DENY
    missing = tuple(key for key in _keys(stage.all()) if key not in context)
    return Result(
        action,
        resource,
        decision,
        _matched(stage, request, decision),
        missing,
        organizations=_allows_at_every_level(stage, request) if stage.levels else None,
        boundary=stage.boundary[0].policy.decide(request).effect is Effect.ALLOW if stage.boundary else None,
    )


def _matched(stage: _Stage, request: Request, decision: Decision) -> tuple[tuple[Source, int], ...]:
    """The statements that decided: those that deny, else those that allow; nothing decides by silence."""
    if decision is Decision.IMPLICIT_DENY:
        return ()
    allowed = decision is Decision.ALLOWED
    effect = Effect.ALLOW if allowed else Effect.DENY
    sources = [*stage.identity, *stage.resource] if allowed else stage.all()
    return tuple(
        (source, said.index or 0)
        for source in sources
        for said in source.policy.matching(request)
        if said.effect is effect
    )


def _allows_at_every_level(stage: _Stage, request: Request) -> bool:
    if stage.management_account or stage.principal.service_linked:
        return True
    said = [[each.policy.decide(request).effect for each in level] for level in stage.levels]
    return all(Effect.ALLOW in level and Effect.DENY not in level for level in said)


def _keys(sources: Sequence[Source]) -> list[str]:
    """Condition keys and variables as the policies write them, once each without regard to case."""
    found: dict[str, str] = {}
    for source in sources:
        policy = source.policy.policy
        for statement in policy.statements:
            for condition in statement.conditions:
                found.setdefault(condition.key.lower(), condition.key)
            if policy.has_variables:
                texts = [*statement.resources, *(value for each in statement.conditions for value in each.values)]
                for name in (name for text in texts for name in _VARIABLE.findall(text)):
                    found.setdefault(name.lower(), name)
    return sorted(found.values(), key=str.lower)
