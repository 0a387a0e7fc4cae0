"""The rules of names, sizes and numbers, and the sentences for breaking them (iam.md 3, 10)."""

import re
from collections.abc import Iterable

from greatseal.domain.access import naming
from greatseal.domain.access.language import (
    LIMITS,
    MalformedPolicy,
    PolicyKind,
    PolicyTooLarge,
    parse_policy,
    size_of,
)
from greatseal.domain.access.model import Identity, IdentityKind
from greatseal.domain.access.policy_model import AWS
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidArn, InvalidPolicy, InvalidRequest, InvalidState, LimitExceeded
from greatseal.storage import Tx

PER_ACCOUNT = {IdentityKind.USER: 5000, IdentityKind.GROUP: 300, IdentityKind.ROLE: 1000}
POLICIES_PER_ACCOUNT = 1500
PROVIDERS_PER_ACCOUNT = 100
GROUPS_PER_USER = 10
KEYS_PER_USER = 2
ATTACHED_PER_IDENTITY = 10
VERSIONS_PER_POLICY = 5
CLIENT_IDS_PER_PROVIDER = 100
THUMBPRINTS_PER_PROVIDER = 5

_POLICY = re.compile(r"policy/(?:[\x21-\x7e]+/)?[\w+=,.@-]+", re.ASCII)


def plural(kind: IdentityKind) -> str:
    """`Users`, as the names of quotas have it."""
    return f"{kind.value.title()}s"


def over(quota: str, number: int) -> LimitExceeded:
    """The refusal for a quota that is used up."""
    return LimitExceeded(f"Cannot exceed quota for {quota}: {number}")


def check_document(document: str, kind: PolicyKind) -> None:
    """Raises InvalidPolicy with the place for a document outside the grammar of its kind."""
    try:
        parse_policy(document, kind)
    except MalformedPolicy as error:
        raise InvalidPolicy(str(error)) from None


def check_managed(document: str) -> None:
    """A document for a managed policy. Raises LimitExceeded and InvalidPolicy."""
    limit = LIMITS["managed policy"]
    if size_of(document) > limit:
        raise over("PolicySize", limit)
    check_document(document, PolicyKind.IDENTITY)


def check_inline(owner: Identity, documents: Iterable[str]) -> None:
    """All inline policies of an identity count together. Raises LimitExceeded."""
    limit = LIMITS[f"inline {owner.kind.value} policy"]
    if sum(map(size_of, documents)) > limit:
        raise LimitExceeded(f"Maximum policy size of {limit} bytes exceeded for {owner.kind.value} {owner.name}")


def pinned_trust(tx: Tx, document: str) -> str:
    """A trust policy as it is kept. Raises LimitExceeded, and InvalidPolicy also for principals that do not exist."""
    limit = LIMITS["trust policy"]
    try:
        parse_policy(document, PolicyKind.TRUST, limit=limit)
        return naming.pin(tx, document)
    except PolicyTooLarge:
        raise over("ACLSizePerRole", limit) from None
    except MalformedPolicy as error:
        raise InvalidPolicy(str(error)) from None


def check_changeable(found: Identity) -> None:
    """Raises InvalidState for a role that belongs to a service."""
    if found.service_linked:
        raise InvalidState(
            f"Cannot perform the operation on the protected role '{found.name}' - this role is only modifiable by AWS"
        )


def check_path(path: str) -> None:
    """Raises InvalidRequest for the path that is kept for the roles of services."""
    if path.startswith("/aws-service-role/"):
        raise InvalidRequest("The path /aws-service-role/ is reserved for service-linked roles.")


def policy_arn(text: str) -> Arn:
    """The ARN of a managed policy. Raises InvalidArn for anything else."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise InvalidArn(f"ARN {text} is not valid.") from None
    owned = arn.account == AWS or re.fullmatch(r"\d{12}", arn.account)
    if arn.service != "iam" or arn.region or not owned or not _POLICY.fullmatch(arn.resource):
        raise InvalidArn(f"ARN {text} is not valid.")
    return arn
