"""IAM: the account as a whole, its alias, its numbers and all that is in it."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.domain.access import IdentityKind
from greatseal.domain.access.identities import Holdings, partition
from greatseal.kernel.caller import Caller

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_LISTS = {
    IdentityKind.USER: "UserDetailList",
    IdentityKind.GROUP: "GroupDetailList",
    IdentityKind.ROLE: "RoleDetailList",
    None: "Policies",
}


class AccountOperations:
    """Reads whole accounts, and keeps their aliases."""

    def __init__(self, ask: Asking, holdings: Holdings) -> None:
        self._ask = ask
        self._holdings = holdings

    def create_account_alias(self, caller: Caller, p: Parameters) -> Result:
        """There is one at most; a new one takes the place of the old one."""
        self._ask.resource(caller, "*")
        self._holdings.set_alias(caller, p["AccountAlias"])
        return None

    def delete_account_alias(self, caller: Caller, p: Parameters) -> Result:
        """Frees the alias."""
        self._ask.resource(caller, "*")
        self._holdings.remove_alias(caller, p["AccountAlias"])
        return None

    def list_account_aliases(self, caller: Caller, p: Parameters) -> Result:
        """None or one."""
        self._ask.resource(caller, "*")
        alias = self._holdings.alias(caller)
        return {"AccountAliases": [alias] if alias else [], "IsTruncated": False}

    def get_account_summary(self, caller: Caller, p: Parameters) -> Result:
        """How many there are of everything, and how many there may be."""
        self._ask.resource(caller, "*")
        return {"SummaryMap": dict(self._holdings.summary(caller))}

    def get_account_authorization_details(self, caller: Caller, p: Parameters) -> Result:
        """Everything in the account at once, page by page."""
        self._ask.resource(caller, "*")
        limit = p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._holdings.details(caller, frozenset(p.get("Filter", ())), limit, p.get("Marker"))
        found: dict[str, Any] = {name: [] for name in _LISTS.values()}
        for each in page.items:
            kind = each.identity.kind if each.identity else None
            found[_LISTS[kind]].append(shapes.detail(each, partition(caller)))
        return found | shapes.paged(page)

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateAccountAlias": self.create_account_alias,
            "DeleteAccountAlias": self.delete_account_alias,
            "ListAccountAliases": self.list_account_aliases,
            "GetAccountSummary": self.get_account_summary,
            "GetAccountAuthorizationDetails": self.get_account_authorization_details,
        }
