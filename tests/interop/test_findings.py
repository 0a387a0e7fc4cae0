"""Findings as the workflows see them with the AWS CLI (workflows.md 5, 16 and 18)."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from doors.acm_material import make
from interop.conftest import GREATSEAL
from interop.programs import environment

pytestmark = pytest.mark.interop
AWS = Path(sys.executable).with_name("aws")
TITLE = "Private CA Certificate Creation"
_LOOKS = 40


@pytest.fixture
def aws(service, bench) -> Callable[..., Any]:
    """Runs the AWS CLI with nothing but what `greatseal env` says; the JSON that it prints, or its text."""

    def run(*words: str) -> Any:
        done = subprocess.run(
            [str(AWS), *words],
            cwd=bench.folder,
            env={**environment(), **service.environment, "AWS_PAGER": "", "HOME": str(bench.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{words}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout.strip()

    return run


def greatseal(service, *words: str) -> subprocess.CompletedProcess[str]:
    """A command beside the running service."""
    data = str(Path(service.environment["AWS_CA_BUNDLE"]).parent)
    command = [str(GREATSEAL), *words, "--data", data]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)


def wait_for(aws, filters: dict, count: int) -> list[dict[str, Any]]:
    """The findings that pass filters, once there are so many: watchers work in the background."""
    found: list[dict[str, Any]] = []
    for _ in range(_LOOKS):
        found = aws("securityhub", "get-findings", "--filters", json.dumps(filters))["Findings"]
        if len(found) >= count:
            break
    return found


def equals(value: str) -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": "EQUALS"}]


def authority(aws, bench, kind: str, parent: str | None = None) -> str:
    """A CA that signs, by the commands of the workflow."""
    (bench.folder / "ca.json").write_text(
        json.dumps(
            {
                "KeyAlgorithm": "EC_prime256v1",
                "SigningAlgorithm": "SHA256WITHECDSA",
                "Subject": {"Organization": "MyOrg", "CommonName": f"{kind} CA"},
            }
        )
    )
    arn: str = aws(
        "acm-pca", "create-certificate-authority", "--certificate-authority-configuration", "file://ca.json",
        "--certificate-authority-type", kind, "--query", "CertificateAuthorityArn", "--output", "text",
    )  # fmt: skip
    aws("acm-pca", "wait", "certificate-authority-csr-created", "--certificate-authority-arn", arn)
    csr = aws("acm-pca", "get-certificate-authority-csr", "--certificate-authority-arn", arn, "--output", "text")
    (bench.folder / "ca.csr").write_text(csr + "\n")
    template = "RootCACertificate/V1" if parent is None else "SubordinateCACertificate_PathLen0/V1"
    issued = issue(aws, parent or arn, "fileb://ca.csr", "3650" if parent is None else "1000", template)
    got = aws(
        "acm-pca", "get-certificate", "--certificate-authority-arn", parent or arn, "--certificate-arn", issued,
        "--output", "json",
    )  # fmt: skip
    (bench.folder / "ca.pem").write_text(got["Certificate"])
    above = ()
    if parent is not None:
        (bench.folder / "chain.pem").write_text(got["CertificateChain"])
        above = ("--certificate-chain", "fileb://chain.pem")
    aws(
        "acm-pca", "import-certificate-authority-certificate", "--certificate-authority-arn", arn,
        "--certificate", "fileb://ca.pem", *above,
    )  # fmt: skip
    return arn


def issue(aws, arn: str, csr: str, days: str, template: str | None = None) -> str:
    more = () if template is None else ("--template-arn", f"arn:aws:acm-pca:::template/{template}")
    issued: str = aws(
        "acm-pca", "issue-certificate", "--certificate-authority-arn", arn, "--csr", csr,
        "--signing-algorithm", "SHA256WITHECDSA", "--validity", f"Value={days},Type=DAYS", *more,
        "--query", "CertificateArn", "--output", "text",
    )  # fmt: skip
    return issued


def leaf_request(bench) -> str:
    """The request of workflows.md 16."""
    subject = "/C=US/ST=Ohio/L=Columbus/O=MyOrg/OU=IT/CN=mydomain.com"
    files = ("-keyout", "leaf.key", "-out", "leaf.csr")
    bench.run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject, *files)
    return "fileb://leaf.csr"


def test_a_finding_for_each_certificate_of_a_root(aws, bench, service):
    root = authority(aws, bench, "ROOT")
    mine = {"Title": equals(TITLE), "ResourceDetailsOther": [{"Key": "CAArn", "Value": root, "Comparison": "EQUALS"}]}
    (first,) = wait_for(aws, mine, 1)
    assert first["Severity"]["Label"] == "MEDIUM"
    assert first["CompanyName"] == "Personal"
    assert first["Remediation"]["Recommendation"]["Url"].startswith("https://")
    subordinate = authority(aws, bench, "SUBORDINATE", root)
    assert len(wait_for(aws, mine, 2)) == 2
    issue(aws, subordinate, leaf_request(bench), "20")
    listed = aws("securityhub", "get-findings", "--filters", json.dumps({"Title": equals(TITLE)}))["Findings"]
    assert not [each for each in listed if subordinate in each["GeneratorId"]]
    # The finding that the function of the post would have made, imported by hand.
    own = {**first, "Id": "by-hand", "Title": "By hand"}
    (bench.folder / "findings.json").write_text(json.dumps([own]))
    done = aws("securityhub", "batch-import-findings", "--findings", "file://findings.json")
    assert (done["SuccessCount"], done["FailedCount"]) == (1, 0)
    aws(
        "securityhub", "batch-update-findings", "--finding-identifiers",
        f"Id=by-hand,ProductArn={own['ProductArn']}", "--workflow", "Status=RESOLVED",
    )  # fmt: skip
    (resolved,) = wait_for(aws, {"Id": equals("by-hand"), "WorkflowStatus": equals("RESOLVED")}, 1)
    assert resolved["Title"] == "By hand"


def test_certificates_that_end_soon(aws, bench, service):
    root = authority(aws, bench, "ROOT")
    certificate = issue(aws, root, leaf_request(bench), "20")
    looked = greatseal(service, "findings", "look")
    assert looked.returncode == 0, looked.stderr
    wanted = {"ResourceId": equals(certificate), "GeneratorId": equals("greatseal/expiry-monitor")}
    (found,) = wait_for(aws, wanted, 1)
    details = found["Resources"][0]["Details"]["Other"]
    assert details["Subject"] == "CN=mydomain.com,OU=IT,O=MyOrg,L=Columbus,ST=Ohio,C=US"
    end = datetime.fromisoformat(details["NotAfter"])
    assert timedelta(days=19) < end - datetime.now(UTC) < timedelta(days=21)
    exported = greatseal(service, "findings", "export", "--format", "ocsf").stdout.splitlines()
    assert found["Id"] in [json.loads(line)["finding_info"]["uid"] for line in exported]
    resolved = greatseal(service, "findings", "resolve", found["Id"])
    assert resolved.returncode == 0, resolved.stderr
    assert wait_for(aws, {**wanted, "WorkflowStatus": equals("RESOLVED")}, 1)


def test_imported_certificates_of_a_flagged_issuer(aws, bench, service):
    now = datetime.now(UTC).replace(microsecond=0)
    span = {"start": now - timedelta(days=1), "end": now + timedelta(days=90)}
    issuer = make("Distrusted CA", ca=True, number=95, **span)
    made = make("legacy.example.com", ["legacy.example.com"], issuer=issuer, key="EC_secp384r1", **span).parcel()
    names = {"Certificate": "--certificate", "PrivateKey": "--private-key", "CertificateChain": "--certificate-chain"}
    options = []
    for member, option in names.items():
        (bench.folder / f"{member}.pem").write_bytes(made[member])
        options += [option, f"fileb://{member}.pem"]
    arn = aws("acm", "import-certificate", *options, "--query", "CertificateArn", "--output", "text")
    described = aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
    assert described["Issuer"] == "Distrusted CA"
    report = greatseal(service, "report", "issuers", "--flag", "Distrusted CA", "--only-flagged", "--output", "json")
    assert report.returncode == 3, report.stderr
    assert [row["certificate_arn"] for row in json.loads(report.stdout)] == [arn]
    clean = greatseal(service, "report", "issuers", "--flag", "Distrusted", "--only-flagged")
    assert (clean.returncode, clean.stdout) == (0, "")
