"""IAM's structures: from the room's values to members of the model."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote

from greatseal.domain.access import Identity, IdentityKind
from greatseal.domain.access.identities import AccessKey, Detail, Found, Result, Used
from greatseal.domain.access.identities.positions import Position
from greatseal.domain.access.policy_model import PolicyVersion
from greatseal.domain.tags import Tag
from greatseal.kernel.pages import Page

Shape = dict[str, Any]
T = TypeVar("T")

DEFAULT_PAGE = 100


def encoded(document: str) -> str:
    """Documents are sent with every reserved character escaped (RFC 3986; iam.md 10)."""
    return quote(document, safe="")


def paged(page: Page[T]) -> Shape:
    """The members that say whether there is more."""
    return {"IsTruncated": page.next_token is not None, "Marker": page.next_token}


def tags(found: tuple[Tag, ...]) -> list[Shape] | None:
    """Tags as IAM has them: always with a value; no member for none."""
    return [{"Key": tag.key, "Value": tag.value or ""} for tag in found] or None


def identity(found: Identity, partition: str) -> Shape:
    """What users, groups and roles have in common."""
    word = found.kind.value.title()
    return {
        "Path": found.path,
        f"{word}Name": found.name,
        f"{word}Id": found.id,
        "Arn": found.arn(partition),
        "CreateDate": found.created_at,
    }


def listed(found: Found, partition: str) -> Shape:
    """An identity in a listing, which has neither tags nor boundary."""
    shape = identity(found.identity, partition)
    if found.identity.kind is not IdentityKind.ROLE:
        return shape
    return {
        **shape,
        "AssumeRolePolicyDocument": encoded(found.shown_trust or ""),
        "Description": found.identity.description,
        "MaxSessionDuration": found.identity.max_session_seconds,
    }


def shown(found: Found, partition: str) -> Shape:
    """An identity by itself."""
    if found.identity.kind is IdentityKind.GROUP:
        return identity(found.identity, partition)
    return {**listed(found, partition), **_boundary(found.identity), "Tags": tags(found.tags)}


def made(found: Found, partition: str) -> Shape:
    """A role that was just made, as the real service shows it: without the length of its sessions."""
    return {**shown(found, partition), "MaxSessionDuration": None}


def _boundary(found: Identity) -> Shape:
    if found.boundary_arn is None:
        return {}
    arn = found.boundary_arn
    return {
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": arn,
        }
    }


def access_key(found: AccessKey) -> Shape:
    """An access key; with its secret only when it was just made."""
    return {
        "UserName": found.user_name,
        "AccessKeyId": found.id,
        "Status": "Active" if found.active else "Inactive",
        "SecretAccessKey": None if found.secret is None else found.secret.reveal().decode("ascii"),
        "CreateDate": found.created_at,
    }


def policy(found: Used) -> Shape:
    """A managed policy in a listing."""
    return {
        "PolicyName": found.policy.name,
        "PolicyId": found.policy.id,
        "Arn": found.policy.arn,
        "Path": found.policy.path,
        "DefaultVersionId": f"v{found.policy.default_version}",
        "AttachmentCount": found.attachments,
        "PermissionsBoundaryUsageCount": found.boundaries,
        "IsAttachable": True,
        "CreateDate": found.policy.created_at,
        "UpdateDate": found.policy.updated_at,
    }


def policy_version(found: PolicyVersion, *, document: bool) -> Shape:
    """A version, with its document where the operation shows it."""
    return {
        "Document": encoded(found.document) if document else None,
        "VersionId": f"v{found.number}",
        "IsDefaultVersion": found.is_default,
        "CreateDate": found.created_at,
    }


def attached(arns: Iterable[str]) -> list[Shape]:
    """Attached policies: name and ARN."""
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]


def detail(found: Detail, partition: str) -> Shape:
    """An identity or a managed policy with all that belongs to it."""
    if found.used is not None:
        versions = [policy_version(each, document=True) for each in found.versions]
        return {**policy(found.used), "Description": found.used.policy.description, "PolicyVersionList": versions}
    assert found.identity is not None
    word = found.identity.kind.value.title()
    shape = {
        **identity(found.identity, partition),
        f"{word}PolicyList": [
            {"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in found.inline.items()
        ],
        "AttachedManagedPolicies": attached(found.attached),
    }
    if found.identity.kind is IdentityKind.GROUP:
        return shape
    shape |= {**_boundary(found.identity), "Tags": tags(found.tags)}
    if found.identity.kind is IdentityKind.USER:
        return {**shape, "GroupList": list(found.groups)}
    return {**shape, "AssumeRolePolicyDocument": encoded(found.shown_trust or ""), "InstanceProfileList": []}


def evaluation(found: Result) -> Shape:
    """One action on one resource of a simulation."""
    shape: Shape = {
        "EvalActionName": found.action,
        "EvalResourceName": found.resource,
        "EvalDecision": found.decision.value,
        "MatchedStatements": [
            {
                "SourcePolicyId": source.id,
                "SourcePolicyType": source.type,
                "StartPosition": _position(source.span(index)[0]),
                "EndPosition": _position(source.span(index)[1]),
            }
            for source, index in found.matched
        ],
        "MissingContextValues": list(found.missing),
    }
    if found.organizations is not None:
        shape["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": found.organizations}
    if found.boundary is not None:
        shape["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": found.boundary}
    return shape


def _position(at: Position) -> Shape:
    return {"Line": at[0], "Column": at[1]}
