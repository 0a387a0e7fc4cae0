"""Audit reports (acm-pca.md 2.13, 2.14, 11)."""

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from doors.buckets import for_service
from doors.pki import Pki, csr, refused
from greatseal.domain.authorities import reports
from greatseal.domain.authorities.report import FIELDS
from greatseal.storage.schema import outbox

EVENT = "ACM Private CA Audit Report Generation"


@pytest.fixture
def pki(storage):
    made = Pki(storage)
    made.s3 = made.installation.client("s3")
    made.s3.create_bucket(Bucket="reports")
    made.s3.put_bucket_policy(Bucket="reports", Policy=for_service("reports"))
    return made


def ask(pki, arn, form="CSV", bucket="reports"):
    return pki.pca.create_certificate_authority_audit_report(
        CertificateAuthorityArn=arn, S3BucketName=bucket, AuditReportResponseFormat=form
    )


def status(pki, arn, asked):
    found = pki.pca.describe_certificate_authority_audit_report(
        CertificateAuthorityArn=arn, AuditReportId=asked["AuditReportId"]
    )
    assert (found["S3BucketName"], found["S3Key"]) == ("reports", asked["S3Key"])
    return found["AuditReportStatus"]


def body(pki, asked):
    return pki.s3.get_object(Bucket="reports", Key=asked["S3Key"])["Body"].read().decode()


def events(pki):
    rows = pki.storage.read(lambda tx: tx.all(select(outbox.c.payload).order_by(outbox.c.id)))
    return [row.payload for row in rows if row.payload["detail-type"] == EVENT]


def test_both_forms_say_the_same(pki, monkeypatch):
    monkeypatch.setattr(reports, "_RUN", 2)
    root = pki.root()
    issued = [pki.issue(root, csr(f"host-{number}.example.com")) for number in range(4)]
    pki.clock.advance(timedelta(hours=1))
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=root,
        CertificateSerial=issued[0].rpartition("/")[2],
        RevocationReason="KEY_COMPROMISE",
    )
    asked = ask(pki, root)
    assert asked["S3Key"] == f"audit-report/{root.rpartition('/')[2]}/{asked['AuditReportId']}.csv"
    assert status(pki, root, asked) == "CREATING"
    pki.installation.work()
    assert status(pki, root, asked) == "SUCCESS"
    text = body(pki, asked)
    assert text.splitlines()[0] == ",".join(FIELDS)
    rows = {row["certificateArn"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows.keys() >= set(issued)
    assert len(rows) == 5
    revoked = rows[issued[0]]
    assert revoked["revocationReason"] == "KEY_COMPROMISE"
    assert revoked["revokedAt"] == "2026-01-15T13:00:00+0000"
    assert revoked["subject"] == "CN=host-0.example.com"
    assert revoked["templateArn"] == "arn:aws:acm-pca:::template/EndEntityCertificate/V1"
    assert rows[issued[1]]["revokedAt"] == ""
    assert revoked["serial"].replace(":", "") == issued[0].rpartition("/")[2]
    pki.clock.advance(timedelta(minutes=30))
    asked = ask(pki, root, "JSON")
    pki.installation.work()
    told = json.loads(body(pki, asked))
    assert {row["certificateArn"]: {name: row.get(name, "") for name in FIELDS} for row in told} == rows
    assert all("revokedAt" not in row for row in told if row["certificateArn"] != issued[0])
    assert [event["detail"] for event in events(pki)] == [{"result": "success"}] * 2
    assert events(pki)[1]["resources"] == [root, asked["AuditReportId"]]


def test_one_in_half_an_hour(pki):
    root = pki.root()
    ask(pki, root)
    pki.clock.advance(timedelta(minutes=29, seconds=59))
    with refused("RequestInProgressException"):
        ask(pki, root)
    pki.clock.advance(timedelta(seconds=1))
    ask(pki, root)


def test_a_bucket_that_closes_meanwhile(pki):
    root = pki.root()
    asked = ask(pki, root)
    pki.s3.delete_bucket_policy(Bucket="reports")
    pki.installation.work()
    assert status(pki, root, asked) == "FAILED"
    assert [event["detail"] for event in events(pki)] == [{"result": "failure"}]
    with refused("InvalidArgsException", "bucket policy"):
        ask(pki, root)
    with refused("InvalidArgsException", "does not exist"):
        ask(pki, root, bucket="nowhere")
    # One that failed does not count.
    pki.s3.put_bucket_policy(Bucket="reports", Policy=for_service("reports", SourceArn=root))
    ask(pki, root)


def test_states_and_strangers(pki):
    waiting = pki.create()
    with refused("InvalidStateException"):
        ask(pki, waiting)
    root = pki.root()
    asked = ask(pki, root)
    for arn, report_id in ((root, "0" * 8 + "-0000-0000-0000-" + "0" * 12), (waiting, asked["AuditReportId"])):
        with refused("ResourceNotFoundException"):
            pki.pca.describe_certificate_authority_audit_report(CertificateAuthorityArn=arn, AuditReportId=report_id)
