"""The verbs of receivers: see, accept and reject invitations; and what an organization needs none for."""

from collections.abc import Sequence
from dataclasses import replace

from greatseal.domain.audit import Audit
from greatseal.domain.sharing.attaching import Attachments
from greatseal.domain.sharing.model import (
    Association,
    AssociationStatus,
    AssociationType,
    Invitation,
    InvitationAlreadyRejected,
    InvitationExpired,
    InvitationNotFound,
    InvitationStatus,
    ShareStatus,
    check_invitation_arn,
    require_pending,
)
from greatseal.domain.sharing.store import associations, shares
from greatseal.domain.sharing.store import invitations as store
from greatseal.domain.sharing.tokens import claim
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidRequest
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx


class Invitations:
    """Answers to shares from outside of the organization."""

    def __init__(
        self, *, storage: Storage, attachments: Attachments, audit: Audit, clock: Clock, tokens: PageTokens
    ) -> None:
        self._storage = storage
        self._attachments = attachments
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def received(
        self,
        caller: Caller,
        *,
        arns: Sequence[str] | None,
        share_arns: Sequence[str] | None,
        limit: int,
        token: str | None,
    ) -> Page[Invitation]:
        """The invitations that the caller's account received. Raises InvitationNotFound for a named one it did not."""
        for arn in arns or ():
            check_invitation_arn(arn)
        scope = (caller.account, caller.region, "GetResourceShareInvitations", repr((arns, share_arns)))
        after = str(self._tokens.open(scope, token)[0]) if token is not None else ""

        def work(tx: Tx) -> list[Invitation]:
            for arn in arns or ():
                _load(tx, caller, arn)
            return store.listing(
                tx,
                receiver=caller.account,
                region=caller.region,
                arns=arns,
                shares=share_arns,
                after=after,
                limit=limit + 1,
            )

        found = self._storage.read(work)
        more = len(found) > limit
        return Page(tuple(found[:limit]), self._tokens.issue(scope, [found[limit - 1].arn]) if more else None)

    def accept(self, caller: Caller, arn: str, token: str | None) -> Invitation:
        """Lets the share take effect for the caller's account. Raises InvitationNotFound and what is in its way."""
        return self._answer(caller, arn, token, InvitationStatus.ACCEPTED)

    def reject(self, caller: Caller, arn: str, token: str | None) -> Invitation:
        """Declines the share; its owner may invite again. Raises as `accept`."""
        return self._answer(caller, arn, token, InvitationStatus.REJECTED)

    def resources(self, caller: Caller, arn: str) -> list[Association]:
        """What an open or accepted invitation is about, by ARN. Raises InvitationNotFound and its kin."""
        check_invitation_arn(arn)
        now = self._clock.now()

        def work(tx: Tx) -> list[Association]:
            found = _load(tx, caller, arn)
            match found.status_at(now):
                case InvitationStatus.REJECTED:
                    raise InvitationAlreadyRejected(f"ResourceShareInvitation {arn} was already rejected.")
                case InvitationStatus.EXPIRED:
                    raise InvitationExpired(f"ResourceShareInvitation {arn} has expired.")
                case _:
                    pass
            present = associations.of_share(tx, found.share_arn, AssociationType.RESOURCE)
            return [each for each in present if each.status is AssociationStatus.ASSOCIATED]

        return self._storage.read(work)

    def enable_organization(self, caller: Caller) -> None:
        """Lets the accounts of the caller's organization share without invitations.

        Raises InvalidRequest unless the caller's account manages an organization.
        """

        def work(tx: Tx) -> None:
            found = self._attachments.membership(tx, caller.account)
            refused = "Unable to enable sharing with AWS Organizations. "
            if found is None:
                raise InvalidRequest(refused + "Your account is not a member of an organization.")
            if not found.management_account:
                raise InvalidRequest(refused + "Your account is not the management account of the organization.")
            self._attachments.share_within(tx, found.organization_id, self._clock.now())
            self._audit.record(tx, caller, organization=found.organization_id)

        self._storage.transact(work)

    def _answer(self, caller: Caller, arn: str, token: str | None, status: InvitationStatus) -> Invitation:
        check_invitation_arn(arn)

        def work(tx: Tx) -> Invitation:
            now = self._clock.now()
            found = _load(tx, caller, arn)
            if claim(tx, caller, token, arn, now) is not None:
                return found
            require_pending(found, now)
            share = shares.find(tx, found.share_arn)
            if share is None or share.status is not ShareStatus.ACTIVE:
                raise _not_found(arn)
            store.answer(tx, arn, status)
            waiting = _waiting(tx, found)
            accepted = status is InvitationStatus.ACCEPTED
            settled = AssociationStatus.ASSOCIATED if accepted else AssociationStatus.FAILED
            associations.put(tx, replace(waiting, status=settled, updated_at=now, expires_at=None))
            if accepted:
                self._attachments.grant(tx, share)
            self._audit.record(tx, caller, arn, share.arn)
            return replace(found, status=status)

        return self._storage.transact(work)


def _load(tx: Tx, caller: Caller, arn: str) -> Invitation:
    found = store.find(tx, arn)
    if found is None or (found.receiver, found.region) != (caller.account, caller.region):
        raise _not_found(arn)
    return found


def _waiting(tx: Tx, invitation: Invitation) -> Association:
    """The association that an open invitation stands for; there is one as long as the invitation is not withdrawn."""
    present = associations.of_share(tx, invitation.share_arn, AssociationType.PRINCIPAL)
    return next(each for each in present if each.entity == invitation.principal)


def _not_found(arn: str) -> InvitationNotFound:
    return InvitationNotFound(f"ResourceShareInvitation {arn} could not be found.")
