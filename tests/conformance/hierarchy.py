"""Root, subordinate and leaf, made over the AWS wire by real clients, for other implementations to judge.

The clients may talk to an installation in this process or to a service over HTTPS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.x509.oid import NameOID

CLASSICAL = ("RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
POST_QUANTUM = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
PASSPHRASE = b"correct horse battery staple"
# Everything is there within milliseconds: the usual pause between two looks would only make tests slow.
AT_ONCE = {"Delay": 0, "MaxAttempts": 1000}
_CURVES = {"EC_secp384r1": "SHA384WITHECDSA", "EC_secp521r1": "SHA512WITHECDSA", "EC_prime256v1": "SHA256WITHECDSA"}


def customary_signature(key: str) -> str:
    """The signature algorithm that people choose for a key algorithm."""
    if key.startswith("ML_DSA"):
        return key
    return "SHA256WITHRSA" if key.startswith("RSA") else _CURVES[key]


def requestable(key: str) -> str:
    """The key algorithm nearest to `key` that ACM makes for a private certificate."""
    if key.startswith("RSA"):
        return "RSA_2048"
    return "EC_prime256v1" if key == "EC_prime256v1" else "EC_secp384r1"


@cache
def private_key(algorithm: str) -> Any:
    """A key of the tests' own, one an algorithm; generated, because RSA keys cannot be derived."""
    match algorithm.split("_"):
        case ["RSA", bits]:
            return rsa.generate_private_key(65537, int(bits))
        case ["EC", curve]:
            curves = {"prime256v1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "secp521r1": ec.SECP521R1()}
            return ec.generate_private_key(curves[curve])
    return getattr(mldsa, f"MLDSA{algorithm[-2:]}PrivateKey").generate()


def pkcs8(algorithm: str) -> bytes:
    """The private key of the tests in the clear, PEM."""
    return private_key(algorithm).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def csr(algorithm: str, *names: str) -> bytes:
    """A sane request, PEM: country, organization and common name, and every DNS name in the SAN."""
    subject = [(NameOID.COUNTRY_NAME, "SE"), (NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, names[0])]
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in subject]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    )
    digest = None if algorithm.startswith("ML_DSA") else hashes.SHA256()
    return builder.sign(private_key(algorithm), digest).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Issued:
    """A certificate and what is above it (nearest first, root last; empty for a root), each PEM."""

    arn: str
    certificate: str
    chain: str

    @property
    def parsed(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.encode())

    @property
    def der(self) -> bytes:
        return self.parsed.public_bytes(serialization.Encoding.DER)

    @property
    def above(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.chain.encode()) if self.chain else []

    @property
    def root(self) -> str:
        """The root alone."""
        return [pem(certificate) for certificate in (self.above or [self.parsed])][-1]

    @property
    def intermediates(self) -> str:
        """What is between the certificate and the root."""
        return "".join(pem(certificate) for certificate in self.above[:-1])

    @property
    def full_chain(self) -> str:
        """What a TLS server sends."""
        return self.certificate.rstrip("\n") + "\n" + self.intermediates


@dataclass(frozen=True)
class Exported(Issued):
    """An export of ACM with its key, encrypted under PASSPHRASE."""

    key: str

    @property
    def clear_key(self) -> bytes:
        loaded = serialization.load_pem_private_key(self.key.encode(), PASSPHRASE)
        return loaded.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclass(frozen=True)
class Authority:
    """An ACTIVE authority."""

    arn: str
    signing: str
    issued: Issued


class Customer:
    """Somebody with clients of both services; `work` does the jobs of a service that has no clock of its own."""

    def __init__(self, pca: Any, acm: Any, work: Callable[[], object] = lambda: None) -> None:
        self.pca = pca
        self.acm = acm
        self._work = work

    def create(self, kind: str, key: str, *, signing: str | None = None, **more: Any) -> str:
        """An authority that waits for its certificate; returns its ARN."""
        made = self.pca.create_certificate_authority(
            CertificateAuthorityType=kind,
            CertificateAuthorityConfiguration={
                "KeyAlgorithm": key,
                "SigningAlgorithm": signing or customary_signature(key),
                "Subject": {"Country": "SE", "Organization": "Example", "CommonName": f"{kind.title()} {key}"},
            },
            **more,
        )
        self.pca.get_waiter("certificate_authority_csr_created").wait(
            CertificateAuthorityArn=made["CertificateAuthorityArn"], WaiterConfig=AT_ONCE
        )
        return made["CertificateAuthorityArn"]

    def csr_of(self, arn: str) -> bytes:
        """The CSR of an authority, PEM."""
        return self.pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode()

    def root(self, key: str, *, signing: str | None = None, **more: Any) -> Authority:
        """An ACTIVE root."""
        signing = signing or customary_signature(key)
        arn = self.create("ROOT", key, signing=signing, **more)
        issued = self.issue(Authority(arn, signing, Issued("", "", "")), self.csr_of(arn), "RootCACertificate", 3650)
        self.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn, Certificate=issued.certificate.encode()
        )
        return Authority(arn, signing, issued)

    def subordinate(self, parent: Authority, key: str, *, signing: str | None = None, **more: Any) -> Authority:
        """An ACTIVE subordinate that may issue leaves only."""
        arn = self.create("SUBORDINATE", key, signing=signing, **more)
        issued = self.issue(parent, self.csr_of(arn), "SubordinateCACertificate_PathLen0", 1825)
        self.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn,
            Certificate=issued.certificate.encode(),
            CertificateChain=issued.chain.encode(),
        )
        return Authority(arn, signing or customary_signature(key), issued)

    def chain(self, key: str, *, signing: str | None = None) -> Authority:
        """A subordinate under a root, both of this key algorithm."""
        return self.subordinate(self.root(key, signing=signing), key, signing=signing)

    def issue(
        self,
        authority: Authority,
        request: bytes,
        template: str = "EndEntityCertificate",
        days: int = 30,
        *,
        until: int | None = None,
    ) -> Issued:
        """A certificate for a CSR (PEM); `until` is its end in seconds since 1970, instead of days."""
        arn = self.pca.issue_certificate(
            CertificateAuthorityArn=authority.arn,
            Csr=request,
            SigningAlgorithm=authority.signing,
            TemplateArn=f"arn:aws:acm-pca:::template/{template}/V1",
            Validity={"Type": "ABSOLUTE", "Value": until} if until else {"Type": "DAYS", "Value": days},
        )["CertificateArn"]
        both = {"CertificateAuthorityArn": authority.arn, "CertificateArn": arn}
        self.pca.get_waiter("certificate_issued").wait(**both, WaiterConfig=AT_ONCE)
        answer = self.pca.get_certificate(**both)
        return Issued(arn, answer["Certificate"], answer.get("CertificateChain") or "")

    def export(self, authority: Authority, key: str, *names: str) -> Exported:
        """A private certificate that ACM made for these names, exported."""
        arn = self.acm.request_certificate(
            DomainName=names[0],
            SubjectAlternativeNames=list(names),
            KeyAlgorithm=key,
            CertificateAuthorityArn=authority.arn,
        )["CertificateArn"]
        self._work()
        self.acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig=AT_ONCE)
        answer = self.acm.export_certificate(CertificateArn=arn, Passphrase=PASSPHRASE)
        return Exported(arn, answer["Certificate"], answer["CertificateChain"], answer["PrivateKey"])


def pem(certificate: x509.Certificate) -> str:
    """One certificate, PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
