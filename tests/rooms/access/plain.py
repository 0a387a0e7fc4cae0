"""A second evaluator of policies: slow, obvious, written from the sections of iam.md and not from the code.

It reads the JSON of a document at every question, tries every way to place a star, and knows no shortcuts.
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Values = Mapping[str, str | tuple[str, ...]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- wildcards: a pattern is a list of single characters and the marks STAR and ANY ---

STAR, ANY = object(), object()


def marks(text: str) -> list[Any]:
    return [STAR if c == "*" else ANY if c == "?" else c for c in text]


def like(pattern: list[Any], text: str) -> bool:
    """By a table: row i holds the lengths of text that the first i marks can match."""
    reached = {0}
    for mark in pattern:
        if mark is STAR:
            reached = {n for start in reached for n in range(start, len(text) + 1)}
        else:
            reached = {n + 1 for n in reached if n < len(text) and (mark is ANY or mark == text[n])}
    return len(text) in reached


def find(context: Values, key: str) -> str | tuple[str, ...] | None:
    found = [value for name, value in context.items() if name.lower() == key.lower()]
    return found[0] if found else None


def expand(text: str, context: Values) -> list[Any] | None:
    """The marks of a text with its variables filled in; None when one has no value."""
    result: list[Any] = []
    while text:
        found = re.match(r"\$\{([^}]*)\}", text)
        if not found:
            result += marks(text[0])
            text = text[1:]
            continue
        text = text[found.end() :]
        inside = found[1]
        if inside in ("*", "?", "$"):
            result.append(inside)
            continue
        key, _, default = inside.partition(",")
        value = find(context, key.strip())
        if not isinstance(value, str):
            if not default:
                return None
            value = default.strip()[1:-1]
        result += list(value)
    return result


def read(text: str, context: Values, variables: bool) -> list[Any] | None:
    return expand(text, context) if variables else marks(text)


def plain_text(pattern: list[Any]) -> str:
    return "".join("*" if mark is STAR else "?" if mark is ANY else mark for mark in pattern)


def six_parts(pattern: list[Any]) -> list[list[Any]]:
    parts: list[list[Any]] = [[]]
    for mark in pattern:
        if mark == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(mark)
    return parts


def arn_like(pattern: list[Any], text: str) -> bool:
    ours, theirs = six_parts(pattern), text.split(":", 5)
    return len(ours) == 6 == len(theirs) and all(like(a, b) for a, b in zip(ours, theirs, strict=True))


# --- operators (section 4): does one value of the request match one value of the policy? ---


def as_time(text: str) -> datetime:
    if re.fullmatch(r"[0-9]{4}", text):
        return datetime(int(text), 1, 1, tzinfo=UTC)
    if re.fullmatch(r"-?[0-9]+", text):
        return datetime.fromtimestamp(int(text), UTC)
    made = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def as_bool(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def guarded(compare: Callable[[str, str], bool]) -> Callable[[list[Any], str], bool]:
    def matches(pattern: list[Any], value: str) -> bool:
        try:
            return compare(value, plain_text(pattern))
        except (ValueError, KeyError, OverflowError):
            return False

    return matches


COMPARE: dict[str, Callable[[list[Any], str], bool]] = {
    "StringEquals": lambda p, v: plain_text(p) == v,
    "StringEqualsIgnoreCase": lambda p, v: plain_text(p).lower() == v.lower(),
    "StringLike": like,
    "NumericEquals": guarded(lambda a, b: float(a) == float(b)),
    "NumericLessThan": guarded(lambda a, b: float(a) < float(b)),
    "NumericLessThanEquals": guarded(lambda a, b: float(a) <= float(b)),
    "NumericGreaterThan": guarded(lambda a, b: float(a) > float(b)),
    "NumericGreaterThanEquals": guarded(lambda a, b: float(a) >= float(b)),
    "DateEquals": guarded(lambda a, b: as_time(a) == as_time(b)),
    "DateLessThan": guarded(lambda a, b: as_time(a) < as_time(b)),
    "DateLessThanEquals": guarded(lambda a, b: as_time(a) <= as_time(b)),
    "DateGreaterThan": guarded(lambda a, b: as_time(a) > as_time(b)),
    "DateGreaterThanEquals": guarded(lambda a, b: as_time(a) >= as_time(b)),
    "Bool": guarded(lambda a, b: as_bool(a) == as_bool(b)),
    "BinaryEquals": guarded(lambda a, b: base64.b64decode(a, validate=True) == base64.b64decode(b, validate=True)),
    "IpAddress": guarded(lambda a, b: ipaddress.ip_address(a) in ipaddress.ip_network(b, strict=False)),
    "ArnLike": arn_like,
    "ArnEquals": arn_like,
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotLike": "ArnLike",
    "ArnNotEquals": "ArnEquals",
}


def condition_holds(operator: str, key: str, listed: Any, context: Values, variables: bool) -> bool:
    value = find(context, key)
    wanted = [str(each).lower() if isinstance(each, bool) else str(each) for each in as_list(listed)]
    if operator == "Null":
        absent = value is None or value == ()
        return any((each.lower() == "true") == absent for each in wanted)
    prefix, _, name = operator.rpartition(":")
    if name.endswith("IfExists"):
        name = name.removesuffix("IfExists")
        if value is None or value == ():
            return True
    positive = NEGATED.get(name, name)
    substitutes = variables and (positive.startswith(("String", "Arn")) or positive == "Bool")

    def one(each: str) -> bool:
        patterns = [read(text, context, substitutes) for text in wanted]
        equal = any(COMPARE[positive](pattern, each) for pattern in patterns if pattern is not None)
        return not equal if name in NEGATED else equal

    values = [] if value is None else [value] if isinstance(value, str) else list(value)
    if prefix == "ForAllValues":
        return all(one(each) for each in values)
    if prefix == "ForAnyValue":
        return any(one(each) for each in values)
    if name in NEGATED:
        return all(one(each) for each in values)  # none matches; true of an absent key
    return any(one(each) for each in values)  # false of an absent key


# --- statements (section 3) ---


@dataclass
class Who:
    """A caller by the names of section 1."""

    kind: str
    arn: str
    account: str = ""
    role: str = ""
    linked: bool = False


@dataclass
class Asked:
    who: Who
    action: str
    resource: str
    context: Values = field(default_factory=dict)


def names_account(listed: list[str], account: str) -> bool:
    return account != "" and any(
        each == account or re.fullmatch(f"arn:[^:]*:iam::{account}:root", each) for each in listed
    )


def reach(element: Any, who: Who) -> int:
    """3 the caller itself or everybody, 2 its role, 1 its account, 0 not at all (section 2, step 3)."""
    if element == "*" or "*" in as_list(element.get("AWS", [])):
        return 3
    aws = as_list(element.get("AWS", []))
    own = {"service": "Service", "web identity": "Federated"}.get(who.kind, "AWS")
    if who.kind not in ("root", "anonymous") and who.arn in as_list(element.get(own, [])):
        return 3
    if own != "AWS" and "*" in as_list(element.get(own, [])):
        return 3
    if who.role and who.role in aws:
        return 2
    return 1 if names_account(aws, who.account) else 0


def left_in(element: Any, who: Who, effect: str) -> bool:
    if element == "*" or "*" in as_list(element.get("AWS", [])):
        return False
    aws = as_list(element.get("AWS", []))
    names = []
    if who.account:
        names.append(names_account(aws, who.account))
    if who.kind in ("user", "assumed role", "federated user"):
        names.append(who.arn in aws)
    if who.role:
        names.append(who.role in aws)
    if who.kind in ("service", "web identity"):
        names.append(reach(element, who) == 3)
    if not names:
        return True
    return not all(names) if effect == "Deny" else not any(names)


def statement_matches(statement: Any, asked: Asked, variables: bool) -> int:
    """The reach of a matching statement, 0 for one that does not match."""
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    if any(like(marks(each.lower()), asked.action.lower()) for each in actions) != ("Action" in statement):
        return 0
    if "Resource" in statement or "NotResource" in statement:
        patterns = [
            read(each, asked.context, variables)
            for each in as_list(statement.get("Resource", statement.get("NotResource")))
        ]
        hit = any(like(pattern, asked.resource) for pattern in patterns if pattern is not None)
        if hit != ("Resource" in statement):
            return 0
    for operator, keys in statement.get("Condition", {}).items():
        for key, listed in keys.items():
            if not condition_holds(operator, key, listed, asked.context, variables):
                return 0
    if "Principal" in statement:
        return reach(statement["Principal"], asked.who)
    if "NotPrincipal" in statement:
        return 3 if left_in(statement["NotPrincipal"], asked.who, statement["Effect"]) else 0
    return 3


def decide(document: Any, asked: Asked) -> tuple[str, int]:
    """("Deny" | "Allow" | "", the closest reach of an allowing statement)."""
    variables = document.get("Version") == "2012-10-17"
    found = [(each["Effect"], statement_matches(each, asked, variables)) for each in as_list(document["Statement"])]
    if any(effect == "Deny" and reached for effect, reached in found):
        return "Deny", 0
    best = max((reached for effect, reached in found if effect == "Allow"), default=0)
    return ("Allow", best) if best else ("", 0)


# --- evaluation (section 2) ---


@dataclass
class World:
    """The documents around a request; a resource document marked `authoritative` alone lets in (KMS, trust)."""

    owner: str
    identity: list[Any] = field(default_factory=list)
    boundary: Any = None
    session: list[Any] | None = None
    resource: Any = None
    authoritative: bool = False
    scps: list[list[Any]] = field(default_factory=list)
    management: bool = False


def allows(documents: list[Any], asked: Asked) -> bool:
    return any(decide(each, asked)[0] == "Allow" for each in documents)


def verdict(world: World, asked: Asked) -> tuple[bool, str, bool]:
    """(allowed, the kind of policy that decided, whether a statement did)."""
    who = asked.who
    carries = who.kind in ("user", "assumed role", "federated user")
    scps = [] if world.management or who.linked or not who.account else world.scps
    identity = world.identity if carries else []
    boundary = [world.boundary] if carries and world.boundary is not None else []
    session = world.session if carries and world.session is not None else []
    kinds = [("resource", [world.resource] if world.resource else []), ("identity", identity)]
    kinds = [("scp", [each for level in scps for each in level]), *kinds, ("boundary", boundary), ("session", session)]
    for kind, documents in kinds:
        if any(decide(each, asked)[0] == "Deny" for each in documents):
            return False, kind, True
    if not all(allows(level, asked) for level in scps):
        return False, "scp", False
    named = decide(world.resource, asked)[1] if world.resource else 0
    same = bool(who.account) and world.owner in ("", who.account)
    if not same and not named:
        return False, "resource", False
    if not who.account or (same and named == 3):
        return True, "resource", True
    if same and world.authoritative and not named:
        return False, "resource", False
    by_resource = same and named == 2
    if who.kind == "root" and not by_resource:
        return True, "root", False
    if not by_resource and not allows(identity, asked):
        return False, "identity", False
    if boundary and not allows(boundary, asked):
        return False, "boundary", False
    if carries and (world.session is not None or who.kind == "federated user") and not allows(session, asked):
        return False, "session", False
    return True, "resource" if by_resource else "identity", True
