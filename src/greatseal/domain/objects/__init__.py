"""The room of objects: buckets and what is in them, over the wire of S3 and for the services that deliver there.

Ruled by acm-pca.md 10.5 for deliveries, and by the S3 API reference for the rest. Metadata is in the database, bytes
are in files (`storage.blobs`). Calls access, tags and audit.
"""

from greatseal.domain.objects.buckets import Buckets
from greatseal.domain.objects.contents import NewObject, Objects
from greatseal.domain.objects.listing import Listings
from greatseal.domain.objects.outsiders import Deliveries, PublicReading
from greatseal.domain.objects.ports import Deliverer
from greatseal.domain.objects.service import ObjectRoom

__all__ = ["Buckets", "Deliverer", "Deliveries", "Listings", "NewObject", "ObjectRoom", "Objects", "PublicReading"]
