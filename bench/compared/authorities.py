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
    """An active CA below a root, made over the wire as anybody would; its ARN.

    Not the root itself: roots are not there for end entities, and ours makes a finding of each certificate of a root.
    """
    pca = client(server, "acm-pca")
    root = _activated(pca, "ROOT", algorithm, "RootCACertificate/V1")
    return _activated(pca, "SUBORDINATE", algorithm, "SubordinateCACertificate_PathLen0/V1", root)


def _activated(pca: Any, kind: str, algorithm: str, template: str, issuer: str | None = None) -> str:
    """The ARN of a new CA whose certificate `issuer`, or the CA itself, has issued."""
    configuration = {
        "KeyAlgorithm": algorithm,
        "SigningAlgorithm": SIGNING[algorithm],
        "Subject": {"Organization": "Example", "CommonName": f"Bench {kind.lower()}"},
    }
    arn: str = pca.create_certificate_authority(
        CertificateAuthorityType=kind, CertificateAuthorityConfiguration=configuration
    )["CertificateAuthorityArn"]
    pca.get_waiter("certificate_authority_csr_created").wait(CertificateAuthorityArn=arn)
    by = issuer or arn
    issued = pca.issue_certificate(
        CertificateAuthorityArn=by,
        Csr=pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode(),
        SigningAlgorithm=SIGNING[algorithm],
        TemplateArn=f"arn:aws:acm-pca:::template/{template}",
        Validity={"Type": "YEARS", "Value": 10 if issuer is None else 5},
    )["CertificateArn"]
    pca.get_waiter("certificate_issued").wait(CertificateAuthorityArn=by, CertificateArn=issued)
    got = pca.get_certificate(CertificateAuthorityArn=by, CertificateArn=issued)
    chain = {"CertificateChain": got["CertificateChain"].encode()} if issuer else {}
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=got["Certificate"].encode(), **chain
    )
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
