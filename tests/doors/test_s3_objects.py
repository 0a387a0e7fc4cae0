"""Objects over the wire of S3: contents, versions, listings, checksums (Amazon S3 API reference)."""

import io
from datetime import timedelta

import pytest

from doors.buckets import refused
from greatseal.testing import FakeEntropy, Installation
from greatseal.testing.faults import FaultyStorage

NAMES = [
    "a",
    "a/",
    "a/b",
    "../../etc/passwd",
    "a//b",
    "./x",
    "é ☃",
    "a+b",
    "100%",
    "q?x=y&z",
    "#",
    "x" * 1024,
    "\U0001f511",
]
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture(params=[False, True], ids=["files", "rows"])
def installation(storage, request):
    return Installation(storage, objects_in_database=request.param)


@pytest.fixture
def s3(installation):
    client = installation.client("s3")
    client.create_bucket(Bucket="bucket")
    return client


def put(s3, key, body=b"x", **more):
    return s3.put_object(Bucket="bucket", Key=key, Body=body, **more)


def content(s3, key, **more):
    return s3.get_object(Bucket="bucket", Key=key, **more)["Body"].read()


def contents(installation):
    """The names of all contents, finished or not."""
    runs = installation.rooms.objects.objects._blobs.older_than(timedelta(days=-1))
    return [name for run in runs for name in run]


def test_any_text_is_a_key(s3):
    for name in NAMES:
        put(s3, name, name.encode())
    assert [content(s3, name) for name in NAMES] == [name.encode() for name in NAMES]
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert listed == sorted(NAMES, key=str.encode)
    with refused(400, "KeyTooLongError"):
        put(s3, "é" * 513)


def test_versions_come_and_go(s3):
    put(s3, "k", b"before")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    second = put(s3, "k", b"second")["VersionId"]
    marker = s3.delete_object(Bucket="bucket", Key="k")
    assert marker["DeleteMarker"] is True
    with refused(404, "NoSuchKey"):
        content(s3, "k")
    with refused(405, "MethodNotAllowed"):
        content(s3, "k", VersionId=marker["VersionId"])
    assert content(s3, "k", VersionId=second) == b"second"
    assert content(s3, "k", VersionId="null") == b"before"
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")
    s3.delete_object(Bucket="bucket", Key="k", VersionId=marker["VersionId"])
    assert content(s3, "k") == b"second"
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Suspended"})
    put(s3, "k", b"third")
    assert content(s3, "k", VersionId="null") == b"third"
    versions = s3.list_object_versions(Bucket="bucket")["Versions"]
    assert [(item["VersionId"], item["IsLatest"]) for item in versions] == [("null", True), (second, False)]
    s3.delete_object(Bucket="bucket", Key="k", VersionId="null")
    assert content(s3, "k") == b"second"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("listing", ["list_objects_v2", "list_objects", "list_object_versions"])
def test_folded_listings_page_by_page(s3, listing, size):
    for name in ("a/1", "a/2", "b", "c/1/x", "c/2", "d", "e/"):
        put(s3, name)
    pages = s3.get_paginator(listing).paginate(Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": size})
    names = []
    for page in pages:
        items = page.get("Contents", page.get("Versions", []))
        found = [item["Key"] for item in items] + [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        assert len(found) <= size
        names += found
    assert sorted(names) == ["a/", "b", "c/", "d", "e/"]
    inside = s3.list_objects_v2(Bucket="bucket", Prefix="c/", Delimiter="/")
    assert [item["Prefix"] for item in inside["CommonPrefixes"]] == ["c/1/"]
    assert [item["Key"] for item in inside["Contents"]] == ["c/2"]


@SQLITE
def test_versions_page_by_page(s3):
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    made = [(name, put(s3, name)["VersionId"]) for name in ("a", "b") for _ in range(3)]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket="bucket", PaginationConfig={"PageSize": 2})
    listed = [(item["Key"], item["VersionId"]) for page in pages for item in page["Versions"]]
    assert listed == [*reversed(made[:3]), *reversed(made[3:])]


@SQLITE
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("kind", [bytes, io.BytesIO])
def test_checksums_come_back(s3, algorithm, kind):
    sent = put(s3, "k", kind(b"content"), ChecksumAlgorithm=algorithm)
    member = f"Checksum{algorithm}"
    found = s3.head_object(Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    assert found[member] == sent[member]
    assert content(s3, "k") == b"content"
    with refused(400, "BadDigest"):
        put(s3, "k", b"other", **{member: sent[member]})
    assert content(s3, "k") == b"content"


@SQLITE
def test_ranges_and_conditions(s3, installation):
    tag = put(s3, "k", b"0123456789")["ETag"]
    at = installation.clock.now()
    for header, expected in (
        ("bytes=2-3", b"23"),
        ("bytes=8-", b"89"),
        ("bytes=-3", b"789"),
        ("bytes=5-99", b"56789"),
        ("bytes=-99", b"0123456789"),
        ("bytes=4-2", b"0123456789"),
        ("lines=1-2", b"0123456789"),
    ):
        assert content(s3, "k", Range=header) == expected
    with refused(416, "InvalidRange"):
        content(s3, "k", Range="bytes=10-")
    assert s3.get_object(Bucket="bucket", Key="k", Range="bytes=0-0")["ContentRange"] == "bytes 0-0/10"
    assert content(s3, "k", IfMatch=tag, IfUnmodifiedSince=at - timedelta(days=1)) == b"0123456789"
    for condition in ({"IfNoneMatch": tag}, {"IfModifiedSince": at}):
        with refused(304):
            content(s3, "k", **condition)
    for condition in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": at - timedelta(days=1)}):
        with refused(412, "PreconditionFailed"):
            content(s3, "k", **condition)
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with refused(412, "PreconditionFailed"):
            put(s3, "k", **condition)


@SQLITE
def test_metadata_goes_along(s3):
    headers = {"CacheControl": "max-age=60", "ContentEncoding": "gzip", "ContentType": "application/pkix-crl"}
    put(s3, "k", b"x", Metadata={"Kind": "crl"}, **headers)
    s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "k"})
    for key in ("k", "copy"):
        found = s3.head_object(Bucket="bucket", Key=key)
        assert {name: found[name] for name in headers} == headers
        assert found["Metadata"] == {"kind": "crl"}
    put(s3, "plain")
    assert "CacheControl" not in s3.head_object(Bucket="bucket", Key="plain")


@SQLITE
def test_contents_go_with_what_names_them(s3, installation):
    put(s3, "k", b"one")
    first = contents(installation)
    put(s3, "k", b"two")
    assert len(contents(installation)) == 1
    assert contents(installation) != first
    with refused(404, "NoSuchBucket"):
        s3.put_object(Bucket="nowhere", Key="k", Body=b"x")
    s3.delete_object(Bucket="bucket", Key="k")
    assert contents(installation) == []


@SQLITE
@pytest.mark.parametrize("in_rows", [False, True])
def test_a_failed_commit_leaves_no_object(storage_url, in_rows):
    storage = FaultyStorage(storage_url)
    installation = Installation(storage, objects_in_database=in_rows)
    s3 = installation.client("s3")
    s3.create_bucket(Bucket="bucket")
    seen = []
    storage.observe = lambda point: seen.append(point)
    put(s3, "first")
    writes = [number for number, point in enumerate([each for each in seen if each.startswith("before")], 1)]
    failed = 0
    for at in writes:
        storage.observe = lambda point: None
        storage.fail(at=at, applied=False)
        try:
            put(s3, "k")
        except Exception:  # noqa: BLE001 - an InternalError, whichever call failed
            failed += 1
        storage.heal()
    assert failed
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert "first" in listed
    s3.delete_object(Bucket="bucket", Key="k")
    installation.clock.advance(timedelta(days=2))
    installation.rooms.objects.objects.sweep()
    assert len(contents(installation)) == 1
    assert content(s3, "first") == b"x"
    storage.close()


def test_another_node_reads_contents_in_rows(storage):
    nodes = [Installation(storage, entropy=FakeEntropy(name), objects_in_database=True) for name in "ab"]
    here, there = [node.client("s3") for node in nodes]
    here.create_bucket(Bucket="bucket")
    put(here, "k", b"written here")
    assert content(there, "k") == b"written here"
    there.delete_object(Bucket="bucket", Key="k")
    assert contents(nodes[0]) == []


@SQLITE
def test_sweeping_keeps_what_is_young_or_named(s3, installation):
    put(s3, "k", b"kept")
    blobs = installation.rooms.objects.objects._blobs
    orphan = blobs.write([b"lost"])
    assert installation.rooms.objects.objects.sweep() == 0
    installation.clock.advance(timedelta(days=2))
    assert installation.rooms.objects.objects.sweep() == 1
    assert orphan.name not in contents(installation)
    assert content(s3, "k") == b"kept"


@SQLITE
def test_bucket_names(s3):
    for name in ("abc", "a.b.c", "1-2", "x" * 63):
        s3.create_bucket(Bucket=name)
    s3.delete_bucket(Bucket="abc")
    for name in ("ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "xn--abc", "abc-s3alias", "x" * 64):
        with refused(400, "InvalidBucketName"):
            s3.create_bucket(Bucket=name)


@SQLITE
def test_buckets_page_by_page(s3, installation):
    for number in range(5):
        s3.create_bucket(Bucket=f"more-{number}")
    installation.client("s3", region="eu-west-1").create_bucket(
        Bucket="abroad", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert s3.get_bucket_location(Bucket="abroad")["LocationConstraint"] == "eu-west-1"
    pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2})
    names = [item["Name"] for page in pages for item in page["Buckets"]]
    assert names == ["abroad", "bucket", *(f"more-{number}" for number in range(5))]
    assert [item["Name"] for item in s3.list_buckets(BucketRegion="eu-west-1")["Buckets"]] == ["abroad"]
