"""S3: the operations that list what is in a bucket (Amazon S3 API reference)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from greatseal.aws.door import OperationFunction
from greatseal.aws.s3_asking import Asking, Parameters, Result
from greatseal.aws.s3_buckets import owner_wire
from greatseal.domain.objects import Listings
from greatseal.domain.objects.listing import MAX_PAGE, Found, Place, Wanted
from greatseal.domain.objects.model import Bucket, Version
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument
from greatseal.kernel.pages import PageTokens

Encode = Callable[[str], str]


class ListingOperations:
    """One function an operation. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, asking: Asking, listings: Listings, tokens: PageTokens) -> None:
        self._asking = asking
        self._listings = listings
        self._tokens = tokens

    def list_objects(self, caller: Caller, p: Parameters) -> Result:
        """ListObjects, whose marker is the last key or common prefix itself"""
        bucket, wanted, encode = self._asked(caller, p, "s3:ListBucket", p.get("Marker"))
        found = self._listings.objects(bucket.name, wanted)
        return {
            **_shared(p, found, encode),
            "Name": bucket.name,
            "Marker": encode(p.get("Marker", "")),
            "NextMarker": encode(found.next.key) if found.next and wanted.delimiter else None,
            "Contents": [_object(item, encode, bucket) for item in found.versions],
        }

    def list_objects_v2(self, caller: Caller, p: Parameters) -> Result:
        """ListObjectsV2"""
        scope = (p["Bucket"], "ListObjectsV2")
        token = p.get("ContinuationToken")
        after = str(self._tokens.open(scope, token)[0]) if token is not None else p.get("StartAfter")
        bucket, wanted, encode = self._asked(caller, p, "s3:ListBucket", after)
        found = self._listings.objects(bucket.name, wanted)
        owner = bucket if p.get("FetchOwner") else None
        return {
            **_shared(p, found, encode),
            "Name": bucket.name,
            "StartAfter": encode(p["StartAfter"]) if p.get("StartAfter") else None,
            "KeyCount": len(found.versions) + len(found.prefixes),
            "ContinuationToken": token,
            "NextContinuationToken": self._tokens.issue(scope, [found.next.key]) if found.next else None,
            "Contents": [_object(item, encode, owner) for item in found.versions],
        }

    def list_object_versions(self, caller: Caller, p: Parameters) -> Result:
        """ListObjectVersions"""
        number = None
        if p.get("VersionIdMarker"):
            if not p.get("KeyMarker"):
                raise InvalidArgument("A version-id marker cannot be specified without a key marker.")
            number = int(self._tokens.open((p["Bucket"], "ListObjectVersions"), p["VersionIdMarker"])[0])
        bucket, wanted, encode = self._asked(caller, p, "s3:ListBucketVersions", p.get("KeyMarker"), number)
        found = self._listings.versions(bucket.name, wanted)
        marker = None
        if found.next and found.next.number is not None:
            marker = self._tokens.issue((bucket.name, "ListObjectVersions"), [found.next.number])
        owner = owner_wire(bucket.account)
        return {
            **_shared(p, found, encode),
            "Name": bucket.name,
            "KeyMarker": encode(p.get("KeyMarker", "")),
            "VersionIdMarker": p.get("VersionIdMarker", ""),
            "NextKeyMarker": encode(found.next.key) if found.next else None,
            "NextVersionIdMarker": marker,
            "Versions": [
                {**_object(each, encode, bucket), "VersionId": each.version_id, "IsLatest": each.latest}
                for each in found.versions
                if not each.delete_marker
            ],
            "DeleteMarkers": [
                {
                    "Key": encode(each.key),
                    "VersionId": each.version_id,
                    "IsLatest": each.latest,
                    "LastModified": each.modified_at,
                    "Owner": owner,
                }
                for each in found.versions
                if each.delete_marker
            ],
        }

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "ListObjects": self.list_objects,
            "ListObjectsV2": self.list_objects_v2,
            "ListObjectVersions": self.list_object_versions,
        }

    def _asked(
        self, caller: Caller, p: Parameters, action: str, after: str | None, number: int | None = None
    ) -> tuple[Bucket, Wanted, Encode]:
        limit = p.get("MaxKeys", MAX_PAGE)
        if limit < 0:
            raise InvalidArgument("Argument max-keys must be an integer between 0 and 2147483647")
        context = {
            "s3:prefix": p.get("Prefix", ""),
            "s3:delimiter": p.get("Delimiter", ""),
            "s3:max-keys": str(limit),
        }
        bucket = self._asking.bucket(caller, p, action, context)
        wanted = Wanted(
            prefix=p.get("Prefix", ""),
            delimiter=p.get("Delimiter", ""),
            after=Place(after, number) if after else None,
            limit=limit,
        )
        return bucket, wanted, _quoted if p.get("EncodingType") == "url" else str


def _quoted(text: str) -> str:
    return quote(text, safe="/")


def _shared(p: Parameters, found: Found, encode: Encode) -> dict[str, Any]:
    return {
        "Prefix": encode(p.get("Prefix", "")),
        "Delimiter": encode(p["Delimiter"]) if p.get("Delimiter") else None,
        "MaxKeys": min(p.get("MaxKeys", MAX_PAGE), MAX_PAGE),
        "EncodingType": p.get("EncodingType"),
        "IsTruncated": found.next is not None,
        "CommonPrefixes": [{"Prefix": encode(each)} for each in found.prefixes],
    }


def _object(item: Version, encode: Encode, owner: Bucket | None) -> dict[str, Any]:
    algorithms = sorted(each.upper() for each in item.checksums)
    return {
        "Key": encode(item.key),
        "LastModified": item.modified_at,
        "ETag": f'"{item.etag}"',
        "ChecksumAlgorithm": algorithms or None,
        "ChecksumType": "FULL_OBJECT" if algorithms else None,
        "Size": item.size,
        "StorageClass": "STANDARD",
        "Owner": owner_wire(owner.account) if owner else None,
    }
