"""A parsed policy compiled once into closures, and what it says to a request."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from greatseal.domain.access.language.conditions import Check, compile_condition
from greatseal.domain.access.language.context import Context, Value
from greatseal.domain.access.language.document import Effect, Policy, PolicyKind, Reach, Statement
from greatseal.domain.access.language.match import (
    PrincipalMatcher,
    ResourceMatcher,
    action_matcher,
    not_principal_matcher,
    principal_matcher,
    resource_matcher,
)
from greatseal.domain.access.language.principal import Principal
from greatseal.domain.access.language.variables import Template, resource_template
from greatseal.domain.access.language.wildcards import Matcher, tokens_of


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of policies: may `principal` do `action` (`service:Operation`) to `resource`?"""

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=Context)
    folded_action: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded_action", self.action.lower())


@dataclass(frozen=True, slots=True)
class Decision:
    """What one policy says: an effect with the statement that decided, or nothing (`effect` is None)."""

    effect: Effect | None
    index: int | None = None
    sid: str | None = None
    reach: Reach = Reach.NONE
    """How closely an allowing statement names the caller; DIRECT in policies without principals."""


NOTHING = Decision(None)

# The decisions of a statement by reach, so that none is made while a request waits; then its tests, cheapest first.
_Compiled = tuple[tuple[Decision, ...], Matcher, ResourceMatcher | None, PrincipalMatcher | None, tuple[Check, ...]]
# Statements that deny and statements that allow.
_Sides = tuple[tuple[_Compiled, ...], tuple[_Compiled, ...]]
# Actions whose statements a policy remembers. A service has some dozens; a simulation may ask for anything.
_REMEMBERED = 256


class CompiledPolicy:
    """A policy ready to decide. Made by `compile_policy` once for each version of a document; threads may share it."""

    __slots__ = ("_about", "_compiled", "conditional", "kind", "name", "policy")

    def __init__(self, policy: Policy, name: str) -> None:
        self.policy = policy
        self.kind: PolicyKind = policy.kind
        self.name = name
        # Statements of one policy often speak of the same resources: those are compared once a request.
        resources = {(each.resources, each.not_resources): _resources(each, policy) for each in policy.statements}
        self._compiled = tuple(
            _compile_statement(each, policy, resources[each.resources, each.not_resources])
            for each in policy.statements
        )
        self._about = lru_cache(maxsize=_REMEMBERED)(self._sides)
        # Both conditions and variables (`${…}`) look at what a request says about itself.
        self.conditional = any(each.conditions for each in policy.statements) or "${" in repr(policy.statements)

    def __repr__(self) -> str:
        return f"CompiledPolicy({self.kind.value}, {self.name!r})"

    def decide(self, request: Request) -> Decision:
        """The first statement that denies; else the statement that allows with the closest name; else `NOTHING`."""
        denies, allows = self._about(request.folded_action)
        for decision in _applying(denies, request):
            return decision
        best = NOTHING
        for decision in _applying(allows, request):
            if decision.reach > best.reach:
                best = decision
                if best.reach is Reach.DIRECT:
                    break
        return best

    def matching(self, request: Request) -> tuple[Decision, ...]:
        """Every statement that matches the request, in the order of the document; for explanations."""
        denies, allows = self._about(request.folded_action)
        found = [*_applying(denies, request), *_applying(allows, request)]
        return tuple(sorted(found, key=lambda decision: decision.index or 0))

    def condition_keys(self) -> frozenset[str]:
        """The keys that the conditions name, lower-cased; a simulation reports which of them it was not given."""
        return frozenset(
            condition.key.lower() for statement in self.policy.statements for condition in statement.conditions
        )

    def _sides(self, action: str) -> _Sides:
        about = [each for each in self._compiled if each[1](action)]
        return (
            tuple(each for each in about if each[0][0].effect is Effect.DENY),
            tuple(each for each in about if each[0][0].effect is Effect.ALLOW),
        )


def compile_policy(policy: Policy, name: str = "") -> CompiledPolicy:
    """Compiles a policy; `name` is its name or ARN and is what verdicts report."""
    return CompiledPolicy(policy, name)


def _applying(compiled: tuple[_Compiled, ...], request: Request) -> Iterator[Decision]:
    """The decisions of those statements that match; that they concern the action is known already."""
    resource, context = request.resource, request.context.folded
    asked: ResourceMatcher | None = None
    answer = True
    for decisions, _, speaks_of, names, checks in compiled:
        if speaks_of is not None:
            if speaks_of is not asked:
                asked, answer = speaks_of, speaks_of(resource, context)
            if not answer:
                continue
        reach = Reach.DIRECT if names is None else names(request.principal)
        if reach is Reach.NONE:
            continue
        for check in checks:
            if not check(context):
                break
        else:
            yield decisions[reach]


def _compile_statement(statement: Statement, policy: Policy, speaks_of: ResourceMatcher | None) -> _Compiled:
    return (
        tuple(Decision(statement.effect, statement.index, statement.sid, reach) for reach in Reach),
        _actions(statement),
        speaks_of,
        _principals(statement),
        tuple(compile_condition(each, variables=policy.has_variables) for each in statement.conditions),
    )


def _actions(statement: Statement) -> Matcher:
    matches = action_matcher(statement.actions)
    return (lambda action: not matches(action)) if statement.not_actions else matches


def _resources(statement: Statement, policy: Policy) -> ResourceMatcher | None:
    """None when there is nothing to compare: in trust policies, and for a star, which most statements write."""
    if not statement.resources or (statement.resources == ("*",) and not statement.not_resources):
        return None
    read: Callable[[str], Template] = resource_template if policy.has_variables else tokens_of
    matches = resource_matcher([read(resource) for resource in statement.resources])
    if not statement.not_resources:
        return matches

    def speaks_of(resource: str, context: Mapping[str, Value]) -> bool:
        return not matches(resource, context)

    return speaks_of


def _principals(statement: Statement) -> PrincipalMatcher | None:
    if statement.principals is None:
        return None
    if statement.not_principals:
        return not_principal_matcher(statement.principals, denies=statement.effect is Effect.DENY)
    return principal_matcher(statement.principals)
