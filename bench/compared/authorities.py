"""CAs that certificates are asked of: in a service that speaks the AWS wire, and as files for cfssl."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from compared.processes import Server
from compared.requests import client

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_BEGIN, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
SIGNING = {"EC_prime256v1": "SHA256WITHECDSA", "RSA_2048": "SHA256WITHRSA"}


def private_key(algorithm: str) -> PrivateKey:
    """A new key, by the name that the service has for its algorithm."""
    if algorithm == "RSA_2048":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def csr(key: PrivateKey, name: str = "app.example.com") -> str:
    """A request for one DNS name, PEM."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder(subject)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def authority(server: Server, algorithm: str) -> str:
    """An active root CA, made over the wire as anybody would; its ARN."""
    pca = client(server, "acm-pca")
    configuration = {
        "KeyAlgorithm": algorithm,
        "SigningAlgorithm": SIGNING[algorithm],
        "Subject": {"Organization": "Example", "CommonName": "Bench"},
    }
    arn: str = pca.create_certificate_authority(
        CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
    )["CertificateAuthorityArn"]
    pca.get_waiter("certificate_authority_csr_created").wait(CertificateAuthorityArn=arn)
    issued = pca.issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode(),
        SigningAlgorithm=SIGNING[algorithm],
        TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
        Validity={"Type": "YEARS", "Value": 10},
    )["CertificateArn"]
    pca.get_waiter("certificate_issued").wait(CertificateAuthorityArn=arn, CertificateArn=issued)
    pem = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=issued)["Certificate"]
    pca.import_certificate_authority_certificate(CertificateAuthorityArn=arn, Certificate=pem.encode())
    return arn


def permit_acm(server: Server, arn: str) -> None:
    """Lets ACM ask this CA for certificates and renew them."""
    client(server, "acm-pca").create_permission(
        CertificateAuthorityArn=arn,
        Principal="acm.amazonaws.com",
        Actions=["IssueCertificate", "GetCertificate", "ListPermissions"],
    )


def files(folder: Path, stem: str, key: PrivateKey) -> None:
    """A self-signed CA as `STEM.pem` and `STEM.key`."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, _BEGIN, _END)
    made = builder.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    (folder / f"{stem}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form: Any = serialization.PrivateFormat.TraditionalOpenSSL
    raw = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / f"{stem}.key").write_bytes(raw)
