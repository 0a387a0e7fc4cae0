"""A hierarchy from CSR to ACTIVE, and every certificate that may not become a CA's (acm-pca.md 2.1 to 2.6, 19)."""

from datetime import timedelta
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError, WaiterError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from doors.pki import P256, ForeignCa, Pki, csr, days, name, parse, pem, refused
from greatseal.domain.authorities.model import Status

NO_WAIT = {"Delay": 0, "MaxAttempts": 3}


@pytest.fixture
def pki(storage):
    return Pki(storage)


def install(pki, arn, certificate, chain=None):
    optional = {} if chain is None else {"CertificateChain": chain}
    pki.pca.import_certificate_authority_certificate(CertificateAuthorityArn=arn, Certificate=certificate, **optional)


def test_a_root_from_creation_to_active(pki):
    arn = pki.create("ROOT")
    described = pki.describe(arn)
    assert arn.startswith("arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/")
    assert described["Status"] == "PENDING_CERTIFICATE"
    assert {"Serial", "NotBefore", "NotAfter", "RestorableUntil", "FailureReason"}.isdisjoint(described)
    assert described["OwnerAccount"] == "111122223333"
    assert described["UsageMode"] == "GENERAL_PURPOSE"
    assert described["KeyStorageSecurityStandard"] == "FIPS_140_2_LEVEL_3_OR_HIGHER"
    assert described["RevocationConfiguration"] == {
        "CrlConfiguration": {"Enabled": False},
        "OcspConfiguration": {"Enabled": False},
    }
    pki.pca.get_waiter("certificate_authority_csr_created").wait(CertificateAuthorityArn=arn, WaiterConfig=NO_WAIT)

    with pki.nothing_issued(), refused("InvalidStateException", "is not in a valid state for issuing certificates"):
        pki.issue(arn)
    issued = pki.issue(arn, pki.csr_of(arn), using="RootCACertificate", valid=days(3650))
    pki.pca.get_waiter("certificate_issued").wait(
        CertificateAuthorityArn=arn, CertificateArn=issued, WaiterConfig=NO_WAIT
    )
    answer = pki.get(arn, issued)
    assert "CertificateChain" not in answer
    install(pki, arn, answer["Certificate"].encode())

    described = pki.describe(arn)
    assert described["Status"] == "ACTIVE"
    assert described["NotBefore"] == pki.now - timedelta(hours=1)
    assert described["NotAfter"] == pki.now + timedelta(days=3650)
    assert described["Serial"].replace(":", "") == issued.rpartition("/")[2]
    own = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)
    assert own["Certificate"] == answer["Certificate"]
    assert "CertificateChain" not in own


def test_the_csr_says_what_was_asked_for_in_the_order_of_the_service(pki):
    subject = {
        "CommonName": "R",
        "Locality": "Delft",
        "SerialNumber": "7",
        "State": "ZH",
        "OrganizationalUnit": "U",
        "Organization": "O",
        "Country": "NL",
    }
    configuration = {
        "KeyAlgorithm": "EC_secp384r1",
        "SigningAlgorithm": "SHA384WITHECDSA",
        "Subject": subject,
        "CsrExtensions": {
            "KeyUsage": {"KeyCertSign": True, "CRLSign": True},
            "SubjectInformationAccess": [
                {
                    "AccessMethod": {"AccessMethodType": "CA_REPOSITORY"},
                    "AccessLocation": {"UniformResourceIdentifier": "https://ca.example.com"},
                }
            ],
        },
    }
    arn = pki.pca.create_certificate_authority(
        CertificateAuthorityType="SUBORDINATE", CertificateAuthorityConfiguration=configuration
    )["CertificateAuthorityArn"]
    text = pki.csr_of(arn)
    assert text == pki.csr_of(arn)
    assert text.startswith(b"-----BEGIN CERTIFICATE REQUEST-----\n")
    assert text.endswith(b"\n-----END CERTIFICATE REQUEST-----")
    assert max(len(line) for line in text.splitlines()[1:-1]) == 64
    request = x509.load_pem_x509_csr(text)
    assert request.is_signature_valid
    assert [attribute.rfc4514_attribute_name for attribute in request.subject][:3] == ["C", "O", "OU"]
    assert [attribute.oid for attribute in request.subject][3:] == [
        NameOID.STATE_OR_PROVINCE_NAME,
        NameOID.COMMON_NAME,
        NameOID.SERIAL_NUMBER,
        NameOID.LOCALITY_NAME,
    ]
    constraints = request.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(True, None)
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert len(request.extensions) == 3
    shown = pki.describe(arn)["CertificateAuthorityConfiguration"]
    assert shown["Subject"] == subject
    assert (
        shown["CsrExtensions"]["SubjectInformationAccess"] == configuration["CsrExtensions"]["SubjectInformationAccess"]
    )
    assert shown["CsrExtensions"]["KeyUsage"]["KeyCertSign"] is True
    assert shown["CsrExtensions"]["KeyUsage"]["DigitalSignature"] is False


def test_custom_attributes_come_back_as_given(pki):
    custom = [
        {"ObjectIdentifier": "0.9.2342.19200300.100.1.25", "Value": "com"},
        {"ObjectIdentifier": "0.9.2342.19200300.100.1.25", "Value": "example"},
        {"ObjectIdentifier": "1.3.6.1.4.1.37244.1.4", "Value": "CACACACA00000001"},
        {"ObjectIdentifier": "2.5.4.3", "Value": "Matter Test Root"},
    ]
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"CustomAttributes": custom},
    }
    arn = pki.pca.create_certificate_authority(
        CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
    )["CertificateAuthorityArn"]
    assert pki.describe(arn)["CertificateAuthorityConfiguration"]["Subject"] == {"CustomAttributes": custom}
    subject = x509.load_pem_x509_csr(pki.csr_of(arn)).subject
    assert [attribute.value for attribute in subject] == [item["Value"] for item in custom]


def test_chains_are_nearest_first_with_the_root_last_and_no_newline_at_the_end(pki):
    root = pki.root()
    middle = pki.subordinate(root, using="SubordinateCACertificate_PathLen1")
    low = pki.subordinate(middle, valid=days(900))
    answer = pki.get(low, pki.issue(low))
    assert answer["CertificateChain"].count("BEGIN CERTIFICATE") == 3
    assert not answer["CertificateChain"].endswith("\n")
    assert "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----" in answer["CertificateChain"]
    whole = f"{answer['Certificate']}\n{answer['CertificateChain']}".encode()
    path = x509.load_pem_x509_certificates(whole)
    for lower, upper in pairwise(path):
        lower.verify_directly_issued_by(upper)
    assert path[-1].subject == path[-1].issuer
    own = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=low)
    assert f"{own['Certificate']}\n{own['CertificateChain']}" == answer["CertificateChain"]


def test_the_chain_of_an_issued_certificate_stays_when_its_ca_gets_another_certificate(pki):
    root = pki.root()
    low = pki.subordinate(root)
    issued = pki.issue(low)
    before = pki.get(low, issued)
    pki.clock.advance(timedelta(hours=2))
    pki.install_subordinate(low, root, valid=days(700))
    assert pki.describe(low)["NotAfter"] == pki.now + timedelta(days=700)
    assert pki.get(low, issued)["CertificateChain"] == before["CertificateChain"]
    assert pki.get(low, pki.issue(low))["CertificateChain"] != before["CertificateChain"]


def test_an_active_root_takes_a_second_certificate_of_its_own(pki):
    arn = pki.root()
    first = pki.describe(arn)
    pki.clock.advance(timedelta(days=1))
    pki.install_root(arn, valid=days(4000))
    second = pki.describe(arn)
    assert (first["Status"], second["Status"]) == ("ACTIVE", "ACTIVE")
    assert first["Serial"] != second["Serial"]
    assert second["LastStateChangeAt"] == pki.now


def test_a_subordinate_of_an_external_root(pki):
    foreign_root = ForeignCa("External Root", pki.now)
    foreign = ForeignCa("External Intermediate", pki.now, foreign_root)
    arn = pki.create("SUBORDINATE", "EC_secp384r1")
    certificate = foreign.certify(pki.csr_of(arn), constraints=(x509.BasicConstraints(True, 0), True))
    # As people have it: text between the blocks, Windows line ends.
    chain = (b"intermediate\r\n" + pem(foreign.certificate) + b"\r\nroot\n" + pem(foreign_root.certificate)).replace(
        b"\n", b"\r\n"
    )
    install(pki, arn, pem(certificate), chain)
    assert pki.status(arn) == "ACTIVE"
    leaf = pki.certificate(arn)
    leaf.verify_directly_issued_by(certificate)
    # This foreign CA set no SKI: the key identifier is derived (acm-pca.md 6.4).
    identifier = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert identifier.key_identifier == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    with refused("ValidationException", "path"):
        pki.issue(arn, pki.csr_of(pki.create("SUBORDINATE")), using="SubordinateCACertificate_PathLen0")


def test_csr_waiter_waits_while_the_ca_is_created_and_stops_when_access_is_denied(pki):
    arn = pki.create()
    waiter = pki.pca.get_waiter("certificate_authority_csr_created")
    set_status(pki, arn, Status.CREATING)
    with refused("RequestInProgressException"):
        pki.csr_of(arn)
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        waiter.wait(CertificateAuthorityArn=arn, WaiterConfig=NO_WAIT)
    with pytest.raises(WaiterError, match="AccessDenied"):
        waiter.wait(CertificateAuthorityArn=arn.replace("111122223333", "444455556666"), WaiterConfig=NO_WAIT)


def set_status(pki, arn, status):
    """States that creation passes through too fast for a client to meet."""
    from sqlalchemy import update

    from greatseal.domain.authorities.store.authorities import authority

    pki.storage.transact(
        lambda tx: tx.execute(update(authority).where(authority.c.arn == arn).values(status=status.value))
    )


# -- import refusals (acm-pca.md 2.5) -------------------------------------------------------------------------

UNSUPPORTED = x509.NameConstraints([x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))], None)
URL = [x509.UniformResourceIdentifier("http://crl.example.com/x.crl")]
DISTRIBUTION = x509.CRLDistributionPoints([x509.DistributionPoint(URL, None, None, None)])
ACCESS = x509.AuthorityInformationAccess(
    [x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP, URL[0])],
)
SIGN_ONLY = x509.KeyUsage(True, False, False, False, False, False, False, False, False)

CERTIFICATES = {
    "constraints not critical": {"constraints": (x509.BasicConstraints(True, None), False)},
    "constraints absent": {"constraints": None},
    "not a CA": {"constraints": (x509.BasicConstraints(False, None), True)},
    "critical CDP": {"extensions": [(DISTRIBUTION, True)]},
    "critical AIA": {"extensions": [(ACCESS, True)]},
    "critical freshest CRL": {"extensions": [(x509.FreshestCRL(list(DISTRIBUTION)), True)]},
    "critical policy constraints": {"extensions": [(x509.PolicyConstraints(0, None), True)]},
    "critical unknown": {
        "extensions": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]
    },
    "unsupported constraint form": {"extensions": [(UNSUPPORTED, True)]},
    "key usage without keyCertSign": {"extensions": [(SIGN_ONLY, True)]},
    "expired": {"until": timedelta(days=-1)},
    "signed by another key": {"key": P256},
}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("wrong", CERTIFICATES)
def test_a_wrong_certificate_is_not_imported(pki, wrong):
    foreign = ForeignCa("External Root", pki.now)
    arn = pki.create("SUBORDINATE")
    certificate = foreign.certify(pki.csr_of(arn), **CERTIFICATES[wrong])
    with refused("MalformedCertificateException"):
        install(pki, arn, pem(certificate), pem(foreign.certificate))
    assert pki.status(arn) == "PENDING_CERTIFICATE"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_certificate_of_another_key_or_subject_is_not_imported(pki):
    foreign = ForeignCa("External Root", pki.now)
    arn = pki.create("SUBORDINATE")
    request = x509.load_pem_x509_csr(pki.csr_of(arn))
    for public_key, subject in ((P256.public_key(), request.subject), (request.public_key(), name("Somebody"))):
        with refused("CertificateMismatchException"):
            install(pki, arn, pem(foreign.sign(public_key, subject)), pem(foreign.certificate))
    other = pki.create("SUBORDINATE", common_name="Other")
    with refused("CertificateMismatchException"):
        install(pki, arn, pem(foreign.certify(pki.csr_of(other))), pem(foreign.certificate))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_wrong_chains_are_not_imported(pki):
    top = ForeignCa("Top", pki.now)
    middle = ForeignCa("Middle CA", pki.now, top)
    narrow = ForeignCa("Narrow CA X", pki.now, top, constraints=(x509.BasicConstraints(True, 0), True))
    stranger = ForeignCa("Stranger", pki.now)
    arn = pki.create("SUBORDINATE")
    good = pem(middle.certify(pki.csr_of(arn)))
    m, t, s = pem(middle.certificate), pem(top.certificate), pem(stranger.certificate)
    for code, certificate, chain in (
        ("InvalidRequestException", good, None),
        ("InvalidRequestException", good, b""),
        ("MalformedCertificateException", good, t + m),
        ("MalformedCertificateException", good, m),
        ("MalformedCertificateException", good, t),
        ("MalformedCertificateException", good, m + t + s),
        ("MalformedCertificateException", good, good + m + t),
        ("MalformedCertificateException", good, m + m + t),
        ("MalformedCertificateException", good, b"no PEM at all"),
        ("MalformedCertificateException", good, m + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("MalformedCertificateException", good + m, m + t),
        ("MalformedCertificateException", b"rubbish", m + t),
        ("MalformedCertificateException", csr(), m + t),
        ("MalformedCertificateException", good[:-60], m + t),
        # Path length 0 above leaves no room for a CA below.
        ("MalformedCertificateException", pem(narrow.certify(pki.csr_of(arn))), pem(narrow.certificate) + t),
    ):
        with refused(code):
            install(pki, arn, certificate, chain)
        assert pki.status(arn) == "PENDING_CERTIFICATE"
    install(pki, arn, good, m + t)
    assert pki.status(arn) == "ACTIVE"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_root_takes_only_its_own_self_signed_certificate_without_chain(pki):
    foreign = ForeignCa("External Root", pki.now)
    arn = pki.create("ROOT")
    own = pki.get(arn, pki.issue(arn, pki.csr_of(arn), using="RootCACertificate"))["Certificate"].encode()
    with refused("InvalidRequestException", "chain"):
        install(pki, arn, own, pem(foreign.certificate))
    with refused("InvalidRequestException", "self-signed"):
        install(pki, arn, pem(foreign.certify(pki.csr_of(arn))))
    other = pki.root()
    theirs = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=other)["Certificate"].encode()
    with refused("CertificateMismatchException"):
        install(pki, arn, theirs)
    # Terraform sends an empty chain for a root.
    install(pki, arn, own, b"")
    assert pki.status(arn) == "ACTIVE"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_self_signed_certificate_is_not_imported_for_a_subordinate(pki):
    arn = pki.create("SUBORDINATE")
    foreign = ForeignCa("External Root", pki.now)
    with refused("InvalidRequestException", "self-signed"):
        install(pki, arn, pem(foreign.certificate), pem(foreign.certificate))
    with refused("InvalidArgsException", "type ROOT"):
        pki.pca.issue_certificate(
            CertificateAuthorityArn=pki.subordinate(pki.root()),
            Csr=pki.csr_of(arn),
            SigningAlgorithm="SHA256WITHECDSA",
            Validity=days(10),
            TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1",
        )


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_root_template_signs_only_the_root_s_own_csr(pki):
    arn = pki.create("ROOT")
    for request in (csr(), pki.csr_of(pki.create("ROOT"))):
        with pki.nothing_issued(), refused("InvalidArgsException", "itself"):
            pki.issue(arn, request, using="RootCACertificate")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"SigningAlgorithm": "SHA256WITHRSA"}, "InvalidArgsException", "cannot be used with key type EC_prime256v1"),
        ({"KeyAlgorithm": "SM2", "SigningAlgorithm": "SM3WITHSM2"}, "InvalidArgsException", "SM2"),
        ({"SigningAlgorithm": "SM3WITHSM2"}, "InvalidArgsException", "SM3WITHSM2"),
        ({"KeyAlgorithm": "ML_DSA_44", "SigningAlgorithm": "ML_DSA_65"}, "InvalidArgsException", "ML_DSA_44."),
        ({"KeyAlgorithm": "DSA"}, "ValidationException", "Member must satisfy enum value set"),
        ({"Subject": {}}, "InvalidArgsException", "empty"),
        ({"Subject": {"Country": "NLD", "CommonName": "x"}}, "ValidationException", "subject.country"),
        ({"Subject": {"CommonName": "x" * 65}}, "ValidationException", "less than or equal to 64"),
        (
            {"Subject": {"CommonName": "x", "CustomAttributes": [{"ObjectIdentifier": "2.5.4.3", "Value": "x"}]}},
            "InvalidArgsException",
            "CustomAttributes",
        ),
        (
            {"Subject": {"CustomAttributes": [{"ObjectIdentifier": "2.5.4.6", "Value": "Nether\u00e4"}]}},
            "InvalidArgsException",
            "",
        ),
        ({"Subject": {"CustomAttributes": [{"ObjectIdentifier": "9.9", "Value": "x"}]}}, "ValidationException", ""),
    ],
)
def test_what_cannot_be_a_ca_is_refused(pki, change, code, text):
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"CommonName": "R"},
        **change,
    }
    with refused(code, text):
        pki.pca.create_certificate_authority(
            CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
        )
    assert pki.pca.list_certificate_authorities()["CertificateAuthorities"] == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "location",
    [
        {"Rfc822Name": "j\u00fcrgen@example.com"},
        {"UniformResourceIdentifier": "https://b\u00fccher.example"},
        {"DnsName": "b\u00fccher.example"},
        {"IpAddress": "300.1.1.1"},
        {"RegisteredId": "1.2.3", "DnsName": "a.example"},
        {},
        {"DirectoryName": {}},
        {"OtherName": {"TypeId": "1.2.3", "Value": "\ud7ff"}, "DnsName": "a"},
    ],
)
def test_a_csr_extension_that_cannot_be_encoded_is_refused(pki, location):
    access = {"AccessMethod": {"AccessMethodType": "CA_REPOSITORY"}, "AccessLocation": location}
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"CommonName": "R"},
        "CsrExtensions": {"SubjectInformationAccess": [access]},
    }
    with refused("InvalidArgsException"):
        pki.pca.create_certificate_authority(
            CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
        )
    access["AccessLocation"] = {"UniformResourceIdentifier": "https://ca.example"}
    for method in ({}, {"AccessMethodType": "CA_REPOSITORY", "CustomObjectIdentifier": "1.2.3"}):
        access["AccessMethod"] = method
        with refused("InvalidArgsException"):
            pki.pca.create_certificate_authority(
                CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
            )


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("revocation", "code"),
    [
        ({"CrlConfiguration": {}}, "ValidationException"),
        ({"OcspConfiguration": {}}, "ValidationException"),
        ({"CrlConfiguration": {"Enabled": False, "ExpirationInDays": 7}}, "InvalidArgsException"),
        ({"OcspConfiguration": {"Enabled": False, "OcspCustomCname": "ocsp.example"}}, "InvalidArgsException"),
    ],
)
def test_options_of_a_revocation_configuration_that_is_off_are_refused(pki, revocation, code):
    with refused(code):
        pki.create(RevocationConfiguration=revocation)
    arn = pki.root(RevocationConfiguration={"CrlConfiguration": {"Enabled": False}})
    with refused(code):
        pki.pca.update_certificate_authority(CertificateAuthorityArn=arn, RevocationConfiguration=revocation)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_chinese_security_standard_is_not_for_this_region(pki):
    text = "A certificate authority cannot be created in this region with the specified security standard."
    with refused("InvalidArgsException", text):
        pki.create(KeyStorageSecurityStandard="CCPC_LEVEL_1_OR_HIGHER")
    arn = pki.create(KeyStorageSecurityStandard="FIPS_140_2_LEVEL_2_OR_HIGHER")
    assert pki.describe(arn)["KeyStorageSecurityStandard"] == "FIPS_140_2_LEVEL_2_OR_HIGHER"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("key", ["EC_secp384r1", "EC_secp521r1", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_a_root_of_every_quick_key(pki, key):
    arn = pki.root(key)
    assert pki.status(arn) == "ACTIVE"
    own = parse(pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"])
    own.verify_directly_issued_by(own)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_at_most_200_authorities_an_account_and_region(pki, monkeypatch):
    monkeypatch.setattr("greatseal.domain.authorities.lifecycle.MAX_AUTHORITIES", 2)
    pki.create()
    gone = pki.create()
    with pytest.raises(ClientError, match="LimitExceededException"):
        pki.create()
    pki.delete(gone)
    pki.create()


def test_every_ca_has_a_key_of_its_own(pki):
    keys = [x509.load_pem_x509_csr(pki.csr_of(pki.create())).public_key() for _ in range(3)]
    assert all(isinstance(key, ec.EllipticCurvePublicKey) for key in keys)
    assert len({key.public_numbers().x for key in keys}) == 3
