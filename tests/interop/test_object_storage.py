"""Buckets and reports with the AWS CLI, as the workflows use them (workflows.md 1 to 3, 16)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from doors.buckets import for_service
from interop.programs import environment

pytestmark = pytest.mark.interop
AWS = Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(service, bench):
    """Runs the AWS CLI with nothing but what `greatseal env` says."""

    def run(*words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [str(AWS), *words],
            cwd=bench.folder,
            env={**environment(), **service.environment, "AWS_PAGER": "", "HOME": str(bench.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    return run


def test_files_in_a_bucket(aws, bench):
    aws("s3", "mb", "s3://trust-stores")
    aws("s3api", "put-bucket-versioning", "--bucket", "trust-stores", "--versioning-configuration", "Status=Enabled")
    (bench.folder / "store.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 1000)
    aws("s3", "cp", "store.pem", "s3://trust-stores/a folder/store+1.pem")
    aws("s3", "cp", "s3://trust-stores/a folder/store+1.pem", "back.pem")
    assert bench.read("back.pem") == bench.read("store.pem")
    assert "store+1.pem" in aws("s3", "ls", "--recursive", "s3://trust-stores")
    aws("s3", "sync", ".", "s3://trust-stores/all", "--exclude", "*", "--include", "*.pem")
    aws("s3", "rm", "--recursive", "s3://trust-stores")
    assert "BucketNotEmpty" in aws("s3", "rb", "s3://trust-stores", fails=True)
    (bench.folder / "large").write_bytes(bytes(9 << 20))
    assert "NotImplemented" in aws("s3", "cp", "large", "s3://trust-stores/large", fails=True)


def test_an_audit_report(aws, bench, customer):
    aws("s3", "mb", "s3://audit-reports")
    (bench.folder / "policy.json").write_text(for_service("audit-reports"))
    aws("s3api", "put-bucket-policy", "--bucket", "audit-reports", "--policy", "file://policy.json")
    root = customer.root("EC_prime256v1").arn
    named = ("--certificate-authority-arn", root)
    command = ("acm-pca", "create-certificate-authority-audit-report", *named)
    asked = json.loads(aws(*command, "--s3-bucket-name", "audit-reports", "--audit-report-response-format", "CSV"))
    aws("acm-pca", "wait", "audit-report-created", *named, "--audit-report-id", asked["AuditReportId"])
    aws("s3", "cp", f"s3://audit-reports/{asked['S3Key']}", "report.csv")
    assert bench.read("report.csv").decode().startswith("awsAccountId,requestedByServicePrincipal,certificateArn,")
