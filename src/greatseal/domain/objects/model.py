"""Buckets, versions of objects, and the rules for their names (S3 User Guide: "Bucket naming rules", "Object keys")."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from greatseal.domain.objects.refusals import AclNotSupported, InvalidBucketName, KeyTooLong, PublicAccessBlocked
from greatseal.kernel.arn import partition_of
from greatseal.kernel.errors import InvalidArgument

MOST_KEY_OCTETS = 1024
MOST_BUCKETS = 1000
NULL_VERSION = "null"
"""The id of the version that a bucket without versioning keeps of each object."""

PRIVATE, PUBLIC_READ, OWNER_FULL_CONTROL = "private", "public-read", "bucket-owner-full-control"
CANNED_ACLS = frozenset({PRIVATE, PUBLIC_READ, OWNER_FULL_CONTROL})
"""The access control lists that we know, by their canned names."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class Versioning(Enum):
    """Whether overwritten and deleted objects are kept. Once on, it can only be suspended."""

    OFF = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


class Ownership(Enum):
    """Whether access control lists mean anything in a bucket."""

    ENFORCED = "BucketOwnerEnforced"
    PREFERRED = "BucketOwnerPreferred"
    WRITER = "ObjectWriter"


class PublicAccess(NamedTuple):
    """The public access block; new buckets have all of it."""

    block_acls: bool = True
    ignore_acls: bool = True
    block_policy: bool = True
    restrict_buckets: bool = True


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and its settings; its policy is kept by the access room, its tags by the tags room."""

    name: str
    account: str
    region: str
    created_at: datetime
    versioning: Versioning = Versioning.OFF
    ownership: Ownership | None = Ownership.ENFORCED
    public_access: PublicAccess | None = field(default_factory=PublicAccess)
    acl: str = PRIVATE

    @property
    def arn(self) -> str:
        """`arn:aws:s3:::NAME`: neither region nor account."""
        return f"arn:{partition_of(self.region)}:s3:::{self.name}"

    @property
    def access(self) -> PublicAccess:
        """The public access block that counts: without one, nothing is blocked."""
        return self.public_access or PublicAccess(False, False, False, False)

    @property
    def has_acls(self) -> bool:
        """Whether access control lists are on."""
        return self.ownership is not Ownership.ENFORCED and self.ownership is not None

    def object_arn(self, key: str) -> str:
        """`arn:aws:s3:::NAME/KEY`"""
        return f"{self.arn}/{key}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object, or a delete marker, which has no content."""

    bucket: str
    key: str
    number: int
    version_id: str
    modified_at: datetime
    latest: bool = True
    delete_marker: bool = False
    size: int = 0
    etag: str = ""
    """MD5 of the content in hexadecimal, without quotation marks."""
    acl: str = PRIVATE
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that go out with the content, in lower case: `content-type`, `x-amz-meta-…` and so on."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Checksums in base64 by the name of their algorithm in lower case."""
    blob: str = ""


def check_bucket_name(name: str) -> None:
    """Raises InvalidBucketName."""
    good = _NAME.fullmatch(name) and ".." not in name and not _ADDRESS.fullmatch(name)
    if not good or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        raise InvalidBucketName(name)


def check_key(key: str) -> None:
    """Any text of 1 to 1024 octets is a key. Raises KeyTooLong."""
    if len(key.encode()) > MOST_KEY_OCTETS:
        raise KeyTooLong


def check_acl(bucket: Bucket, acl: str | None) -> str:
    """The access control list that an object gets. Raises AclNotSupported, PublicAccessBlocked and InvalidArgument."""
    if acl is None:
        return PRIVATE
    if acl not in CANNED_ACLS:
        raise InvalidArgument(f"The ACL {acl} is not supported; {', '.join(sorted(CANNED_ACLS))} are.")
    if not bucket.has_acls and acl != OWNER_FULL_CONTROL:
        raise AclNotSupported
    if acl == PUBLIC_READ and bucket.access.block_acls:
        raise PublicAccessBlocked("BlockPublicAcls")
    return acl


def is_public_by_acl(bucket: Bucket, acl: str) -> bool:
    """Whether everybody may read what has this access control list."""
    return acl == PUBLIC_READ and bucket.has_acls and not bucket.access.ignore_acls
