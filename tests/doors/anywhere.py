"""The other half of CreateSession: a client that signs with a certificate's key, written from iam.md 11.2."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doors.pki import P256, Pki, csr, parse
from greatseal.app.doors import sessions_door
from greatseal.domain.access.managed import ADMINISTRATOR
from greatseal.domain.access.model import Credential, Identity, IdentityKind
from greatseal.domain.access.store import accounts, generation
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.ids import new_principal_id
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing.installation import ACCOUNT, REGION

TRUSTING = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "rolesanywhere.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    },
}
END_ENTITY: tuple[tuple[x509.ExtensionType, bool], ...] = (
    (x509.BasicConstraints(False, None), True),
    (
        x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        ),
        True,
    ),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
)


@contextmanager
def denied(code: str, status: int, text: str = "") -> Iterator[None]:
    """The block must be refused by the control plane with this code, status and text."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == code, answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
        assert text in answer["Error"]["Message"], answer
    else:
        raise AssertionError(f"not refused; {code} was expected")


def der(certificate: x509.Certificate) -> bytes:
    """The DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


@dataclass
class Workload:
    """A holder of a certificate, who asks for sessions as the credential helper does."""

    key: Any
    certificate: x509.Certificate
    chain: Sequence[x509.Certificate] = ()
    region: str = REGION
    in_body: bool = False
    """Whether the ARNs travel in the body, as some clients do it."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        """The name of the signature algorithm."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return "AWS4-X509-RSA-SHA256"
        return "AWS4-X509-ECDSA-SHA256" if isinstance(self.key, ec.EllipticCurvePrivateKey) else "AWS4-X509-MLDSA"

    def sign(self, data: bytes) -> bytes:
        """The raw signature."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        signature: bytes = self.key.sign(data)
        return signature

    def request(self, arns: Mapping[str, str], body: Mapping[str, Any], at: datetime, **change: Any) -> HttpRequest:
        """A signed request. `change` replaces parts of it before it is signed: algorithm, serial, service, skip."""
        content = json.dumps({**body, **(arns if self.in_body else {})}).encode()
        query = "" if self.in_body else "&".join(f"{name}={quote(arn, safe='~')}" for name, arn in sorted(arns.items()))
        date = at.strftime("%Y%m%dT%H%M%SZ")
        headers = {
            "amz-sdk-invocation-id": "3e3d0c7c-0000-4000-8000-000000000000",
            "content-length": str(len(content)),
            "content-type": "application/json",
            "host": "localhost:8443",
            "x-amz-date": date,
            "x-amz-x509": base64.b64encode(der(self.certificate)).decode(),
            **self.headers,
        }
        if self.chain:
            headers["x-amz-x509-chain"] = ",".join(base64.b64encode(der(each)).decode() for each in self.chain)
        names = sorted(name for name in headers if name not in change.get("skip", ()))
        signed = ";".join(names)
        payload = hashlib.sha256(content).hexdigest()
        canonical = "\n".join(
            ["POST", "/sessions", query, *(f"{name}:{headers[name]}" for name in names), "", signed, payload]
        )
        algorithm = change.get("algorithm", self.algorithm)
        scope = f"{date[:8]}/{self.region}/{change.get('service', 'rolesanywhere')}/aws4_request"
        string = "\n".join([algorithm, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        serial = change.get("serial", self.certificate.serial_number)
        headers["authorization"] = (
            f"{algorithm} Credential={serial}/{scope}, SignedHeaders={signed}, "
            f"Signature={self.sign(string.encode()).hex()}"
        )
        headers["user-agent"] = "CredHelper/1.8.0"
        return HttpRequest(
            method="POST",
            raw_path=b"/sessions",
            raw_query=query.encode(),
            headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
            body=content,
            request_id="00000000-0000-4000-8000-000000000001",
            client_ip="192.0.2.9",
        )


class Outpost(Pki):
    """An installation with a private CA, a role, an anchor and a profile."""

    def __init__(self, storage: Storage, *, key: str = "EC_prime256v1") -> None:
        super().__init__(storage)
        self.door = sessions_door(self.installation.rooms)
        self.control = self.installation.client("rolesanywhere")
        self.role = self.add_role("Worker")
        self.ca = self.root(key)
        self.anchor = self.add_anchor({"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": self.ca}})
        self.profile = self.add_profile()

    def add_role(self, name: str, trust: Mapping[str, Any] = TRUSTING, **more: Any) -> str:
        """A role that may do everything; its ARN."""
        now = self.now
        role = Identity(
            id=new_principal_id(self.installation.entropy, "AROA"),
            account=more.pop("account", ACCOUNT),
            kind=IdentityKind.ROLE,
            name=name,
            path=more.pop("path", "/"),
            created_at=now,
            trust_policy=json.dumps(trust),
            max_session_seconds=more.pop("max_session_seconds", 3600),
        )

        def work(tx: Any) -> None:
            accounts.add_role(tx, role, ADMINISTRATOR, now)
            generation.raise_(tx)

        self.storage.transact(work)
        return role.arn()

    def add_anchor(self, source: Mapping[str, Any], **more: Any) -> str:
        """An enabled trust anchor; its ARN."""
        made = self.control.create_trust_anchor(**{"name": "anchor", "source": source, "enabled": True, **more})
        arn: str = made["trustAnchor"]["trustAnchorArn"]
        return arn

    def add_bundle(self, *certificates: x509.Certificate, **more: Any) -> str:
        """An enabled trust anchor with these certificates; its ARN."""
        text = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates).decode()
        return self.add_anchor(
            {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": text}}, **more
        )

    def add_profile(self, **more: Any) -> str:
        """An enabled profile for the role; its ARN."""
        made = self.control.create_profile(**{"name": "p", "roleArns": [self.role], "enabled": True, **more})
        arn: str = made["profile"]["profileArn"]
        return arn

    def workload(self, key: Any = P256, common_name: str | None = "app.example.com", *names: Any) -> Workload:
        """A workload with a certificate of the private CA."""
        return Workload(key, self.certificate(self.ca, csr(common_name, *names, key=key)))

    def arns(self, **more: str) -> dict[str, str]:
        """The three ARNs of a request."""
        return {"profileArn": self.profile, "roleArn": self.role, "trustAnchorArn": self.anchor, **more}

    def ask(
        self, workload: Workload, body: Mapping[str, Any] | None = None, **change: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; the error's code is in the answer as `code`. `change` may hold ARNs as well."""
        arns = self.arns(**{name: change.pop(name) for name in list(change) if name.endswith("Arn")})
        request = workload.request(arns, body or {}, change.pop("at", self.now), **change)
        return read(self.door.handle(request))

    def session(self, workload: Workload, body: Mapping[str, Any] | None = None, **change: Any) -> dict[str, Any]:
        """The answer to a request that must succeed."""
        status, answer = self.ask(workload, body, **change)
        assert status == 201, answer
        return answer

    def refuses(self, text: str, workload: Workload, body: Mapping[str, Any] | None = None, **change: Any) -> None:
        """The request must be denied with a message that holds this text."""
        status, answer = self.ask(workload, body, **change)
        assert (status, answer["code"]) == (403, "AccessDeniedException"), answer
        assert text in answer["message"], answer

    def client_of(self, answer: Mapping[str, Any], service: str) -> Any:
        """A client with the credentials of an answer."""
        (given,) = answer["credentialSet"]
        keys = given["credentials"]
        credential = Credential(
            keys["accessKeyId"], Secret(keys["secretAccessKey"].encode()), ACCOUNT, given["assumedRoleUser"]["arn"], ""
        )
        return self.installation.client(service, credential=credential, token=keys["sessionToken"])


def read(response: HttpResponse) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer, with the error's name as `code`."""
    headers = dict(response.headers)
    answer: dict[str, Any] = json.loads(response.body)
    if b"x-amzn-errortype" in headers:
        answer["code"] = headers[b"x-amzn-errortype"].decode()
    return response.status, answer


def subject(**values: str) -> x509.Name:
    """A name by the usual abbreviations, in this order."""
    oids = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
    oids |= {"CN": NameOID.COMMON_NAME, "UID": NameOID.USER_ID, "L": NameOID.LOCALITY_NAME}
    return x509.Name([x509.NameAttribute(oids[name], value) for name, value in values.items()])


def crl(ca: Any, at: datetime, *serials: int, key: Any = None, issuer: x509.Name | None = None) -> bytes:
    """A CRL (PEM) by a ForeignCa."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer or ca.name)
        .last_update(at - timedelta(days=1))
        .next_update(at + timedelta(days=7))
        .add_extension(x509.CRLNumber(7), critical=False)
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at - timedelta(days=1))
        revoked = revoked.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(key or ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


__all__ = ["END_ENTITY", "Outpost", "Workload", "crl", "denied", "parse", "read", "subject"]
