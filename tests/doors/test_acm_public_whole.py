"""A public certificate of the installation's own trust services, from the request to the openssl that trusts it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from doors.acm_material import SERVER, Acm
from doors.pki import parse, refused

DV = "2.23.140.1.2.1"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1"])
def test_from_the_request_to_the_certificate(storage, algorithm):
    acm = Acm(storage)
    control = acm.installation.control
    arn = acm.acm.request_certificate(
        DomainName="www.example.com",
        SubjectAlternativeNames=["*.example.com"],
        ValidationMethod="DNS",
        KeyAlgorithm=algorithm,
        Options={"Export": "ENABLED"},
    )["CertificateArn"]
    issuer = acm.detail(arn)["Issuer"]
    for each in acm.detail(arn)["DomainValidationOptions"]:
        control.cnames[each["ResourceRecord"]["Name"]] = each["ResourceRecord"]["Value"]
    for _ in range(30):
        acm.work()
        acm.advance(minutes=1)
    detail = acm.detail(arn)
    assert detail["Status"] == "ISSUED", detail
    assert detail["Issuer"] == issuer
    body = acm.body(arn)
    certificate = parse(body["Certificate"])
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "www.example.com"
    assert len(list(certificate.subject)) == 1
    assert detail["NotAfter"] - detail["NotBefore"] == timedelta(days=198, seconds=-1)
    assert detail["NotBefore"] == datetime(2026, 1, 15, tzinfo=UTC)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [SERVER]
    policies = certificate.extensions.get_extension_for_oid(ExtensionOID.CERTIFICATE_POLICIES).value
    assert DV in [each.policy_identifier.dotted_string for each in policies]
    chain = x509.load_pem_x509_certificates(body["CertificateChain"].encode())
    certificate.verify_directly_issued_by(chain[0])

    assert "ENCRYPTED PRIVATE KEY" in acm.export(arn)["PrivateKey"]
    with refused("ValidationException"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="CA_COMPROMISE")
    acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="CESSATION_OF_OPERATION")
    acm.work()
    assert acm.detail(arn)["Status"] == "REVOKED"
