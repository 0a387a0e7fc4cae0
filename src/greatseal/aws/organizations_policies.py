"""Organizations: the operations of policies, of services that work with the organization, and of tags."""

from collections.abc import Mapping
from typing import Any, NoReturn

from greatseal.aws import organizations_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.organizations_asking import PAGE, Asking, Conditions, wanted
from greatseal.aws.organizations_shapes import SERVICE_CONTROL
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.aws.tags import to_wire as tags_to_wire
from greatseal.domain.organizations import Organizations
from greatseal.domain.organizations.refusals import PolicyTypeNotAvailable
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_OF_TYPE: Conditions = {"organizations:PolicyType": SERVICE_CONTROL}
"""All policies that there are have this type."""


class OrganizationPolicies:
    """The operations of policies, trusted services, delegated administrators and tags."""

    def __init__(self, ask: Asking, organizations: Organizations, tokens: PageTokens) -> None:
        self._ask = ask
        self._foundation = organizations.foundation
        self._policies = organizations.policies
        self._delegation = organizations.delegation
        self._tagging = organizations.tagging
        self._tokens = tokens

    def enable_policy_type(self, caller: Caller, p: Parameters) -> Result:
        """Only service control is offered."""
        self._ask(caller, p["RootId"], context={"organizations:PolicyType": p["PolicyType"]})
        if p["PolicyType"] != SERVICE_CONTROL:
            self._foundation.refuse_policy_type(caller, p["RootId"], enable=True)
        changed = self._foundation.enable_service_control(caller, p["RootId"])
        return {"Root": shapes.root(changed, caller.partition)}

    def disable_policy_type(self, caller: Caller, p: Parameters) -> Result:
        """Everything of this type is detached."""
        self._ask(caller, p["RootId"], context={"organizations:PolicyType": p["PolicyType"]})
        if p["PolicyType"] != SERVICE_CONTROL:
            self._foundation.refuse_policy_type(caller, p["RootId"], enable=False)
        changed = self._foundation.disable_service_control(caller, p["RootId"])
        return {"Root": shapes.root(changed, caller.partition)}

    def create_policy(self, caller: Caller, p: Parameters) -> Result:
        """Attached nowhere yet."""
        tags = tags_from_wire(p.get("Tags"))
        context = {**self._ask.tagging(caller, tags), "organizations:PolicyType": p["Type"]}
        self._ask(caller, context=context)
        if p["Type"] != SERVICE_CONTROL:
            raise PolicyTypeNotAvailable
        organization, made = self._policies.create(
            caller, name=p["Name"], description=p["Description"], content=p["Content"], tags=tags
        )
        return {"Policy": shapes.policy(organization, made, caller.partition)}

    def update_policy(self, caller: Caller, p: Parameters) -> Result:
        """What is given."""
        self._ask(caller, p["PolicyId"], context=_OF_TYPE)
        organization, changed = self._policies.update(
            caller,
            p["PolicyId"],
            name=p.get("Name"),
            description=p.get("Description"),
            content=p.get("Content"),
        )
        return {"Policy": shapes.policy(organization, changed, caller.partition)}

    def describe_policy(self, caller: Caller, p: Parameters) -> Result:
        """With its text."""
        self._ask(caller, p["PolicyId"], context=_OF_TYPE)
        organization, found = self._policies.describe(caller, p["PolicyId"])
        return {"Policy": shapes.policy(organization, found, caller.partition)}

    def delete_policy(self, caller: Caller, p: Parameters) -> Result:
        """When it is attached nowhere."""
        self._ask(caller, p["PolicyId"], context=_OF_TYPE)
        self._policies.delete(caller, p["PolicyId"])
        return None

    def list_policies(self, caller: Caller, p: Parameters) -> Result:
        """Of one type."""
        self._ask(caller, context={"organizations:PolicyType": p["Filter"]})
        organization, page = self._policies.list(caller, wanted(p))
        if p["Filter"] != SERVICE_CONTROL:
            return {"Policies": []}
        found = [shapes.policy_summary(organization, each, caller.partition) for each in page.items]
        return {"Policies": found, "NextToken": page.next_token}

    def attach_policy(self, caller: Caller, p: Parameters) -> Result:
        """To a root, unit or account."""
        self._ask(caller, p["PolicyId"], p["TargetId"], context=_OF_TYPE)
        self._policies.attach(caller, p["PolicyId"], p["TargetId"])
        return None

    def detach_policy(self, caller: Caller, p: Parameters) -> Result:
        """Never the last one."""
        self._ask(caller, p["PolicyId"], p["TargetId"], context=_OF_TYPE)
        self._policies.detach(caller, p["PolicyId"], p["TargetId"])
        return None

    def list_policies_for_target(self, caller: Caller, p: Parameters) -> Result:
        """What is attached to it directly."""
        self._ask(caller, p["TargetId"], context={"organizations:PolicyType": p["Filter"]})
        organization, page = self._policies.of_target(caller, p["TargetId"], wanted(p))
        if p["Filter"] != SERVICE_CONTROL:
            return {"Policies": []}
        found = [shapes.policy_summary(organization, each, caller.partition) for each in page.items]
        return {"Policies": found, "NextToken": page.next_token}

    def list_targets_for_policy(self, caller: Caller, p: Parameters) -> Result:
        """What it is attached to."""
        self._ask(caller, p["PolicyId"], context=_OF_TYPE)
        organization, page = self._policies.targets(caller, p["PolicyId"], wanted(p))
        found = [shapes.target(organization, each, caller.partition) for each in page.items]
        return {"Targets": found, "NextToken": page.next_token}

    def describe_effective_policy(self, caller: Caller, p: Parameters) -> NoReturn:
        """There is none: service control has no effective policy, and the types that have one are not offered."""
        target = p.get("TargetId", caller.account)
        self._ask(caller, target, context={"organizations:PolicyType": p["PolicyType"]})
        self._policies.refuse_effective(caller, target)

    def enable_aws_service_access(self, caller: Caller, p: Parameters) -> Result:
        """Once more changes nothing."""
        self._ask(caller, context=_of_service(p))
        self._delegation.enable(caller, p["ServicePrincipal"])
        return None

    def disable_aws_service_access(self, caller: Caller, p: Parameters) -> Result:
        """Not while accounts administrate the service."""
        self._ask(caller, context=_of_service(p))
        self._delegation.disable(caller, p["ServicePrincipal"])
        return None

    def list_aws_service_access_for_organization(self, caller: Caller, p: Parameters) -> Result:
        """The trusted services."""
        self._ask(caller)
        page = self._delegation.enabled(caller, wanted(p))
        found = [{"ServicePrincipal": service, "DateEnabled": since} for service, since in page.items]
        return {"EnabledServicePrincipals": found, "NextToken": page.next_token}

    def register_delegated_administrator(self, caller: Caller, p: Parameters) -> Result:
        """For one service."""
        self._ask(caller, p["AccountId"], context=_of_service(p))
        self._delegation.register(caller, p["AccountId"], p["ServicePrincipal"])
        return None

    def deregister_delegated_administrator(self, caller: Caller, p: Parameters) -> Result:
        """For one service."""
        self._ask(caller, p["AccountId"], context=_of_service(p))
        self._delegation.deregister(caller, p["AccountId"], p["ServicePrincipal"])
        return None

    def list_delegated_administrators(self, caller: Caller, p: Parameters) -> Result:
        """Of one service or of any."""
        self._ask(caller, context=_of_service(p))
        organization, page = self._delegation.administrators(caller, p.get("ServicePrincipal"), wanted(p))
        found = [shapes.delegated(organization, entry, since, caller.partition) for entry, since in page.items]
        return {"DelegatedAdministrators": found, "NextToken": page.next_token}

    def list_delegated_services_for_account(self, caller: Caller, p: Parameters) -> Result:
        """What it administrates."""
        self._ask(caller, p["AccountId"])
        page = self._delegation.services(caller, p["AccountId"], wanted(p))
        found = [{"ServicePrincipal": service, "DelegationEnabledDate": since} for service, since in page.items]
        return {"DelegatedServices": found, "NextToken": page.next_token}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """Roots, units, accounts and policies."""
        tags = tags_from_wire(p["Tags"])
        self._ask(caller, p["ResourceId"], context=tag_conditions(tags))
        self._tagging.add(caller, p["ResourceId"], tags)
        return None

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """By key."""
        self._ask(caller, p["ResourceId"], context={"aws:TagKeys": tuple(p["TagKeys"])})
        self._tagging.remove(caller, p["ResourceId"], p["TagKeys"])
        return None

    def list_tags_for_resource(self, caller: Caller, p: Parameters) -> Result:
        """By key, a page at a time."""
        self._ask(caller, p["ResourceId"])
        scope = (caller.account, caller.operation, p["ResourceId"])
        after = str(self._tokens.open(scope, p["NextToken"])[0]) if "NextToken" in p else ""
        left = [tag for tag in self._tagging.of(caller, p["ResourceId"]) if tag.key > after]
        token = self._tokens.issue(scope, [left[PAGE - 1].key]) if len(left) > PAGE else None
        return {"Tags": tags_to_wire(left[:PAGE]), "NextToken": token}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "EnablePolicyType": self.enable_policy_type,
            "DisablePolicyType": self.disable_policy_type,
            "CreatePolicy": self.create_policy,
            "UpdatePolicy": self.update_policy,
            "DescribePolicy": self.describe_policy,
            "DeletePolicy": self.delete_policy,
            "ListPolicies": self.list_policies,
            "AttachPolicy": self.attach_policy,
            "DetachPolicy": self.detach_policy,
            "ListPoliciesForTarget": self.list_policies_for_target,
            "ListTargetsForPolicy": self.list_targets_for_policy,
            "DescribeEffectivePolicy": self.describe_effective_policy,
            "EnableAWSServiceAccess": self.enable_aws_service_access,
            "DisableAWSServiceAccess": self.disable_aws_service_access,
            "ListAWSServiceAccessForOrganization": self.list_aws_service_access_for_organization,
            "RegisterDelegatedAdministrator": self.register_delegated_administrator,
            "DeregisterDelegatedAdministrator": self.deregister_delegated_administrator,
            "ListDelegatedAdministrators": self.list_delegated_administrators,
            "ListDelegatedServicesForAccount": self.list_delegated_services_for_account,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }


def _of_service(p: Parameters) -> Conditions:
    return {"organizations:ServicePrincipal": p["ServicePrincipal"]} if "ServicePrincipal" in p else {}
