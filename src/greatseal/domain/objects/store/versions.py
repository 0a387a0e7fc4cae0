"""The table of objects: one row for each version, delete markers included.

Keys are kept as octets, because both databases compare octets alike and S3 lists keys in the order of theirs.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)

from greatseal.domain.objects.model import Version
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

object_version = Table(
    "object_version",
    metadata,
    Column("bucket", String(63), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    # Counts up for each key: the highest number is the current version.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version_id", String(32), nullable=False),
    Column("latest", Boolean, nullable=False),
    Column("delete_marker", Boolean, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("acl", String(32), nullable=False),
    Column("headers", json_text(), nullable=False),
    Column("checksums", json_text(), nullable=False),
    Column("blob", String(32), nullable=False),
    Column("modified_at", utc_timestamp(), nullable=False),
    Index("ix_object_version_blob", "blob"),
    Index("ix_object_version_latest", "bucket", "latest", "key"),
)
_t = object_version.c


def put(tx: Tx, new: Version) -> None:
    """Makes this the current version of its key. Its number must be `next_number`."""
    _unmark(tx, new.bucket, new.key)
    tx.insert_once(object_version, _values(new))


def next_number(tx: Tx, bucket: str, key: str) -> int:
    """One more than the highest number of the key's versions."""
    highest = tx.scalar(select(func.max(_t.number)).where(_t.bucket == bucket, _t.key == key.encode()))
    return 1 if highest is None else int(highest) + 1


def current(tx: Tx, bucket: str, key: str) -> Version | None:
    """The newest version of a key, which may be a delete marker."""
    row = tx.first(_versions_of(bucket, key).order_by(_t.number.desc()).limit(1))
    return None if row is None else _load(row)


def find(tx: Tx, bucket: str, key: str, version_id: str) -> Version | None:
    """One version of a key."""
    row = tx.first(_versions_of(bucket, key).where(_t.version_id == version_id))
    return None if row is None else _load(row)


def remove(tx: Tx, gone: Version) -> None:
    """Removes a version; when it was the current one, the one before it becomes it."""
    tx.execute(
        delete(object_version).where(
            _t.bucket == gone.bucket, _t.key == gone.key.encode(), _t.version_id == gone.version_id
        )
    )
    newest = current(tx, gone.bucket, gone.key)
    if newest is not None:
        tx.execute(
            update(object_version)
            .where(_t.bucket == newest.bucket, _t.key == newest.key.encode(), _t.number == newest.number)
            .values(latest=True)
        )


def is_empty(tx: Tx, bucket: str) -> bool:
    """Whether nothing at all is in a bucket, delete markers included."""
    return tx.first(select(_t.number).where(_t.bucket == bucket).limit(1)) is None


def listing(tx: Tx, bucket: str, *, low: bytes, high: bytes | None, limit: int) -> list[Version]:
    """Current objects with `low` <= key < `high`, by key."""
    query = select(object_version).where(
        _t.bucket == bucket, _t.latest.is_(True), _t.delete_marker.is_(False), _t.key >= low
    )
    if high is not None:
        query = query.where(_t.key < high)
    return [_load(row) for row in tx.all(query.order_by(_t.key).limit(limit))]


def version_listing(
    tx: Tx, bucket: str, *, low: bytes, below: int | None, high: bytes | None, limit: int
) -> list[Version]:
    """Versions by key, the newest first; of the key `low` only those with a number under `below`."""
    after = _t.key >= low if below is None else or_(_t.key > low, and_(_t.key == low, _t.number < below))
    query = select(object_version).where(_t.bucket == bucket, after)
    if high is not None:
        query = query.where(_t.key < high)
    return [_load(row) for row in tx.all(query.order_by(_t.key, _t.number.desc()).limit(limit))]


def named(tx: Tx, blobs: Collection[str]) -> set[str]:
    """Those of the blobs that a version has."""
    return {row.blob for row in tx.all(select(_t.blob).where(_t.blob.in_(blobs)))}


def _versions_of(bucket: str, key: str) -> Any:
    return select(object_version).where(_t.bucket == bucket, _t.key == key.encode())


def _unmark(tx: Tx, bucket: str, key: str) -> None:
    tx.execute(
        update(object_version)
        .where(_t.bucket == bucket, _t.key == key.encode(), _t.latest.is_(True))
        .values(latest=False)
    )


def _values(item: Version) -> dict[str, Any]:
    return {
        "bucket": item.bucket,
        "key": item.key.encode(),
        "number": item.number,
        "version_id": item.version_id,
        "latest": item.latest,
        "delete_marker": item.delete_marker,
        "size": item.size,
        "etag": item.etag,
        "acl": item.acl,
        "headers": dict(item.headers),
        "checksums": dict(item.checksums),
        "blob": item.blob,
        "modified_at": item.modified_at,
    }


def _load(row: Row[Any]) -> Version:
    return Version(
        bucket=row.bucket,
        key=row.key.decode(),
        number=row.number,
        version_id=row.version_id,
        latest=row.latest,
        delete_marker=row.delete_marker,
        size=row.size,
        etag=row.etag,
        acl=row.acl,
        headers=row.headers,
        checksums=row.checksums,
        blob=row.blob,
        modified_at=row.modified_at,
    )
