"""RequestCertificate from a private CA: names, algorithms, tokens, and what Describe and Get say (acm.md 4.1, 5)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from doors.acm_material import CLIENT, SERVER, Acm, make
from doors.pki import parse, refused


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)

ALWAYS = {
    "CertificateArn",
    "DomainName",
    "SubjectAlternativeNames",
    "Subject",
    "Status",
    "Type",
    "KeyAlgorithm",
    "InUseBy",
    "CreatedAt",
    "RenewalEligibility",
    "Options",
    "KeyUsages",
    "ExtendedKeyUsages",
    "CertificateKeyPairOrigin",
    "DomainValidationOptions",
}
FROM_BODY = {"Issuer", "SignatureAlgorithm", "Serial", "NotBefore", "NotAfter"}


@on_both
def test_a_pending_request_and_what_becomes_of_it(acm):
    ca = acm.root()
    arn = acm.request(ca, "app.example.com", SubjectAlternativeNames=["www.example.com"])
    pending = acm.detail(arn)
    assert set(pending) == ALWAYS | {"CertificateAuthorityArn"}
    assert pending["Status"] == "PENDING_VALIDATION"
    assert (pending["KeyUsages"], pending["ExtendedKeyUsages"], pending["InUseBy"]) == ([], [], [])
    assert pending["Subject"] == "CN=app.example.com"
    assert {each["ValidationStatus"] for each in pending["DomainValidationOptions"]} == {"PENDING_VALIDATION"}
    with refused("RequestInProgressException", "has not yet been issued"):
        acm.acm.get_certificate(CertificateArn=arn)
    with refused("RequestInProgressException"):
        acm.export(arn)

    acm.advance(seconds=3)
    acm.work()
    issued = acm.detail(arn)
    assert set(issued) == ALWAYS | FROM_BODY | {"CertificateAuthorityArn", "IssuedAt"}
    assert issued["Status"] == "ISSUED"
    assert issued["Type"] == "PRIVATE"
    assert issued["KeyAlgorithm"] == "EC-prime256v1"
    assert issued["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert issued["Issuer"] == "Example"
    assert issued["CertificateAuthorityArn"] == ca
    assert issued["CertificateKeyPairOrigin"] == "AWS_MANAGED"
    assert issued["RenewalEligibility"] == "INELIGIBLE"
    assert issued["SubjectAlternativeNames"] == ["app.example.com", "www.example.com"]
    assert issued["Options"] == {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
    assert issued["KeyUsages"] == [{"Name": "DIGITAL_SIGNATURE"}, {"Name": "KEY_ENCIPHERMENT"}]
    assert issued["ExtendedKeyUsages"] == [
        {"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"},
        {"Name": "TLS_WEB_CLIENT_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.2"},
    ]
    assert issued["DomainValidationOptions"] == [
        {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationEmails": [],
            "ValidationMethod": "DNS",
            "ValidationStatus": "SUCCESS",
        }
        for name in ("app.example.com", "www.example.com")
    ]
    assert issued["CreatedAt"] == pending["CreatedAt"]
    assert issued["IssuedAt"] == issued["CreatedAt"] + timedelta(seconds=3)


@on_both
def test_the_certificate_itself(acm):
    ca = acm.root()
    sub = acm.subordinate(ca)
    arn = acm.issued(sub, "*.Example.COM", SubjectAlternativeNames=["EXAMPLE.com", "*.example.com"])
    detail, body = acm.detail(arn), acm.body(arn)
    certificate = parse(body["Certificate"])
    assert detail["DomainName"] == "*.example.com"
    assert detail["SubjectAlternativeNames"] == ["*.example.com", "example.com"]
    assert certificate.subject.rfc4514_string() == "CN=*.example.com"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.example.com", "example.com"]
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [SERVER, CLIENT]
    # Thirteen calendar months from the issue, an hour of which lies in the past (acm.md 7.3, workflows.md 3).
    assert certificate.not_valid_before_utc == acm.now - timedelta(hours=1)
    assert certificate.not_valid_after_utc == datetime(2027, 2, 15, 12, tzinfo=UTC)
    octets = detail["Serial"].split(":")
    assert int("".join(octets), 16) == certificate.serial_number
    assert all(len(octet) == 2 and octet == octet.lower() for octet in octets)
    above = x509.load_pem_x509_certificates(body["CertificateChain"].encode())
    assert len(above) == 2
    certificate.verify_directly_issued_by(above[0])
    above[0].verify_directly_issued_by(above[1])
    assert not body["Certificate"].endswith("\n")


@pytest.mark.parametrize(
    ("algorithm", "ca_key", "shown", "kind", "size"),
    [
        ("RSA_2048", "RSA_2048", "RSA-2048", rsa.RSAPublicKey, 2048),
        ("EC_prime256v1", "EC_prime256v1", "EC-prime256v1", ec.EllipticCurvePublicKey, 256),
        ("EC_secp384r1", "EC_prime256v1", "EC-secp384r1", ec.EllipticCurvePublicKey, 384),
    ],
)
def test_algorithms_that_can_be_requested(acm, algorithm, ca_key, shown, kind, size):
    arn = acm.issued(acm.root(ca_key), KeyAlgorithm=algorithm)
    key = parse(acm.body(arn)["Certificate"]).public_key()
    assert acm.detail(arn)["KeyAlgorithm"] == shown
    assert isinstance(key, kind)
    assert key.key_size == size


def test_rsa_2048_is_the_default_and_methods_are_kept(acm):
    ca = acm.root("RSA_2048")
    made = acm.acm.request_certificate(DomainName="a.example.com", CertificateAuthorityArn=ca, ValidationMethod="EMAIL")
    acm.work()
    detail = acm.detail(made["CertificateArn"])
    assert detail["KeyAlgorithm"] == "RSA-2048"
    assert detail["SignatureAlgorithm"] == "SHA256WITHRSA"
    assert detail["DomainValidationOptions"][0]["ValidationMethod"] == "EMAIL"


@pytest.mark.parametrize("algorithm", ["RSA_1024", "RSA_3072", "RSA_4096", "EC_secp521r1"])
def test_algorithms_that_cannot_be_requested(acm, algorithm):
    text = f"Encryption Algorithm {algorithm} is not supported in us-east-1 region"
    ca = acm.root()
    with refused("ValidationException", text):
        acm.request(ca, KeyAlgorithm=algorithm)
    assert acm.acm.search_certificates()["Results"] == []


def test_the_first_name_is_short_and_the_others_need_not_be(acm):
    ca = acm.root()
    longest = "a" * 52 + ".example.com"
    assert len(longest) == 64
    acm.issued(ca, longest)
    with refused(
        "InvalidDomainValidationOptionsException", "The first domain name can be no longer than 64 characters."
    ):
        acm.request(ca, "a" + longest)
    arn = acm.issued(
        ca, "b.example.com", SubjectAlternativeNames=["a" + longest, ".".join(["c" * 63] * 3 + ["d" * 61])]
    )
    assert len(acm.detail(arn)["SubjectAlternativeNames"]) == 3


@pytest.mark.parametrize(
    "name",
    ["com", "a.b", "*.com", "_x.example.com", "*.*.example.com", "a*.example.com", "example.com.", "-a.example.com"],
)
def test_names_that_the_model_refuses(acm, name):
    with refused("ValidationException", "'domainName'"):
        acm.request("arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/none", name)
    with refused("ValidationException", "'subjectAlternativeNames'"):
        acm.request(
            "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/none",
            SubjectAlternativeNames=["fine.example.com", name],
        )


def test_internationalized_labels(acm):
    ca = acm.root()
    for name in ("xn--mnchen-3ya.example.com", "a--x.example.com", "abc--x.example.com", "XN--MNCHEN-3YA.example.com"):
        acm.issued(ca, name)
    for name in ("ab--x.example.com", "xn--example.example.com", "xn--a.com", "*.ab--x.example.com"):
        with refused("InvalidDomainValidationOptionsException", name):
            acm.request(ca, name)
        with refused("InvalidDomainValidationOptionsException", name):
            acm.request(ca, SubjectAlternativeNames=[name])


def test_a_hundred_names_and_no_more(acm):
    names = [f"n{number}.example.com" for number in range(100)]
    ca = acm.root()
    arn = acm.issued(ca, "app.example.com", SubjectAlternativeNames=names)
    assert len(acm.detail(arn)["SubjectAlternativeNames"]) == 101
    with refused("ValidationException", "'subjectAlternativeNames'"):
        acm.request(ca, SubjectAlternativeNames=[*names, "one.example.com"])


def test_validation_options_must_fit_the_names(acm):
    ca = acm.root()
    good = [{"DomainName": "App.example.com", "ValidationDomain": "example.com"}]
    acm.issued(ca, DomainValidationOptions=good)
    for name, domain in (
        ("other.example.com", "example.com"),
        ("app.example.com", "ample.com"),
        ("app.example.com", "x.app.example.com"),
    ):
        with refused("InvalidDomainValidationOptionsException"):
            acm.request(ca, DomainValidationOptions=[{"DomainName": name, "ValidationDomain": domain}])


@on_both
def test_the_same_token_gives_the_same_certificate(acm):
    ca = acm.root()
    first = acm.request(ca, IdempotencyToken="once_1")
    assert acm.request(ca, IdempotencyToken="once_1") == first
    # Nothing but the names is looked at (acm.md 4.1).
    assert acm.request(f"{ca}0", IdempotencyToken="once_1") == first
    assert acm.request(ca, IdempotencyToken="once_1", KeyAlgorithm="EC_secp384r1") == first
    acm.work()
    assert acm.request(ca, "APP.example.com", IdempotencyToken="once_1") == first
    others = {
        acm.request(ca, "other.example.com", IdempotencyToken="once_1"),
        acm.request(ca, SubjectAlternativeNames=["b.example.com"], IdempotencyToken="once_1"),
        acm.request(ca, IdempotencyToken="once_2"),
        acm.request(ca),
        acm.request(ca),
        first,
    }
    assert len(others) == 6
    assert acm.key_count() == 6


@on_both
def test_the_order_of_the_other_names_does_not_matter(acm):
    ca = acm.root()
    first = acm.request(ca, SubjectAlternativeNames=["a.example.com", "b.example.com"], IdempotencyToken="t")
    again = acm.request(ca, SubjectAlternativeNames=["B.example.com", "a.example.com"], IdempotencyToken="t")
    assert again == first
    assert acm.request(ca, "a.example.com", SubjectAlternativeNames=["b.example.com"], IdempotencyToken="t") != first


@on_both
def test_a_token_is_forgotten_after_an_hour(acm):
    ca = acm.root()
    first = acm.request(ca, IdempotencyToken="once")
    acm.advance(minutes=59)
    assert acm.request(ca, IdempotencyToken="once") == first
    acm.advance(minutes=1)
    second = acm.request(ca, IdempotencyToken="once")
    assert second != first
    assert acm.request(ca, IdempotencyToken="once") == second


@on_both
def test_the_token_of_a_deleted_certificate_makes_a_new_one(acm):
    ca = acm.root()
    seen = []
    for _ in range(3):
        arn = acm.request(ca, IdempotencyToken="once")
        assert arn not in seen
        assert acm.request(ca, IdempotencyToken="once") == arn
        acm.work()
        assert acm.request(ca, IdempotencyToken="once") == arn
        assert acm.detail(arn)["Status"] == "ISSUED"
        acm.acm.delete_certificate(CertificateArn=arn)
        seen.append(arn)
        acm.advance(minutes=5)


@pytest.mark.parametrize("token", ["with-dash", "", "a" * 33, "a b"])
def test_tokens_that_the_model_refuses(acm, token):
    with refused("ValidationException", "'idempotencyToken'"):
        acm.request("arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/none", IdempotencyToken=token)


def test_tokens_belong_to_a_region(acm):
    ca = acm.root()
    first = acm.request(ca, IdempotencyToken="once")
    ireland = acm.installation.client("acm", region="eu-west-1")
    second = ireland.request_certificate(
        DomainName="app.example.com", CertificateAuthorityArn=ca, IdempotencyToken="once", KeyAlgorithm="EC_prime256v1"
    )
    assert second["CertificateArn"] != first


def test_many_at_once_are_all_issued(acm):
    ca = acm.root()
    arns = [acm.request(ca, f"n{number}.example.com") for number in range(20)]
    acm.work()
    assert {acm.detail(arn)["Status"] for arn in arns} == {"ISSUED"}
    assert len({acm.detail(arn)["Serial"] for arn in arns}) == 20


def test_a_certificate_expires_when_its_time_is_over(acm):
    arn = acm.issued(acm.root())
    end = parse(acm.body(arn)["Certificate"]).not_valid_after_utc
    acm.clock.at = end
    assert acm.detail(arn)["Status"] == "ISSUED"
    acm.advance(seconds=1)
    assert acm.detail(arn)["Status"] == "EXPIRED"
    assert parse(acm.body(arn)["Certificate"]).not_valid_after_utc == end
    assert acm.arns(CertificateStatuses=["EXPIRED"], Includes={"keyTypes": ["EC_prime256v1"]}) == [arn]
    assert acm.arns(CertificateStatuses=["ISSUED"], Includes={"keyTypes": ["EC_prime256v1"]}) == []


def test_the_waiter_of_the_sdk_ends(acm):
    arn = acm.issued(acm.root())
    acm.acm.get_waiter("certificate_validated").wait(CertificateArn=arn)


def test_the_issuer_is_the_common_name_when_there_is_no_organization(acm):
    ca = acm.take(make(subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alone.example.com")])))
    assert acm.detail(ca)["Issuer"] == "alone.example.com"
