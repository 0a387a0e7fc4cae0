"""Keys that the installation knows too well: compromised ones, and those of its own authorities (faults.md 22, 23)."""

import pytest

from doors.pki import P384, Pki, csr, days, refused, template
from greatseal.storage import Storage


@pytest.fixture
def pki(storage: Storage) -> Pki:
    return Pki(storage)


def test_a_compromised_key_is_never_certified_again(pki: Pki) -> None:
    root, other = pki.root(), pki.root()
    arn = pki.issue(root, csr(key=P384))
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=root, CertificateSerial=arn.rpartition("/")[2], RevocationReason="KEY_COMPROMISE"
    )
    for authority in (root, other):
        with refused("MalformedCSRException", "compromised"):
            pki.issue(authority, csr(key=P384))
    pki.issue(root, csr())


def test_another_reason_leaves_the_key_usable(pki: Pki) -> None:
    root = pki.root()
    arn = pki.issue(root, csr(key=P384))
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=root, CertificateSerial=arn.rpartition("/")[2], RevocationReason="SUPERSEDED"
    )
    pki.issue(root, csr(key=P384))


def test_the_key_of_an_authority_is_certified_as_an_authority_only(pki: Pki) -> None:
    root = pki.root()
    request = pki.pca.get_certificate_authority_csr(CertificateAuthorityArn=root)["Csr"].encode()
    with refused("InvalidArgsException", "certificate authority"):
        pki.issue(root, request)
    pki.pca.issue_certificate(
        CertificateAuthorityArn=root,
        Csr=request,
        SigningAlgorithm="SHA256WITHECDSA",
        TemplateArn=template("SubordinateCACertificate_PathLen0"),
        Validity=days(1),
    )
