"""Fetching revocation lists from the plain listener of an installation, as any client does."""

import json
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from prometheus_client import CollectorRegistry

from doors.pki import Pki, serial_of
from greatseal.app.doors import plain_mounts
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.edge.messages import HttpRequest, HttpResponse

CRL = {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": "example-lists"}
ENABLED = {"CrlConfiguration": CRL}
BUCKET = "example-lists"
PARTITIONED = {"CrlConfiguration": {**CRL, "CrlType": "PARTITIONED"}}


def bucket(pki: Pki, name: str = BUCKET) -> None:
    """A bucket that lists may be written to, readable by everybody; its policy is that of acm-pca.md 10.5."""
    s3 = pki.installation.client("s3")
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=name)
    actions = ["s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketAcl", "s3:GetBucketLocation"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "acm-pca.amazonaws.com"},
        "Action": actions,
        "Resource": [f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"],
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def fetch(pki: Pki, path: str, *, method: str = "GET", **headers: str) -> HttpResponse:
    """What the plain listener answers; header names with _ for -."""
    mounts = plain_mounts(pki.installation.rooms, WorkerMetrics(CollectorRegistry()), None)
    mount = mounts.find(path.encode())
    assert mount is not None
    sent = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return mount.handle(
        HttpRequest(method=method, raw_path=path.encode(), raw_query=b"", headers=sent, body=b"", request_id="r")
    )


def path_of(arn: str) -> str:
    """Where the complete list of a CA is."""
    return f"/crl/{arn.rpartition('/')[2]}.crl"


def point_of(certificate: x509.Certificate) -> str:
    """The URL in a certificate."""
    [point] = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    url: str = point.full_name[0].value
    return url


def published(pki: Pki, where: str) -> x509.CertificateRevocationList:
    """The list of a CA (by ARN) or at a URL, as `cryptography` reads it."""
    path = path_of(where) if where.startswith("arn:") else urlsplit(where).path
    answer = fetch(pki, path)
    assert answer.status == 200, answer
    return x509.load_der_x509_crl(answer.body)


def serials(found: x509.CertificateRevocationList) -> set[int]:
    """Whose certificates a list has."""
    return {each.serial_number for each in found}


def number(found: x509.CertificateRevocationList) -> int:
    """The CRL number."""
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def revoke(pki: Pki, certificate_arn: str, reason: str = "UNSPECIFIED") -> int:
    """Revokes a certificate by its ARN; its serial."""
    serial = serial_of(certificate_arn)
    authority = certificate_arn.partition("/certificate/")[0]
    pki.pca.revoke_certificate(CertificateAuthorityArn=authority, CertificateSerial=serial, RevocationReason=reason)
    return int(serial, 16)


def configure(pki: Pki, arn: str, configuration: dict[str, Any]) -> None:
    """Changes the RevocationConfiguration of a CA."""
    pki.pca.update_certificate_authority(CertificateAuthorityArn=arn, RevocationConfiguration=configuration)
