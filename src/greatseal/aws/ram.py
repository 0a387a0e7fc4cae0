"""Resource Access Manager for owners: shares, what is in them, and their permissions (acm-pca.md 12.4, iam.md 12).

Whoever widens what a share allows changes the policies of its CAs, and therefore needs `acm-pca:PutPolicy` on each.
"""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import ram_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.ram_access import Keys, request_keys, share_keys
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.sharing import Invitations, NewShare, Shares
from greatseal.domain.sharing.model import MissingParameter, check_resource, check_share_arn
from greatseal.domain.sharing.permissions import DEFAULT, find_permission
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidParameter, InvalidRequest

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class ResourceShares:
    """The operations of owners."""

    def __init__(self, *, access: Access, shares: Shares, invitations: Invitations, clock: Clock) -> None:
        self._access = access
        self._shares = shares
        self._invitations = invitations
        self._clock = clock

    def create_resource_share(self, caller: Caller, p: Parameters) -> Result:
        """POST /createresourceshare"""
        _refuse_unsupported(p)
        tags = shapes.tags_from_wire(p.get("tags"))
        resources, principals = _named(caller, p)
        allow_external = p.get("allowExternalPrincipals", True)
        context: Keys = {
            **tag_conditions(tags),
            **request_keys(resources, principals),
            "ram:RequestedAllowsExternalPrincipals": "true" if allow_external else "false",
        }
        anything = str(caller.arn("ram", "resource-share/*"))
        self._access.authorize(
            caller, Question("ram:CreateResourceShare", anything, context), *_policy_questions(resources)
        )
        permissions = {find_permission(arn).name for arn in p.get("permissionArns") or ()} or {DEFAULT.name}
        if len(permissions) > 1:
            raise InvalidParameter("A resource share has one permission for each resource type. Make another share.")
        new = NewShare(
            name=p["name"],
            resources=resources,
            principals=principals,
            permission=permissions.pop(),
            allow_external=allow_external,
            tags=tags,
        )
        share, stored = self._shares.create(caller, new, p.get("clientToken"))
        return {"resourceShare": shapes.share_wire(share, stored), "clientToken": p.get("clientToken")}

    def update_resource_share(self, caller: Caller, p: Parameters) -> Result:
        """POST /updateresourceshare"""
        allow_external = p.get("allowExternalPrincipals")
        context: Keys = {}
        if allow_external is not None:
            context["ram:RequestedAllowsExternalPrincipals"] = "true" if allow_external else "false"
        arn = self._authorize(caller, p, context)
        if p.get("name") is None and allow_external is None:
            raise MissingParameter("Specify a new name, or whether external principals are allowed.")
        token = p.get("clientToken")
        share = self._shares.update(caller, arn, name=p.get("name"), allow_external=allow_external, token=token)
        return {"resourceShare": shapes.share_wire(share), "clientToken": token}

    def delete_resource_share(self, caller: Caller, p: Parameters) -> Result:
        """DELETE /deleteresourceshare"""
        self._shares.delete(caller, self._authorize(caller, p), p.get("clientToken"))
        return {"returnValue": True, "clientToken": p.get("clientToken")}

    def associate_resource_share(self, caller: Caller, p: Parameters) -> Result:
        """POST /associateresourceshare"""
        _refuse_unsupported(p)
        resources, principals = _named(caller, p)
        arn = self._authorize(caller, p, request_keys(resources, principals))
        self._authorize_policies(caller, arn, resources)
        made = self._shares.associate(caller, arn, resources, principals, p.get("clientToken"))
        return self._associations(made, p)

    def disassociate_resource_share(self, caller: Caller, p: Parameters) -> Result:
        """POST /disassociateresourceshare"""
        _refuse_unsupported(p)
        resources, principals = _named(caller, p)
        arn = self._authorize(caller, p, request_keys(resources, principals))
        ended = self._shares.disassociate(caller, arn, resources, principals, p.get("clientToken"))
        return self._associations(ended, p)

    def associate_resource_share_permission(self, caller: Caller, p: Parameters) -> Result:
        """POST /associateresourcesharepermission"""
        _refuse_unsupported(p)
        arn = self._authorize(caller, p, {"ram:PermissionArn": p["permissionArn"]})
        self._authorize_policies(caller, arn, ())
        permission = find_permission(p["permissionArn"], p.get("permissionVersion"))
        self._shares.set_permission(
            caller, arn, permission.name, replaces=p.get("replace", False), token=p.get("clientToken")
        )
        return {"returnValue": True, "clientToken": p.get("clientToken")}

    def disassociate_resource_share_permission(self, caller: Caller, p: Parameters) -> Result:
        """POST /disassociateresourcesharepermission"""
        arn = self._authorize(caller, p, {"ram:PermissionArn": p["permissionArn"]})
        permission = find_permission(p["permissionArn"])
        self._shares.drop_permission(caller, arn, permission.name, p.get("clientToken"))
        return {"returnValue": True, "clientToken": p.get("clientToken")}

    def enable_sharing_with_aws_organization(self, caller: Caller, p: Parameters) -> Result:
        """POST /enablesharingwithawsorganization"""
        self._access.authorize(caller, Question("ram:EnableSharingWithAwsOrganization", "*"))
        self._invitations.enable_organization(caller)
        return {"returnValue": True}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """POST /tagresource"""
        tags = shapes.tags_from_wire(p["tags"])
        arn = self._authorize(caller, _tagged(p), tag_conditions(tags))
        self._shares.tag(caller, arn, tags)
        return {}

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """POST /untagresource"""
        arn = self._authorize(caller, _tagged(p), {"aws:TagKeys": tuple(p["tagKeys"])})
        self._shares.untag(caller, arn, p["tagKeys"])
        return {}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateResourceShare": self.create_resource_share,
            "UpdateResourceShare": self.update_resource_share,
            "DeleteResourceShare": self.delete_resource_share,
            "AssociateResourceShare": self.associate_resource_share,
            "DisassociateResourceShare": self.disassociate_resource_share,
            "AssociateResourceSharePermission": self.associate_resource_share_permission,
            "DisassociateResourceSharePermission": self.disassociate_resource_share_permission,
            "EnableSharingWithAwsOrganization": self.enable_sharing_with_aws_organization,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
        }

    def _authorize(self, caller: Caller, p: Parameters, context: Keys | None = None) -> str:
        """The ARN of the share, once the caller may do it."""
        arn: str = p["resourceShareArn"]
        check_share_arn(arn)
        known = share_keys(self._shares.find(arn))
        self._access.authorize(caller, Question(caller.operation, arn, {**known, **(context or {})}))
        return arn

    def _authorize_policies(self, caller: Caller, arn: str, resources: tuple[str, ...]) -> None:
        concerned = dict.fromkeys((*self._shares.resources(arn), *resources))
        self._access.authorize(caller, *_policy_questions(tuple(concerned)))

    def _associations(self, found: list[Any], p: Parameters) -> Result:
        now = self._clock.now()
        wire = [shapes.association_wire(each, now) for each in found]
        return {"resourceShareAssociations": wire, "clientToken": p.get("clientToken")}


def _policy_questions(resources: tuple[str, ...]) -> list[Question]:
    return [Question("acm-pca:PutPolicy", arn) for arn in resources]


def _named(caller: Caller, p: Parameters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Resources and principals of a request. Resources are checked first: the caller is asked about its own only."""
    resources, principals = tuple(p.get("resourceArns") or ()), tuple(p.get("principals") or ())
    for arn in resources:
        check_resource(caller, arn)
    return resources, principals


def _tagged(p: Parameters) -> Parameters:
    """The share that is tagged, under the name that other operations have for it."""
    arn = p.get("resourceShareArn") or p.get("resourceArn")
    if arn is None:
        raise InvalidParameter("Specify the ARN of a resource share.")
    return {"resourceShareArn": arn}


def _refuse_unsupported(p: Parameters) -> None:
    """What would limit a share must not be passed over in silence."""
    if p.get("sources"):
        raise InvalidParameter("Sources limit service principals, with which private CAs cannot be shared.")
    if p.get("permissionTemplateParameters"):
        raise InvalidParameter("The managed permissions of private CAs have no parameters.")
    if (p.get("resourceShareConfiguration") or {}).get("retainSharingOnAccountLeaveOrganization"):
        raise InvalidRequest("Sharing within an organization ends when an account leaves the organization.")
