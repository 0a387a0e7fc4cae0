"""The elements of a statement that hold lists: actions, resources, principals and conditions (iam.md 3, 4)."""

import re

from greatseal.domain.access.language.conditions import condition_template
from greatseal.domain.access.language.document import Condition, MalformedPolicy, PolicyKind, Principals, Quantifier
from greatseal.domain.access.language.operators import NULL, OPERATORS, truth_of
from greatseal.domain.access.language.source import Number, inside
from greatseal.domain.access.language.variables import fixed, resource_template

_VENDOR = re.compile(r"[A-Za-z0-9.-]+|\*")
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):root")
_NAMED = re.compile(
    r"arn:[a-z0-9-]+:(?:iam::[0-9]{12}:(?:user|role)/[^*?\s]+"
    r"|sts::[0-9]{12}:(?:assumed-role/[^*?/\s]+/[^*?/\s]+|federated-user/[^*?/\s]+))"
)
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")


def read_actions(value: object, place: str, kind: PolicyKind) -> tuple[str, ...]:
    """Actions as they are written: a blank too many is not mended and matches nothing (kms.md 15)."""
    found = _texts(value, place)
    if not found:
        raise MalformedPolicy(place, "Policy statement must contain actions.")
    for where, action in found:
        if action != "*":
            _check_action(action, where, kind)
    return tuple(action for _, action in found)


def _check_action(action: str, place: str, kind: PolicyKind) -> None:
    vendor, *names = action.split(":")
    if not names:
        raise MalformedPolicy(place, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if len(names) > 1:
        raise MalformedPolicy(place, "Actions/Condition can contain only one colon.")
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicy(place, f"Vendor {vendor} is not valid")
    if kind is PolicyKind.TRUST and vendor.lower() != "sts":
        raise MalformedPolicy(place, "AssumeRole policy may only specify STS AssumeRole actions.")


def read_resources(value: object, place: str, *, variables: bool) -> tuple[str, ...]:
    """ARNs with wildcards, or `*`; `variables` as `Policy.has_variables`."""
    found = _texts(value, place)
    if not found:
        raise MalformedPolicy(place, "Policy statement must contain resources.")
    for where, resource in found:
        if resource != "*" and not resource.startswith("arn:"):
            raise MalformedPolicy(where, f'Resource {resource} must be in ARN format or "*".')
        if variables:
            try:
                resource_template(resource)
            except ValueError as error:
                raise MalformedPolicy(where, str(error)) from None
    return tuple(resource for _, resource in found)


def read_principals(value: object, place: str) -> Principals:
    """`"*"`, or an object of lists by type. A star stands only alone (iam.md 3)."""
    if value == "*":
        return Principals(everyone=True)
    if not isinstance(value, dict) or not value:
        raise MalformedPolicy(place, 'Invalid principal in policy: "*" or an object is needed')
    aws: set[str] = set()
    accounts: set[str] = set()
    others: dict[str, frozenset[str]] = {}
    for kind, names in value.items():
        where = inside(place, kind)
        if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
            raise MalformedPolicy(where, "Invalid principal in policy: unknown type of principal")
        found = _texts(names, where)
        if not found:
            raise MalformedPolicy(where, "Invalid principal in policy: the list is empty")
        if kind != "AWS":
            others[kind] = frozenset(_principal(name, at, alone=kind != "CanonicalUser") for at, name in found)
            continue
        for at, name in found:
            account = _account_of(name)
            (aws if account is None else accounts).add(_aws_principal(name, at) if account is None else account)
    return Principals(
        everyone="*" in aws,
        accounts=frozenset(accounts),
        names=frozenset(aws - {"*"}),
        services=others.get("Service", frozenset()),
        federated=others.get("Federated", frozenset()),
        canonical_users=others.get("CanonicalUser", frozenset()),
    )


def _account_of(name: str) -> str | None:
    if _ACCOUNT.fullmatch(name):
        return name
    root = _ROOT.fullmatch(name)
    return root[1] if root else None


def _aws_principal(name: str, place: str) -> str:
    if name == "*" or _NAMED.fullmatch(name) or _UNIQUE_ID.fullmatch(name):
        return name
    raise MalformedPolicy(place, f'Invalid principal in policy: "AWS":"{name}"')


def _principal(name: str, place: str, *, alone: bool) -> str:
    if (name == "*" and alone) or (name and not re.search(r"[*?\s]", name)):
        return name
    raise MalformedPolicy(place, f'Invalid principal in policy: "{name}"')


def read_conditions(value: object, place: str, *, variables: bool) -> tuple[Condition, ...]:
    """Every key of every operator, in the order of the document; `variables` as `Policy.has_variables`."""
    if not isinstance(value, dict):
        raise MalformedPolicy(place, "Syntax errors in policy: a condition is an object of operators")
    made: list[Condition] = []
    for operator, keys in value.items():
        where = inside(place, operator)
        quantifier, name, if_exists = _operator(operator, where)
        if not isinstance(keys, dict):
            raise MalformedPolicy(where, "Syntax errors in policy: an operator holds an object of keys")
        spelled: set[str] = set()
        for key, values in keys.items():
            at = inside(where, key)
            if ":" not in key:
                raise MalformedPolicy(at, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
            if key.lower() in spelled:
                raise MalformedPolicy(at, "the key is there in two spellings")
            spelled.add(key.lower())
            made.append(Condition(name, quantifier, if_exists, key, _values(values, at, name, variables=variables)))
    return tuple(made)


def _operator(text: str, place: str) -> tuple[Quantifier | None, str, bool]:
    found = _OPERATOR.fullmatch(text)
    if found is not None:
        prefix, name, suffix = found.groups()
        if name in OPERATORS or (name == NULL and not prefix and not suffix):
            return Quantifier(prefix) if prefix else None, name, bool(suffix)
    raise MalformedPolicy(place, "unknown condition operator")


def _values(value: object, place: str, operator: str, *, variables: bool) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    made: list[str] = []
    for index, item in enumerate(items):
        where = f"{place}[{index}]" if isinstance(value, list) else place
        if not isinstance(item, str | bool):
            raise MalformedPolicy(where, "a value is a text, a number or a boolean")
        text = str(item).lower() if isinstance(item, bool) else str(item)
        _check_value(text, where, operator, variables=variables)
        made.append(text)
    return tuple(made)


def _check_value(text: str, place: str, operator: str, *, variables: bool) -> None:
    """Refuses a value that the operator could never match: a Deny with it would silently deny nothing."""
    if operator == NULL:
        if truth_of(text) is None:
            raise MalformedPolicy(place, "Null takes true or false")
        return
    try:
        tokens = fixed(condition_template(text, OPERATORS[operator], variables=variables))
    except ValueError as error:
        raise MalformedPolicy(place, str(error)) from None
    if tokens is not None and not OPERATORS[operator].readable(tokens):
        raise MalformedPolicy(place, f"{operator} cannot read this value")


def _texts(value: object, place: str) -> list[tuple[str, str]]:
    """One text or a list of texts, each with its place."""
    items = value if isinstance(value, list) else [value]
    found: list[tuple[str, str]] = []
    for index, item in enumerate(items):
        where = f"{place}[{index}]" if isinstance(value, list) else place
        if not isinstance(item, str) or isinstance(item, Number):
            raise MalformedPolicy(where, "a text or a list of texts is needed")
        found.append((where, item))
    return found
