"""All verbs of the room, built over the same collaborators."""

from dataclasses import dataclass

from greatseal.domain.access import Accounts
from greatseal.domain.audit import Audit
from greatseal.domain.organizations.delegation import Delegation
from greatseal.domain.organizations.foundation import Foundation
from greatseal.domain.organizations.invitations import Invitations
from greatseal.domain.organizations.members import Members
from greatseal.domain.organizations.policies import Policies
from greatseal.domain.organizations.tagging import Tagging
from greatseal.domain.organizations.tree import Tree
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage


@dataclass(frozen=True, slots=True)
class Organizations:
    """The verbs, by noun."""

    foundation: Foundation
    tree: Tree
    members: Members
    invitations: Invitations
    policies: Policies
    delegation: Delegation
    tagging: Tagging

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        accounts: Accounts,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> "Organizations":
        """Builds them."""
        return cls(
            foundation=Foundation(
                storage=storage, accounts=accounts, tags=tags, audit=audit, clock=clock, entropy=entropy
            ),
            tree=Tree(storage=storage, tags=tags, audit=audit, entropy=entropy, tokens=tokens),
            members=Members(
                storage=storage,
                accounts=accounts,
                tags=tags,
                audit=audit,
                clock=clock,
                entropy=entropy,
                tokens=tokens,
            ),
            invitations=Invitations(
                storage=storage,
                accounts=accounts,
                tags=tags,
                audit=audit,
                clock=clock,
                entropy=entropy,
                tokens=tokens,
            ),
            policies=Policies(
                storage=storage, accounts=accounts, tags=tags, audit=audit, entropy=entropy, tokens=tokens
            ),
            delegation=Delegation(storage=storage, accounts=accounts, audit=audit, clock=clock, tokens=tokens),
            tagging=Tagging(storage=storage, accounts=accounts, tags=tags, audit=audit),
        )
