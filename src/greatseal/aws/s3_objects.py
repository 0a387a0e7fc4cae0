"""S3: the operations on objects (Amazon S3 API reference)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from greatseal.aws.door import OperationFunction
from greatseal.aws.protocol.checksums import ALGORITHMS, checksum
from greatseal.aws.s3_asking import Asking, Parameters, Result
from greatseal.aws.wire import WireError
from greatseal.domain.objects import NewObject, Objects
from greatseal.domain.objects.conditions import Conditions, octets
from greatseal.domain.objects.model import Bucket, Version, is_public_by_acl
from greatseal.domain.objects.refusals import NoSuchKey
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied, InvalidArgument, Refusal

_DEFAULT_TYPE = "binary/octet-stream"
_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentType": "content-type",
}
_META = "x-amz-meta-"
_UNSUPPORTED = {
    "SSECustomerAlgorithm": "encryption with a key of the customer",
    "SSEKMSKeyId": "encryption with a KMS key",
    "WebsiteRedirectLocation": "redirection",
    "Tagging": "tags of objects",
    "ObjectLockMode": "Object Lock",
    "ObjectLockLegalHoldStatus": "Object Lock",
    "PartNumber": "parts of an object",
    "WriteOffsetBytes": "appending to an object",
    "GrantRead": "grants in headers",
    "GrantReadACP": "grants in headers",
    "GrantWriteACP": "grants in headers",
    "GrantFullControl": "grants in headers",
}
_MOST_METADATA = 2048
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,1024}")
_MOST_DELETED = 1000


class ObjectOperations:
    """One function an operation. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, asking: Asking, objects: Objects) -> None:
        self._asking = asking
        self._objects = objects

    def put_object(self, caller: Caller, p: Parameters) -> Result:
        """PutObject"""
        _refuse_unsupported(p)
        self._ask_to_write(caller, p)
        content = p.get("Body", b"")
        new = NewObject(
            headers=_headers(p),
            checksums=_checksums(p, content),
            acl=p.get("ACL"),
            conditions=Conditions(p.get("IfMatch"), p.get("IfNoneMatch")),
        )
        made = self._objects.put(caller, p["Bucket"], p["Key"], (content,), new)
        return {"ETag": f'"{made.etag}"', **_version_id(made), **_checksum_members(made)}

    def get_object(self, caller: Caller, p: Parameters) -> Result:
        """GetObject"""
        _refuse_unsupported(p)
        bucket = self._ask_to_read(caller, p)

        def choose(found: Version) -> tuple[int, int]:
            _conditions(p).check_reading(found)
            return octets(p.get("Range"), found.size) or (0, found.size)

        with _Missing(self._asking, caller, bucket):
            found, content = self._objects.read(p["Bucket"], p["Key"], p.get("VersionId"), choose)
        return {**_described(found, p, octets(p.get("Range"), found.size)), "Body": content}

    def head_object(self, caller: Caller, p: Parameters) -> Result:
        """HeadObject"""
        _refuse_unsupported(p)
        bucket = self._ask_to_read(caller, p)
        with _Missing(self._asking, caller, bucket):
            found = self._objects.find(p["Bucket"], p["Key"], p.get("VersionId"))
        _conditions(p).check_reading(found)
        return _described(found, p, octets(p.get("Range"), found.size))

    def delete_object(self, caller: Caller, p: Parameters) -> Result:
        """DeleteObject"""
        version_id = p.get("VersionId")
        if version_id is not None and not _VERSION.fullmatch(version_id):
            # It is repeated in a header of the answer.
            raise InvalidArgument("Invalid version id specified")
        self._asking.object(caller, p, _versioned("s3:DeleteObject", version_id))
        told = self._objects.delete(caller, p["Bucket"], p["Key"], version_id)
        return {"VersionId": version_id, "DeleteMarker": None} | _deleted(told)

    def delete_objects(self, caller: Caller, p: Parameters) -> Result:
        """DeleteObjects: each object for itself, good or bad"""
        wanted = p["Delete"]["Objects"]
        if not 0 < len(wanted) <= _MOST_DELETED:
            raise WireError("MalformedXML", f"Between 1 and {_MOST_DELETED} objects can be deleted at once.")
        deleted: list[Mapping[str, Any]] = []
        errors: list[Mapping[str, Any]] = []
        for each in wanted:
            key, version_id = each["Key"], each.get("VersionId")
            named = {"Key": key, "VersionId": version_id}
            try:
                action = _versioned("s3:DeleteObject", version_id)
                self._asking.object(caller, {**p, "Key": key}, action)
                told = _deleted(self._objects.delete(caller, p["Bucket"], key, version_id))
            except AccessDenied as refusal:
                errors.append({**named, "Code": "AccessDenied", "Message": refusal.message})
            else:
                marker = {"DeleteMarkerVersionId": told["VersionId"]} if told.get("DeleteMarker") else {}
                deleted.append({**named, "DeleteMarker": told.get("DeleteMarker"), **marker})
        return {"Deleted": [] if p["Delete"].get("Quiet") else deleted, "Errors": errors}

    def copy_object(self, caller: Caller, p: Parameters) -> Result:
        """CopyObject"""
        _refuse_unsupported(p)
        source = _source(p["CopySource"])
        bucket = self._ask_to_read(caller, source)
        self._ask_to_write(caller, p)
        with _Missing(self._asking, caller, bucket):
            found = self._objects.find(source["Bucket"], source["Key"], source.get("VersionId"))
        conditions = Conditions(
            p.get("CopySourceIfMatch"),
            p.get("CopySourceIfNoneMatch"),
            p.get("CopySourceIfModifiedSince"),
            p.get("CopySourceIfUnmodifiedSince"),
        )
        conditions.check_reading(found)
        replaced = p.get("MetadataDirective") == "REPLACE"
        if not replaced and "VersionId" not in source and (source["Bucket"], source["Key"]) == (p["Bucket"], p["Key"]):
            text = "This copy request is illegal because it is trying to copy an object to itself without changing it."
            raise WireError("InvalidRequest", text)
        new = NewObject(headers=_headers(p) if replaced else found.headers, checksums=found.checksums, acl=p.get("ACL"))
        made = self._objects.copy(caller, found, p["Bucket"], p["Key"], new)
        told = {"ETag": f'"{made.etag}"', "LastModified": made.modified_at, **_checksum_members(made)}
        return {"CopyObjectResult": told, "CopySourceVersionId": source.get("VersionId"), **_version_id(made)}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "PutObject": self.put_object,
            "GetObject": self.get_object,
            "HeadObject": self.head_object,
            "DeleteObject": self.delete_object,
            "DeleteObjects": self.delete_objects,
            "CopyObject": self.copy_object,
        }

    def _ask_to_write(self, caller: Caller, p: Parameters) -> None:
        acl = p.get("ACL")
        context = {"s3:x-amz-acl": acl} if acl else {}
        self._asking.object(caller, p, "s3:PutObject", context)
        if acl:
            self._asking.object(caller, p, "s3:PutObjectAcl", context)

    def _ask_to_read(self, caller: Caller, p: Parameters) -> Bucket:
        version_id = p.get("VersionId")
        context = {"s3:VersionId": version_id} if version_id else {}
        try:
            return self._asking.object(caller, p, _versioned("s3:GetObject", version_id), context)
        except AccessDenied:
            public = self._public(p)
            if public is None:
                raise
            return public

    def _public(self, p: Parameters) -> Bucket | None:
        """The bucket, when the object itself is for everybody; that is asked last."""
        bucket = self._asking.unasked(p)
        try:
            found = self._objects.find(p["Bucket"], p["Key"], p.get("VersionId"))
        except Refusal:
            return None
        return bucket if is_public_by_acl(bucket, found.acl) else None


class _Missing:
    """Who may not list the bucket does not learn that an object is not there."""

    def __init__(self, asking: Asking, caller: Caller, bucket: Bucket) -> None:
        self._asking = asking
        self._caller = caller
        self._bucket = bucket

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, NoSuchKey) and not self._asking.may(self._caller, self._bucket, "s3:ListBucket"):
            raise AccessDenied("Access Denied") from None


def _versioned(action: str, version_id: str | None) -> str:
    return f"{action}Version" if version_id is not None else action


def _refuse_unsupported(p: Parameters) -> None:
    """Never weaker than asked: what we do not do is refused and not left out. Raises WireError."""
    for member, what in _UNSUPPORTED.items():
        if p.get(member) is not None:
            raise WireError("NotImplemented", f"S3 {member} ({what}) is not supported.")
    if p.get("ServerSideEncryption") not in (None, "AES256"):
        raise WireError("NotImplemented", "Only the server side encryption AES256 can be asked for.")
    if p.get("StorageClass") not in (None, "STANDARD"):
        raise WireError("InvalidStorageClass", "The only storage class is STANDARD.")


def _headers(p: Parameters) -> dict[str, str]:
    headers = {header: str(p[member]) for member, header in _HEADERS.items() if p.get(member)}
    headers.setdefault("content-type", _DEFAULT_TYPE)
    if isinstance(p.get("Expires"), str):
        headers["expires"] = p["Expires"]
    metadata = {key.lower(): value for key, value in p.get("Metadata", {}).items()}
    if sum(len(key) + len(value) for key, value in metadata.items()) > _MOST_METADATA:
        raise WireError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    return headers | {_META + key: value for key, value in metadata.items()}


def _checksums(p: Parameters, content: bytes) -> dict[str, str]:
    """Those that came along, which the codec has checked, and the one that was only named."""
    given = {name: p[_member(name)] for name in ALGORITHMS if p.get(_member(name))}
    named = str(p.get("ChecksumAlgorithm", "")).lower()
    if named in ALGORITHMS and named not in given:
        given[named] = checksum(named, content)
    return given


def _member(algorithm: str) -> str:
    return f"Checksum{algorithm.upper()}"


def _checksum_members(found: Version) -> dict[str, str]:
    told = {_member(name): value for name, value in found.checksums.items()}
    return told | {"ChecksumType": "FULL_OBJECT"} if told else {}


def _version_id(found: Version) -> dict[str, str]:
    return {} if found.version_id == "null" else {"VersionId": found.version_id}


def _deleted(told: Version | None) -> dict[str, Any]:
    if told is None:
        return {}
    return {"VersionId": told.version_id, "DeleteMarker": True if told.delete_marker else None}


def _conditions(p: Parameters) -> Conditions:
    return Conditions(p.get("IfMatch"), p.get("IfNoneMatch"), p.get("IfModifiedSince"), p.get("IfUnmodifiedSince"))


def _described(found: Version, p: Parameters, part: tuple[int, int] | None) -> dict[str, Any]:
    """What the headers of GET and HEAD tell; checksums are of the whole object and go with nothing less."""
    start, length = part or (0, found.size)
    wanted = p.get("ChecksumMode") == "ENABLED" and part is None
    return {
        "AcceptRanges": "bytes",
        "ContentLength": length,
        "ContentRange": f"bytes {start}-{start + length - 1}/{found.size}" if part else None,
        "ETag": f'"{found.etag}"',
        "LastModified": found.modified_at,
        "Metadata": dict(_metadata(found)),
        **_version_id(found),
        **{member: found.headers.get(header) for member, header in _HEADERS.items()},
        **_overridden(p),
        **(_checksum_members(found) if wanted else {}),
    }


def _metadata(found: Version) -> Iterator[tuple[str, str]]:
    for name, value in found.headers.items():
        if name.startswith(_META):
            yield name.removeprefix(_META), value


def _overridden(p: Parameters) -> dict[str, str]:
    return {member: p[f"Response{member}"] for member in _HEADERS if p.get(f"Response{member}")}


def _source(header: str) -> Parameters:
    """Bucket, key and version of `x-amz-copy-source`: `[/]BUCKET/KEY[?versionId=ID]`, percent-encoded."""
    path, _, query = header.removeprefix("/").partition("?versionId=")
    bucket, _, key = unquote(path).partition("/")
    if not bucket or not key:
        raise InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return {"Bucket": bucket, "Key": key} | ({"VersionId": query} if query else {})
