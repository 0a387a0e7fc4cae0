"""The verbs of the notifications room, gathered."""

from dataclasses import dataclass

from greatseal.domain.access import Access, ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.notifications.gate import TopicGate
from greatseal.domain.notifications.links import Links
from greatseal.domain.notifications.ports import Post, Signatory
from greatseal.domain.notifications.publishing import Publishing
from greatseal.domain.notifications.subscriptions import Subscriptions
from greatseal.domain.notifications.topics import Topics
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage


@dataclass(frozen=True, slots=True)
class NotificationRoom:
    """Topics, subscriptions, and those who publish."""

    topics: Topics
    subscriptions: Subscriptions
    publishing: Publishing
    gate: TopicGate
    links: Links

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        access: Access,
        resource_policies: ResourcePolicies,
        post: Post,
        signatory: Signatory,
        links: Links,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> "NotificationRoom":
        """Builds the room over a database."""
        publishing = Publishing(
            storage=storage, post=post, signatory=signatory, links=links, audit=audit, clock=clock, entropy=entropy
        )
        return cls(
            topics=Topics(
                storage=storage,
                resource_policies=resource_policies,
                post=post,
                tags=tags,
                audit=audit,
                clock=clock,
                tokens=tokens,
            ),
            subscriptions=Subscriptions(
                storage=storage,
                post=post,
                signatory=signatory,
                links=links,
                audit=audit,
                clock=clock,
                entropy=entropy,
                tokens=tokens,
            ),
            publishing=publishing,
            gate=TopicGate(
                storage=storage,
                access=access,
                publishing=publishing,
                signatory=signatory,
                clock=clock,
                entropy=entropy,
            ),
            links=links,
        )
