"""How resources and principals come to a share and leave it, and the policies that follow. Verbs join a transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from greatseal.domain.access import Membership, ResourcePolicies, naming
from greatseal.domain.access.language import MalformedPolicy
from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.model import Status
from greatseal.domain.sharing import principals as names
from greatseal.domain.sharing.model import (
    INVITATION_LIFE,
    Association,
    AssociationStatus,
    AssociationType,
    FeatureSet,
    Invitation,
    InvitationStatus,
    Share,
    ShareStatus,
)
from greatseal.domain.sharing.permissions import DEFAULT
from greatseal.domain.sharing.ports import Organizations
from greatseal.domain.sharing.statements import document
from greatseal.domain.sharing.store import associations, invitations, shares
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidParameter, InvalidRequest, NotFound
from greatseal.storage import Tx

SERVICE = "ram.amazonaws.com"
"""What an organization trusts when its accounts share without invitations."""
_PARTIES = (AssociationStatus.ASSOCIATING, AssociationStatus.ASSOCIATED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request names, with an id for the invitation that each principal may need."""

    resources: tuple[str, ...]
    """ARNs that `model.check_resource` let through."""
    principals: tuple[tuple[str, str], ...]
    """(principal, id)."""


class Attachments:
    """Ties resources and principals to shares and keeps the resources' policies in step."""

    def __init__(
        self, *, registry: Registry, resource_policies: ResourcePolicies, organizations: Organizations
    ) -> None:
        self._registry = registry
        self._resource_policies = resource_policies
        self._organizations = organizations

    def attach(self, tx: Tx, share: Share, wanted: Wanted, now: datetime) -> list[Association]:
        """The associations, new or as they were. Raises NotFound, InvalidParameter and InvalidRequest."""
        made = [self._resource(tx, share, arn, now) for arn in wanted.resources]
        made += [self._principal(tx, share, text, id, now) for text, id in wanted.principals]
        if wanted.resources and not share.permission:
            share = replace(share, permission=DEFAULT.name)
        shares.save(tx, replace(share, updated_at=now))
        self.grant(tx, share)
        return made

    def detach(
        self, tx: Tx, share: Share, resources: Sequence[str], principals: Sequence[str], now: datetime
    ) -> list[Association]:
        """The ended associations. Raises NotFound for what is not associated."""
        present = {(each.type, each.entity): each for each in associations.of_share(tx, share.arn)}
        wanted = [(AssociationType.RESOURCE, each) for each in resources]
        wanted += [(AssociationType.PRINCIPAL, each) for each in principals]
        ended = []
        for type, entity in wanted:
            found = present.get((type, entity))
            if found is None or found.status is AssociationStatus.DISASSOCIATED:
                raise NotFound(f"{entity} is not associated with ResourceShare {share.arn}.")
            ended.append(self._end(tx, found, now))
        shares.save(tx, replace(share, updated_at=now))
        self.grant(tx, share)
        return ended

    def grant(self, tx: Tx, share: Share) -> None:
        """Writes the share's part of the policy of each of its resources, or takes it away when nobody is let in."""
        present = associations.of_share(tx, share.arn)
        live = [each for each in present if each.status is AssociationStatus.ASSOCIATED]
        parties = [each for each in live if each.type is AssociationType.PRINCIPAL]
        for each in live:
            if each.type is not AssociationType.RESOURCE:
                continue
            if parties:
                text = document(share, each.entity, parties)
                self._resource_policies.put(tx, each.entity, text, part=share.arn)
            else:
                self._resource_policies.remove(tx, each.entity, part=share.arn)

    def close(self, tx: Tx, share: Share, now: datetime) -> None:
        """Deletes a share: every association ends, open invitations are withdrawn."""
        for each in associations.of_share(tx, share.arn):
            if each.status is not AssociationStatus.DISASSOCIATED:
                self._end(tx, each, now)
        shares.save(tx, replace(share, status=ShareStatus.DELETED, updated_at=now))

    def release(self, tx: Tx, resource_arn: str, now: datetime) -> None:
        """Takes a resource out of every share and removes its whole policy."""
        for each in associations.live_resources(tx, resource_arn):
            share = shares.find(tx, each.share_arn)
            assert share is not None
            if share.feature_set is FeatureSet.CREATED_FROM_POLICY:
                self.close(tx, share, now)
            else:
                self._end(tx, each, now)
        self._resource_policies.remove(tx, resource_arn)

    def share_within(self, tx: Tx, organization: str, now: datetime) -> None:
        """Lets the accounts of an organization share without invitations."""
        self._organizations.trust(tx, organization, SERVICE, now)

    def gone(self, tx: Tx) -> list[str]:
        """The shared CAs whose restore window has closed."""
        found = dict.fromkeys(each.entity for each in associations.live_resources(tx))
        return [arn for arn in found if not self.exists(tx, arn)]

    def exists(self, tx: Tx, resource_arn: str) -> bool:
        """Whether there is such a CA, also a deleted one within its restore window."""
        try:
            self._registry.load(tx, resource_arn)
        except NotFound:
            return False
        return True

    def available(self, tx: Tx, resource_arn: str) -> bool:
        """Whether there is such a CA and it was not deleted."""
        return self.exists(tx, resource_arn) and self._registry.load(tx, resource_arn).status is not Status.DELETED

    def membership(self, tx: Tx, account: str) -> Membership | None:
        """The account's place in an organization."""
        return self._organizations.membership(tx, account)

    def sharing_organization(self, tx: Tx, account: str) -> str:
        """The organization within which this account shares without invitations; empty when there is none."""
        found = self.membership(tx, account)
        if found is None or not self._organizations.trusts(tx, found.organization_id, SERVICE):
            return ""
        return found.organization_id

    def _resource(self, tx: Tx, share: Share, arn: str, now: datetime) -> Association:
        authority = self._registry.load(tx, arn)
        if authority.status is Status.DELETED:
            raise NotFound(f"Resource {arn} could not be found.")
        found = _present(tx, share, AssociationType.RESOURCE, arn)
        if found is not None and found.status is AssociationStatus.ASSOCIATED:
            return found
        made = Association(
            share_arn=share.arn,
            type=AssociationType.RESOURCE,
            entity=arn,
            status=AssociationStatus.ASSOCIATED,
            created_at=now,
            updated_at=now,
            share_name=share.name,
        )
        associations.put(tx, made)
        return made

    def _principal(self, tx: Tx, share: Share, text: str, id: str, now: datetime) -> Association:
        who = names.parse(text)
        found = _present(tx, share, AssociationType.PRINCIPAL, text)
        if found is not None and found.status_at(now) in _PARTIES:
            return found
        if who.account == share.account:
            raise InvalidParameter(f"Principal ID {text} belongs to the owner of the resource share.")
        organization = self._organization_with(tx, share, who)
        if not organization and not share.allow_external:
            raise InvalidRequest(
                "The resource you are attempting to share can only be shared within your AWS Organization. "
                f"Principal {text} is not in your organization, or sharing with the organization is not enabled."
            )
        made = Association(
            share_arn=share.arn,
            type=AssociationType.PRINCIPAL,
            entity=text,
            status=AssociationStatus.ASSOCIATED if organization else AssociationStatus.ASSOCIATING,
            created_at=now,
            updated_at=now,
            grantee=who.grantee,
            policy_name=_policy_name(tx, who),
            external=not organization,
            organization=organization,
            expires_at=None if organization else now + INVITATION_LIFE,
            share_name=share.name,
        )
        associations.put(tx, made)
        if not organization:
            _invite(tx, share, who, id, now)
        return made

    def _organization_with(self, tx: Tx, share: Share, who: names.Principal) -> str:
        """The organization that the owner shares in and the principal belongs to; empty for an outsider.

        An organization that is not the owner's own, or that does not share, cannot be named at all.
        """
        shared = self.sharing_organization(tx, share.account)
        if who.organization:
            if who.organization != shared:
                unit = f"OrganizationalUnit {who.unit} in unknown organization"
                raise NotFound(f"{unit if who.unit else f'Organization {who.organization}'} could not be found.")
            return shared
        other = self.membership(tx, who.account)
        return shared if shared and other is not None and other.organization_id == shared else ""

    def _end(self, tx: Tx, item: Association, now: datetime) -> Association:
        ended = replace(item, status=AssociationStatus.DISASSOCIATED, updated_at=now)
        associations.put(tx, ended)
        if item.type is AssociationType.RESOURCE:
            self._resource_policies.remove(tx, item.entity, part=item.share_arn)
        else:
            invitations.withdraw(tx, item.share_arn, item.entity)
        return ended


def _present(tx: Tx, share: Share, type: AssociationType, entity: str) -> Association | None:
    return next((each for each in associations.of_share(tx, share.arn, type) if each.entity == entity), None)


def _invite(tx: Tx, share: Share, who: names.Principal, id: str, now: datetime) -> None:
    own = Arn.parse(share.arn)
    invitations.add(
        tx,
        Invitation(
            # The owner's account, though it belongs to the receiver (iam.md 12, step 2).
            arn=str(replace(own, resource=f"resource-share-invitation/{id}")),
            share_arn=share.arn,
            share_name=share.name,
            region=share.region,
            sender=share.account,
            receiver=who.account,
            receiver_arn=who.text if who.is_identity else "",
            status=InvitationStatus.PENDING,
            at=now,
        ),
    )


def _policy_name(tx: Tx, who: names.Principal) -> str:
    """The account, or the id of the user or role: whoever gets the same name later is somebody else (iam.md 3)."""
    if not who.is_identity:
        return who.account
    try:
        pinned = naming.pin(tx, json.dumps({"Statement": {"Principal": {"AWS": who.text}}}))
    except MalformedPolicy:
        raise InvalidParameter(f"Principal ID {who.text} is malformed. Verify the ID and try again.") from None
    name: str = json.loads(pinned)["Statement"]["Principal"]["AWS"]
    return name
