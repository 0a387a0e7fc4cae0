"""The room as a whole: its verbs, built from the rooms below."""

from dataclasses import dataclass

from greatseal.domain.access import ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.sharing.attaching import Attachments
from greatseal.domain.sharing.invitations import Invitations
from greatseal.domain.sharing.listing import Listings
from greatseal.domain.sharing.policies import AuthorityPolicies
from greatseal.domain.sharing.ports import Organizations
from greatseal.domain.sharing.shares import Shares
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage


@dataclass(frozen=True, slots=True)
class Sharing:
    """The verbs by who needs them."""

    shares: Shares
    """Of owners."""
    invitations: Invitations
    """Of receivers."""
    listings: Listings
    policies: AuthorityPolicies

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        registry: Registry,
        resource_policies: ResourcePolicies,
        organizations: Organizations,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> "Sharing":
        """Builds the verbs."""
        attachments = Attachments(registry=registry, resource_policies=resource_policies, organizations=organizations)
        return cls(
            shares=Shares(
                storage=storage, attachments=attachments, tags=tags, audit=audit, clock=clock, entropy=entropy
            ),
            invitations=Invitations(storage=storage, attachments=attachments, audit=audit, clock=clock, tokens=tokens),
            listings=Listings(storage=storage, attachments=attachments, tags=tags, clock=clock, tokens=tokens),
            policies=AuthorityPolicies(
                storage=storage,
                registry=registry,
                resource_policies=resource_policies,
                attachments=attachments,
                audit=audit,
                clock=clock,
                entropy=entropy,
            ),
        )
