"""S3, as far as a certificate authority's reports, revocation lists and trust stores need it."""

from greatseal.aws.door import OperationFunction
from greatseal.aws.s3_asking import Asking
from greatseal.aws.s3_buckets import BucketOperations
from greatseal.aws.s3_listing import ListingOperations
from greatseal.aws.s3_objects import ObjectOperations
from greatseal.domain.access import Access
from greatseal.domain.objects import Buckets, Listings, Objects
from greatseal.kernel.pages import PageTokens


class ObjectStorage:
    """The operations of S3, gathered from the modules of its nouns."""

    def __init__(
        self, *, access: Access, buckets: Buckets, objects: Objects, listings: Listings, tokens: PageTokens
    ) -> None:
        asking = Asking(access, buckets)
        self._buckets = BucketOperations(asking=asking, buckets=buckets)
        self._objects = ObjectOperations(asking=asking, objects=objects)
        self._listings = ListingOperations(asking=asking, listings=listings, tokens=tokens)

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {**self._buckets.operations(), **self._objects.operations(), **self._listings.operations()}
