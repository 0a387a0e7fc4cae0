"""The verbs on objects: write, read, delete, copy. Contents are in a store of their own, everything else in rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greatseal.domain.audit import Audit
from greatseal.domain.objects.buckets import load
from greatseal.domain.objects.conditions import Conditions
from greatseal.domain.objects.model import NULL_VERSION, Bucket, Version, Versioning, check_acl, check_key
from greatseal.domain.objects.refusals import IsDeleteMarker, NoSuchKey, NoSuchVersion
from greatseal.domain.objects.store import versions as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Refusal
from greatseal.storage import Storage, Tx
from greatseal.storage.blobs import Blob, BlobStore

# Longer than any request or report takes between its first octet and its commit.
ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewObject:
    """What goes with the content of a new object."""

    headers: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    acl: str | None = None
    conditions: Conditions = field(default_factory=Conditions)


class Objects:
    """Writes, reads and deletes versions of objects."""

    def __init__(self, *, storage: Storage, blobs: BlobStore, audit: Audit, clock: Clock, entropy: Entropy) -> None:
        self._storage = storage
        self._blobs = blobs
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def put(self, caller: Caller, bucket: str, key: str, content: Iterable[bytes], new: NewObject) -> Version:
        """Writes an object, whole or not at all. Raises NoSuchBucket, KeyTooLong, PreconditionFailed and OSError."""
        check_key(key)
        self._storage.read(lambda tx: check_acl(load(tx, bucket), new.acl))
        blob = self._blobs.write(content)
        version_id = self._new_version_id()

        def work(tx: Tx) -> Version:
            found = load(tx, bucket)
            acl = check_acl(found, new.acl)
            new.conditions.check_writing(store.current(tx, bucket, key))
            made = self._version(tx, found, key, version_id, blob, new, acl)
            self._audit.record(tx, caller, found.object_arn(key), found.arn)
            return made

        try:
            return self._storage.transact(work)
        except Refusal:
            # After any other failure the commit may yet have happened: the sweep knows better, later.
            self._blobs.remove(blob.name)
            raise

    def find(self, bucket: str, key: str, version_id: str | None = None) -> Version:
        """The version to read. Raises NoSuchBucket, NoSuchKey, NoSuchVersion and IsDeleteMarker."""

        def work(tx: Tx) -> Version:
            load(tx, bucket)
            if version_id is not None:
                found = store.find(tx, bucket, key, version_id)
                if found is None:
                    raise NoSuchVersion
                if found.delete_marker:
                    raise IsDeleteMarker
                return found
            newest = store.current(tx, bucket, key)
            if newest is None or newest.delete_marker:
                raise NoSuchKey
            return newest

        return self._storage.read(work)

    def read(
        self, bucket: str, key: str, version_id: str | None, choose: Callable[[Version], tuple[int, int]]
    ) -> tuple[Version, bytes]:
        """A version and the octets (start, length) of it that `choose` names. Raises as `find`, and what it raises."""
        found = self.find(bucket, key, version_id)
        start, length = choose(found)
        try:
            return found, self._blobs.read(found.blob, start, length)
        except FileNotFoundError:
            # Replaced between the row and the file: what is there now is the answer.
            found = self.find(bucket, key, version_id)
            start, length = choose(found)
            return found, self._blobs.read(found.blob, start, length)

    def delete(self, caller: Caller, bucket: str, key: str, version_id: str | None = None) -> Version | None:
        """Deletes an object, or one version for good; the version or delete marker that the caller is told of.

        Nothing there is no error. Raises NoSuchBucket.
        """
        marker_id = self._new_version_id()

        def work(tx: Tx) -> Version | None:
            found = load(tx, bucket)
            told = self._delete(tx, found, key, version_id, marker_id)
            self._audit.record(tx, caller, found.object_arn(key), found.arn)
            return told

        return self._storage.transact(work)

    def copy(self, caller: Caller, source: Version, bucket: str, key: str, new: NewObject) -> Version:
        """Writes a version's content anew. Raises as `put`."""
        return self.put(caller, bucket, key, self._blobs.parts(source.blob), new)

    def sweep(self) -> int:
        """Removes files that no version names and that were begun long ago; how many."""
        gone = 0
        for names in self._blobs.older_than(ABANDONED_AFTER):
            kept = self._storage.read(lambda tx, names=names: store.named(tx, names))  # type: ignore[misc]
            for name in sorted(set(names) - kept):
                self._blobs.discard(name)
                gone += 1
        return gone

    def _version(
        self, tx: Tx, bucket: Bucket, key: str, version_id: str, blob: Blob, new: NewObject, acl: str
    ) -> Version:
        kept = bucket.versioning is Versioning.ENABLED
        if not kept:
            self._remove(tx, store.find(tx, bucket.name, key, NULL_VERSION))
        made = Version(
            bucket=bucket.name,
            key=key,
            number=store.next_number(tx, bucket.name, key),
            version_id=version_id if kept else NULL_VERSION,
            modified_at=self._clock.now(),
            size=blob.size,
            etag=blob.md5,
            acl=acl,
            headers=new.headers,
            checksums=new.checksums,
            blob=blob.name,
        )
        store.put(tx, made)
        return made

    def _delete(self, tx: Tx, bucket: Bucket, key: str, version_id: str | None, marker_id: str) -> Version | None:
        if version_id is not None:
            return self._remove(tx, store.find(tx, bucket.name, key, version_id))
        if bucket.versioning is not Versioning.ENABLED:
            self._remove(tx, store.find(tx, bucket.name, key, NULL_VERSION))
        if bucket.versioning is Versioning.OFF:
            return None
        marker = Version(
            bucket=bucket.name,
            key=key,
            number=store.next_number(tx, bucket.name, key),
            version_id=marker_id if bucket.versioning is Versioning.ENABLED else NULL_VERSION,
            modified_at=self._clock.now(),
            delete_marker=True,
        )
        store.put(tx, marker)
        return marker

    def _remove(self, tx: Tx, gone: Version | None) -> Version | None:
        if gone is not None:
            store.remove(tx, gone)
            if gone.blob:
                # After the commit, so that a file is there for as long as a row names it.
                tx.on_commit(lambda: self._blobs.remove(gone.blob))
        return gone

    def _new_version_id(self) -> str:
        return self._entropy.token_bytes(16).hex()
