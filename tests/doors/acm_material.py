"""What tests of the ACM door import, and an installation that already speaks ACM."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.awsrequest import AWSRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import func, select

from doors.pki import Pki
from greatseal.domain.keys.store import key as key_table
from greatseal.domain.tags.store import tag as tag_table
from greatseal.edge.messages import HttpResponse
from greatseal.storage import Storage
from greatseal.storage.schema import outbox
from greatseal.testing import FakeClock, Installation
from greatseal.testing.clock import START
from greatseal.testing.installation import ENDPOINT, sign, to_http

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
CODE = ExtendedKeyUsageOID.CODE_SIGNING
PERMITTED_ACTIONS = ["IssueCertificate", "GetCertificate", "ListPermissions"]


@cache
def private_key(kind: str = "EC_prime256v1", number: int = 1) -> Any:
    """A key that is the same for the same words in one run."""
    curves = {"EC_prime256v1": ec.SECP256R1, "EC_secp384r1": ec.SECP384R1, "EC_secp521r1": ec.SECP521R1}
    if kind in curves:
        return ec.derive_private_key(2**250 + number, curves[kind]())
    if kind in ("P-224", "secp256k1"):
        return ec.derive_private_key(2**200 + number, ec.SECP224R1() if kind == "P-224" else ec.SECP256K1())
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
    if kind == "ML_DSA_65":
        return mldsa.MLDSA65PrivateKey.from_seed_bytes(number.to_bytes(32, "big"))
    return rsa.generate_private_key(65537, int(kind.removeprefix("RSA_")))


def key_pem(key: Any, *, form: str = "PKCS8", passphrase: bytes | None = None) -> bytes:
    """A private key as PEM; `form` is PKCS8 or TraditionalOpenSSL, which is PKCS#1 or SEC1."""
    seal = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    text: bytes = key.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), seal)
    return text


@dataclass(frozen=True)
class Made:
    """A certificate with its key, as its owner would pass them to ImportCertificate."""

    certificate: x509.Certificate
    key: Any
    issuers: tuple["Made", ...] = ()
    """Nearest first."""

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> bytes:
        return b"".join(each.pem for each in self.issuers)

    def parcel(self, **changes: Any) -> dict[str, Any]:
        """The parameters of ImportCertificate; a change to None leaves one out."""
        parts = {"Certificate": self.pem, "PrivateKey": key_pem(self.key), "CertificateChain": self.chain or None}
        return {name: value for name, value in (parts | changes).items() if value is not None}


def distinguished(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def make(
    common_name: str | None = "www.example.com",
    names: Sequence[x509.GeneralName | str] = (),
    *,
    key: str = "EC_prime256v1",
    number: int = 1,
    issuer: Made | None = None,
    subject: x509.Name | None = None,
    ca: bool = False,
    usages: Iterable[str] | None = ("digital_signature",),
    purposes: Sequence[x509.ObjectIdentifier] | None = (SERVER, CLIENT),
    start: datetime = START - timedelta(days=1),
    end: datetime = START + timedelta(days=365),
    extensions: Sequence[x509.ExtensionType] = (),
    serial: int | None = None,
) -> Made:
    """A certificate; self-signed without an issuer. Plain strings among the names are DNS names."""
    pair = private_key(key, number)
    if subject is None:
        subject = distinguished(*([(NameOID.COMMON_NAME, common_name)] if common_name else []))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(pair.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if usages is not None:
        wanted = {"key_cert_sign", "crl_sign"} if ca else set(usages)
        builder = builder.add_extension(key_usage(wanted), critical=True)
    if purposes is not None and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if names:
        san = [x509.DNSName(each) if isinstance(each, str) else each for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = issuer.key if issuer else pair
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey) else hashes.SHA256()
    above = (issuer, *issuer.issuers) if issuer else ()
    return Made(builder.sign(signer, digest), pair, above)


def key_usage(names: set[str]) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


@cache
def authorities() -> tuple[Made, Made]:
    """A root and a subordinate outside of Greatseal: (subordinate, root)."""
    root = make("Foreign Root", key="EC_prime256v1", number=90, ca=True, end=START + timedelta(days=3650))
    return make("Foreign Sub", key="EC_prime256v1", number=91, ca=True, issuer=root), root


class Acm(Pki):
    """An installation with clients of both services."""

    def __init__(self, storage: Storage, *, clock: FakeClock | None = None, **more: Any) -> None:
        super().__init__(storage, clock=clock, **more)
        self.acm = self.installation.client("acm")

    def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))

    def work(self) -> int:
        return self.installation.work()

    def permit(self, authority: str) -> None:
        """The permission that ACM needs to renew."""
        self.pca.create_permission(
            CertificateAuthorityArn=authority, Principal="acm.amazonaws.com", Actions=PERMITTED_ACTIONS
        )

    def request(self, authority: str, name: str = "app.example.com", **more: Any) -> str:
        """A request that still waits; with an EC key unless told otherwise."""
        more.setdefault("KeyAlgorithm", "EC_prime256v1")
        arn: str = self.acm.request_certificate(DomainName=name, CertificateAuthorityArn=authority, **more)[
            "CertificateArn"
        ]
        return arn

    def issued(self, authority: str, name: str = "app.example.com", **more: Any) -> str:
        """A private certificate that was issued."""
        arn = self.request(authority, name, **more)
        self.work()
        assert self.detail(arn)["Status"] == "ISSUED", self.detail(arn)
        return arn

    def exported(self, authority: str, name: str = "app.example.com", **more: Any) -> str:
        """As `issued`, and exported once, which renewal asks for."""
        arn = self.issued(authority, name, **more)
        self.export(arn)
        return arn

    def detail(self, arn: str) -> dict[str, Any]:
        """CertificateDetail."""
        found: dict[str, Any] = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]
        return found

    def body(self, arn: str) -> dict[str, Any]:
        """Certificate and chain, without the answer's metadata."""
        answer: dict[str, Any] = self.acm.get_certificate(CertificateArn=arn)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def export(self, arn: str, passphrase: bytes = b"open sesame") -> dict[str, Any]:
        answer: dict[str, Any] = self.acm.export_certificate(CertificateArn=arn, Passphrase=passphrase)
        return answer

    def take(self, made: Made, **changes: Any) -> str:
        """Imports."""
        arn: str = self.acm.import_certificate(**made.parcel(**changes))["CertificateArn"]
        return arn

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.acm.list_certificates(**query)["CertificateSummaryList"]
        return found

    def arns(self, **query: Any) -> list[str]:
        """The ARNs of one listing."""
        return [each["CertificateArn"] for each in self.listed(**query)]

    def tags(self, arn: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
        return found

    def events(self, *detail_types: str) -> list[dict[str, Any]]:
        """What the outbox holds of these kinds, in order."""
        query = select(outbox.c.payload).order_by(outbox.c.id)
        payloads = [row.payload for row in self.storage.read(lambda tx: tx.all(query))]
        return [each for each in payloads if each["detail-type"] in detail_types]

    def key_count(self) -> int:
        """How many private keys of certificates are stored."""
        query = select(func.count()).select_from(key_table).where(key_table.c.purpose == "CERTIFICATE")
        return self.storage.read(lambda tx: int(tx.one(query)[0]))

    def tag_count(self, arn: str) -> int:
        query = select(func.count()).select_from(tag_table).where(tag_table.c.resource_arn == arn)
        return self.storage.read(lambda tx: int(tx.one(query)[0]))

    def post(self, operation: str, body: bytes) -> HttpResponse:
        """A signed request with any body, past the SDK that would not send it."""
        return post(self.installation, operation, body)


def post(installation: Installation, operation: str, body: bytes) -> HttpResponse:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"CertificateManager.{operation}",
    }
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", headers=headers, data=body)
    signed = sign(request, installation.credential, "acm", installation.region, installation.clock)
    return installation.handle(to_http(signed, "00000000-0000-4000-8000-000000000000"))
