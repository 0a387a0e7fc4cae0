"""From the text of a policy to frozen statements, or to a complaint that names the place (iam.md 3).

Where AWS has a sentence for a mistake, the reason is that sentence.
"""

import re
from collections.abc import Mapping

from greatseal.domain.access.language import source
from greatseal.domain.access.language.document import (
    CURRENT_VERSION,
    NAMES_PRINCIPALS,
    OLD_VERSION,
    Effect,
    MalformedPolicy,
    Policy,
    PolicyKind,
    Principals,
    Statement,
)
from greatseal.domain.access.language.elements import read_actions, read_conditions, read_principals, read_resources
from greatseal.domain.access.language.source import Number, inside

LIMITS: Mapping[str, int] = {
    "managed policy": 6144,
    "inline user policy": 2048,
    "inline group policy": 5120,
    "inline role policy": 10240,
    "trust policy": 2048,
    "service control policy": 5120,
    "session policy": 2048,
    "key policy": 32768,
}
"""Sizes for `parse_policy`, in characters that are not white space (iam.md 3)."""

_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_SID = re.compile(r"[0-9A-Za-z]*")
_ANY_SID = frozenset({PolicyKind.RESOURCE, PolicyKind.KEY})


def parse_policy(text: str, kind: PolicyKind, *, limit: int | None = None) -> Policy:
    """The policy in this text, by the rules of its kind.

    `limit` is the greatest size in characters that are not white space; None sets none. Raises
    PolicyTooLarge above it and MalformedPolicy for anything outside the grammar (iam.md 3).
    """
    tree = source.read(text, limit)
    if not isinstance(tree, dict):
        raise MalformedPolicy("", "Syntax errors in policy: a policy is an object")
    _only(tree, _TOP, "")
    version = _version(tree, kind)
    policy_id = tree.get("Id")
    if policy_id is not None or "Id" in tree:
        policy_id = _text(policy_id, "Id")
    statements = _statements(tree, kind, version)
    _unique_sids(statements, kind)
    return Policy(kind, version, statements, policy_id)


def _version(tree: Mapping[str, object], kind: PolicyKind) -> str:
    version = tree.get("Version", OLD_VERSION)
    if version not in (CURRENT_VERSION, OLD_VERSION):
        raise MalformedPolicy("Version", f"the version is {CURRENT_VERSION} or {OLD_VERSION}")
    if kind is PolicyKind.SCP and version != CURRENT_VERSION:
        raise MalformedPolicy("Version", f"Policy document must be version {CURRENT_VERSION} or greater.")
    return str(version)


def _statements(tree: Mapping[str, object], kind: PolicyKind, version: str) -> tuple[Statement, ...]:
    found = tree.get("Statement")
    if isinstance(found, dict):
        return (_statement(found, "Statement", 0, kind, version),)
    if not isinstance(found, list) or not found:
        raise MalformedPolicy("Statement", "Syntax errors in policy: one statement or a list of statements is needed")
    return tuple(
        _statement(each, f"Statement[{index}]", index, kind, version)
        for index, each in enumerate(found)
        if not (kind is PolicyKind.KEY and _is_idle(each, f"Statement[{index}]"))
    )


def _is_idle(tree: object, place: str) -> bool:
    """A statement of a key policy without actions or resources has no effect, and is no error (kms.md 10).

    Its principals are read all the same, because they are kept by their ids as all others are.
    """
    elements = (("Action", "NotAction"), ("Resource", "NotResource"))
    if not isinstance(tree, dict) or all(any(name in tree for name in names) for names in elements):
        return False
    for element in tree.keys() & {"Principal", "NotPrincipal"}:
        read_principals(tree[element], inside(place, element))
    return True


def _statement(tree: object, place: str, index: int, kind: PolicyKind, version: str) -> Statement:
    if not isinstance(tree, dict):
        raise MalformedPolicy(place, "Syntax errors in policy: a statement is an object")
    _only(tree, _ELEMENTS, place)
    variables = version == CURRENT_VERSION
    action, not_actions = _one_of(tree, "Action", place)
    if action is None:
        raise MalformedPolicy(place, "Policy statement must contain actions.")
    principals, not_principals = _principals(tree, place, kind)
    resources, not_resources = _resources(tree, place, kind, variables=variables)
    return Statement(
        index=index,
        sid=_sid(tree, place, kind),
        effect=_effect(tree, place),
        actions=read_actions(tree[action], inside(place, action), kind),
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        principals=principals,
        not_principals=not_principals,
        conditions=read_conditions(tree.get("Condition", {}), inside(place, "Condition"), variables=variables),
    )


def _principals(tree: Mapping[str, object], place: str, kind: PolicyKind) -> tuple[Principals | None, bool]:
    element, negated = _one_of(tree, "Principal", place)
    if kind in NAMES_PRINCIPALS:
        if element is None:
            raise MalformedPolicy(place, "Missing required field Principal")
        return read_principals(tree[element], inside(place, element)), negated
    if element is not None:
        raise MalformedPolicy(inside(place, element), "Policy document should not specify a principal.")
    return None, False


def _resources(
    tree: Mapping[str, object], place: str, kind: PolicyKind, *, variables: bool
) -> tuple[tuple[str, ...], bool]:
    element, negated = _one_of(tree, "Resource", place)
    if kind is PolicyKind.TRUST:
        if element is not None:
            raise MalformedPolicy(inside(place, element), f"Has prohibited field {element}")
        return (), False
    if element is None:
        raise MalformedPolicy(place, "Policy statement must contain resources.")
    return read_resources(tree[element], inside(place, element), variables=variables), negated


def _one_of(tree: Mapping[str, object], element: str, place: str) -> tuple[str | None, bool]:
    """Which of an element and its negated form is there. Raises MalformedPolicy when both are."""
    negated = f"Not{element}"
    if element in tree and negated in tree:
        raise MalformedPolicy(inside(place, negated), f"{element} and {negated} exclude each other")
    return (negated, True) if negated in tree else (element if element in tree else None, False)


def _sid(tree: Mapping[str, object], place: str, kind: PolicyKind) -> str | None:
    if "Sid" not in tree:
        return None
    where = inside(place, "Sid")
    sid = _text(tree["Sid"], where)
    # Services that keep policies at their resources take any text: KMS takes blanks, RAM writes dashes.
    if kind not in _ANY_SID and not _SID.fullmatch(sid):
        raise MalformedPolicy(where, "Statement IDs (SID) must be alpha-numeric.")
    return sid


def _unique_sids(statements: tuple[Statement, ...], kind: PolicyKind) -> None:
    """AWS's own example for private CAs uses one Sid twice, so resource policies may (acm-pca.md 12.2)."""
    if kind in _ANY_SID:
        return
    seen: set[str] = set()
    for statement in statements:
        if statement.sid and statement.sid in seen:
            place = f"Statement[{statement.index}].Sid"
            raise MalformedPolicy(place, "Statement IDs (SID) in a single policy must be unique.")
        seen.add(statement.sid or "")


def _effect(tree: Mapping[str, object], place: str) -> Effect:
    if "Effect" not in tree:
        raise MalformedPolicy(place, "Missing required field Effect")
    found = tree["Effect"]
    for effect in Effect:
        if found == effect.value:
            return effect
    raise MalformedPolicy(inside(place, "Effect"), "the effect is Allow or Deny")


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise MalformedPolicy(place, "a text is needed")
    return value


def _only(tree: Mapping[str, object], known: tuple[str, ...], place: str) -> None:
    for key in tree:
        if key not in known:
            raise MalformedPolicy(inside(place, key), "Syntax errors in policy: unknown element")
