"""IssueCertificate: validity, algorithms, templates, path length, modes (acm-pca.md 2.7, 5 to 8, 19)."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from doors.pki import MLDSA65, P384, Pki, csr, days, name, parse, refused, rsa_key, serial_of
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm, signature_algorithms_for

# What is tested here is computed before anything is stored: one database is enough.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

EXCEEDED = "The certificate validity specified exceeds the CA validity."


@pytest.fixture
def pki(storage):
    return Pki(storage)


def seconds(at):
    return int(at.timestamp())


# -- validity (6.1) ------------------------------------------------------------------------------------------

ENDLESS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_every_type_of_validity(pki):
    root = pki.root(valid={"Type": "ABSOLUTE", "Value": seconds(ENDLESS)})
    start = pki.now
    assert pki.describe(root)["NotAfter"].year == 9999
    for kind, value, expected in (
        ("DAYS", 1, start + timedelta(days=1)),
        ("DAYS", 365, start + timedelta(days=365)),
        ("MONTHS", 1, datetime(2026, 2, 15, 12, tzinfo=UTC)),
        ("MONTHS", 13, datetime(2027, 2, 15, 12, tzinfo=UTC)),
        ("YEARS", 9, datetime(2035, 1, 15, 12, tzinfo=UTC)),
        ("YEARS", 30, datetime(2056, 1, 15, 12, tzinfo=UTC)),
        ("ABSOLUTE", seconds(start) + 1, start + timedelta(seconds=1)),
        ("ABSOLUTE", 2524607999, datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("ABSOLUTE", 2524608000, datetime(2050, 1, 1, tzinfo=UTC)),
        ("ABSOLUTE", seconds(ENDLESS), ENDLESS),
        ("END_DATE", 20270228235959, datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC)),
        ("END_DATE", 20520101000000, datetime(2052, 1, 1, tzinfo=UTC)),
        ("END_DATE", 99991231235959, ENDLESS),
        ("END_DATE", 270228235959, datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC)),
        ("END_DATE", 491231235959, datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ):
        issued = pki.certificate(root, valid={"Type": kind, "Value": value})
        assert issued.not_valid_before_utc == start - timedelta(hours=1)
        assert issued.not_valid_after_utc == expected, (kind, value)
        # RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
        digits = expected.strftime("%Y%m%d%H%M%SZ").encode()
        later = expected.year >= 2050
        encoded = b"\x18\x0f" + digits if later else b"\x17\x0d" + digits[2:]
        assert encoded in issued.tbs_certificate_bytes


def test_months_end_with_the_month(pki):
    pki.clock.at = datetime(2027, 10, 31, 9, 8, 7, 654321, tzinfo=UTC)
    root = pki.root()
    for months, expected in ((1, (2027, 11, 30)), (4, (2028, 2, 29)), (16, (2029, 2, 28)), (2, (2027, 12, 31))):
        issued = pki.certificate(root, valid={"Type": "MONTHS", "Value": months})
        assert issued.not_valid_after_utc == datetime(*expected, 9, 8, 7, tzinfo=UTC)


def test_a_leap_day_after_a_year(pki):
    pki.clock.at = datetime(2028, 2, 29, tzinfo=UTC)
    issued = pki.certificate(pki.root(), valid={"Type": "YEARS", "Value": 1})
    assert issued.not_valid_after_utc == datetime(2029, 2, 28, tzinfo=UTC)


def test_not_before_is_given_only_as_absolute_and_moves_nothing_else(pki):
    root = pki.root()
    start = pki.now + timedelta(days=2)
    issued = pki.certificate(root, ValidityNotBefore={"Type": "ABSOLUTE", "Value": seconds(start)}, valid=days(10))
    assert issued.not_valid_before_utc == start
    assert issued.not_valid_after_utc == pki.now + timedelta(days=10)
    long_ago = datetime(1971, 1, 1, tzinfo=UTC)
    issued = pki.certificate(root, ValidityNotBefore={"Type": "ABSOLUTE", "Value": seconds(long_ago)})
    assert issued.not_valid_before_utc == long_ago
    for kind in ("DAYS", "MONTHS", "YEARS", "END_DATE"):
        with pki.nothing_issued(), refused("InvalidArgsException", "ABSOLUTE"):
            pki.issue(root, ValidityNotBefore={"Type": kind, "Value": 1})
    for late in (timedelta(days=30), timedelta(days=31)):
        with pki.nothing_issued(), refused("ValidationException"):
            pki.issue(root, ValidityNotBefore={"Type": "ABSOLUTE", "Value": seconds(pki.now + late)}, valid=days(30))


def test_no_certificate_outlives_its_issuer(pki):
    root = pki.root(valid=days(100))
    end = pki.describe(root)["NotAfter"]
    assert pki.certificate(root, valid=days(100)).not_valid_after_utc == end
    for valid in (
        {"Type": "ABSOLUTE", "Value": seconds(end) + 1},
        days(101),
        {"Type": "MONTHS", "Value": 4},
        {"Type": "YEARS", "Value": 1},
        {"Type": "END_DATE", "Value": 99991231235959},
    ):
        with pki.nothing_issued(), refused("ValidationException", EXCEEDED):
            pki.issue(root, valid=valid)


@pytest.mark.parametrize(
    "valid",
    [
        {"Type": "ABSOLUTE", "Value": 1},
        {"Type": "ABSOLUTE", "Value": 1768478400},  # this very second
        {"Type": "ABSOLUTE", "Value": 253402300800},  # the year 10000
        {"Type": "ABSOLUTE", "Value": 2**63 - 1},
        {"Type": "DAYS", "Value": 3_000_000},
        {"Type": "DAYS", "Value": 2**63 - 1},
        {"Type": "MONTHS", "Value": 2**63 - 1},
        {"Type": "YEARS", "Value": 8000},
        {"Type": "END_DATE", "Value": 20260115120000},  # this very second
        {"Type": "END_DATE", "Value": 20270229000000},  # no such day
        {"Type": "END_DATE", "Value": 20271301000000},
        {"Type": "END_DATE", "Value": 20270101240000},
        {"Type": "END_DATE", "Value": 20261231235960},  # a leap second
        {"Type": "END_DATE", "Value": 500101000000},  # 1950
        {"Type": "END_DATE", "Value": 1},
        {"Type": "END_DATE", "Value": 2027010100000},
        {"Type": "END_DATE", "Value": 202701010000000},
        {"Type": "DAYS", "Value": 0},
        {"Type": "DAYS", "Value": -1},
        {"Type": "WEEKS", "Value": 1},
        {"Type": "DAYS"},
    ],
)
def test_times_that_no_certificate_can_have(pki, valid):
    root = pki.root()
    with pki.nothing_issued(), refused("ValidationException"):
        pki.issue(root, valid=valid)


def test_a_certificate_may_be_issued_while_clocks_are_set(pki):
    root = pki.root()
    for step in (timedelta(hours=1), timedelta(hours=-2), timedelta(hours=1)):
        pki.clock.advance(step)
        issued = pki.certificate(root)
        assert issued.not_valid_before_utc == pki.now - timedelta(hours=1)


# -- algorithms (5) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["EC_prime256v1", "EC_secp521r1", "ML_DSA_44", "RSA_2048"])
def test_signing_algorithms_of_each_key(pki, key):
    root = pki.root(key)
    own = parse(pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=root)["Certificate"])
    valid = [row.name for row in signature_algorithms_for(KeyAlgorithm[key])]
    for algorithm in SignatureAlgorithm:
        if algorithm.name not in valid:
            text = (
                f"Signing algorithm {algorithm.name} cannot be used with key type {key}. "
                f"Valid signing algorithms are: {', '.join(valid)}."
            )
            with pki.nothing_issued(), refused("InvalidArgsException", text):
                pki.issue(root, algorithm=algorithm.name)
            continue
        issued = pki.certificate(root, algorithm=algorithm.name)
        issued.verify_directly_issued_by(own)
        assert algorithm.identifier in issued.tbs_certificate_bytes
        if algorithm.value.pss:
            parameters = issued.signature_algorithm_parameters
            assert isinstance(parameters, padding.PSS)
    for unknown, code in (("SM3WITHSM2", "InvalidArgsException"), ("SHA1WITHRSA", "ValidationException")):
        with pki.nothing_issued(), refused(code):
            pki.issue(root, algorithm=unknown)


def test_the_key_of_a_csr_may_be_of_another_family_than_its_ca(pki):
    quantum, curve = pki.root("ML_DSA_65"), pki.root("EC_secp384r1")
    for root in (quantum, curve):
        own = parse(pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=root)["Certificate"])
        for key, kind in (
            (MLDSA65, mldsa.MLDSA65PublicKey),
            (P384, ec.EllipticCurvePublicKey),
            (rsa_key(), rsa.RSAPublicKey),
        ):
            issued = pki.certificate(root, csr("leaf.example.com", "leaf.example.com", key=key))
            assert isinstance(issued.public_key(), kind)
            issued.verify_directly_issued_by(own)


# -- templates (7, 8) ----------------------------------------------------------------------------------------

OWN_WORDS = (
    (x509.BasicConstraints(True, 5), True),
    (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
    (x509.ExtendedKeyUsage([Purpose.ANY_EXTENDED_KEY_USAGE]), True),
    (x509.SubjectKeyIdentifier(b"mine"), False),
    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False),
)
API_WORDS = {
    "Subject": {"Country": "NL", "CommonName": "api.example.com"},
    "Extensions": {
        "KeyUsage": {"CRLSign": True},
        "ExtendedKeyUsage": [{"ExtendedKeyUsageType": "TIME_STAMPING"}],
        "SubjectAlternativeNames": [{"DnsName": "api.example.com"}, {"IpAddress": "2001:db8::1"}],
        "CertificatePolicies": [
            {
                "CertPolicyId": "1.2.3.5",
                "PolicyQualifiers": [{"PolicyQualifierId": "CPS", "Qualifier": {"CpsUri": "https://cps.example.com"}}],
            }
        ],
        "CustomExtensions": [
            {"ObjectIdentifier": "1.2.3.4", "Value": base64.b64encode(b"\x01\x01\xff").decode(), "Critical": True}
        ],
    },
}


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def names_of(certificate):
    return [str(each.value) for each in extension(certificate, x509.SubjectAlternativeName).value]


@pytest.mark.parametrize(
    ("using", "names", "custom"),
    [
        (None, ["csr.example.com"], None),
        ("EndEntityCertificate_CSRPassthrough", ["csr.example.com"], b"\x05\x00"),
        ("EndEntityCertificate_APIPassthrough", ["api.example.com", "2001:db8::1"], b"\x01\x01\xff"),
        ("EndEntityCertificate_APICSRPassthrough", ["api.example.com", "2001:db8::1"], b"\x01\x01\xff"),
    ],
)
def test_the_template_wins_over_the_api_and_the_api_over_the_csr(pki, using, names, custom):
    root = pki.root()
    request = csr("csr.example.com", "csr.example.com", extensions=OWN_WORDS)
    issued = pki.certificate(root, request, using=using, ApiPassthrough=API_WORDS)
    from_api = using is not None and "API" in using
    assert issued.subject.rfc4514_string() == ("CN=api.example.com,C=NL" if from_api else "CN=csr.example.com")
    assert names_of(issued) == names
    assert extension(issued, x509.BasicConstraints).value == x509.BasicConstraints(False, None)
    usage = extension(issued, x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment
    assert not usage.value.crl_sign
    assert list(extension(issued, x509.ExtendedKeyUsage).value) == [Purpose.SERVER_AUTH, Purpose.CLIENT_AUTH]
    assert extension(issued, x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(
        issued.public_key()
    )
    found = [each for each in issued.extensions if each.oid.dotted_string == "1.2.3.4"]
    assert [each.value.value for each in found] == ([] if custom is None else [custom])
    has_policies = any(isinstance(each.value, x509.CertificatePolicies) for each in issued.extensions)
    assert has_policies == from_api


def test_blank_templates_take_usages_from_outside(pki):
    root = pki.root()
    issued = pki.certificate(root, csr(), using="BlankEndEntityCertificate_APIPassthrough", ApiPassthrough=API_WORDS)
    assert extension(issued, x509.KeyUsage).value.crl_sign
    assert list(extension(issued, x509.ExtendedKeyUsage).value) == [Purpose.TIME_STAMPING]
    bare = pki.certificate(root, csr(), using="BlankEndEntityCertificate_APIPassthrough", ApiPassthrough={})
    with pytest.raises(x509.ExtensionNotFound):
        extension(bare, x509.KeyUsage)


@pytest.mark.parametrize(
    "passthrough",
    [
        {"Extensions": {"SubjectAlternativeNames": [{}]}},
        {"Extensions": {"SubjectAlternativeNames": [{"DnsName": "a.example", "IpAddress": "192.0.2.1"}]}},
        {"Extensions": {"SubjectAlternativeNames": [{"IpAddress": "192.0.2.256"}]}},
        {"Extensions": {"SubjectAlternativeNames": [{"IpAddress": "example.com"}]}},
        {"Extensions": {"SubjectAlternativeNames": [{"DnsName": "b\u00fccher.example"}]}},
        {"Extensions": {"SubjectAlternativeNames": [{"DirectoryName": {}}]}},
        {"Extensions": {"ExtendedKeyUsage": [{}]}},
        {
            "Extensions": {
                "ExtendedKeyUsage": [
                    {"ExtendedKeyUsageType": "SERVER_AUTH", "ExtendedKeyUsageObjectIdentifier": "1.2.3"}
                ]
            }
        },
        {
            "Extensions": {
                "CustomExtensions": [
                    {"ObjectIdentifier": "1.2.3", "Value": "BQA="},
                    {"ObjectIdentifier": "1.2.3", "Value": "BQA="},
                ]
            }
        },
        {
            "Extensions": {
                "KeyUsage": {"DigitalSignature": True},
                "CustomExtensions": [{"ObjectIdentifier": "2.5.29.15", "Value": "AwIHgA=="}],
            }
        },
        {"Subject": {"CommonName": "x", "CustomAttributes": [{"ObjectIdentifier": "2.5.4.3", "Value": "x"}]}},
    ],
)
def test_a_passthrough_that_contradicts_itself_is_refused_and_ignored_elsewhere(pki, passthrough):
    root = pki.root()
    with pki.nothing_issued(), refused("InvalidArgsException"):
        pki.issue(root, using="BlankEndEntityCertificate_APIPassthrough", ApiPassthrough=passthrough)
    assert pki.issue(root, using="EndEntityCertificate", ApiPassthrough=passthrough)


@pytest.mark.parametrize(
    ("passthrough", "path"),
    [
        ({"Extensions": {"CustomExtensions": [{"ObjectIdentifier": "9.9", "Value": "BQA="}]}}, "objectIdentifier"),
        ({"Extensions": {"CustomExtensions": [{"ObjectIdentifier": "1.2.3", "Value": "BQA"}]}}, "value"),
        ({"Extensions": {"CustomExtensions": []}}, "customExtensions"),
        ({"Subject": {"Country": "Netherlands"}}, "country"),
    ],
)
def test_the_shape_of_an_ignored_passthrough_is_still_checked(pki, passthrough, path):
    root = pki.root()
    with pki.nothing_issued(), refused("ValidationException", path):
        pki.issue(root, ApiPassthrough=passthrough)


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:acm-pca:::template/EndEntityCertificate/V2", "InvalidArgsException"),
        ("arn:aws:acm-pca:::template/BlankEndEntityCertificate/V1", "InvalidArgsException"),
        ("arn:aws:acm-pca:us-east-1:111122223333:template/EndEntityCertificate/V1", "InvalidArgsException"),
        ("arn:aws:acm-pca:::template/RootCACertificate_CSRPassthrough/V1", "InvalidArgsException"),
        ("EndEntityCertificate", "ValidationException"),
    ],
)
def test_templates_that_do_not_exist(pki, arn, code):
    root = pki.root()
    with pki.nothing_issued(), refused(code):
        pki.issue(root, TemplateArn=arn)


# -- path length (6.2) ---------------------------------------------------------------------------------------


def test_path_lengths_shrink_down_the_hierarchy(pki):
    root = pki.root()
    two = pki.subordinate(root, using="SubordinateCACertificate_PathLen2")
    one = pki.subordinate(two, using="SubordinateCACertificate_PathLen1", valid=days(1000))
    zero = pki.subordinate(one, using="SubordinateCACertificate_PathLen0", valid=days(900))
    waiting = pki.csr_of(pki.create("SUBORDINATE"))
    for ca, allowed in ((root, 4), (two, 2), (one, 1), (zero, 0)):
        for length in range(4):
            for using in (
                "SubordinateCACertificate_PathLen{}",
                "BlankSubordinateCACertificate_PathLen{}_CSRPassthrough",
            ):
                if length < allowed:
                    issued = pki.certificate(ca, waiting, using=using.format(length))
                    assert extension(issued, x509.BasicConstraints).value == x509.BasicConstraints(True, length)
                    continue
                with pki.nothing_issued(), refused("ValidationException"):
                    pki.issue(ca, waiting, using=using.format(length))
        assert pki.issue(ca)


def test_a_path_length_of_the_root_binds_those_below(pki):
    usage = {"Extensions": {"KeyUsage": {"KeyCertSign": True, "CRLSign": True}}}
    root = pki.root(using="BlankRootCACertificate_PathLen1_APIPassthrough", passthrough=usage)
    low = pki.subordinate(root)
    for ca, length in ((root, 1), (root, 3), (low, 0)):
        with pki.nothing_issued(), refused("ValidationException"):
            pki.issue(ca, csr("x"), using=f"SubordinateCACertificate_PathLen{length}")


# -- SHORT_LIVED_CERTIFICATE (4) -----------------------------------------------------------------------------


def test_a_short_lived_ca_issues_for_seven_days_at_most(pki):
    root = pki.root(UsageMode="SHORT_LIVED_CERTIFICATE")
    assert pki.describe(root)["UsageMode"] == "SHORT_LIVED_CERTIFICATE"
    assert pki.describe(root)["NotAfter"] == pki.now + timedelta(days=3650)
    week = pki.now + timedelta(days=7)
    for valid in (days(7), {"Type": "ABSOLUTE", "Value": seconds(week)}):
        issued = pki.certificate(root, valid=valid)
        assert issued.not_valid_after_utc - issued.not_valid_before_utc == timedelta(days=7, hours=1)
    for valid in (days(8), {"Type": "ABSOLUTE", "Value": seconds(week) + 1}, {"Type": "MONTHS", "Value": 1}):
        with pki.nothing_issued(), refused("ValidationException", "7 days"):
            pki.issue(root, valid=valid)


# -- the answer ----------------------------------------------------------------------------------------------


def test_an_arn_carries_the_serial_and_the_certificate_its_facts(pki):
    root = pki.root()
    issued = pki.issue(root, csr("app.example.com", "app.example.com", "*.example.com"))
    certificate = parse(pki.get(root, issued)["Certificate"])
    assert issued == f"{root}/certificate/{certificate.serial_number:032x}"
    assert serial_of(issued) == serial_of(issued).lower()
    assert certificate.version is x509.Version.v3
    assert certificate.subject == name("app.example.com")
    assert names_of(certificate) == ["app.example.com", "*.example.com"]
    assert [each.oid.dotted_string for each in certificate.extensions] == [
        "2.5.29.19",
        "2.5.29.35",
        "2.5.29.14",
        "2.5.29.15",
        "2.5.29.37",
        "2.5.29.17",
    ]
