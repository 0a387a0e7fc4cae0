"""One broken certificate for every rule that blocks, and the findings it must bring."""

from datetime import UTC, datetime, timedelta

import pytest

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, EMAIL_ADDRESS, Attribute
from greatseal.x509.extensions import (
    OID,
    AccessDescription,
    Extension,
    authority_information_access,
    authority_key_identifier,
    basic_constraints,
    crl_distribution_points,
    extended_key_usage,
    key_usage,
    name_constraints,
    subject_alternative_name,
    subject_information_access,
)
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.lint import RULES, Finding, Profile, Severity, lint
from greatseal.x509.names import Name
from made_certificates import ALGORITHM, CA_USAGE, LEAF, NOW, ROOT, SUBORDINATE, Order, named


def findings(order: Order, *, tbs: bytes | None = None, **profile) -> tuple[Finding, ...]:
    issuer = order.issuer.sign() if order.issuer else None
    intended = Profile(**({"ca": order.ca} | profile))
    return lint(order.tbs() if tbs is None else tbs, issuer=issuer, profile=intended)


def errors(order: Order, **options) -> set[str]:
    return {found.code for found in findings(order, **options) if found.severity is Severity.ERROR}


def warnings(order: Order, **options) -> set[str]:
    return {found.code for found in findings(order, **options) if found.severity is Severity.WARNING}


def with_san(*names: GeneralName, critical: bool = False, order: Order = LEAF) -> Order:
    return order.but(add=(subject_alternative_name(names, critical),))


def subject(*attributes: tuple[str, int, str]) -> Order:
    return LEAF.but(subject=Name.build([(Attribute(*attribute),) for attribute in attributes]))


@pytest.mark.parametrize("order", [ROOT, SUBORDINATE, LEAF, with_san(dns("www.example.com"))])
def test_good_certificates_have_no_finding(order):
    assert findings(order, algorithm=ALGORITHM) == ()


def test_codes_are_unique_and_rules_have_a_reference():
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert all(rule.reference for rule in RULES)


FRAME = [
    ("version", LEAF.but(version=2)),
    ("serial", LEAF.but(serial=0)),
    ("serial", LEAF.but(serial=-1)),
    ("serial", LEAF.but(serial=1 << 159)),
    ("signature-algorithm", LEAF.but(algorithm=bytes.fromhex("300d06092a864886f70d0101050500"))),
    ("signature-algorithm", LEAF.but(algorithm=bytes.fromhex("300c06082a8648ce3d0403020500"))),
    ("issuer", LEAF.but(issuer_name=named("SUBORDINATE"))),
    ("issuer", LEAF.but(issuer_name=named())),
    ("issuer", ROOT.but(issuer_name=named("another"))),
    ("validity-order", LEAF.but(not_before=NOW, not_after=NOW - timedelta(seconds=1))),
    ("validity-issuer", LEAF.but(not_after=SUBORDINATE.not_after + timedelta(seconds=1))),
    ("public-key", LEAF.but(spki=der.sequence(der.sequence(der.oid("1.2.840.10045.2.1")), der.bit_string(b"\4")))),
]
EXTENSIONS = [
    ("extension-value", LEAF.but(add=(Extension(OID.EXTENDED_KEY_USAGE, False, der.sequence()),))),
    ("extension-value", LEAF.but(add=(Extension(OID.SUBJECT_ALTERNATIVE_NAME, False, der.sequence()),))),
    ("extension-value", LEAF.but(add=(Extension(OID.CRL_DISTRIBUTION_POINTS, False, b"junk"),))),
    ("extension-value", LEAF.but(add=(Extension(OID.OCSP_NO_CHECK, False, b""),))),
    ("extension-value", LEAF.but(add=(Extension(OID.INHIBIT_ANY_POLICY, True, der.integer(-1)),))),
    ("extension-value", LEAF.but(add=(Extension(OID.CERTIFICATE_POLICIES, False, der.null()),))),
    ("extension-value", SUBORDINATE.but(add=(Extension(OID.NAME_CONSTRAINTS, True, der.sequence()),))),
    ("extension-value", with_san(GeneralName("ip", bytes(5)))),
    (
        "extension-never-critical",
        SUBORDINATE.but(
            add=(Extension(OID.SUBJECT_KEY_IDENTIFIER, True, der.octet_string(b"x")),),
        ),
    ),
    (
        "extension-never-critical",
        LEAF.but(
            add=(Extension(OID.AUTHORITY_INFORMATION_ACCESS, True, authority_information_access("http://o/").value),)
        ),
    ),
]
NAMES = [
    ("subject-empty", LEAF.but(subject=named())),
    ("subject-empty", with_san(dns("a.example"), order=LEAF.but(subject=named()))),
    ("subject-empty", SUBORDINATE.but(subject=named(), add=(subject_alternative_name([dns("a.example")], True),))),
    ("name-string-type", subject(("2.5.4.6", der.UTF8_STRING, "US"))),
    ("name-string-type", subject((COMMON_NAME, der.IA5_STRING, "x"))),
    ("name-printable", subject((COMMON_NAME, der.PRINTABLE_STRING, "a@b"))),
    ("name-control-character", subject((COMMON_NAME, der.UTF8_STRING, "www.example.com\0.evil.org"))),
    ("name-control-character", subject((COMMON_NAME, der.UTF8_STRING, "two\nlines"))),
    ("name-control-character", with_san(GeneralName("directory", named("a\x7f")))),
    ("name-empty-value", subject(("2.5.4.10", der.UTF8_STRING, ""))),
    ("common-name-length", LEAF.but(subject=named("x" * 65))),
    ("country", subject(("2.5.4.6", der.PRINTABLE_STRING, "USA"))),
    ("country", subject(("2.5.4.6", der.PRINTABLE_STRING, "U1"))),
]
AUTHORITY = [
    ("ca-as-intended", SUBORDINATE.but(drop=(OID.BASIC_CONSTRAINTS,))),
    ("basic-constraints-critical", SUBORDINATE.but(add=(basic_constraints(True, 0, critical=False),))),
    ("basic-constraints-exact", LEAF.but(add=(Extension(OID.BASIC_CONSTRAINTS, False, bytes.fromhex("3003020100")),))),
    ("basic-constraints-exact", LEAF.but(add=(Extension(OID.BASIC_CONSTRAINTS, False, bytes.fromhex("3003010100")),))),
    ("path-length", Order("below", SUBORDINATE, ca=True, path_length=0)),
    ("path-length", Order("below", SUBORDINATE, ca=True)),
    ("key-usage-ca", SUBORDINATE.but(drop=(OID.KEY_USAGE,))),
    ("key-usage-ca", SUBORDINATE.but(add=(key_usage(["CRLSign"]),))),
    ("key-usage-not-ca", LEAF.but(add=(key_usage(CA_USAGE),))),
    ("key-usage-empty", LEAF.but(add=(key_usage([]),))),
    ("extended-key-usage-duplicate", LEAF.but(add=(extended_key_usage([OID.CLIENT_AUTH, OID.CLIENT_AUTH]),))),
]
LINKS = [
    ("authority-key-identifier", LEAF.but(drop=(OID.AUTHORITY_KEY_IDENTIFIER,))),
    ("authority-key-identifier", LEAF.but(add=(authority_key_identifier(b"another"),))),
    ("authority-key-identifier", LEAF.but(add=(Extension(OID.AUTHORITY_KEY_IDENTIFIER, False, der.sequence()),))),
    ("authority-key-identifier", ROOT.but(add=(authority_key_identifier(b"another"),))),
    ("subject-key-identifier", SUBORDINATE.but(drop=(OID.SUBJECT_KEY_IDENTIFIER,))),
    ("subject-key-identifier", LEAF.but(add=(Extension(OID.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(b"x")),))),
    ("url", LEAF.but(add=(crl_distribution_points("not a url"),))),
    ("url", LEAF.but(add=(crl_distribution_points("http://"),))),
    ("url", LEAF.but(add=(authority_information_access("gopher://ocsp.example/"),))),
    ("url", LEAF.but(add=(authority_information_access("http://ocsp.example:port/"),))),
]


@pytest.mark.parametrize(("code", "order"), FRAME + EXTENSIONS + NAMES + AUTHORITY + LINKS)
def test_each_fault_is_found(code, order):
    assert code in errors(order)


@pytest.mark.parametrize(("code", "order"), FRAME + EXTENSIONS + NAMES + AUTHORITY + LINKS)
def test_a_fault_does_not_drown_in_others(code, order):
    assert len(errors(order)) <= 3


HOSTS = [
    "www.example.com\0.evil.org",
    "www.*.example.com",
    "*.*.example.com",
    "f*.example.com",
    "*",
    "-a.example",
    "a-.example",
    "a..example",
    ".example",
    "a.example.",
    "",
    "x" * 64 + ".example",
    ".".join(["x" * 63] * 3 + ["x" * 62]),
    "10.0.0.1",
    "::1",
    "a b.example",
    "a/b.example",
    "xn--example.example",
    "xn--abc-.example",
    "xn--\u00fc.example".encode("punycode").decode("ascii"),
]


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_that_are_refused(host):
    assert errors(with_san(dns(host))) == {"san-dns"}


@pytest.mark.parametrize(
    "host",
    [
        "www.example.com",
        "*.example.com",
        "*.com",
        "localhost",
        "api.corp.internal",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.example",
        "a--x.example",
        "x" * 63 + ".example",
        ".".join(["x" * 63] * 3 + ["x" * 61]),
        "1.example",
        "a_b.example",
        "_acme-challenge.example",
        "ab--x.example",
    ],
)
def test_hosts_that_pass(host):
    assert errors(with_san(dns(host))) == set()


@pytest.mark.parametrize(
    "mailbox", ["a", "a@", "@b.example", "a b@c.example", "a@b@c.example", "a@[10.0.0.1]", "(c)a@b.c"]
)
def test_mailboxes_that_are_refused(mailbox):
    assert errors(with_san(GeneralName("email", mailbox))) == {"san-email"}


@pytest.mark.parametrize("mailbox", ["a@b.example", "a.b+c@localhost", '"a b"@c.example'])
def test_mailboxes_that_pass(mailbox):
    assert findings(with_san(GeneralName("email", mailbox))) == ()


@pytest.mark.parametrize(
    "uri", ["", "/path", "example.com", "http://", "https://a b/", "https://a:port/", "1x:y", "https://\\/"]
)
def test_uris_that_are_refused(uri):
    assert errors(with_san(GeneralName("uri", uri))) == {"san-uri"}


@pytest.mark.parametrize(
    "uri", ["https://a.example/x?y#z", "urn:uuid:0", "spiffe://prod/web", "https://[::1]/", "ldap:///cn=x"]
)
def test_uris_that_pass(uri):
    assert findings(with_san(GeneralName("uri", uri))) == ()


@pytest.mark.parametrize(
    "uri", ["spiffe://prod/web?q", "spiffe://prod:1/web", "spiffe://u@prod/web", "spiffe://prod/web#f"]
)
def test_spiffe_ids_are_watched(uri):
    assert "san-spiffe" in warnings(with_san(GeneralName("uri", uri)))


def test_broken_other_names_are_found():
    broken = GeneralName("other", der.tlv(der.SEQUENCE, b"\x02\x00"), "1.2.3")
    assert errors(with_san(broken)) == {"san-inner-value"}
    assert findings(with_san(GeneralName("other", "user@corp", "1.3.6.1.4.1.311.20.2.3"))) == ()


def test_all_other_forms_pass():
    names = [
        ip("192.0.2.1"),
        ip("2001:db8::1"),
        GeneralName("registered_id", "1.2.3"),
        GeneralName("directory", named("x")),
    ]
    assert findings(with_san(*names)) == ()


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("serial-entropy", LEAF.but(serial=7)),
        ("name-old-string-type", subject((COMMON_NAME, der.TELETEX_STRING, "x"))),
        ("name-ia5", subject((EMAIL_ADDRESS, der.UTF8_STRING, "a@b.example"))),
        ("name-padded", subject((COMMON_NAME, der.UTF8_STRING, " x"))),
        ("name-upper-bound", subject(("2.5.4.10", der.UTF8_STRING, "x" * 65))),
        ("san-dns-underscore", with_san(dns("a_b.example"))),
        ("san-dns-reserved-label", with_san(dns("ab--x.example"))),
        ("san-duplicate", with_san(dns("a.example"), dns("A.example"))),
        ("san-critical", with_san(dns("a.example"), critical=True)),
        ("common-name-not-in-san", with_san(dns("a.example"), order=LEAF.but(subject=named("b.example")))),
        ("key-usage-critical", LEAF.but(add=(key_usage(["DigitalSignature"], critical=False),))),
        ("key-usage-agreement", LEAF.but(add=(key_usage(["EncipherOnly"]),))),
        ("key-usage-encipherment", LEAF.but(add=(key_usage(["KeyEncipherment"]),))),
        ("key-usage-minimal", LEAF.but(add=(Extension(OID.KEY_USAGE, True, bytes.fromhex("0303078000")),))),
        ("extended-key-usage-any", LEAF.but(add=(extended_key_usage([OID.ANY_EXTENDED_KEY_USAGE]),))),
        ("name-constraints-not-ca", LEAF.but(add=(name_constraints([dns("a.example")], []),))),
        ("name-constraints-critical", SUBORDINATE.but(add=(name_constraints([dns("a.example")], [], False),))),
        (
            "name-constraints-supported",
            SUBORDINATE.but(add=(name_constraints([GeneralName("other", "x", "1.2")], []),)),
        ),
        ("subject-key-identifier-missing", LEAF.but(drop=(OID.SUBJECT_KEY_IDENTIFIER,))),
        ("url-https", LEAF.but(add=(crl_distribution_points("https://crl.example/"),))),
        (
            "crl-points-critical",
            LEAF.but(
                add=(Extension(OID.CRL_DISTRIBUTION_POINTS, True, crl_distribution_points("http://c.example/").value),)
            ),
        ),
        ("extension-unknown-critical", LEAF.but(add=(Extension("1.2.3.4", True, b"anything"),))),
    ],
)
def test_these_only_warn(code, order):
    assert warnings(order) == {code}
    assert errors(order) == set()


def test_blank_templates_may_leave_out_key_usage():
    order = SUBORDINATE.but(drop=(OID.KEY_USAGE,))
    assert warnings(order, key_usage_required=False) == {"key-usage-ca-blank"}
    assert errors(order, key_usage_required=False) == set()


def test_an_end_entity_never_becomes_a_ca():
    assert "ca-as-intended" in errors(SUBORDINATE, ca=False)


def test_unknown_extensions_may_hold_anything():
    assert findings(LEAF.but(add=(Extension("1.2.3.4", False, b"\xff\xff"),))) == ()


def test_the_algorithm_inside_is_the_one_that_signs():
    assert errors(LEAF, algorithm=SignatureAlgorithm.SHA384WITHECDSA) == {"signature-algorithm"}


def test_an_empty_subject_with_a_critical_san_passes():
    assert findings(with_san(dns("a.example"), critical=True, order=LEAF.but(subject=named()))) == ()


@pytest.mark.parametrize(
    ("before", "after", "fine"),
    [
        (der.tlv(der.UTC_TIME, b"260701000000Z"), der.tlv(der.UTC_TIME, b"270701000000Z"), True),
        (der.tlv(der.GENERALIZED_TIME, b"20260701000000Z"), der.tlv(der.UTC_TIME, b"270701000000Z"), False),
        (der.tlv(der.UTC_TIME, b"260701000000Z"), der.tlv(der.GENERALIZED_TIME, b"20490701000000Z"), False),
        (der.tlv(der.UTC_TIME, b"260701000000Z"), der.tlv(der.GENERALIZED_TIME, b"20500101000000Z"), True),
        (der.tlv(der.UTC_TIME, b"260701000000Z"), der.tlv(der.GENERALIZED_TIME, b"99991231235959Z"), True),
    ],
)
def test_times_are_in_the_encoding_for_their_year(before, after, fine):
    tbs = ROOT.tbs(times=der.sequence(before, after))
    assert ("validity-encoding" not in errors(ROOT, tbs=tbs)) is fine


@pytest.mark.parametrize("time", [b"2607010000Z", b"260701000000+0000", b"20260701000000.5Z", b"260231000000Z"])
def test_times_in_another_form_are_malformed(time):
    tag = der.GENERALIZED_TIME if len(time) > 17 else der.UTC_TIME
    tbs = ROOT.tbs(times=der.sequence(der.tlv(tag, time), der.time(datetime(2030, 1, 1, tzinfo=UTC))))
    assert errors(ROOT, tbs=tbs) == {"malformed"}


def test_an_extension_that_occurs_twice_is_malformed():
    twice = Extension("1.2.3.4", False, b"")
    assert errors(LEAF.but(add=(twice, twice))) == {"malformed"}


@pytest.mark.parametrize("tbs", [b"", b"\x30\x00", b"junk", LEAF.tbs() + b"\0", LEAF.tbs()[:-1]])
def test_bytes_that_are_no_certificate_are_malformed(tbs):
    assert errors(LEAF, tbs=tbs) == {"malformed"}


def test_a_version_too_long_to_print_is_malformed():
    version = der.explicit(0, der.integer(2**20000))
    assert errors(LEAF, tbs=der.sequence(version, LEAF.tbs()[9:])) == {"malformed"}


def test_subject_information_access_is_read():
    entry = AccessDescription("1.3.6.1.5.5.7.48.5", GeneralName("uri", "http://a.example/"))
    assert findings(SUBORDINATE.but(add=(subject_information_access([entry]),))) == ()
