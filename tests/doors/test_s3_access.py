"""Who may do what with buckets: policies, the public access block, access control lists, the plain listener."""

from dataclasses import replace

import pytest

from doors.buckets import for_everybody, for_service, policy, refused
from doors.organization import second_account
from greatseal.edge.messages import HttpRequest
from greatseal.kernel.errors import AccessDenied
from greatseal.testing import Installation
from greatseal.web import objects

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def installation(storage):
    return Installation(storage)


@pytest.fixture
def s3(installation):
    client = installation.client("s3")
    client.create_bucket(Bucket="bucket", ObjectOwnership="BucketOwnerPreferred")
    client.put_object(Bucket="bucket", Key="k", Body=b"content", ContentType="text/plain")
    return client


@pytest.fixture
def stranger(installation):
    return installation.client("s3", credential=second_account(installation))


def fetch(installation, path="/s3/bucket/k", method="GET", *headers):
    handle = objects.handler(installation.rooms.objects, installation.clock)
    return handle(HttpRequest(method, path.encode(), b"", headers, b"", "id", "192.0.2.1", "http"))


def test_buckets_of_others_are_closed(s3, stranger):
    for call in (
        lambda: stranger.get_object(Bucket="bucket", Key="k"),
        lambda: stranger.put_object(Bucket="bucket", Key="k", Body=b"x"),
        lambda: stranger.list_objects_v2(Bucket="bucket"),
        lambda: stranger.put_bucket_policy(Bucket="bucket", Policy=for_everybody("bucket")),
        lambda: stranger.get_bucket_policy(Bucket="bucket"),
    ):
        with refused(403, "AccessDenied"):
            call()
    for call in (lambda: stranger.head_bucket(Bucket="bucket"), lambda: stranger.head_object(Bucket="bucket", Key="k")):
        with refused(403):
            call()


def test_a_policy_lets_another_account_in(s3, stranger):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": stranger.list_buckets()["Owner"]["ID"]},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/*",
    }
    s3.put_bucket_policy(Bucket="bucket", Policy=policy(statement))
    assert stranger.get_object(Bucket="bucket", Key="k")["Body"].read() == b"content"
    # Without the right to list, nobody learns what is not there.
    with refused(403, "AccessDenied"):
        stranger.get_object(Bucket="bucket", Key="nothing")
    s3.delete_bucket_policy(Bucket="bucket")
    with refused(403, "AccessDenied"):
        stranger.get_object(Bucket="bucket", Key="k")


def test_the_owner_can_undo_a_policy_that_denies_everything(s3):
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
    }
    s3.put_bucket_policy(Bucket="bucket", Policy=policy(deny))
    with refused(403, "AccessDenied", "explicit deny"):
        s3.get_object(Bucket="bucket", Key="k")
    s3.delete_bucket_policy(Bucket="bucket")
    s3.get_object(Bucket="bucket", Key="k")


def test_nothing_is_public_until_the_owner_says_so_twice(s3, installation, stranger):
    assert fetch(installation).status == 403
    with refused(403, "AccessDenied", "BlockPublicPolicy"):
        s3.put_bucket_policy(Bucket="bucket", Policy=for_everybody("bucket"))
    s3.delete_public_access_block(Bucket="bucket")
    s3.put_bucket_policy(Bucket="bucket", Policy=for_everybody("bucket"))
    assert fetch(installation).body == b"content"
    assert stranger.get_object(Bucket="bucket", Key="k")["Body"].read() == b"content"
    block = {"RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket="bucket", PublicAccessBlockConfiguration=block)
    assert fetch(installation).status == 403
    with refused(403, "AccessDenied"):
        stranger.get_object(Bucket="bucket", Key="k")


def test_an_object_for_everybody(s3, installation, stranger):
    with refused(403, "AccessDenied", "BlockPublicAcls"):
        s3.put_object(Bucket="bucket", Key="k", Body=b"x", ACL="public-read")
    s3.delete_public_access_block(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"public", ACL="public-read")
    assert fetch(installation).body == b"public"
    assert stranger.get_object(Bucket="bucket", Key="k")["Body"].read() == b"public"
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="bucket", OwnershipControls=controls)
    assert fetch(installation).status == 403


def test_plain_http_has_ranges_and_conditions(s3, installation):
    s3.delete_public_access_block(Bucket="bucket")
    s3.put_bucket_policy(Bucket="bucket", Policy=for_everybody("bucket"))
    found = fetch(installation)
    headers = dict(found.headers)
    assert headers[b"content-type"] == b"text/plain"
    part = fetch(installation, "/s3/bucket/k", "GET", (b"range", b"bytes=1-2"))
    assert (part.status, part.body, dict(part.headers)[b"content-range"]) == (206, b"on", b"bytes 1-2/7")
    assert fetch(installation, "/s3/bucket/k", "GET", (b"if-none-match", headers[b"etag"])).status == 304
    assert fetch(installation, "/s3/bucket/k", "GET", (b"if-modified-since", headers[b"last-modified"])).status == 304
    assert fetch(installation, "/s3/bucket/k", "GET", (b"if-modified-since", b"never")).status == 200
    assert fetch(installation, "/s3/bucket/k", "PUT").status == 405
    for path, status in (("/s3/bucket/no", 404), ("/s3/nowhere/k", 404), ("/s3/bucket/", 404), ("/s3/%ff/k", 400)):
        assert fetch(installation, path).status == status


def test_services_need_every_right(s3, installation):
    deliver = installation.rooms.objects.deliveries
    names = {"service_principal": "acm-pca.amazonaws.com", "source_account": "111122223333", "source_arn": "arn:x"}

    def put():
        return deliver.put_as_service("bucket", "r", (b"re", b"port"), acl=None, content_type="text/csv", **names)

    for document in (
        None,
        for_service("bucket", SourceAccount="999999999999"),
        for_service("bucket", SourceArn="arn:y"),
    ):
        if document:
            s3.put_bucket_policy(Bucket="bucket", Policy=document)
        with pytest.raises(AccessDenied, match="not authorized"):
            put()
    s3.put_bucket_policy(Bucket="bucket", Policy=for_service("bucket", SourceAccount="111122223333", SourceArn="arn:x"))
    put()
    assert s3.get_object(Bucket="bucket", Key="r")["Body"].read() == b"report"


def test_signed_headers_and_payloads(s3, installation):
    sent = []
    inner = installation.door.handle
    installation.door.handle = lambda request: sent.append(request) or inner(request)
    s3.put_object(Bucket="bucket", Key="k", Body=b"content")
    good = sent[-1]

    def answer(**changes):
        return installation.door.handle(replace(good, **changes))

    def without(name):
        return tuple(pair for pair in good.headers if pair[0] != name)

    assert answer().status == 200
    for changes, code in (
        ({"headers": without(b"x-amz-content-sha256")}, b"InvalidRequest"),
        ({"headers": (*good.headers, (b"x-amz-acl", b"private"))}, b"SignatureDoesNotMatch"),
        ({"body": good.body.replace(b"content", b"contend")}, b"BadDigest"),
        ({"body": good.body + b"x"}, b"IncompleteBody"),
        ({"scheme": "http"}, b"InvalidRequest"),
        ({"headers": without(b"authorization")}, b"AccessDenied"),
    ):
        found = answer(**changes)
        assert 400 <= found.status < 500
        assert code in found.body, found.body
