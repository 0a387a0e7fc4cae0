"""A private PKI for tests of the Private CA door: real boto3 clients make CAs, sign, import and issue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from greatseal.crypto.algorithms import KeyAlgorithm, default_signature_algorithm
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy, Installation

P256 = ec.derive_private_key(2**200 + 7, ec.SECP256R1())
P384 = ec.derive_private_key(2**200 + 11, ec.SECP384R1())
MLDSA65 = mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(range(7, 39)))
SAN = x509.DNSName("app.example.com")


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """The one RSA key of a test run; generating one takes long."""
    return rsa.generate_private_key(65537, 2048)


def template(name: str) -> str:
    """The ARN of a template."""
    return f"arn:aws:acm-pca:::template/{name}/V1"


def days(count: int) -> dict[str, Any]:
    """A Validity."""
    return {"Type": "DAYS", "Value": count}


def name(common_name: str) -> x509.Name:
    """A name of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def csr(
    common_name: str | None = "app.example.com",
    *names: x509.GeneralName | str,
    key: Any = P256,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A CSR as PEM; `names` become its SAN, plain strings being DNS names."""
    subject = x509.Name([]) if common_name is None else name(common_name)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        san = [x509.DNSName(each) if isinstance(each, str) else each for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    digest = None if isinstance(key, mldsa.MLDSA65PrivateKey | ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)


def pem(certificate: x509.Certificate) -> bytes:
    """PEM as OpenSSL writes it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def parse(text: str) -> x509.Certificate:
    """A certificate of an answer."""
    return x509.load_pem_x509_certificate(text.encode())


@contextmanager
def refused(code: str | tuple[str, ...], text: str = "") -> Iterator[None]:
    """The block must be refused with this code, or one of these, and a text; never with a 5xx."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] in ((code,) if isinstance(code, str) else code), answer
        assert text in answer["Error"]["Message"], answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    else:
        raise AssertionError(f"not refused; {code} was expected")


class Pki:
    """An installation, its Private CA client, and the steps that every test starts with."""

    def __init__(
        self, storage: Storage, *, clock: FakeClock | None = None, entropy: FakeEntropy | None = None, **more: Any
    ) -> None:
        self.installation = Installation(storage, clock=clock, entropy=entropy, **more)
        self.storage = storage
        self.clock = self.installation.clock
        self.pca = self.installation.client("acm-pca")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def create(self, kind: str = "ROOT", key: str = "EC_prime256v1", common_name: str = "CA", **more: Any) -> str:
        """A CA that waits for its certificate."""
        configuration = {
            "KeyAlgorithm": key,
            "SigningAlgorithm": default_signature_algorithm(KeyAlgorithm[key]).name,
            "Subject": {"Country": "NL", "Organization": "Example", "CommonName": common_name},
        }
        made = self.pca.create_certificate_authority(
            CertificateAuthorityType=kind, CertificateAuthorityConfiguration=configuration, **more
        )
        arn: str = made["CertificateAuthorityArn"]
        return arn

    def root(
        self,
        key: str = "EC_prime256v1",
        *,
        valid: dict[str, Any] | None = None,
        using: str = "RootCACertificate",
        passthrough: dict[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """An ACTIVE root."""
        arn = self.create("ROOT", key, "Root", **more)
        self.install_root(arn, valid=valid, using=using, passthrough=passthrough)
        return arn

    def install_root(
        self,
        arn: str,
        *,
        valid: dict[str, Any] | None = None,
        using: str = "RootCACertificate",
        passthrough: dict[str, Any] | None = None,
    ) -> str:
        """Self-signs and imports a root's certificate; returns the ARN of that certificate."""
        optional = {"ApiPassthrough": passthrough} if passthrough else {}
        issued = self.issue(arn, self.csr_of(arn), using=using, valid=valid or days(3650), **optional)
        self.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn, Certificate=self.get(arn, issued)["Certificate"].encode()
        )
        return issued

    def subordinate(
        self,
        parent: str,
        key: str = "EC_prime256v1",
        *,
        using: str = "SubordinateCACertificate_PathLen0",
        valid: dict[str, Any] | None = None,
        passthrough: dict[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """An ACTIVE subordinate under `parent`."""
        arn = self.create("SUBORDINATE", key, "Subordinate", **more)
        self.install_subordinate(arn, parent, using=using, valid=valid, passthrough=passthrough)
        return arn

    def install_subordinate(
        self,
        arn: str,
        parent: str,
        *,
        using: str = "SubordinateCACertificate_PathLen0",
        valid: dict[str, Any] | None = None,
        passthrough: dict[str, Any] | None = None,
    ) -> None:
        """Has a subordinate's certificate signed by `parent` and imports it."""
        optional = {"ApiPassthrough": passthrough} if passthrough else {}
        issued = self.issue(parent, self.csr_of(arn), using=using, valid=valid or days(1825), **optional)
        answer = self.get(parent, issued)
        self.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn,
            Certificate=answer["Certificate"].encode(),
            CertificateChain=answer["CertificateChain"].encode(),
        )

    def csr_of(self, arn: str) -> bytes:
        """The CSR of a CA."""
        text: str = self.pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"]
        return text.encode()

    def issue(
        self,
        arn: str,
        request: bytes | None = None,
        *,
        using: str | None = None,
        valid: dict[str, Any] | None = None,
        algorithm: str | None = None,
        **more: Any,
    ) -> str:
        """Issues and returns the certificate's ARN; signs with the CA's own algorithm unless told otherwise."""
        if using is not None:
            more["TemplateArn"] = template(using)
        if algorithm is None:
            algorithm = self.describe(arn)["CertificateAuthorityConfiguration"]["SigningAlgorithm"]
        answer = self.pca.issue_certificate(
            CertificateAuthorityArn=arn,
            Csr=csr() if request is None else request,
            SigningAlgorithm=algorithm,
            Validity=valid or days(30),
            **more,
        )
        issued: str = answer["CertificateArn"]
        return issued

    def get(self, arn: str, certificate_arn: str) -> dict[str, Any]:
        """Certificate and chain as they are answered."""
        answer: dict[str, Any] = self.pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=certificate_arn)
        return answer

    def certificate(self, arn: str, request: bytes | None = None, **more: Any) -> x509.Certificate:
        """A certificate, issued and parsed."""
        return parse(self.get(arn, self.issue(arn, request, **more))["Certificate"])

    def describe(self, arn: str) -> dict[str, Any]:
        """The CertificateAuthority structure."""
        wire: dict[str, Any] = self.pca.describe_certificate_authority(CertificateAuthorityArn=arn)
        found: dict[str, Any] = wire["CertificateAuthority"]
        return found

    def status(self, arn: str) -> str:
        """The state that a CA shows."""
        shown: str = self.describe(arn)["Status"]
        return shown

    def set_status(self, arn: str, status: str) -> None:
        """ACTIVE or DISABLED."""
        self.pca.update_certificate_authority(CertificateAuthorityArn=arn, Status=status)

    def delete(self, arn: str, window: int = 7) -> None:
        """Deletes a CA that is not ACTIVE."""
        self.pca.delete_certificate_authority(CertificateAuthorityArn=arn, PermanentDeletionTimeInDays=window)

    def issued_count(self) -> int:
        """How many certificates the journal knows, signed or not."""
        query = select(func.count()).select_from(issued_certificate)
        return self.storage.read(lambda tx: int(tx.one(query)[0]))

    @contextmanager
    def nothing_issued(self) -> Iterator[None]:
        """The block must leave no row in the journal: nothing was prepared, so nothing was signed."""
        before = self.issued_count()
        yield
        assert self.issued_count() == before


def serial_of(certificate_arn: str) -> str:
    """The serial as certificate ARNs carry it."""
    return certificate_arn.rpartition("/")[2]


class ForeignCa:
    """A CA outside of Greatseal, as somebody would run it with OpenSSL."""

    def __init__(self, common_name: str, at: datetime, parent: "ForeignCa | None" = None, **options: Any) -> None:
        self.key = ec.derive_private_key(2**190 + len(common_name), ec.SECP384R1())
        self.name = name(common_name)
        self.at = at
        self.parent = parent
        self.certificate = (parent or self).sign(self.key.public_key(), self.name, **options)

    def sign(
        self,
        public_key: Any,
        subject: x509.Name,
        *,
        constraints: tuple[x509.BasicConstraints, bool] | None = (x509.BasicConstraints(True, None), True),
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        until: timedelta = timedelta(days=3650),
        key: Any = None,
    ) -> x509.Certificate:
        """A certificate signed by this CA; `constraints` None leaves Basic Constraints out."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(0x1000 + len(extensions))
            .not_valid_before(self.at - timedelta(days=2))
            .not_valid_after(self.at + until)
        )
        for extension, critical in (*((constraints,) if constraints else ()), *extensions):
            builder = builder.add_extension(extension, critical)
        return builder.sign(key or self.key, hashes.SHA256())

    def certify(self, request: bytes, **options: Any) -> x509.Certificate:
        """A certificate for a CSR."""
        parsed = x509.load_pem_x509_csr(request)
        return self.sign(parsed.public_key(), parsed.subject, **options)
