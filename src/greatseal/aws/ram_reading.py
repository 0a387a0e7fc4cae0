"""Resource Access Manager's listings: shares, associations, resources, principals, permissions (acm-pca.md 12.4)."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from greatseal.aws import ram_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.ram_access import authorize_own, share_keys
from greatseal.domain.access import Access, Question
from greatseal.domain.sharing import AuthorityPolicies, Listings, Shares
from greatseal.domain.sharing.model import (
    RESOURCE_TYPE,
    AssociationFilter,
    AssociationStatus,
    AssociationType,
    ShareFilter,
    ShareStatus,
    check_share_arn,
    share_not_found,
)
from greatseal.domain.sharing.permissions import PERMISSIONS, find_permission
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidParameter
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None
E = TypeVar("E", bound=Enum)


class SharingListings:
    """The operations that only read."""

    def __init__(
        self,
        *,
        access: Access,
        listings: Listings,
        shares: Shares,
        policies: AuthorityPolicies,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._access = access
        self._listings = listings
        self._shares = shares
        self._policies = policies
        self._clock = clock
        self._tokens = tokens

    def get_resource_shares(self, caller: Caller, p: Parameters) -> Result:
        """POST /getresourceshares"""
        self._authorize(caller)
        permission = p.get("permissionArn")
        known, status = _state(ShareStatus, p.get("resourceShareStatus"))
        if not known:
            return {"resourceShares": []}
        page = self._listings.shares(
            caller,
            own=_own(p),
            arns=p.get("resourceShareArns") or None,
            wanted=ShareFilter(
                name=p.get("name"),
                status=status,
                permission=find_permission(permission, p.get("permissionVersion")).name if permission else None,
            ),
            tags={each.get("tagKey", ""): tuple(each.get("tagValues") or ()) for each in p.get("tagFilters") or ()},
            **_paging(p),
        )
        # Tags are their owner's: what is shared by others is shown without.
        wire = [shapes.share_wire(each.share, each.tags if _own(p) else None) for each in page.items]
        return {"resourceShares": wire, "nextToken": page.next_token}

    def get_resource_share_associations(self, caller: Caller, p: Parameters) -> Result:
        """POST /getresourceshareassociations"""
        self._authorize(caller)
        type, resource, principal = p["associationType"], p.get("resourceArn"), p.get("principal")
        if (resource and type != "RESOURCE") or (principal and type != "PRINCIPAL"):
            raise InvalidParameter(f"The association type {type} cannot be combined with the other kind of filter.")
        known, status = _state(AssociationStatus, p.get("associationStatus"))
        if not known or type == "SOURCE":
            return {"resourceShareAssociations": []}
        entity = resource or principal
        wanted = AssociationFilter(_tuple(p.get("resourceShareArns")), (entity,) if entity else None, status)
        page = self._listings.associations(caller, AssociationType(type), wanted, **_paging(p))
        now = self._clock.now()
        wire = [shapes.association_wire(each, now) for each in page.items]
        return {"resourceShareAssociations": wire, "nextToken": page.next_token}

    def list_resources(self, caller: Caller, p: Parameters) -> Result:
        """POST /listresources"""
        self._authorize(caller)
        shapes.check_type(p.get("resourceType"))
        if p.get("resourceRegionScope") == "GLOBAL":
            return {"resources": []}
        page = self._listings.resources(
            caller,
            own=_own(p),
            wanted=_live(p.get("resourceShareArns"), p.get("resourceArns")),
            principal=p.get("principal"),
            **_paging(p),
        )
        wire = [shapes.resource_wire(each.association, available=each.available) for each in page.items]
        return {"resources": wire, "nextToken": page.next_token}

    def list_principals(self, caller: Caller, p: Parameters) -> Result:
        """POST /listprincipals; of what others share, the principals are those who share it."""
        self._authorize(caller)
        shapes.check_type(p.get("resourceType"), InvalidParameter)
        own = _own(p)
        if own:
            page = self._listings.principals(
                caller,
                wanted=_live(p.get("resourceShareArns"), p.get("principals")),
                resource=p.get("resourceArn"),
                **_paging(p),
            )
            wire = [
                {
                    "id": each.entity,
                    "resourceShareArn": each.share_arn,
                    "creationTime": each.created_at,
                    "lastUpdatedTime": each.updated_at,
                    "external": each.external,
                }
                for each in page.items
            ]
            return {"principals": wire, "nextToken": page.next_token}
        return self._owners(caller, p)

    def list_permissions(self, caller: Caller, p: Parameters) -> Result:
        """POST /listpermissions"""
        self._authorize(caller)
        shapes.check_type(p.get("resourceType"), InvalidParameter)
        theirs = p.get("permissionType", "ALL") in ("ALL", "AWS_MANAGED")
        usable = p.get("permissionStatus", "ATTACHABLE") == "ATTACHABLE"
        found = list(PERMISSIONS.values()) if theirs and usable else []
        items, token = shapes.page_of(self._tokens, caller, p, found, lambda each: each.name)
        return {"permissions": [shapes.permission_wire(each, caller.partition) for each in items], "nextToken": token}

    def get_permission(self, caller: Caller, p: Parameters) -> Result:
        """POST /getpermission"""
        found = find_permission(p["permissionArn"], p.get("permissionVersion"))
        authorize_own(self._access, caller, Question(caller.operation, p["permissionArn"]))
        return {"permission": shapes.permission_detail_wire(found, caller.partition)}

    def list_permission_versions(self, caller: Caller, p: Parameters) -> Result:
        """POST /listpermissionversions"""
        found = find_permission(p["permissionArn"])
        authorize_own(self._access, caller, Question(caller.operation, p["permissionArn"]))
        items, token = shapes.page_of(self._tokens, caller, p, [found], lambda each: each.name)
        return {"permissions": [shapes.permission_wire(each, caller.partition) for each in items], "nextToken": token}

    def list_resource_share_permissions(self, caller: Caller, p: Parameters) -> Result:
        """POST /listresourcesharepermissions"""
        arn: str = p["resourceShareArn"]
        check_share_arn(arn)
        share = self._shares.find(arn)
        self._access.authorize(caller, Question(caller.operation, arn, share_keys(share)))
        if share is None or share.region != caller.region:
            raise share_not_found(arn)
        found = [PERMISSIONS[share.permission]] if share.permission else []
        items, token = shapes.page_of(self._tokens, caller, p, found, lambda each: each.name)
        return {"permissions": [shapes.permission_wire(each, caller.partition) for each in items], "nextToken": token}

    def list_resource_types(self, caller: Caller, p: Parameters) -> Result:
        """POST /listresourcetypes"""
        self._authorize(caller)
        found = [] if p.get("resourceRegionScope") == "GLOBAL" else [RESOURCE_TYPE]
        items, token = shapes.page_of(self._tokens, caller, p, found, str)
        wire = [
            {"resourceType": each, "serviceName": each.partition(":")[0], "resourceRegionScope": "REGIONAL"}
            for each in items
        ]
        return {"resourceTypes": wire, "nextToken": token}

    def get_resource_policies(self, caller: Caller, p: Parameters) -> Result:
        """POST /getresourcepolicies"""
        self._authorize(caller)
        arns = sorted(set(p["resourceArns"]))
        found = self._policies.of(caller, arns)
        wanted = p.get("principal")
        shown = [(arn, text) for arn, text in found if wanted is None or f'"{wanted}"' in text]
        items, token = shapes.page_of(self._tokens, caller, p, shown, lambda each: each[0])
        return {"policies": [text for _, text in items], "nextToken": token}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "GetResourceShares": self.get_resource_shares,
            "GetResourceShareAssociations": self.get_resource_share_associations,
            "ListResources": self.list_resources,
            "ListPrincipals": self.list_principals,
            "ListPermissions": self.list_permissions,
            "GetPermission": self.get_permission,
            "ListPermissionVersions": self.list_permission_versions,
            "ListResourceSharePermissions": self.list_resource_share_permissions,
            "ListResourceTypes": self.list_resource_types,
            "GetResourcePolicies": self.get_resource_policies,
        }

    def _authorize(self, caller: Caller) -> None:
        """For operations without a resource of their own."""
        self._access.authorize(caller, Question(caller.operation, "*"))

    def _owners(self, caller: Caller, p: Parameters) -> Result:
        page = self._listings.shares(
            caller,
            own=False,
            arns=p.get("resourceShareArns") or None,
            wanted=ShareFilter(status=ShareStatus.ACTIVE),
            tags={},
            **_paging(p),
        )
        wanted = p.get("principals")
        wire = [
            {
                "id": each.share.account,
                "resourceShareArn": each.share.arn,
                "creationTime": each.share.created_at,
                "lastUpdatedTime": each.share.updated_at,
                "external": each.external,
            }
            for each in page.items
            if not wanted or each.share.account in wanted
        ]
        return {"principals": wire, "nextToken": page.next_token}


def _own(p: Parameters) -> bool:
    return bool(p["resourceOwner"] == "SELF")


def _paging(p: Parameters) -> dict[str, Any]:
    return {"limit": p.get("maxResults", shapes.DEFAULT_PAGE), "token": p.get("nextToken")}


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return tuple(values) if values else None


def _live(shares: list[str] | None, entities: list[str] | None) -> AssociationFilter:
    return AssociationFilter(_tuple(shares), _tuple(entities), AssociationStatus.ASSOCIATED)


def _state(states: type[E], wanted: str | None) -> tuple[bool, E | None]:
    """The state that is asked for, and False for one of those that never show (every change is done at once)."""
    if wanted is None:
        return True, None
    found = next((each for each in states if each.value == wanted), None)
    return found is not None, found
