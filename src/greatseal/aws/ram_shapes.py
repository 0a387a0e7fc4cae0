"""Shares, associations, invitations and permissions as Resource Access Manager spells them (acm-pca.md 12.4)."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from greatseal.domain.sharing.model import (
    RESOURCE_TYPE,
    Association,
    InvalidResourceType,
    Invitation,
    Share,
)
from greatseal.domain.sharing.permissions import PUBLISHED, VERSION, ManagedPermission
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidParameter
from greatseal.kernel.pages import PageTokens

T = TypeVar("T")
Wire = dict[str, Any]

DEFAULT_PAGE = 500


def tags_from_wire(tags: Iterable[Mapping[str, str]] | None) -> tuple[Tag, ...]:
    """The tags of a request. Raises InvalidParameter for one without a key."""
    given = tuple(tags or ())
    if not all(tag.get("key") for tag in given):
        raise InvalidParameter("A tag needs a key.")
    return tuple(Tag(tag["key"], tag.get("value", "")) for tag in given)


def share_wire(share: Share, tags: Iterable[Tag] | None = None) -> Wire:
    """A resource share; answers that tell no tags leave `tags` out."""
    wire = {
        "resourceShareArn": share.arn,
        "name": share.name,
        "owningAccountId": share.account,
        "allowExternalPrincipals": share.allow_external,
        "status": share.status.value,
        "creationTime": share.created_at,
        "lastUpdatedTime": share.updated_at,
        "featureSet": share.feature_set.value,
        "resourceShareConfiguration": {"retainSharingOnAccountLeaveOrganization": False},
    }
    if tags is not None:
        wire["tags"] = [{"key": tag.key, "value": tag.value or ""} for tag in tags]
    return wire


def association_wire(item: Association, now: datetime) -> Wire:
    """A resource or a principal of a share."""
    return {
        "resourceShareArn": item.share_arn,
        "resourceShareName": item.share_name,
        "associatedEntity": item.entity,
        "associationType": item.type.value,
        "status": item.status_at(now).value,
        "creationTime": item.created_at,
        "lastUpdatedTime": item.updated_at,
        "external": item.external,
    }


def invitation_wire(item: Invitation, now: datetime) -> Wire:
    """An invitation, as its receiver reads it."""
    return {
        "resourceShareInvitationArn": item.arn,
        "resourceShareName": item.share_name,
        "resourceShareArn": item.share_arn,
        "senderAccountId": item.sender,
        "receiverAccountId": item.receiver,
        "receiverArn": item.receiver_arn or None,
        "invitationTimestamp": item.at,
        "status": item.status_at(now).value,
    }


def resource_wire(item: Association, *, available: bool) -> Wire:
    """A shared resource."""
    return {
        "arn": item.entity,
        "type": RESOURCE_TYPE,
        "resourceShareArn": item.share_arn,
        "status": "AVAILABLE" if available else "UNAVAILABLE",
        "creationTime": item.created_at,
        "lastUpdatedTime": item.updated_at,
        "resourceRegionScope": "REGIONAL",
    }


def permission_wire(item: ManagedPermission, partition: str) -> Wire:
    """A managed permission without what it allows."""
    return {
        "arn": item.arn(partition),
        "version": str(VERSION),
        "defaultVersion": True,
        "name": item.name,
        "resourceType": RESOURCE_TYPE,
        "status": "ATTACHABLE",
        "creationTime": PUBLISHED,
        "lastUpdatedTime": PUBLISHED,
        "isResourceTypeDefault": item.is_default,
        "permissionType": "AWS_MANAGED",
        "featureSet": "STANDARD",
    }


def permission_detail_wire(item: ManagedPermission, partition: str) -> Wire:
    """A managed permission with its statements as text."""
    text = json.dumps(item.statements(partition), separators=(",", ":"))
    return {**permission_wire(item, partition), "permission": text}


def check_type(name: str | None, refusal: type[InvalidParameter] = InvalidResourceType) -> None:
    """Raises `refusal` for a type of resource that cannot be shared; case does not matter."""
    if name is not None and name.lower() != RESOURCE_TYPE.lower():
        raise refusal(f"The specified resource type {name} is not valid.")


def page_of(
    tokens: PageTokens, caller: Caller, p: Mapping[str, Any], items: Sequence[T], key: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of a short list that is sorted by `key`, and the token of the next."""
    filters = {name: value for name, value in p.items() if name not in ("nextToken", "maxResults")}
    scope = (caller.account, caller.region, caller.operation, json.dumps(filters, sort_keys=True, default=str))
    after = str(tokens.open(scope, p["nextToken"])[0]) if "nextToken" in p else ""
    limit = p.get("maxResults", DEFAULT_PAGE)
    left = [item for item in items if key(item) > after]
    return left[:limit], tokens.issue(scope, [key(left[limit - 1])]) if len(left) > limit else None
