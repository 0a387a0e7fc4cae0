"""Who was issued what, counted from outside: by the API, the revocation list and the certificates themselves.

Nothing here reads the database or asks the service's own code; what clients asked for and were told comes from
`faults.load`.
"""

import base64
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doors.buckets import for_service
from faults.load import Memory
from faults.nodes import Client, Refused, Unanswered

BUCKET = "census"
# Recovery signs what a dead node has prepared within two minutes, and a job looks again after that.
_SETTLED = 180.0
_SIGNED = 180.0


def authority(client: Client) -> str:
    """An ACTIVE root with a revocation list; its reports may be written to the bucket of the census."""
    _bucket(client)
    made = client.call(
        0,
        "acm-pca",
        "CreateCertificateAuthority",
        CertificateAuthorityType="ROOT",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CommonName": "Root under load"},
        },
        RevocationConfiguration={
            "CrlConfiguration": {
                "Enabled": True,
                "ExpirationInDays": 7,
                "S3BucketName": BUCKET,
                "S3ObjectAcl": "BUCKET_OWNER_FULL_CONTROL",
            }
        },
    )
    arn: str = made["CertificateAuthorityArn"]
    asked = {"CertificateAuthorityArn": arn}
    csr = client.call(0, "acm-pca", "GetCertificateAuthorityCsr", **asked)["Csr"]
    issued = client.call(
        0,
        "acm-pca",
        "IssueCertificate",
        **asked,
        Csr=base64.b64encode(csr.encode()).decode(),
        SigningAlgorithm="SHA256WITHECDSA",
        TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
        Validity={"Type": "DAYS", "Value": 3650},
    )
    own = client.call(0, "acm-pca", "GetCertificate", **asked, **issued)["Certificate"]
    body = base64.b64encode(own.encode()).decode()
    client.call(0, "acm-pca", "ImportCertificateAuthorityCertificate", **asked, Certificate=body)
    return arn


def _bucket(client: Client) -> None:
    """A bucket that the CA may write to."""
    policy = for_service(BUCKET).encode()
    unsigned = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    for path, body, headers in (
        (f"/{BUCKET}", b"", {"x-amz-object-ownership": "BucketOwnerPreferred"}),
        (f"/{BUCKET}?policy=", policy, {}),
    ):
        status, said = client.send(0, "s3", "PUT", path, body, {**unsigned, **headers})
        assert status in (200, 204), said


class CrlWatch:
    """Reads the revocation list from every node, again and again: its number never goes back."""

    def __init__(self, client: Client, arn: str, nodes: int) -> None:
        self.seen: list[int] = []
        self._client, self._path, self._nodes = client, _path_of(arn), nodes
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "CrlWatch":
        """Begins to read."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends, and raises AssertionError when a number went back."""
        self._stopping.set()
        self._thread.join(60)
        assert self.seen == sorted(self.seen), "the number of the revocation list went back"

    def _run(self) -> None:
        at = 0
        while not self._stopping.wait(0.2):
            at += 1
            try:
                found = x509.load_der_x509_crl(self._client.fetch(at % self._nodes, self._path))
            except Unanswered:
                continue
            self.seen.append(_number(found))


@dataclass
class Census:
    """What is there, by the API."""

    certificates: dict[str, x509.Certificate] = field(default_factory=dict)
    """By ARN, all that the report of the CA names."""
    revoked: set[str] = field(default_factory=set)
    managed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By ARN, the items of ListCertificates."""


def take(client: Client, arn: str, memory: Memory, nodes: int) -> Census:
    """Counts. Raises AssertionError for anything lost, doubled or unknown."""
    assert memory.failures == []
    asked = {"CertificateAuthorityArn": arn}
    root = x509.load_pem_x509_certificate(
        client.call(0, "acm-pca", "GetCertificateAuthorityCertificate", **asked)["Certificate"].encode()
    )
    # ACM's requests are worked on behind the answer; first they have to come to their end.
    managed = {name: _settled(client, each) for name, each in memory.managed.items()}
    found = Census(_reported(client, arn, memory, nodes), set(), _listed(client))

    names = Counter(_name(each) for each in found.certificates.values())
    own = {_name(root)}
    doubled = {name: times for name, times in names.items() if times > 1}
    assert doubled == {}, f"doubled: {doubled}"
    unknown = names.keys() - memory.asked - own
    assert not unknown, f"nobody asked for: {unknown}"
    serials = [each.serial_number for each in found.certificates.values()]
    assert len(set(serials)) == len(serials)

    for name, each in memory.issued.items():
        assert each in found.certificates, f"lost: {name}, answered as {each}"
        assert _name(found.certificates[each]) == name
    for each, certificate in found.certificates.items():
        assert int(each.rpartition("/")[2], 16) == certificate.serial_number
        _verify(certificate, root)
    by_serial = {each.serial_number for each in found.certificates.values()}
    for name, certificate in managed.items():
        assert _name(certificate) == name
        assert certificate.serial_number in by_serial, f"the CA does not know of the certificate of {name}"
    listed = Counter(item["DomainName"] for item in found.managed.values())
    assert set(memory.managed.values()) <= found.managed.keys(), "ListCertificates lost one"
    # A request that nobody ever answered may have been taken; one that was answered is there once.
    assert set(listed) <= memory.asked
    assert max(listed.values(), default=1) == 1, f"doubled: {listed}"

    found.revoked = _revoked(client, arn, root, memory, nodes)
    return found


def _reported(client: Client, arn: str, memory: Memory, nodes: int) -> dict[str, x509.Certificate]:
    """The certificates of the report, once all that clients were told of are signed.

    Who asks again after a node has died is told of the certificate that was prepared there; another node signs it when
    it has been left alone for a minute (docs/issuance.md).
    """
    # First, because a CA reports once in half an hour.
    until = time.monotonic() + _SIGNED
    for each in memory.issued.values():
        while True:
            try:
                client.call(0, "acm-pca", "GetCertificate", CertificateAuthorityArn=arn, CertificateArn=each)
                break
            except Refused as error:
                if error.code != "RequestInProgressException" or time.monotonic() > until:
                    raise
                threading.Event().wait(1.0)
    return _of_report(client, arn, nodes)


def _of_report(client: Client, arn: str, nodes: int) -> dict[str, x509.Certificate]:
    """Every certificate that the CA reports, asked for one by one, from one node after the other."""
    asked = {"CertificateAuthorityArn": arn}
    report = client.call(
        0,
        "acm-pca",
        "CreateCertificateAuthorityAuditReport",
        **asked,
        S3BucketName=BUCKET,
        AuditReportResponseFormat="JSON",
    )
    until = time.monotonic() + _SETTLED
    status = "CREATING"
    while status == "CREATING":
        assert time.monotonic() < until, "the report does not come to its end"
        threading.Event().wait(0.2)
        status = client.call(
            0, "acm-pca", "DescribeCertificateAuthorityAuditReport", **asked, AuditReportId=report["AuditReportId"]
        )["AuditReportStatus"]
    assert status == "SUCCESS", status
    code, body = client.send(
        0, "s3", "GET", f"/{BUCKET}/{report['S3Key']}", headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    )
    assert code == 200, body
    rows = json.loads(body)
    found = {}
    for number, row in enumerate(rows):
        each = row["certificateArn"]
        assert each not in found, f"reported twice: {each}"
        answer = client.call(number % nodes, "acm-pca", "GetCertificate", **asked, CertificateArn=each)
        found[each] = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    return found


def _settled(client: Client, arn: str) -> x509.Certificate:
    until = time.monotonic() + _SETTLED
    while True:
        status = client.call(0, "acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]["Status"]
        if status != "PENDING_VALIDATION":
            break
        assert time.monotonic() < until, f"{arn} does not come to its end"
        threading.Event().wait(0.2)
    assert status == "ISSUED", status
    body = client.call(0, "acm", "GetCertificate", CertificateArn=arn)["Certificate"]
    return x509.load_pem_x509_certificate(body.encode())


def _listed(client: Client) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    token: dict[str, str] = {}
    while True:
        # Without a filter the service lists certificates with RSA keys only (acm.md 2).
        page = client.call(
            0, "acm", "ListCertificates", MaxItems=1000, Includes={"keyTypes": ["EC_prime256v1"]}, **token
        )
        for item in page["CertificateSummaryList"]:
            assert item["CertificateArn"] not in found
            found[item["CertificateArn"]] = item
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def _revoked(client: Client, arn: str, root: x509.Certificate, memory: Memory, nodes: int) -> set[str]:
    """The serials of the list, once it has those whose revocation was confirmed; the same on every node."""
    confirmed = {int(each, 16) for each in memory.revoked}
    until = time.monotonic() + _SETTLED
    for number in range(nodes):
        while True:
            found = x509.load_der_x509_crl(client.fetch(number, _path_of(arn)))
            serials = {each.serial_number for each in found}
            if confirmed <= serials:
                break
            assert time.monotonic() < until, f"{len(confirmed - serials)} revocations are lost"
            threading.Event().wait(0.2)
        assert found.is_signature_valid(root.public_key())  # type: ignore[arg-type]
        assert serials <= {int(each, 16) for each in memory.to_revoke}, "revoked, and nobody asked for it"
    return {f"{each:x}" for each in serials}


def _verify(certificate: x509.Certificate, root: x509.Certificate) -> None:
    key = root.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))


def _name(certificate: x509.Certificate) -> str:
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def _number(found: x509.CertificateRevocationList) -> int:
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _path_of(arn: str) -> str:
    return f"/crl/{arn.rpartition('/')[2]}.crl"
