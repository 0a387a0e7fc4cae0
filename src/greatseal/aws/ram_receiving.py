"""Resource Access Manager for receivers: invitations (acm-pca.md 12.4, iam.md 12)."""

from collections.abc import Callable, Mapping
from typing import Any

from greatseal.aws import ram_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.ram_access import authorize_own
from greatseal.domain.access import Access, Question
from greatseal.domain.sharing import Invitations
from greatseal.domain.sharing.model import Invitation, check_invitation_arn
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.pages import PageTokens

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class ReceivedInvitations:
    """The operations of accounts that something is shared with."""

    def __init__(self, *, access: Access, invitations: Invitations, clock: Clock, tokens: PageTokens) -> None:
        self._access = access
        self._invitations = invitations
        self._clock = clock
        self._tokens = tokens

    def get_resource_share_invitations(self, caller: Caller, p: Parameters) -> Result:
        """POST /getresourceshareinvitations"""
        self._access.authorize(caller, Question("ram:GetResourceShareInvitations", "*"))
        page = self._invitations.received(
            caller,
            arns=p.get("resourceShareInvitationArns") or None,
            share_arns=p.get("resourceShareArns") or None,
            limit=p.get("maxResults", shapes.DEFAULT_PAGE),
            token=p.get("nextToken"),
        )
        now = self._clock.now()
        wire = [shapes.invitation_wire(each, now) for each in page.items]
        return {"resourceShareInvitations": wire, "nextToken": page.next_token}

    def accept_resource_share_invitation(self, caller: Caller, p: Parameters) -> Result:
        """POST /acceptresourceshareinvitation"""
        return self._answer(caller, p, self._invitations.accept)

    def reject_resource_share_invitation(self, caller: Caller, p: Parameters) -> Result:
        """POST /rejectresourceshareinvitation"""
        return self._answer(caller, p, self._invitations.reject)

    def list_pending_invitation_resources(self, caller: Caller, p: Parameters) -> Result:
        """POST /listpendinginvitationresources"""
        arn = self._authorize(caller, p)
        found = self._invitations.resources(caller, arn)
        if p.get("resourceRegionScope") == "GLOBAL":
            found = []
        items, token = shapes.page_of(self._tokens, caller, p, found, lambda each: each.entity)
        return {"resources": [shapes.resource_wire(each, available=True) for each in items], "nextToken": token}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "GetResourceShareInvitations": self.get_resource_share_invitations,
            "AcceptResourceShareInvitation": self.accept_resource_share_invitation,
            "RejectResourceShareInvitation": self.reject_resource_share_invitation,
            "ListPendingInvitationResources": self.list_pending_invitation_resources,
        }

    def _answer(self, caller: Caller, p: Parameters, verb: Callable[[Caller, str, str | None], Invitation]) -> Result:
        answered = verb(caller, self._authorize(caller, p), p.get("clientToken"))
        wire = shapes.invitation_wire(answered, self._clock.now())
        return {"resourceShareInvitation": wire, "clientToken": p.get("clientToken")}

    def _authorize(self, caller: Caller, p: Parameters) -> str:
        arn: str = p["resourceShareInvitationArn"]
        check_invitation_arn(arn)
        context = {"ram:ShareOwnerAccountId": Arn.parse(arn).account}
        authorize_own(self._access, caller, Question(caller.operation, arn, context))
        return arn
