"""Organizations: the operations of accounts, and of the handshakes by which they join."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import organizations_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.organizations_asking import Asking, wanted
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access.accounts import ENTRY_ROLE
from greatseal.domain.organizations import Organizations
from greatseal.domain.organizations.model import CreationState, Invitation
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import Page

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class OrganizationAccounts:
    """The operations of member accounts and invitations."""

    def __init__(self, ask: Asking, organizations: Organizations) -> None:
        self._ask = ask
        self._members = organizations.members
        self._invitations = organizations.invitations

    def create_account(self, caller: Caller, p: Parameters) -> Result:
        """The account is there at once; clients learn it when they ask for the status."""
        tags = tags_from_wire(p.get("Tags"))
        self._ask(caller, context=self._ask.tagging(caller, tags))
        made = self._members.create(
            caller,
            name=p["AccountName"],
            email=p["Email"],
            role_name=p.get("RoleName", ENTRY_ROLE),
            tags=tags,
        )
        return {"CreateAccountStatus": shapes.creation_begun(made)}

    def describe_create_account_status(self, caller: Caller, p: Parameters) -> Result:
        """How it went."""
        self._ask(caller)
        found = self._members.creation(caller, p["CreateAccountRequestId"])
        return {"CreateAccountStatus": shapes.creation(found)}

    def list_create_account_status(self, caller: Caller, p: Parameters) -> Result:
        """All requests, or those in some states."""
        self._ask(caller)
        states = frozenset(CreationState(each) for each in p.get("States", ()))
        page = self._members.creations(caller, states, wanted(p))
        found = [shapes.creation(each) for each in page.items]
        return {"CreateAccountStatuses": found, "NextToken": page.next_token}

    def describe_account(self, caller: Caller, p: Parameters) -> Result:
        """One account."""
        self._ask(caller, p["AccountId"])
        organization, entry = self._members.describe(caller, p["AccountId"])
        return {"Account": shapes.account(organization, entry, caller.partition)}

    def list_accounts(self, caller: Caller, p: Parameters) -> Result:
        """Every account."""
        self._ask(caller)
        return self._accounts(caller, p)

    def list_accounts_for_parent(self, caller: Caller, p: Parameters) -> Result:
        """Those right below it."""
        self._ask(caller, p["ParentId"])
        return self._accounts(caller, p)

    def move_account(self, caller: Caller, p: Parameters) -> Result:
        """The caller needs the right for the account and for both parents."""
        self._ask(caller, p["AccountId"], p["SourceParentId"], p["DestinationParentId"])
        self._members.move(caller, p["AccountId"], source=p["SourceParentId"], destination=p["DestinationParentId"])
        return None

    def close_account(self, caller: Caller, p: Parameters) -> Result:
        """From now on it may do nothing."""
        self._ask(caller, p["AccountId"])
        self._members.close(caller, p["AccountId"])
        return None

    def remove_account_from_organization(self, caller: Caller, p: Parameters) -> Result:
        """By the management account."""
        self._ask(caller, p["AccountId"])
        self._members.remove(caller, p["AccountId"])
        return None

    def leave_organization(self, caller: Caller, p: Parameters) -> Result:
        """By the account itself."""
        self._ask(caller)
        self._members.leave(caller)
        return None

    def invite_account_to_organization(self, caller: Caller, p: Parameters) -> Result:
        """By account id or address; both must be of this installation."""
        tags = tags_from_wire(p.get("Tags"))
        invited = {"ACCOUNT": "account", "EMAIL": "email"}.get(p["Target"]["Type"])
        self._ask(caller, context=self._ask.tagging(caller, tags))
        made = self._invitations.invite(
            caller,
            account=p["Target"]["Id"] if invited == "account" else None,
            email=p["Target"]["Id"] if invited == "email" else None,
            notes=p.get("Notes"),
            tags=tags,
        )
        return _handshake(caller, made)

    def accept_handshake(self, caller: Caller, p: Parameters) -> Result:
        """By the invited account."""
        self._ask(caller, p["HandshakeId"])
        return _handshake(caller, self._invitations.accept(caller, p["HandshakeId"]))

    def decline_handshake(self, caller: Caller, p: Parameters) -> Result:
        """By the invited account."""
        self._ask(caller, p["HandshakeId"])
        return _handshake(caller, self._invitations.decline(caller, p["HandshakeId"]))

    def cancel_handshake(self, caller: Caller, p: Parameters) -> Result:
        """By the management account."""
        self._ask(caller, p["HandshakeId"])
        return _handshake(caller, self._invitations.cancel(caller, p["HandshakeId"]))

    def describe_handshake(self, caller: Caller, p: Parameters) -> Result:
        """By either party."""
        self._ask(caller, p["HandshakeId"])
        return _handshake(caller, self._invitations.describe(caller, p["HandshakeId"]))

    def list_handshakes_for_account(self, caller: Caller, p: Parameters) -> Result:
        """What the caller's account was invited to."""
        self._ask(caller)
        return _handshakes(caller, p, self._invitations.received(caller, wanted(p)))

    def list_handshakes_for_organization(self, caller: Caller, p: Parameters) -> Result:
        """Whom the organization invited."""
        self._ask(caller)
        return _handshakes(caller, p, self._invitations.sent(caller, wanted(p)))

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateAccount": self.create_account,
            "DescribeCreateAccountStatus": self.describe_create_account_status,
            "ListCreateAccountStatus": self.list_create_account_status,
            "DescribeAccount": self.describe_account,
            "ListAccounts": self.list_accounts,
            "ListAccountsForParent": self.list_accounts_for_parent,
            "MoveAccount": self.move_account,
            "CloseAccount": self.close_account,
            "RemoveAccountFromOrganization": self.remove_account_from_organization,
            "LeaveOrganization": self.leave_organization,
            "InviteAccountToOrganization": self.invite_account_to_organization,
            "AcceptHandshake": self.accept_handshake,
            "DeclineHandshake": self.decline_handshake,
            "CancelHandshake": self.cancel_handshake,
            "DescribeHandshake": self.describe_handshake,
            "ListHandshakesForAccount": self.list_handshakes_for_account,
            "ListHandshakesForOrganization": self.list_handshakes_for_organization,
        }

    def _accounts(self, caller: Caller, p: Parameters) -> Result:
        organization, page = self._members.list(caller, wanted(p), parent_id=p.get("ParentId"))
        accounts = [shapes.account(organization, entry, caller.partition) for entry in page.items]
        return {"Accounts": accounts, "NextToken": page.next_token}


def _handshake(caller: Caller, invitation: Invitation) -> Result:
    return {"Handshake": shapes.handshake(invitation, caller.partition)}


def _handshakes(caller: Caller, p: Parameters, page: Page[Invitation]) -> Result:
    """Invitations are the only handshakes there are, and none has a parent."""
    only = p.get("Filter", {})
    if only.get("ActionType", "INVITE") != "INVITE" or "ParentHandshakeId" in only:
        return {"Handshakes": []}
    found = [shapes.handshake(each, caller.partition) for each in page.items]
    return {"Handshakes": found, "NextToken": page.next_token}
