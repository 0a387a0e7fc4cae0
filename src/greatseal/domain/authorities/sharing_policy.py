"""The fixed grammar of a private CA's policy, and whom such a policy lets in (acm-pca.md 12.2).

Statements allow, never deny: reads, issuance from named templates, revocation. So no policy of this grammar takes
anything from the CA's own account, and PutPolicy can lock nobody out.
"""

import re
from dataclasses import dataclass

from greatseal.domain.access.language import Effect, MalformedPolicy, Policy, PolicyKind, Statement, parse_policy
from greatseal.domain.access.language.document import Condition, Principals, Quantifier
from greatseal.kernel.errors import InvalidPolicy, Refusal
from greatseal.x509.templates import find_template

READS = (
    "acm-pca:DescribeCertificateAuthority",
    "acm-pca:GetCertificate",
    "acm-pca:GetCertificateAuthorityCertificate",
    "acm-pca:ListPermissions",
    "acm-pca:ListTags",
)
ISSUE = "acm-pca:IssueCertificate"
REVOKE = "acm-pca:RevokeCertificate"

_TEMPLATE = ("StringEquals", None, "acm-pca:templatearn")
_ORGANIZATION = ("StringEquals", None, "aws:principalorgid")
_UNITS = ("StringLike", Quantifier.ANY, "aws:principalorgpaths")
_SOURCE = ("StringEquals", None, "aws:sourceaccount")
_CONDITIONS = (_TEMPLATE, _ORGANIZATION, _UNITS, _SOURCE)
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_PATH = re.compile(r"(o-[a-z0-9]{10,32})/(?:[a-z0-9*-]+/)*\*?")
_SERVICES = frozenset({"pca-connector-ad.amazonaws.com", "pca-connector-scep.amazonaws.com"})


@dataclass(frozen=True, slots=True)
class Grantee:
    """Somebody whom the policy lets in."""

    entity: str
    """An account id, an ARN, an organization's id, a path of units, or a service principal."""
    found_by: str
    """The account, the organization or the organizational unit that it belongs to; empty for services."""


def check(document: str, authority_arn: str) -> tuple[Grantee, ...]:
    """Whom the policy lets in. Raises InvalidPolicy for a policy outside the grammar."""
    try:
        policy = parse_policy(document, PolicyKind.RESOURCE)
    except MalformedPolicy as error:
        raise InvalidPolicy(str(error)) from None
    for statement in policy.statements:
        _check_statement(statement, authority_arn)
    _check_complete(policy)
    found = {each for statement in policy.statements for each in _grantees(statement)}
    return tuple(sorted(found, key=lambda each: each.entity))


def _check_statement(statement: Statement, authority_arn: str) -> None:
    place = f"Statement[{statement.index}]"
    if statement.effect is not Effect.ALLOW:
        raise InvalidPolicy(f"{place}: the policy of a certificate authority cannot deny.")
    if statement.not_actions or statement.not_resources or statement.not_principals:
        raise InvalidPolicy(f"{place}: NotAction, NotResource and NotPrincipal are not supported.")
    if any(resource != authority_arn for resource in statement.resources):
        raise InvalidPolicy(f"{place}: the only valid resource is {authority_arn}.")
    actions = _actions(statement)
    unknown = actions - {each.lower() for each in (*READS, ISSUE, REVOKE)}
    if unknown:
        raise InvalidPolicy(f"{place}: the action {min(unknown)} cannot be shared.")
    for condition in statement.conditions:
        _check_condition(condition, place)
    _check_issuance(statement, actions, place)
    assert statement.principals is not None
    _check_principals(statement, statement.principals, place)


def _check_condition(condition: Condition, place: str) -> None:
    kind = _kind(condition)
    if condition.if_exists or kind not in _CONDITIONS:
        raise InvalidPolicy(f"{place}: the condition {condition.operator} on {condition.key} is not supported.")
    wanted = {_ORGANIZATION: _ORGANIZATION_ID, _UNITS: _PATH}.get(kind)
    for value in condition.values:
        if wanted is not None and not wanted.fullmatch(value):
            raise InvalidPolicy(f"{place}: {value} is not a valid value of {condition.key}.")
        if kind == _TEMPLATE:
            try:
                find_template(value)
            except Refusal:
                raise InvalidPolicy(f"{place}: {value} is not the ARN of a template.") from None


def _check_issuance(statement: Statement, actions: frozenset[str], place: str) -> None:
    """Without its template a right to issue would be one to make CAs."""
    templates = any(_kind(each) == _TEMPLATE for each in statement.conditions)
    if (ISSUE.lower() in actions) != templates:
        raise InvalidPolicy(f"{place}: {ISSUE} and a condition on acm-pca:TemplateArn need each other.")
    if templates and len(actions) > 1:
        raise InvalidPolicy(f"{place}: {ISSUE} needs a statement of its own.")


def _check_principals(statement: Statement, principals: Principals, place: str) -> None:
    within = any(_kind(each) in (_ORGANIZATION, _UNITS) for each in statement.conditions)
    if principals.everyone and not within:
        raise InvalidPolicy(f'{place}: the principal "*" needs a condition on aws:PrincipalOrgID.')
    if principals.federated or principals.canonical_users or principals.services - _SERVICES:
        raise InvalidPolicy(f"{place}: this kind of principal is not supported.")
    if any(name.startswith("arn:") and ":sts:" in name for name in principals.names):
        raise InvalidPolicy(f"{place}: sessions are not supported as principals.")


def _check_complete(policy: Policy) -> None:
    """Whoever may issue or revoke needs to see the CA."""
    if not any(_actions(each) & {read.lower() for read in READS} for each in policy.statements):
        raise InvalidPolicy("The policy is missing a required statement: nobody may read the certificate authority.")


def _actions(statement: Statement) -> frozenset[str]:
    """In lower case, as actions are compared."""
    return frozenset(each.lower() for each in statement.actions)


def _kind(condition: Condition) -> tuple[str, Quantifier | None, str]:
    return condition.operator, condition.quantifier, condition.key.lower()


def _grantees(statement: Statement) -> list[Grantee]:
    assert statement.principals is not None
    found = [Grantee(account, account) for account in statement.principals.accounts]
    found += [
        Grantee(name, name.split(":")[4] if name.startswith("arn:") else "") for name in statement.principals.names
    ]
    found += [Grantee(name, "") for name in statement.principals.services]
    if statement.principals.everyone:
        found += [
            Grantee(value, _found_by(value))
            for condition in statement.conditions
            if _kind(condition) in (_ORGANIZATION, _UNITS)
            for value in condition.values
        ]
    return found


def _found_by(value: str) -> str:
    """Of a path the last unit that it names, or else the organization."""
    parts = value.split("/")
    units = [part for part in parts if part.startswith("ou-") and "*" not in part]
    return units[-1] if units else parts[0]
