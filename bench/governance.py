"""What deciding and recording cost of an IssueCertificate: `python bench/governance.py`.

The same signed request (P-256, AWS JSON) goes through the door over and over, on SQLite with durable commits, in turns:
governed, with 20 statements with conditions, a boundary and the audit trail; and bare, with both taken out. Prints
a line for people and one JSON object for programs.
"""

import json
import statistics
import tempfile
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greatseal.app.building import build
from greatseal.app.doors import aws_door
from greatseal.app.rooms import Rooms
from greatseal.aws.door import AwsDoor
from greatseal.domain.access import Credential, IdentityKind
from greatseal.domain.access.identities.directory import NewIdentity
from greatseal.edge.messages import HttpRequest
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage.migrate import migrate
from greatseal.storage.tx import open_storage
from greatseal.testing.installation import ENDPOINT, sign, to_http

ACCOUNT, REGION = "111122223333", "us-east-1"
TARGET = 0.15
ROUNDS, EACH, THREADS = 12, 60, 4


class Bench:
    """One installation with a root CA and a user whose rights are written down in detail."""

    def __init__(self, folder: str) -> None:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        self.clock, self.entropy = SystemClock(), SystemEntropy()
        self.rooms: Rooms = build(
            storage=storage, kek=Secret(bytes(32)), clock=self.clock, entropy=self.entropy, pool={}, region=REGION
        )
        self.door: AwsDoor = aws_door(self.rooms, lambda _: True)
        self.root = self.rooms.access.ensure_root(account=ACCOUNT)
        self.authority = self._root_authority()
        self.user = self._user()

    def pca(self, who: Credential, operation: str, parameters: dict[str, Any]) -> HttpRequest:
        """A signed request."""
        headers = {"X-Amz-Target": f"ACMPrivateCA.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest(method="POST", url=f"{ENDPOINT}/", headers=headers, data=json.dumps(parameters).encode())
        return to_http(sign(request, who, "acm-pca", REGION, self.clock), new_uuid(self.entropy))

    def ask(self, who: Credential, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises RuntimeError for a refusal."""
        response = self.door.handle(self.pca(who, operation, parameters))
        if response.status != 200:
            raise RuntimeError(response.body.decode())
        answer: dict[str, Any] = json.loads(response.body or b"{}")
        return answer

    def _root_authority(self) -> str:
        subject = {"CommonName": "Bench"}
        configuration = {
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": subject,
        }
        made = self.ask(
            self.root,
            "CreateCertificateAuthority",
            {"CertificateAuthorityConfiguration": configuration, "CertificateAuthorityType": "ROOT"},
        )
        arn: str = made["CertificateAuthorityArn"]
        csr = self.ask(self.root, "GetCertificateAuthorityCsr", {"CertificateAuthorityArn": arn})["Csr"]
        issued = self.ask(
            self.root,
            "IssueCertificate",
            {
                "CertificateAuthorityArn": arn,
                "Csr": b64encode(csr.encode()).decode(),
                "SigningAlgorithm": "SHA256WITHECDSA",
                "TemplateArn": "arn:aws:acm-pca:::template/RootCACertificate/V1",
                "Validity": {"Type": "YEARS", "Value": 10},
            },
        )
        certificate = self.ask(self.root, "GetCertificate", {"CertificateAuthorityArn": arn, **issued})["Certificate"]
        pem = b64encode(certificate.encode()).decode()
        self.ask(
            self.root,
            "ImportCertificateAuthorityCertificate",
            {"CertificateAuthorityArn": arn, "Certificate": pem},
        )
        return arn

    def _user(self) -> Credential:
        people = self.rooms.administration
        caller = self._caller()
        kind = IdentityKind.USER
        made = people.directory.create(caller, NewIdentity(kind, "bench")).identity
        deny = [
            {
                "Effect": "Deny",
                "Action": "acm-pca:*",
                "Resource": "*",
                "Condition": {"StringLike": {"acm-pca:TemplateArn": f"*/Forbidden{n}Certificate/*"}},
            }
            for n in range(10)
        ]
        allow = [
            {
                "Effect": "Allow",
                "Action": "acm-pca:IssueCertificate",
                "Resource": "arn:aws:acm-pca:*:*:certificate-authority/*",
                "Condition": {
                    "StringEquals": {"aws:RequestedRegion": REGION},
                    "IpAddress": {"aws:SourceIp": f"192.0.{n}.0/24"},
                },
            }
            for n in (9, 8, 7, 6, 5, 4, 3, 2, 1, 2)
        ]
        statements = {"Version": "2012-10-17", "Statement": deny + allow}
        policy = people.library.create(
            caller, name="rights", path="/", description="", document=json.dumps(statements), tags=()
        )
        people.attachments.attach(caller, kind, "bench", policy.policy.arn)
        people.attachments.put_boundary(caller, kind, "bench", policy.policy.arn)
        key = people.keys.create(caller, "bench")
        assert key.secret is not None
        return Credential(key.id, key.secret, ACCOUNT, made.arn(), made.id)

    def _caller(self) -> Caller:
        return Caller(
            account=ACCOUNT,
            region=REGION,
            principal_arn=self.root.principal_arn,
            principal_id=ACCOUNT,
            access_key_id="",
            request_id="bench",
            operation="iam:CreateUser",
            at=self.clock.now(),
        )

    def issue_request(self) -> HttpRequest:
        """IssueCertificate, as the user asks for it."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example.com")])
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        pem = csr.public_bytes(serialization.Encoding.PEM)
        return self.pca(
            self.user,
            "IssueCertificate",
            {
                "CertificateAuthorityArn": self.authority,
                "Csr": b64encode(pem).decode(),
                "SigningAlgorithm": "SHA256WITHECDSA",
                "Validity": {"Type": "DAYS", "Value": 30},
            },
        )

    def govern(self, *, on: bool) -> None:
        """Puts policies and trail into the way, or out of it."""
        for room, names in (
            (self.rooms.access, ("authorize",)),
            (self.rooms.audit, ("record", "record_all", "recorded")),
        ):
            for name in names:
                if on:
                    vars(room).pop(name, None)
                else:
                    setattr(room, name, lambda *_, **__: True)

    def one(self, request: HttpRequest) -> None:
        """Has a request answered. Raises RuntimeError for a refusal."""
        response = self.door.handle(request)
        if response.status != 200:
            raise RuntimeError(response.body.decode())

    def run(self, request: HttpRequest, threads: int) -> float:
        """Requests a second."""
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self.one, [request] * EACH))
        return EACH / (time.perf_counter() - start)


def main() -> None:
    """Runs both in turns, so that what else the machine does falls on both alike."""
    with tempfile.TemporaryDirectory(prefix="greatseal-bench-", dir=Path.cwd()) as folder:
        bench = Bench(folder)
        began = bench.clock.now()
        request = bench.issue_request()
        for threads in (1, THREADS):
            rates: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(ROUNDS):
                for on in (True, False):
                    bench.govern(on=on)
                    rates[on].append(bench.run(request, threads))
                if bench.clock.now() - began > timedelta(minutes=10):
                    request, began = bench.issue_request(), bench.clock.now()
            governed, bare = statistics.median(rates[True]), statistics.median(rates[False])
            cost = 1 - statistics.median(g / b for g, b in zip(rates[True], rates[False], strict=True))
            print(
                f"IssueCertificate, {threads} thread(s): {governed:.0f}/s governed, {bare:.0f}/s bare, "
                f"policies and trail cost {cost:.1%} (limit {TARGET:.0%})"
            )
            result = {"threads": threads, "governed": governed, "bare": bare, "cost": cost, "limit": TARGET}
            print(json.dumps({"benchmark": "governance", **result}))
        bench.rooms.storage.close()


if __name__ == "__main__":
    main()
