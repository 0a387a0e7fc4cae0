"""Organizations: one function an operation, from wire parameters to a verb of the room (iam.md 10).

Here are the organization, its root and its units; accounts and policies are beside this file.
"""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import organizations_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.organizations_accounts import OrganizationAccounts
from greatseal.aws.organizations_asking import Asking, wanted
from greatseal.aws.organizations_policies import OrganizationPolicies
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access import Access
from greatseal.domain.organizations import Organizations
from greatseal.domain.organizations.model import FeatureSet, TargetKind, kind_of
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class OrganizationsService:
    """The operations of AWS Organizations. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, access: Access, organizations: Organizations, tokens: PageTokens) -> None:
        self._ask = Asking(access)
        self._foundation = organizations.foundation
        self._tree = organizations.tree
        self._accounts = OrganizationAccounts(self._ask, organizations)
        self._policies = OrganizationPolicies(self._ask, organizations, tokens)

    def create_organization(self, caller: Caller, p: Parameters) -> Result:
        """With all features unless it is for billing only."""
        self._ask(caller)
        made, account = self._foundation.create(caller, FeatureSet(p.get("FeatureSet", "ALL")))
        return {"Organization": shapes.organization(made, account, caller.partition)}

    def describe_organization(self, caller: Caller, p: Parameters) -> Result:
        """For every member."""
        self._ask(caller)
        found, account = self._foundation.describe(caller)
        return {"Organization": shapes.organization(found, account, caller.partition)}

    def delete_organization(self, caller: Caller, p: Parameters) -> Result:
        """Without members only."""
        self._ask(caller)
        self._foundation.delete(caller)
        return None

    def list_roots(self, caller: Caller, p: Parameters) -> Result:
        """There is always one."""
        self._ask(caller)
        return {"Roots": [shapes.root(self._foundation.root(caller), caller.partition)]}

    def create_organizational_unit(self, caller: Caller, p: Parameters) -> Result:
        """Below a root or another unit."""
        tags = tags_from_wire(p.get("Tags"))
        self._ask(caller, p["ParentId"], context=self._ask.tagging(caller, tags))
        organization, entry = self._tree.create(caller, p["ParentId"], p["Name"], tags)
        return {"OrganizationalUnit": shapes.unit(organization, entry, caller.partition)}

    def update_organizational_unit(self, caller: Caller, p: Parameters) -> Result:
        """Its name."""
        self._ask(caller, p["OrganizationalUnitId"])
        organization, entry = self._tree.rename(caller, p["OrganizationalUnitId"], p.get("Name"))
        return {"OrganizationalUnit": shapes.unit(organization, entry, caller.partition)}

    def describe_organizational_unit(self, caller: Caller, p: Parameters) -> Result:
        """One unit."""
        self._ask(caller, p["OrganizationalUnitId"])
        organization, entry = self._tree.describe(caller, p["OrganizationalUnitId"])
        return {"OrganizationalUnit": shapes.unit(organization, entry, caller.partition)}

    def delete_organizational_unit(self, caller: Caller, p: Parameters) -> Result:
        """When it is empty."""
        self._ask(caller, p["OrganizationalUnitId"])
        self._tree.delete(caller, p["OrganizationalUnitId"])
        return None

    def list_organizational_units_for_parent(self, caller: Caller, p: Parameters) -> Result:
        """Those right below it."""
        self._ask(caller, p["ParentId"])
        organization, page = self._tree.units(caller, p["ParentId"], wanted(p))
        units = [shapes.unit(organization, entry, caller.partition) for entry in page.items]
        return {"OrganizationalUnits": units, "NextToken": page.next_token}

    def list_children(self, caller: Caller, p: Parameters) -> Result:
        """Units or accounts right below a parent, by id."""
        self._ask(caller, p["ParentId"])
        kind = TargetKind(p["ChildType"])
        page = self._tree.children(caller, p["ParentId"], kind, wanted(p))
        children = [{"Id": each, "Type": kind.value} for each in page.items]
        return {"Children": children, "NextToken": page.next_token}

    def list_parents(self, caller: Caller, p: Parameters) -> Result:
        """There is always one."""
        self._ask(caller, p["ChildId"])
        parent = self._tree.parent(caller, p["ChildId"])
        return {"Parents": [{"Id": parent, "Type": kind_of(parent).value}]}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateOrganization": self.create_organization,
            "DescribeOrganization": self.describe_organization,
            "DeleteOrganization": self.delete_organization,
            "ListRoots": self.list_roots,
            "CreateOrganizationalUnit": self.create_organizational_unit,
            "UpdateOrganizationalUnit": self.update_organizational_unit,
            "DescribeOrganizationalUnit": self.describe_organizational_unit,
            "DeleteOrganizationalUnit": self.delete_organizational_unit,
            "ListOrganizationalUnitsForParent": self.list_organizational_units_for_parent,
            "ListChildren": self.list_children,
            "ListParents": self.list_parents,
            **self._accounts.operations(),
            **self._policies.operations(),
        }
