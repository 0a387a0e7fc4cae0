"""ImportCertificate: what is taken, in every form that people have it in, and what is refused (acm.md 10.4)."""

import ipaddress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

import made_certificates
from doors.acm_material import (
    CODE,
    SERVER,
    START,
    Acm,
    authorities,
    distinguished,
    key_pem,
    make,
    private_key,
)
from doors.pki import csr, days, refused
from greatseal.x509 import pem

NOT_PEM = "Unable to parse certificate. Please ensure the certificate is in PEM format."
NOT_A_KEY = "Passed PEM was not a private key."
NOT_SUPPORTED = "The private key is not supported."
BAD_CHAIN = "Could not validate the certificate with the certificate chain."
TWO = "The certificate field contains more than one certificate. You can specify only one certificate in this field."


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


def refuse(acm, text, made=None, **changes):
    """The import is refused with this text and leaves nothing."""
    made = made or make()
    with refused("ValidationException", text):
        acm.acm.import_certificate(**made.parcel(**changes))
    assert acm.acm.search_certificates()["Results"] == []
    assert acm.key_count() == 0


def test_what_an_imported_certificate_shows(acm):
    subject = distinguished(
        (NameOID.COUNTRY_NAME, "AU"),
        (NameOID.STATE_OR_PROVINCE_NAME, "Some-State"),
        (NameOID.ORGANIZATION_NAME, "Internet Widgits Pty Ltd"),
        (NameOID.COMMON_NAME, "example.com"),
    )
    sub, _ = authorities()
    made = make(subject=subject, names=["example.com", "www.example.com"], issuer=sub, serial=1001)
    detail = acm.detail(acm.take(made, Tags=[{"Key": "team", "Value": "web"}, {"Key": "alone"}]))
    assert set(detail) == {
        "CertificateArn",
        "DomainName",
        "SubjectAlternativeNames",
        "DomainValidationOptions",
        "Serial",
        "Subject",
        "Issuer",
        "CreatedAt",
        "ImportedAt",
        "Status",
        "NotBefore",
        "NotAfter",
        "KeyAlgorithm",
        "SignatureAlgorithm",
        "InUseBy",
        "Type",
        "KeyUsages",
        "ExtendedKeyUsages",
        "RenewalEligibility",
        "Options",
        "CertificateKeyPairOrigin",
    }
    assert detail["Subject"] == "C=AU,ST=Some-State,O=Internet Widgits Pty Ltd,CN=example.com"
    assert detail["Serial"] == "03:e9"
    assert detail["Issuer"] == "Foreign Sub"
    assert (detail["Status"], detail["Type"], detail["RenewalEligibility"]) == ("ISSUED", "IMPORTED", "INELIGIBLE")
    assert detail["CertificateKeyPairOrigin"] == "CUSTOMER_PROVIDED"
    assert detail["Options"] == {"CertificateTransparencyLoggingPreference": "DISABLED", "Export": "DISABLED"}
    assert detail["DomainValidationOptions"] == [{"DomainName": "example.com"}, {"DomainName": "www.example.com"}]
    assert detail["CreatedAt"] == detail["ImportedAt"] == acm.now
    assert acm.tags(detail["CertificateArn"]) == [{"Key": "alone"}, {"Key": "team", "Value": "web"}]
    body = acm.body(detail["CertificateArn"])
    assert body == {"Certificate": made.pem.decode().strip(), "CertificateChain": made.chain.decode().strip()}


def test_without_usages(acm):
    detail = acm.detail(acm.take(make(usages=None, purposes=None)))
    assert detail["KeyUsages"] == [{"Name": "ANY"}]
    assert detail["ExtendedKeyUsages"] == [{"Name": "NONE"}]
    assert "CertificateChain" not in acm.body(detail["CertificateArn"])


def test_purposes_that_have_no_name(acm):
    odd = ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
    detail = acm.detail(acm.take(make(purposes=[CODE, odd], usages=["digital_signature", "key_agreement"])))
    assert detail["ExtendedKeyUsages"] == [
        {"Name": "CODE_SIGNING", "OID": "1.3.6.1.5.5.7.3.3"},
        {"Name": "CUSTOM", "OID": odd.dotted_string},
    ]
    assert [each["Name"] for each in detail["KeyUsages"]] == ["DIGITAL_SIGNATURE", "KEY_AGREEMENT"]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("RSA_1024", "RSA-1024"),
        ("RSA_2048", "RSA-2048"),
        ("RSA_3072", "RSA-3072"),
        ("EC_prime256v1", "EC-prime256v1"),
        ("EC_secp384r1", "EC-secp384r1"),
        ("EC_secp521r1", "EC-secp521r1"),
    ],
)
def test_keys_that_are_taken(acm, key, shown):
    made = make(key=key)
    for form in ("PKCS8", "TraditionalOpenSSL"):
        assert acm.detail(acm.take(made, PrivateKey=key_pem(made.key, form=form)))["KeyAlgorithm"] == shown


@pytest.mark.parametrize("key", ["RSA_1536", "RSA_2056", "P-224", "secp256k1", "Ed25519", "ML_DSA_65"])
def test_keys_that_are_not(acm, key):
    refuse(acm, NOT_SUPPORTED, make(key=key))


EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
BAG = b"Bag Attributes\n    localKeyID: 01 02\n    friendlyName: my key\nKey Attributes: <No Attributes>\n"
ZOO = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "no last newline": lambda text: text.rstrip(),
    "many newlines": lambda text: b"\n\n" + text + b"\n\n\n",
    "bag attributes": lambda text: BAG + text,
    "text before and after": lambda text: b"subject=/CN=x\n" + text + b"trailing words\n",
    "a TAB between blocks": lambda text: text.replace(b"-----\n-----", b"-----\t-----"),
    "one long line": lambda text: b"\n".join(
        b"-----BEGIN" + block for block in text.replace(b"-----BEGIN", b"\0").split(b"\0")[1:]
    ),
    "UTF-8 mark": lambda text: b"\xef\xbb\xbf" + text,
    "blanks at the ends of lines": lambda text: text.replace(b"\n", b"  \n"),
}


@pytest.mark.parametrize("animal", ZOO)
def test_pem_as_the_world_writes_it(acm, animal):
    sub, _ = authorities()
    made = make(issuer=sub)
    change = ZOO[animal]
    arn = acm.take(
        made,
        Certificate=change(made.pem),
        PrivateKey=change(key_pem(made.key, form="TraditionalOpenSSL")),
        CertificateChain=change(made.chain),
    )
    # However it came, it goes out in one form.
    assert acm.body(arn)["CertificateChain"] == made.chain.decode().strip()
    assert acm.body(arn)["Certificate"] == made.pem.decode().strip()


def test_the_curve_before_the_key_is_ignored(acm):
    made = make()
    acm.take(made, PrivateKey=EC_PARAMETERS + key_pem(made.key, form="TraditionalOpenSSL"))


def test_what_is_not_pem(acm):
    made = make()
    der = made.certificate.public_bytes(serialization.Encoding.DER)
    for text in (der, b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", made.pem[:-30]):
        refuse(acm, NOT_PEM, Certificate=text)
    refuse(acm, NOT_PEM, Certificate=made.pem.replace(b"M", b"!", 1))
    refuse(acm, NOT_PEM, Certificate=csr())
    # A private key does not belong there, and is not silently dropped.
    refuse(acm, NOT_PEM, Certificate=key_pem(made.key) + made.pem)
    refuse(acm, NOT_PEM, Certificate=made.pem + key_pem(made.key))


def test_the_members_are_needed(acm):
    made = make()
    with refused("ValidationException", "Value null at 'certificate' failed"):
        acm.acm.import_certificate(PrivateKey=key_pem(made.key))
    with refused("ValidationException", "Value null at 'privateKey' failed"):
        acm.acm.import_certificate(Certificate=made.pem)
    with refused("ValidationException", "at 'certificate'"):
        acm.acm.import_certificate(Certificate=b"a" * 32769, PrivateKey=key_pem(made.key))
    with refused("ValidationException", "at 'privateKey'"):
        acm.acm.import_certificate(Certificate=made.pem, PrivateKey=b"a" * 8193)


def test_two_certificates_in_the_field(acm):
    sub, _ = authorities()
    made = make(issuer=sub)
    refuse(acm, TWO, made, Certificate=made.pem + made.chain)
    refuse(acm, TWO, made, Certificate=made.pem + made.pem)


def test_what_is_not_a_key(acm):
    made = make()
    der = made.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    junk = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    for text in (der, public, made.pem, b"x", junk, key_pem(made.key) * 2, EC_PARAMETERS, key_pem(made.key)[:-40]):
        refuse(acm, NOT_A_KEY, PrivateKey=text)


def test_an_encrypted_key(acm):
    made = make()
    refuse(acm, "encrypted", PrivateKey=key_pem(made.key, passphrase=b"secret"))
    old = key_pem(made.key, form="TraditionalOpenSSL", passphrase=b"secret")
    assert b"DEK-Info" in old
    refuse(acm, "encrypted", PrivateKey=old)


def test_a_key_of_another_certificate(acm):
    text = "The private key does not match the public key of the certificate."
    refuse(acm, text, PrivateKey=key_pem(private_key(number=2)))
    refuse(acm, text, PrivateKey=key_pem(private_key("EC_secp384r1")))
    refuse(acm, text, PrivateKey=key_pem(private_key("RSA_2048")))


def test_times(acm):
    second = timedelta(seconds=1)
    refuse(acm, "The certificate has expired, is not valid.", make(end=START - second))
    refuse(acm, "The certificate is not in effect yet, is not valid.", make(start=START + second))
    acm.take(make(start=START))
    acm.take(make(end=START))


def order(**changes):
    """A certificate that `cryptography` would not make; its key is that of the label `leaf`."""
    made = made_certificates.Order("leaf").but(not_before=START - timedelta(days=1), **changes).sign()
    number = int.from_bytes(b"leaf".ljust(16, b"\1"), "big") + 2**200
    return {
        "Certificate": pem.write("CERTIFICATE", made.der).encode(),
        "PrivateKey": key_pem(ec.derive_private_key(number, ec.SECP256R1())),
    }


def test_what_is_not_a_proper_certificate(acm):
    acm.acm.import_certificate(**order())
    for text, changes in (
        ("version 3", {"version": 1}),
        ("no issuer", {"issuer_name": made_certificates.named()}),
    ):
        with refused("ValidationException", text):
            acm.acm.import_certificate(**order(**changes))


@on_both
def test_serial_numbers(acm):
    longest = acm.acm.import_certificate(**order(serial=2**160 - 1))["CertificateArn"]
    assert acm.detail(longest)["Serial"] == ":".join(["00"] + ["ff"] * 20)
    assert acm.detail(acm.acm.import_certificate(**order(serial=0))["CertificateArn"])["Serial"] == "00"
    negative = acm.acm.import_certificate(**order(serial=-129))["CertificateArn"]
    assert acm.detail(negative)["Serial"] == "ff:7f"
    for serial in (2**160, 2**400, -(2**400)):
        with refused("ValidationException", "more than 20 octets"):
            acm.acm.import_certificate(**order(serial=serial))


@on_both
def test_names_that_hide_something(acm):
    for made in (make("www.example.com\0.example.org"), make("www.example.com", ["www.example.com\0.example.org"])):
        with refused("ValidationException", "NUL"):
            acm.take(made)
    assert acm.detail(acm.take(make("Zoë Müller 山田")))["Subject"] == "CN=Zoë Müller 山田"


def test_the_address_of_the_responder(acm):
    def with_url(length):
        url = "http://ocsp.example.com/".ljust(length, "x")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
        return make(extensions=[x509.AuthorityInformationAccess([access])])

    refuse(acm, "more than 1000 characters", with_url(1001))
    acm.take(with_url(1000))


def test_chains(acm):
    sub, root = authorities()
    made = make(issuer=sub)
    for chain in (sub.pem, sub.pem + root.pem):
        arn = acm.take(made, CertificateChain=chain)
        assert acm.body(arn)["CertificateChain"] == chain.decode().strip()
    # A CA-signed certificate needs no chain (acm.md 20), nor does a self-signed one.
    assert "CertificateChain" not in acm.body(acm.take(made, CertificateChain=None))
    acm.take(make())
    acm.take(make(issuer=root), CertificateChain=root.pem)


def test_chains_that_are_wrong(acm):
    sub, root = authorities()
    made, alone = make(issuer=sub), make()
    stranger = make("Foreign Sub", number=77, ca=True)
    not_a_ca = make("Foreign Sub", number=91, issuer=root)
    for chain in (
        root.pem,
        root.pem + sub.pem,
        made.pem + sub.pem + root.pem,
        sub.pem + root.pem + root.pem,
        sub.pem + made.pem,
        stranger.pem,
        not_a_ca.pem + root.pem,
        b"nonsense",
        key_pem(made.key),
        sub.pem + key_pem(made.key),
        b" ",
    ):
        refuse(acm, BAD_CHAIN, made, CertificateChain=chain)
    refuse(acm, BAD_CHAIN, alone, CertificateChain=root.pem)
    refuse(acm, BAD_CHAIN, alone, CertificateChain=alone.pem)


def test_the_key_of_the_ca_may_be_of_another_kind(acm):
    root = make("RSA Root", key="RSA_2048", ca=True)
    acm.take(make(issuer=root))


def test_the_name_in_answers(acm):
    address = x509.IPAddress(ipaddress.ip_address("203.0.113.7"))
    for made, name, names in (
        (make("www.example.com"), "www.example.com", ["www.example.com"]),
        (make("Front Door", ["a.example.com"]), "Front Door", ["a.example.com"]),
        (make("Front Door"), "Front Door", []),
        (make("localhost"), "localhost", ["localhost"]),
        (make("*.Example.com"), "*.Example.com", ["*.Example.com"]),
        (make("203.0.113.7"), "203.0.113.7", ["203.0.113.7"]),
        (make("2001:db8::1"), "2001:db8::1", ["2001:db8::1"]),
        (make(None, [address, "b.example.com"], subject=distinguished((NameOID.COUNTRY_NAME, "NL"))), "203.0.113.7", 2),
        (make("203.0.113.7", [address]), "203.0.113.7", ["203.0.113.7"]),
        (make("x.example.com", [x509.RFC822Name("a@example.com")]), "x.example.com", ["x.example.com"]),
        (make(None, subject=distinguished((NameOID.COUNTRY_NAME, "NL"))), "", []),
    ):
        arn = acm.take(made)
        detail = acm.detail(arn)
        assert detail["DomainName"] == name
        shown = detail["SubjectAlternativeNames"]
        assert (len(shown) if isinstance(names, int) else shown) == names
        assert (arn in acm.arns(Includes={"keyTypes": ["EC_prime256v1"]})) is True


@on_both
def test_more_than_a_hundred_names(acm):
    names = [f"n{number}.example.com" for number in range(150)]
    arn = acm.take(make("n0.example.com", names, key="RSA_2048"))
    assert acm.detail(arn)["SubjectAlternativeNames"] == names
    (summary,) = acm.listed()
    assert summary["SubjectAlternativeNameSummaries"] == names[:100]
    assert summary["HasAdditionalSubjectAlternativeNames"] is True


def test_the_same_again_is_another_certificate(acm):
    made = make()
    assert acm.take(made) != acm.take(made)
    assert acm.key_count() == 2


def test_a_certificate_of_the_private_ca_is_an_import_like_any_other(acm):
    ca = acm.root()
    key = private_key("EC_prime256v1", 5)
    answer = acm.get(ca, acm.issue(ca, csr("from.example.com", key=key), valid=days(30)))
    arn = acm.acm.import_certificate(
        Certificate=answer["Certificate"].encode(),
        PrivateKey=key_pem(key),
        CertificateChain=answer["CertificateChain"].encode(),
    )["CertificateArn"]
    detail = acm.detail(arn)
    assert (detail["Type"], detail["RenewalEligibility"]) == ("IMPORTED", "INELIGIBLE")
    assert "CertificateAuthorityArn" not in detail
    for call in (
        lambda: acm.acm.renew_certificate(CertificateArn=arn),
        lambda: acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="UNSPECIFIED"),
        lambda: acm.export(arn),
    ):
        with refused("ValidationException", arn):
            call()


def test_an_extended_validation_subject_is_kept(acm):
    subject = distinguished(
        (NameOID.JURISDICTION_COUNTRY_NAME, "NL"),
        (NameOID.BUSINESS_CATEGORY, "Private Organization"),
        (NameOID.SERIAL_NUMBER, "12345678"),
        (NameOID.ORGANIZATION_NAME, "Example, Inc."),
        (NameOID.COMMON_NAME, "ev.example.com"),
    )
    arn = acm.take(make(subject=subject, names=["ev.example.com"], purposes=[SERVER]))
    found = acm.acm.search_certificates()["Results"][0]["X509Attributes"]["Subject"]
    assert found["Organization"] == "Example, Inc."
    assert found["SerialNumber"] == "12345678"
    assert acm.detail(arn)["Subject"].endswith("CN=ev.example.com")


def test_bad_tags_refuse_the_import(acm):
    for tags in ([{"Key": "aws:x"}], [{"Key": "a"}, {"Key": "a"}]):
        refuse(acm, "Invalid Tag Key", Tags=tags)
