"""The verbs on the policy of a private CA: PutPolicy, GetPolicy, DeletePolicy (acm-pca.md 2.16, 12.2).

A policy that the owner writes appears among the shares too, as one with the feature set CREATED_FROM_POLICY, so that
receivers find what is theirs in one place, however it was shared.
"""

from collections.abc import Sequence

from greatseal.domain.access import ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.model import require
from greatseal.domain.authorities.sharing_policy import Grantee, check
from greatseal.domain.sharing.attaching import Attachments
from greatseal.domain.sharing.model import (
    Association,
    AssociationStatus,
    AssociationType,
    FeatureSet,
    ResourceArnNotFound,
    Share,
    check_resource,
)
from greatseal.domain.sharing.store import associations, shares
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import NotFound
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx


class AuthorityPolicies:
    """Sets, reads and removes the whole policy of a CA, the statements of its shares included."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        resource_policies: ResourcePolicies,
        attachments: Attachments,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._resource_policies = resource_policies
        self._attachments = attachments
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def put(self, caller: Caller, arn: str, document: str) -> None:
        """Replaces the policy; shares of the CA end with it. Raises InvalidPolicy, NotFound and InvalidState."""
        grantees = check(document, arn)
        share_arn = str(caller.arn("ram", f"resource-share/{new_uuid(self._entropy)}"))

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "permit", now)
            self._attachments.release(tx, arn, now)
            self._resource_policies.put(tx, arn, document)
            share = Share(
                arn=share_arn,
                account=authority.account,
                region=authority.region,
                name=f"CreatedFromPolicy-{authority.id}",
                allow_external=True,
                created_at=now,
                updated_at=now,
                feature_set=FeatureSet.CREATED_FROM_POLICY,
            )
            self._show(tx, share, arn, grantees)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def get(self, arn: str) -> str:
        """The whole policy. Raises NotFound when there is none."""

        def work(tx: Tx) -> str | None:
            require(self._registry.load(tx, arn), "permit", self._clock.now())
            return self._resource_policies.document(tx, arn)

        found = self._storage.read(work)
        if found is None:
            raise NotFound(f"Could not find policy for resource {arn}.")
        return found

    def delete(self, caller: Caller, arn: str) -> None:
        """Removes the policy and takes the CA out of its shares; no error when there is no policy."""

        def work(tx: Tx) -> None:
            now = self._clock.now()
            require(self._registry.load(tx, arn), "permit", now)
            self._attachments.release(tx, arn, now)
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def of(self, caller: Caller, arns: Sequence[str]) -> list[tuple[str, str]]:
        """(ARN, policy) of the caller's own CAs, without those that have none. Raises ResourceArnNotFound."""
        for arn in arns:
            try:
                check_resource(caller, arn)
            except NotFound as error:
                raise ResourceArnNotFound(error.message) from None

        def work(tx: Tx) -> list[tuple[str, str]]:
            found = []
            for arn in arns:
                if not self._attachments.exists(tx, arn):
                    raise ResourceArnNotFound(f"Resource {arn} could not be found.")
                found.append((arn, self._resource_policies.document(tx, arn)))
            return [(arn, text) for arn, text in found if text is not None]

        return self._storage.read(work)

    def _show(self, tx: Tx, share: Share, arn: str, grantees: Sequence[Grantee]) -> None:
        shares.add(tx, share)
        now = share.created_at
        own = self._attachments.membership(tx, share.account)
        live = AssociationStatus.ASSOCIATED
        associations.put(tx, Association(share.arn, AssociationType.RESOURCE, arn, live, now, now))
        for each in grantees:
            other = self._attachments.membership(tx, each.found_by) if each.found_by.isdigit() else None
            inside = own is not None and own.organization_id in (other and other.organization_id, each.found_by)
            associations.put(
                tx,
                Association(
                    share_arn=share.arn,
                    type=AssociationType.PRINCIPAL,
                    entity=each.entity,
                    status=live,
                    created_at=now,
                    updated_at=now,
                    grantee=each.found_by,
                    external=not inside,
                ),
            )
