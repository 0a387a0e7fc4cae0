"""Public certificates by the AWS CLI: records in Knot, mails of a real SMTP server, a chain that OpenSSL trusts.

The domain is one of a private network, whose zone Knot signs; its key is a trust anchor of the service, which can ask
nobody else.
"""

import json
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interop.programs import Workbench, environment, running
from made_receivers import Mailbox, mail_server
from made_servers import free_port

pytestmark = pytest.mark.interop
AWS = Path(sys.executable).with_name("aws")
GREATSEAL = Path(sys.executable).with_name("greatseal")
ZONE = "corp.internal"
RECORDS = f"""\
$ORIGIN {ZONE}.
$TTL 60
@ SOA ns hostmaster 1 60 60 8640 60
@ NS ns
ns A 127.0.0.1
@ CAA 0 issue "amazon.com"
closed CAA 0 issue ";"
"""
# The first certificate has the trust services made, with keys of RSA 4096.
PATIENCE = 400.0


@dataclass
class Office:
    """A running service with its neighbours."""

    bench: Workbench
    plain: str
    told: dict[str, str]
    box: Mailbox

    def aws(self, *words: str) -> Any:
        done = subprocess.run(
            [str(AWS), *words],
            cwd=self.bench.folder,
            env={**environment(), **self.told, "AWS_PAGER": "", "HOME": str(self.bench.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    def request(self, name: str, method: str, *more: str) -> str:
        names = ("--domain-name", name, "--validation-method", method, "--key-algorithm", "EC_prime256v1")
        return str(self.aws("acm", "request-certificate", *names, *more)["CertificateArn"])

    def detail(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
        return found

    def settled(self, arn: str) -> dict[str, Any]:
        """The certificate once it is issued or has failed."""
        until = time.monotonic() + PATIENCE
        while (found := self.detail(arn))["Status"] == "PENDING_VALIDATION":
            assert time.monotonic() < until, found
        return found

    def publish(self, arn: str) -> None:
        """Has Knot take the records of a certificate, and sign them."""
        records = {each["ResourceRecord"]["Name"]: each["ResourceRecord"] for each in self.options(arn)}
        self.knotc("zone-begin", ZONE)
        for name, record in records.items():
            self.knotc("zone-set", ZONE, name, "60", record["Type"], record["Value"])
        self.knotc("zone-commit", ZONE)

    def knotc(self, *words: str) -> None:
        self.bench.run("knotc", "-b", "-c", "knot.conf", *words)

    def options(self, arn: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.detail(arn)["DomainValidationOptions"]
        return found

    def verified(self, arn: str, host: str) -> str:
        """What OpenSSL says about a certificate whose name must be `host`, trusting our roots and nobody else."""
        got = self.aws("acm", "get-certificate", "--certificate-arn", arn)
        with urllib.request.urlopen(f"{self.plain}/trust/roots.pem", timeout=30) as answer:
            self.bench.put(leaf=got["Certificate"], chain=got["CertificateChain"], roots=answer.read())
        trusting = ("-CAfile", "roots.pem", "-no-CApath", "-no-CAstore", "-untrusted", "chain.pem")
        asked = ("-x509_strict", "-purpose", "sslserver", "-verify_hostname", host)
        self.bench.run("openssl", "verify", *trusting, *asked, "leaf.pem")
        self.bench.fail("openssl", "verify", *trusting, "-verify_hostname", "other.example", "leaf.pem")
        return self.bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-text")


def _knot(folder: Path, port: int) -> str:
    """The configuration of Knot, with a zone that it signs and that is edited by `knotc`."""
    return (
        f"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{port}\n"
        f"control:\n  listen: {folder}/knot.sock\n"
        f"database:\n  storage: {folder}\n"
        "policy:\n  - id: one\n    manual: on\n    single-type-signing: on\n"
        f"template:\n  - id: default\n    storage: {folder}\n"
        f"zone:\n  - domain: {ZONE}\n    file: zone\n    zonefile-load: difference-no-serial\n"
        "    zonefile-sync: -1\n    journal-content: all\n    dnssec-signing: on\n    dnssec-policy: one\n"
    )


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    bench, port = Workbench(tmp_path_factory.mktemp("office")), free_port()
    folder = bench.folder
    (folder / "zone").write_text(RECORDS)
    (folder / "knot.conf").write_text(_knot(folder, port))
    bench.run("keymgr", "-c", "knot.conf", ZONE, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
    anchors = bench.run("keymgr", "-c", "knot.conf", ZONE, "ds").splitlines()
    (folder / "anchors").write_text(next(line for line in anchors if " 13 2 " in line) + "\n")
    knot_folder = tmp_path_factory.mktemp("knot")
    with ExitStack() as stack:
        command = ("knotd", "-c", folder / "knot.conf")
        stack.enter_context(running(*command, folder=knot_folder, ready=r".*server started"))
        mail_port, box = stack.enter_context(mail_server())
        (folder / "greatseal.toml").write_text(
            f'[mail]\nhost = "127.0.0.1"\nport = {mail_port}\ntls = "none"\nsender = "seal@example.com"\n'
            f'[resolver]\nhints = ["127.0.0.1"]\nport = 1\nanchors_file = "anchors"\n'
            f'zones = ["{ZONE}=127.0.0.1:{port}"]\n'
            f'[domain_control]\nprivate_suffixes = ["{ZONE}"]\n'
        )
        place = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", "data", "--config", "greatseal.toml")
        ready = r"ready https://\S+ (http://\S+)"
        address = stack.enter_context(running(GREATSEAL, "serve", *place, folder=folder, ready=ready))
        told = json.loads(bench.run(str(GREATSEAL), "env", "--data", "data", "--json"))
        yield Office(bench, address[1], told, box)
    log = (folder / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


def test_by_dns(office: Office) -> None:
    host = f"www.{ZONE}"
    arn = office.request(host, "DNS", "--subject-alternative-names", f"*.app.{ZONE}", f"app.{ZONE}")
    assert {each["ValidationStatus"] for each in office.options(arn)} == {"PENDING_VALIDATION"}
    office.publish(arn)
    found = office.settled(arn)
    assert found["Status"] == "ISSUED", found
    office.aws("acm", "wait", "certificate-validated", "--certificate-arn", arn)
    text = office.verified(arn, host)
    assert f"DNS:{host}, DNS:*.app.{ZONE}, DNS:app.{ZONE}" in text
    assert "CT Precertificate SCTs" in text
    # The records stay, so the next one needs nobody.
    again = office.request(f"app.{ZONE}", "DNS")
    assert office.settled(again)["Status"] == "ISSUED"


def test_caa_of_the_signed_zone(office: Office) -> None:
    arn = office.request(f"closed.{ZONE}", "DNS")
    office.publish(arn)
    found = office.settled(arn)
    assert (found["Status"], found["FailureReason"]) == ("FAILED", "CAA_ERROR")


def test_by_email(office: Office) -> None:
    host = f"www.{ZONE}"
    arn = office.request(host, "EMAIL")
    (option,) = office.options(arn)
    boxes = {f"{each}@{ZONE}" for each in ("admin", "administrator", "hostmaster", "postmaster", "webmaster")}
    assert set(option["ValidationEmails"]) == boxes
    until = time.monotonic() + PATIENCE
    while len(office.box.mails) < len(boxes):
        assert time.monotonic() < until
        office.detail(arn)
    assert {each for sent in office.box.envelopes for each in sent.rcpt_tos} == boxes
    assert {str(each["subject"]) for each in office.box.mails} == {f"Certificate request for {host}"}
    text = str(office.box.mails[0].get_body(("plain",)).get_content())
    assert arn in text
    link = re.search(r"https://\S+/approvals\?code=([0-9a-f]+)", text)
    assert link is not None
    trusting = ssl.create_default_context(cafile=office.told["AWS_CA_BUNDLE"])

    # Programs that look into mails follow links.
    for method in ("GET", "HEAD", "GET"):
        asked = urllib.request.Request(link[0], method=method)
        with urllib.request.urlopen(asked, timeout=30, context=trusting) as page:
            shown = page.read()
    assert b"I Approve" in shown
    assert office.options(arn)[0]["ValidationStatus"] == "PENDING_VALIDATION"

    pressed = urllib.parse.urlencode({"code": link[1], "decision": "approve"}).encode()
    door = link[0].partition("?")[0]
    with urllib.request.urlopen(door, data=pressed, timeout=30, context=trusting) as page:
        assert b"Approved" in page.read()
    found = office.settled(arn)
    assert found["Status"] == "ISSUED", found
    office.aws("acm", "wait", "certificate-validated", "--certificate-arn", arn)
    office.verified(arn, host)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(door, data=pressed, timeout=30, context=trusting)
    with refused.value:
        assert refused.value.code == 404
