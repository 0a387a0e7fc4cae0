"""What a statement speaks of: actions, resources, ARNs and principals (iam.md 3 and 4)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from greatseal.domain.access.language.context import Value
from greatseal.domain.access.language.document import Principals, Reach
from greatseal.domain.access.language.principal import Principal, PrincipalKind
from greatseal.domain.access.language.variables import Template, fixed, resolve
from greatseal.domain.access.language.wildcards import Matcher, Token, Tokens, Wild, matcher, tokens_of

ResourceMatcher = Callable[[str, Mapping[str, Value]], bool]
PrincipalMatcher = Callable[[Principal], Reach]
_ARN_PARTS = 6


def first_of(matchers: Sequence[Matcher]) -> Matcher:
    """A matcher that is true when one of these is."""
    if len(matchers) == 1:
        return matchers[0]

    def one_matches(text: str) -> bool:
        for each in matchers:  # noqa: SIM110  a generator costs more than all the comparisons
            if each(text):
                return True
        return False

    return one_matches


def action_matcher(patterns: Iterable[str]) -> Matcher:
    """For lower-cased actions: service and name have no case, `*` and `?` are wildcards."""
    return first_of([matcher(tokens_of(pattern.lower())) for pattern in patterns])


def resource_matcher(templates: Iterable[Template]) -> ResourceMatcher:
    """Case matters, and a wildcard may cross `:` and `/`; a template whose variable has no value matches nothing."""
    plain: list[Matcher] = []
    dynamic: list[Template] = []
    for template in templates:
        tokens = fixed(template)
        if tokens is None:
            dynamic.append(template)
        else:
            plain.append(matcher(tokens))
    static = first_of(plain)
    if not dynamic:
        return lambda resource, _context: static(resource)

    def matches(resource: str, context: Mapping[str, Value]) -> bool:
        if static(resource):
            return True
        resolved = (resolve(template, context) for template in dynamic)
        return any(tokens is not None and matcher(tokens)(resource) for tokens in resolved)

    return matches


def arn_matcher(tokens: Tokens) -> Matcher:
    """Six parts between colons, each compared alone; a star crosses a colon only in the sixth (iam.md 4).

    What does not have six parts, pattern or value, matches nothing.
    """
    parts = _arn_parts(tokens)
    if len(parts) < _ARN_PARTS:
        return lambda _text: False
    # Parts are compared from the last one, where most ARNs differ; a lone star needs no comparison.
    checks = tuple((index, matcher(part)) for index, part in reversed(list(enumerate(parts))) if part != [Wild.STAR])

    def matches(text: str) -> bool:
        found = text.split(":", _ARN_PARTS - 1)
        if len(found) != _ARN_PARTS:
            return False
        for index, check in checks:  # noqa: SIM110  as in first_of
            if not check(found[index]):
                return False
        return True

    return matches


def _arn_parts(tokens: Tokens) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        head, *rest = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(head)
        parts += [[piece] for piece in rest]
    return [[token for token in part if token] for part in parts]


def is_arn_pattern(tokens: Tokens) -> bool:
    """Whether the tokens have the six parts of an ARN."""
    return len(_arn_parts(tokens)) == _ARN_PARTS


def principal_matcher(named: Principals) -> PrincipalMatcher:
    """How closely a `Principal` element names a caller (iam.md 2, step 3)."""

    def reach(caller: Principal) -> Reach:
        if named.everyone or _names_itself(named, caller):
            return Reach.DIRECT
        if caller.role_arn and (caller.role_arn in named.names or _is_named(named, caller.unique_id)):
            return Reach.ROLE
        return Reach.ACCOUNT if caller.account in named.accounts else Reach.NONE

    return reach


def not_principal_matcher(named: Principals, *, denies: bool) -> PrincipalMatcher:
    """Whether a `NotPrincipal` element leaves the caller in.

    A Deny spares only a caller all of whose names are listed: for a session the session, the role and the
    account (iam.md 3). An Allow, which would otherwise favour a caller that is half listed, needs that none is.
    """

    def reach(caller: Principal) -> Reach:
        if named.everyone:
            return Reach.NONE
        listed = _listed(named, caller)
        left_in = not all(listed) or not listed if denies else not any(listed)
        return Reach.DIRECT if left_in else Reach.NONE

    return reach


def _listed(named: Principals, caller: Principal) -> list[bool]:
    """For each name of the caller, whether it is listed; an anonymous caller has no name."""
    if caller.kind is PrincipalKind.ANONYMOUS:
        return []
    listed = [caller.account in named.accounts] if caller.account else []
    if caller.kind is not PrincipalKind.ROOT:
        listed.append(_names_itself(named, caller))
    if caller.role_arn:
        listed.append(caller.role_arn in named.names or _is_named(named, caller.unique_id))
    return listed


def _names_itself(named: Principals, caller: Principal) -> bool:
    if caller.kind is PrincipalKind.SERVICE:
        return caller.arn in named.services or "*" in named.services
    if caller.kind is PrincipalKind.WEB_IDENTITY:
        return caller.arn in named.federated or "*" in named.federated
    if caller.kind is PrincipalKind.USER and _is_named(named, caller.unique_id):
        return True
    return caller.arn in named.names


def _is_named(named: Principals, unique_id: str) -> bool:
    return bool(unique_id) and unique_id in named.names
