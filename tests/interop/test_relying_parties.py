"""GnuTLS and Java look at good, revoked and expired certificates of a live service (workflows.md 13.2).

They find everything by the addresses in the certificates, over plain HTTP. The lists are COMPLETE ones.
"""

import json
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.session import Session
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.hierarchy import Customer, Issued, csr
from doors.buckets import for_service
from interop.conftest import GREATSEAL
from interop.programs import Workbench, running

pytestmark = pytest.mark.interop
BUCKET = "relying-parties"
REVOCATION = {
    "CrlConfiguration": {
        "Enabled": True,
        "ExpirationInDays": 7,
        "S3BucketName": BUCKET,
        "S3ObjectAcl": "BUCKET_OWNER_FULL_CONTROL",
    },
    "OcspConfiguration": {"Enabled": True},
}
SETTINGS = (
    "[publication]\ncrl_delay_seconds = 0\nca_issuers = true\ndelta_crls = true\ncomplete_crl_delay_seconds = 0\n"
)
SECONDS_TO_LIVE = 3


@dataclass(frozen=True)
class Outcomes:
    """Three leaves of one subordinate, and everything above and about them, fetched from where they say."""

    good: Issued
    revoked: Issued
    expired: Issued
    lists: bytes
    first_lists: bytes
    deltas: bytes

    @property
    def subordinate(self) -> str:
        return self.good.intermediates


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        content: bytes = answer.read()
        return content


def point_of(certificate: x509.Certificate) -> str:
    [point] = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    url: str = point.full_name[0].value
    return url


def freshest_of(found: x509.CertificateRevocationList) -> str:
    [point] = found.extensions.get_extension_for_class(x509.FreshestCRL).value
    assert point.full_name is not None
    url: str = point.full_name[0].value
    return url


def issuers_of(certificate: x509.Certificate) -> str:
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    [url] = [each.access_location.value for each in access if each.access_method._name == "caIssuers"]
    return str(url)


def once(url: str, what) -> x509.CertificateRevocationList:
    """The list at a URL, as soon as it is as it should be; a minute is what the service promises."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            found = x509.load_der_x509_crl(fetched(url))
        except OSError:
            continue  # the first list is on its way
        if what(found):
            return found
    raise AssertionError(f"{url} does not change")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    data = folder / "data"
    data.mkdir(mode=0o700)
    (data / "greatseal.toml").write_text(SETTINGS)
    anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    with running(GREATSEAL, "serve", "--data", "data", *anywhere, folder=folder, ready=r"ready https://"):
        variables = json.loads(Workbench(folder).run(str(GREATSEAL), "env", "--data", "data", "--json"))
        session = Session()
        session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
        pca, s3 = (
            session.create_client(
                name,
                region_name=variables["AWS_DEFAULT_REGION"],
                endpoint_url=variables["AWS_ENDPOINT_URL"],
                verify=variables["AWS_CA_BUNDLE"],
            )
            for name in ("acm-pca", "s3")
        )
        with closing(pca), closing(s3):
            s3.create_bucket(Bucket=BUCKET)
            s3.put_bucket_policy(Bucket=BUCKET, Policy=for_service(BUCKET))
            yield made(Customer(pca, None))
    log = (folder / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


def made(customer: Customer) -> Outcomes:
    root = customer.root("EC_prime256v1", RevocationConfiguration=REVOCATION)
    low = customer.subordinate(root, "EC_prime256v1", RevocationConfiguration=REVOCATION)
    request = csr("EC_prime256v1", "app.example.internal")
    until = int(time.time()) + SECONDS_TO_LIVE
    expired = customer.issue(low, request, until=until)
    good, revoked = customer.issue(low, request), customer.issue(low, request)
    before = once(point_of(good.parsed), lambda _: True)
    customer.pca.revoke_certificate(
        CertificateAuthorityArn=low.arn,
        CertificateSerial=revoked.arn.rpartition("/")[2],
        RevocationReason="UNSPECIFIED",
    )
    serial = revoked.parsed.serial_number
    listed = once(point_of(good.parsed), lambda found: found.get_revoked_certificate_by_serial_number(serial))
    above = once(point_of(low.issued.parsed), lambda _: True)
    delta = once(freshest_of(listed), lambda found: found.get_revoked_certificate_by_serial_number(serial))
    # Clocks of whole seconds are still within its last one.
    while datetime.now(UTC) < expired.parsed.not_valid_after_utc + timedelta(seconds=1):
        pass
    return Outcomes(good, revoked, expired, pem(listed, above), pem(before, above), pem(delta))


def pem(*lists: x509.CertificateRevocationList) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in lists)


@pytest.fixture
def table(bench, outcomes):
    """The bench with everything on it."""
    bench.put(root=outcomes.good.root, sub=outcomes.subordinate)
    bench.put(lists=outcomes.lists, first=outcomes.first_lists, deltas=outcomes.deltas)
    for name in ("good", "revoked", "expired"):
        bench.put(**{name: getattr(outcomes, name).full_chain})
    return bench


def test_certtool(table):
    verify = ("certtool", "--verify", "--load-ca-certificate", "root.pem", "--load-crl", "lists.pem", "--infile")
    assert "Verified. The certificate is trusted." in table.run(*verify, "good.pem")
    assert "revoked" in table.fail(*verify, "revoked.pem").lower()
    assert "expired" in table.fail(*verify, "expired.pem").lower()
    shown = table.run("certtool", "--crl-info", "--infile", "deltas.pem")
    assert "2.5.29.27" in shown or "Delta" in shown


def test_ocsptool(table, outcomes):
    """Over HTTP, at the address in the certificate. It trusts who signs, and no chain above it."""
    for name, said in (("good", "good"), ("revoked", "revoked"), ("expired", "good")):
        table.put(leaf=getattr(outcomes, name).certificate)
        asked = ("ocsptool", "--ask", "--load-issuer", "sub.pem", "--load-cert", "leaf.pem", "--load-trust", "sub.pem")
        shown = table.run(*asked)
        assert f"Certificate Status: {said}" in shown
        assert "Verifying OCSP Response: Success." in shown


def test_openssl_with_the_delta(table, outcomes):
    """With the first list, which does not have the revocation, and the delta, which does."""
    verify = ("openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl", "-CAfile", "root.pem")
    verify += ("-untrusted", "sub.pem", "-CRLfile", "first.pem")
    assert "revoked.pem: OK" in table.run(*verify, "revoked.pem")
    files = (*verify, "-CRLfile", "deltas.pem", "-use_deltas")
    assert "good.pem: OK" in table.run(*files, "good.pem")
    assert "certificate revoked" in table.fail(*files, "revoked.pem")
    assert "certificate has expired" in table.fail(*files, "expired.pem")


def test_openssl_reads_what_the_certificates_point_to(table, outcomes):
    url = issuers_of(outcomes.good.parsed)
    (table.folder / "issuer.cer").write_bytes(fetched(url))
    assert table.run("openssl", "x509", "-in", "issuer.cer", "-inform", "DER").strip() == outcomes.subordinate.strip()
    (table.folder / "issuer.p7c").write_bytes(fetched(url.replace(".cer", ".chain.p7c")))
    shown = table.run("openssl", "pkcs7", "-in", "issuer.p7c", "-inform", "DER", "-print_certs")
    assert shown.count("BEGIN CERTIFICATE") == 2
    (table.folder / "chain.pem").write_bytes(fetched(url.replace(".cer", ".chain.pem")))
    assert "good.pem: OK" in table.run("openssl", "verify", "-CAfile", "chain.pem", "good.pem")


JAVA = Path(__file__).with_name("Relying.java")


def test_java_with_lists(table):
    """The PKIX validator of Java: the service's addresses, lists only, and a leaf sent without its intermediate."""
    for name in ("good", "revoked", "expired"):
        table.put(**{f"{name}-leaf": table.read(f"{name}.pem").split(b"-----END")[0] + b"-----END CERTIFICATE-----"})
    said = table.run("java", str(JAVA), "root.pem", *(f"{name}-leaf.pem" for name in ("good", "revoked", "expired")))
    good, revoked, expired = said.splitlines()[-3:]
    assert good == "good-leaf.pem: valid"
    # The wording of Java for an entry without a reason: so must UNSPECIFIED be encoded.
    assert "Certificate has been revoked, reason: UNSPECIFIED" in revoked
    assert "validity check failed" in expired
