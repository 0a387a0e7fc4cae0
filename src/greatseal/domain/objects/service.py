"""The verbs of the objects room, gathered: one small class for each noun."""

from dataclasses import dataclass

from greatseal.domain.access import Access, ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.objects.buckets import Buckets
from greatseal.domain.objects.contents import Objects
from greatseal.domain.objects.listing import Listings
from greatseal.domain.objects.outsiders import Deliveries, PublicReading
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage
from greatseal.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class ObjectRoom:
    """Buckets, what is in them, and those who reach in from outside."""

    buckets: Buckets
    objects: Objects
    listings: Listings
    deliveries: Deliveries
    public: PublicReading

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        blobs: BlobStore,
        access: Access,
        resource_policies: ResourcePolicies,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
    ) -> "ObjectRoom":
        """Builds the room over a database and a store of contents."""
        buckets = Buckets(
            storage=storage, resource_policies=resource_policies, tags=tags, audit=audit, clock=clock, tokens=tokens
        )
        objects = Objects(storage=storage, blobs=blobs, audit=audit, clock=clock, entropy=entropy)
        return cls(
            buckets=buckets,
            objects=objects,
            listings=Listings(storage=storage),
            deliveries=Deliveries(access=access, buckets=buckets, objects=objects, clock=clock, entropy=entropy),
            public=PublicReading(access=access, buckets=buckets, objects=objects),
        )
