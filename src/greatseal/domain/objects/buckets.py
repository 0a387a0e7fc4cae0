"""The verbs on buckets."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from greatseal.domain.access import ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.objects import publicity
from greatseal.domain.objects.model import (
    MOST_BUCKETS,
    Bucket,
    Ownership,
    PublicAccess,
    Versioning,
    check_bucket_name,
)
from greatseal.domain.objects.refusals import (
    BucketNotEmpty,
    BucketTaken,
    BucketYours,
    NoSuchBucket,
    NoSuchBucketPolicy,
    NoTags,
    PublicAccessBlocked,
    TooManyBuckets,
)
from greatseal.domain.objects.store import buckets as store
from greatseal.domain.objects.store import versions
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidPolicy
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

POLICY_LIMIT = 20 * 1024
MAX_PAGE = 10_000


def load(tx: Tx, name: str) -> Bucket:
    """The bucket with this name. Raises NoSuchBucket."""
    found = store.find(tx, name)
    if found is None:
        raise NoSuchBucket
    return found


class Buckets:
    """Makes, finds, lists and removes buckets, and changes their settings."""

    def __init__(
        self,
        *,
        storage: Storage,
        resource_policies: ResourcePolicies,
        tags: Tags,
        audit: Audit,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._storage = storage
        self._policies = resource_policies
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def create(self, caller: Caller, name: str, *, ownership: Ownership, tags: Sequence[Tag] = ()) -> Bucket:
        """A new bucket in the caller's region, with versioning off and all public access blocked.

        Raises InvalidBucketName, BucketTaken, BucketYours and TooManyBuckets.
        """
        check_bucket_name(name)
        new = Bucket(name, caller.account, caller.region, self._clock.now(), ownership=ownership)

        def work(tx: Tx) -> Bucket:
            present = store.find(tx, name)
            if present is not None:
                raise BucketYours if present.account == caller.account else BucketTaken
            if store.count(tx, caller.account) >= MOST_BUCKETS:
                raise TooManyBuckets
            store.add(tx, new)
            self._tags.add(tx, new.arn, tags)
            self._audit.record(tx, caller, new.arn)
            return new

        return self._storage.transact(work)

    def delete(self, caller: Caller, name: str) -> None:
        """Removes an empty bucket with its policy and its tags. Raises NoSuchBucket and BucketNotEmpty."""

        def work(tx: Tx) -> None:
            found = load(tx, name)
            if not versions.is_empty(tx, name):
                raise BucketNotEmpty
            store.remove(tx, name)
            self._policies.remove(tx, found.arn)
            self._tags.remove_all(tx, found.arn)
            self._audit.record(tx, caller, found.arn)

        self._storage.transact(work)

    def find(self, name: str) -> Bucket:
        """The bucket with this name. Raises NoSuchBucket."""
        return self._storage.read(lambda tx: load(tx, name))

    def list(
        self, caller: Caller, *, prefix: str = "", region: str | None = None, limit: int | None, token: str | None
    ) -> Page[Bucket]:
        """The buckets of the caller's account by name. Raises InvalidToken."""
        scope = (caller.account, "ListBuckets", prefix, region or "")
        after = str(self._tokens.open(scope, token)[0]) if token is not None else ""
        most = min(limit or MAX_PAGE, MAX_PAGE)
        found = self._storage.read(
            lambda tx: store.listing(tx, caller.account, prefix=prefix, region=region, after=after, limit=most + 1)
        )
        items = tuple(found[:most])
        return Page(items, self._tokens.issue(scope, [items[-1].name]) if len(found) > most else None)

    def set_versioning(self, caller: Caller, name: str, status: Versioning) -> None:
        """Turns versioning on, or suspends it. Raises NoSuchBucket."""
        self._change(caller, name, lambda bucket: replace(bucket, versioning=status))

    def set_ownership(self, caller: Caller, name: str, ownership: Ownership | None) -> None:
        """Says whether access control lists count; None removes the setting. Raises NoSuchBucket."""
        self._change(caller, name, lambda bucket: replace(bucket, ownership=ownership))

    def set_public_access(self, caller: Caller, name: str, block: PublicAccess | None) -> None:
        """Sets the public access block; None removes it. Raises NoSuchBucket."""
        self._change(caller, name, lambda bucket: replace(bucket, public_access=block))

    def put_policy(self, caller: Caller, name: str, document: str) -> None:
        """Replaces the policy. Raises NoSuchBucket, InvalidPolicy and PublicAccessBlocked."""

        def work(tx: Tx) -> None:
            found = load(tx, name)
            self._policies.put(tx, found.arn, document, limit=POLICY_LIMIT)
            _check_resources(document, found.arn)
            if found.access.block_policy and publicity.is_public(document):
                raise PublicAccessBlocked("BlockPublicPolicy")
            self._audit.record(tx, caller, found.arn)

        self._storage.transact(work)

    def policy(self, name: str) -> str:
        """The policy as it was put. Raises NoSuchBucket and NoSuchBucketPolicy."""
        found = self._storage.read(lambda tx: self._policies.document(tx, load(tx, name).arn))
        if found is None:
            raise NoSuchBucketPolicy
        return found

    def has_public_policy(self, bucket: Bucket) -> bool:
        """Whether the policy lets everybody in."""
        document = self._storage.read(lambda tx: self._policies.document(tx, bucket.arn))
        return document is not None and publicity.is_public(document)

    def delete_policy(self, caller: Caller, name: str) -> None:
        """Removes the policy; no error when there is none. Raises NoSuchBucket."""

        def work(tx: Tx) -> None:
            found = load(tx, name)
            self._policies.remove(tx, found.arn)
            self._audit.record(tx, caller, found.arn)

        self._storage.transact(work)

    def set_tags(self, caller: Caller, name: str, tags: Sequence[Tag]) -> None:
        """Replaces all tags. Raises NoSuchBucket, InvalidTag and TooManyTags."""

        def work(tx: Tx) -> None:
            found = load(tx, name)
            self._tags.remove_all(tx, found.arn)
            self._tags.add(tx, found.arn, tags)
            self._audit.record(tx, caller, found.arn)

        self._storage.transact(work)

    def tags(self, name: str) -> tuple[Tag, ...]:
        """The tags. Raises NoSuchBucket and NoTags."""
        found = self._storage.read(lambda tx: self._tags.of(tx, load(tx, name).arn))
        if not found:
            raise NoTags
        return found

    def _change(self, caller: Caller, name: str, change: Callable[[Bucket], Bucket]) -> None:
        def work(tx: Tx) -> None:
            changed = change(load(tx, name))
            store.save(tx, changed)
            self._audit.record(tx, caller, changed.arn)

        self._storage.transact(work)


def _check_resources(document: str, bucket_arn: str) -> None:
    """A bucket's policy speaks of the bucket and of what is in it. Raises InvalidPolicy."""
    for resource in publicity.resources(document):
        if resource != bucket_arn and not resource.startswith((f"{bucket_arn}/", "*", f"{bucket_arn}*")):
            raise InvalidPolicy("Policy has invalid resource")
