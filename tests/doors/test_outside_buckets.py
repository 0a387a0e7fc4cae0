"""Lists and audit reports in an object store outside: here the S3 door of a second installation, over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from doors.lists import BUCKET, ENABLED, bucket, number, path_of, published, revoke
from doors.pki import Pki, refused
from greatseal.domain.objects.refusals import NoSuchBucket
from greatseal.edge.messages import HttpRequest
from greatseal.integrations.outside_buckets import OutsideBuckets, OutsideStore
from greatseal.kernel.errors import AccessDenied, InvalidRequest, RequestFailed
from greatseal.kernel.secret import Secret
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeClock

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
SERVICE = {"service_principal": "acm-pca.amazonaws.com", "source_account": "1", "source_arn": "arn"}


class Shop:
    """The store outside: an installation behind a socket. `meddle` may answer a request in its place."""

    def __init__(self, storage):
        # Its customer signs with the time of this machine.
        self.pki = Pki(storage, clock=FakeClock(datetime.now(UTC)))
        self.s3 = self.pki.installation.client("s3")
        self.seen = []
        self.meddle = lambda request: None

    def store(self, address):
        credential = self.pki.installation.credential
        return OutsideStore(f"http://{address}", "us-east-1", credential.access_key_id, credential.secret)

    @contextmanager
    def open(self) -> Iterator[str]:
        shop = self

        class Counter(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.headers.get("expect"):
                    body = body or b""
                request = HttpRequest(
                    method=self.command,
                    raw_path=parts.path.encode(),
                    raw_query=parts.query.encode(),
                    headers=tuple((name.lower().encode(), value.encode()) for name, value in self.headers.items()),
                    body=body,
                    request_id="r",
                    client_ip="127.0.0.1",
                    scheme="http",
                )
                shop.seen.append(request)
                answer = shop.meddle(request) or shop.pki.installation.handle(request)
                self.send_response(answer if isinstance(answer, int) else answer.status)
                content = b"" if isinstance(answer, int) else answer.body
                for name, value in () if isinstance(answer, int) else answer.headers:
                    if name != b"content-length":
                        self.send_header(name.decode(), value.decode())
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = serve  # noqa: N815 - the names of http.server

            def log_message(self, *_):
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def shop(tmp_path):
    storage = open_storage(f"sqlite:///{tmp_path / 'outside.db'}")
    migrate(storage)
    made = Shop(storage)
    bucket(made.pki)
    yield made
    storage.close()


@pytest.fixture
def address(shop):
    with shop.open() as found:
        yield found


@pytest.fixture
def outside(shop, address):
    return OutsideBuckets(shop.store(address))


def objects(shop):
    return {each["Key"] for each in shop.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def put(outside, key="k", content=(b"a", b"b"), **more):
    outside.put_as_service(BUCKET, key, content, acl="public-read", content_type="x/y", **SERVICE, **more)


@ONE
def test_lists_and_reports_go_outside(storage, shop, outside):
    pki = Pki(storage, outside_buckets=outside)
    arn = pki.root(RevocationConfiguration=ENABLED)
    assert objects(shop) == {"acm-pca-permission-test-key"}
    revoke(pki, pki.issue(arn))
    pki.installation.work()
    pki.clock.advance(pki.installation.rooms.points._pace.delay)
    pki.installation.work()
    copied = shop.s3.get_object(Bucket=BUCKET, Key=path_of(arn)[1:])
    assert copied["ContentType"] == "application/pkix-crl"
    assert x509.load_der_x509_crl(copied["Body"].read()) == published(pki, arn)
    assert copied["Metadata"] == {"crl-number": str(number(published(pki, arn)))}
    asked = pki.pca.create_certificate_authority_audit_report(
        CertificateAuthorityArn=arn, S3BucketName=BUCKET, AuditReportResponseFormat="CSV"
    )
    pki.installation.work()
    report = shop.s3.get_object(Bucket=BUCKET, Key=asked["S3Key"])
    assert report["ContentType"] == "text/csv"
    assert report["Body"].read().count(b"\n") >= 2
    # Nothing stayed at home.
    assert pki.installation.client("s3").list_buckets()["Buckets"] == []


@ONE
def test_a_bucket_that_will_not_do(storage, shop, outside):
    pki = Pki(storage, outside_buckets=outside)
    other = {**ENABLED["CrlConfiguration"], "S3BucketName": "no-such-bucket"}
    with refused("ValidationException", "Permission error with your S3 bucket 'no-such-bucket'"):
        pki.create(RevocationConfiguration={"CrlConfiguration": other})
    shop.s3.put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    with refused("ValidationException", "Permission error with your S3 bucket 'example-lists'"):
        pki.create(RevocationConfiguration=ENABLED)


@ONE
def test_a_store_that_does_not_answer(storage, shop):
    with shop.open() as address:
        gone = OutsideBuckets(replace(shop.store(address), timeout_seconds=1))
    pki = Pki(storage, outside_buckets=gone)
    with pytest.raises(ClientError, match="The object store does not answer"):
        pki.create(RevocationConfiguration=ENABLED)
    with pytest.raises(OSError, match="Could not connect"):
        put(gone)


def test_a_higher_number_stays(shop, outside):
    put(outside, content=(b"new",), number=7)
    put(outside, content=(b"old",), number=6)
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"new"
    put(outside, content=(b"newer",), number=8)
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"newer"
    # An object of somebody else has no number.
    shop.s3.put_object(Bucket=BUCKET, Key="k", Body=b"foreign")
    put(outside, content=(b"1",), number=1)
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"1"


def test_another_node_is_faster(shop, outside):
    """Between our look and our writing there is a newer object: ours is refused, looked at again, and given up."""

    def meddle(request):
        if request.method == "PUT" and not raced:
            raced.append(request)
            OutsideBuckets(replace(rival)).put_as_service(
                BUCKET, "k", (b"theirs",), acl=None, content_type="x/y", number=9, **SERVICE
            )

    raced = []
    rival = outside._store
    shop.meddle = meddle
    put(outside, content=(b"ours",), number=8)
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"theirs"


def test_a_store_without_conditional_writes(shop, outside):
    def meddle(request):
        names = {name for name, _ in request.headers}
        return 501 if names & {b"if-match", b"if-none-match"} else None

    shop.meddle = meddle
    put(outside, content=(b"new",), number=7)
    put(outside, content=(b"old",), number=6)
    put(outside, content=(b"newer",), number=8)
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"newer"


@pytest.mark.parametrize(
    ("status", "meant"), [(403, AccessDenied), (404, NoSuchBucket), (400, InvalidRequest), (503, OSError)]
)
def test_what_a_store_may_answer(shop, outside, status, meant):
    shop.meddle = lambda request: status
    with pytest.raises(meant):
        put(outside)
    with pytest.raises(RequestFailed if meant is OSError else meant):
        outside.check(BUCKET, "k", acl=None, **SERVICE)


def test_a_name_that_no_bucket_has(outside):
    """The library refuses it before the store is asked: trying again would not help."""
    with pytest.raises(InvalidRequest):
        outside.check("no/bucket", "k", acl=None, **SERVICE)


def test_a_large_object_and_no_checksum_in_trailers(shop, outside):
    parts = [bytes([each % 251]) * (1 << 20) for each in range(9)]
    put(outside, content=iter(parts))
    assert shop.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"".join(parts)
    sent = {name for request in shop.seen for name, _ in request.headers}
    assert not {name for name in sent if name.startswith(b"x-amz-trailer")}


def test_a_wrong_credential(shop, outside):
    wrong = OutsideBuckets(replace(outside._store, secret_access_key=Secret(b"x" * 40)))
    with pytest.raises(AccessDenied):
        put(wrong)


@ONE
def test_our_own_buckets_keep_higher_numbers_too(storage):
    pki = Pki(storage)
    bucket(pki)
    deliveries = pki.installation.rooms.objects.deliveries
    put(deliveries, content=(b"new",), number=7)
    put(deliveries, content=(b"old",), number=6)
    s3 = pki.installation.client("s3")
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"new"
    put(deliveries, content=(b"newer",), number=8)
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"newer"
