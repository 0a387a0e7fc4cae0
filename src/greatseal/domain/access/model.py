"""Credentials and the questions that operations ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from greatseal.kernel.arn import Arn, partition_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.secret import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """A long-term access key and the principal it belongs to."""

    access_key_id: str
    secret: Secret
    account: str
    principal_arn: str


@dataclass(frozen=True, slots=True)
class Question:
    """May this caller do `action` to `resource`? `context` holds the condition keys with defaults filled in."""

    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def root_arn(account: str, region: str) -> str:
    """The ARN of an account's root principal."""
    return str(Arn(partition_of(region), "iam", "", account, "root"))


def refusal_of(caller: Caller, question: Question) -> str | None:
    """None when the caller may; otherwise the sentence that the caller reads (iam.md 6).

    A root principal may do everything to the resources of its own account (iam.md 2, step 7); nothing
    is shared between accounts yet, so a resource of another account has no policy that allows it.
    """
    owner = _owner(question.resource)
    is_root = caller.principal_arn.endswith(f":iam::{caller.account}:root")
    if is_root and owner in ("", caller.account):
        return None
    kind = "identity-based" if owner in ("", caller.account) else "resource-based"
    return (
        f"User: {caller.principal_arn} is not authorized to perform: {question.action} "
        f"on resource: {question.resource} because no {kind} policy allows the {question.action} action"
    )


def _owner(resource: str) -> str:
    """The account in a resource's ARN; empty for `*` and for resources without an account."""
    try:
        return Arn.parse(resource).account
    except ValueError:
        return ""
