"""Whether a caller may do what it asks with a bucket or an object, and the headers that all operations of S3 share."""

from collections.abc import Mapping
from typing import Any

from greatseal.domain.access import Access, Question
from greatseal.domain.access.language import DecidedBy
from greatseal.domain.access.model import is_root
from greatseal.domain.objects import Buckets
from greatseal.domain.objects.model import Bucket
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None
Conditions = Mapping[str, str | tuple[str, ...]]


class Asking:
    """Finds the bucket of a request and asks the policies about it."""

    def __init__(self, access: Access, buckets: Buckets) -> None:
        self._access = access
        self._buckets = buckets

    def bucket(self, caller: Caller, p: Parameters, action: str, context: Conditions | None = None) -> Bucket:
        """The bucket, once the caller may do `action` to it. Raises NoSuchBucket and AccessDenied."""
        found = self._find(p)
        self._ask(caller, found, action, found.arn, context)
        return found

    def object(self, caller: Caller, p: Parameters, action: str, context: Conditions | None = None) -> Bucket:
        """The bucket, once the caller may do `action` to the object. Raises NoSuchBucket and AccessDenied."""
        found = self._find(p)
        self._ask(caller, found, action, found.object_arn(p["Key"]), context)
        return found

    def policy_of(self, caller: Caller, p: Parameters, action: str) -> None:
        """As `bucket`, for the policy itself, out of which the owner's root principal cannot be locked."""
        found = self._find(p)
        question = Question(action, found.arn, owner=found.account)
        if is_root(caller) and caller.account == found.account:
            verdict = self._access.verdict(caller, question)
            if verdict.allowed or verdict.kind is DecidedBy.RESOURCE:
                return
        self._ask(caller, found, action, found.arn)

    def unasked(self, p: Parameters) -> Bucket:
        """The bucket, for a caller about whom the policies said nothing good. Raises NoSuchBucket."""
        return self._find(p)

    def may(self, caller: Caller, bucket: Bucket, action: str) -> bool:
        """Whether the caller may do `action` to the bucket."""
        return self._access.verdict(caller, Question(action, bucket.arn, owner=bucket.account)).allowed

    def account(self, caller: Caller, action: str) -> None:
        """Asks about what belongs to no bucket. Raises AccessDenied."""
        self._access.authorize(caller, Question(action, f"arn:{caller.partition}:s3:::*"))

    def new_bucket(self, caller: Caller, name: str, action: str, context: Conditions) -> None:
        """Asks about a bucket that does not exist yet. Raises AccessDenied."""
        arn = f"arn:{caller.partition}:s3:::{name}"
        self._access.authorize(caller, Question(action, arn, context, owner=caller.account))

    def _find(self, p: Parameters) -> Bucket:
        found = self._buckets.find(p["Bucket"])
        if p.get("ExpectedBucketOwner", found.account) != found.account:
            raise AccessDenied("Access Denied")
        return found

    def _ask(self, caller: Caller, bucket: Bucket, action: str, arn: str, context: Conditions | None = None) -> None:
        self._access.authorize(caller, Question(action, arn, context or {}, owner=bucket.account))
        # A policy that lets everybody in is good for the owner's account only, while the bucket says so.
        foreign = caller.account != bucket.account and bucket.access.restrict_buckets
        if foreign and self._buckets.has_public_policy(bucket):
            raise AccessDenied("Access Denied")
