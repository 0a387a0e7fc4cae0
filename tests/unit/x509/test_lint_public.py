"""Every rule for public certificates blocks what it is there for, and a good one passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from doors.pki import P256, csr
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import lint, sct
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.certificate import TbsCertificate, encode_tbs
from greatseal.x509.csr import parse_csr
from greatseal.x509.extensions import (
    OID,
    Extension,
    authority_information_access,
    basic_constraints,
    certificate_policies,
    crl_distribution_points,
    extended_key_usage,
    key_usage,
    subject_alternative_name,
)
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.names import subject_from_custom
from greatseal.x509.pem import read_blocks
from greatseal.x509.templates import (
    PUBLIC_CROSS,
    PUBLIC_ISSUER,
    IssuerFacts,
    compose,
    find_any_template,
    find_template,
    public_server,
)
from greatseal.x509.validity import public_limit, public_period
from made_certificates import ALGORITHM, ROOT

SERVER = public_server("EC")
START = datetime(2026, 4, 1, tzinfo=UTC)
ISSUER = replace(ROOT.sign())
FACTS = IssuerFacts(
    ISSUER.subject,
    ISSUER.key_identifier,
    "http://crl.example/c.crl",
    "http://ocsp.example/",
    "http://ca.example/c.cer",
)
REQUEST = parse_csr(read_blocks(csr("www.example.com", "www.example.com", "*.example.com", key=P256))[0].der)


def draft(template=SERVER, **changes):
    content = compose(template, request=REQUEST, issuer=FACTS)
    ca_only = () if not template.ca else (OID.SUBJECT_ALTERNATIVE_NAME,)
    fields = TbsCertificate(
        serial=1 << 126,
        algorithm=ALGORITHM,
        issuer=ISSUER.subject,
        not_before=START,
        not_after=START + timedelta(days=198) - timedelta(seconds=1),
        subject=content.subject,
        spki=REQUEST.spki,
        extensions=tuple(each for each in content.extensions if each.oid not in ca_only),
    )
    return replace(fields, **changes)


def with_extension(extension, template=SERVER):
    """The good one, with this extension in place of its own, or beside the others."""
    fields = draft(template)
    kept = [each for each in fields.extensions if each.oid != extension.oid]
    return replace(fields, extensions=(*kept, extension))


def without(oid, template=SERVER):
    fields = draft(template)
    return replace(fields, extensions=tuple(each for each in fields.extensions if each.oid != oid))


def errors(fields, *, ca=False, public=True):
    profile = lint.Profile(ca=ca, public=public, key_usage_required=False)
    found = lint.lint(encode_tbs(fields), issuer=ISSUER, profile=profile)
    return {each.code for each in found if each.severity is lint.Severity.ERROR and each.code.startswith("public-")}


@pytest.mark.parametrize(
    ("fields", "ca"),
    [
        (draft(), False),
        (draft(public_server("EC", client_auth=True)), False),
        (draft(extensions=(*draft().extensions, sct.POISON)), False),
        (draft(PUBLIC_ISSUER), True),
        (draft(PUBLIC_CROSS), True),
        (draft(not_after=START + timedelta(days=200) - timedelta(seconds=1)), False),
    ],
    ids=["leaf", "client too", "precertificate", "issuer", "cross", "200 days"],
)
def test_good_ones_pass(fields, ca):
    assert errors(fields, ca=ca) == set()


def named(*names: GeneralName):
    return with_extension(subject_alternative_name(list(names), critical=False))


LATER = datetime(2027, 3, 15, tzinfo=UTC)
BROKEN = [
    ("public-serial", draft(serial=1 << 40)),
    ("public-signature", draft(algorithm=SignatureAlgorithm.ML_DSA_65)),
    ("public-extensions", with_extension(Extension("1.2.3.4", False, b"\x05\x00"))),
    (
        "public-extensions",
        replace(with_extension(sct.POISON), extensions=(*draft().extensions, sct.POISON, sct.sct_list([b"x"]))),
    ),
    ("public-constraints-critical", with_extension(basic_constraints(False, critical=False))),
    ("public-usage-critical", with_extension(key_usage(["DigitalSignature"], critical=False))),
    ("public-usage-critical", without(OID.KEY_USAGE)),
    ("public-addresses", without(OID.AUTHORITY_INFORMATION_ACCESS)),
    ("public-addresses", with_extension(authority_information_access("http://ocsp.example/", None))),
    ("public-addresses", with_extension(authority_information_access("https://ocsp.example/", "http://ca.example/"))),
    ("public-lists", without(OID.CRL_DISTRIBUTION_POINTS)),
    ("public-lists", with_extension(crl_distribution_points("ldap://crl.example/c"))),
    ("public-policies", without(OID.CERTIFICATE_POLICIES)),
    ("public-policies", with_extension(certificate_policies([("1.2.3.4", ())]))),
    ("public-policies", with_extension(certificate_policies([("2.23.140.1.2.1", ()), ("2.23.140.1.2.2", ())]))),
    ("public-validity", draft(not_after=START + timedelta(days=200))),
    (
        "public-validity",
        draft(not_before=datetime(2027, 3, 15, tzinfo=UTC), not_after=datetime(2027, 7, 1, tzinfo=UTC)),
    ),
    ("public-names", without(OID.SUBJECT_ALTERNATIVE_NAME)),
    ("public-names", named(dns("www.example.com"), ip("10.0.0.1"))),
    ("public-names", named(dns("www.example.com"), GeneralName("email", "a@example.com"))),
    ("public-names", named(dns("www.example.com"), dns("a_b.example.com"))),
    ("public-names", named(dns("www.example.com"), dns("localhost"))),
    ("public-names", named(dns("www.example.com"), dns("*.com"))),
    ("public-names", named(dns("www.example.com"), dns("ab--cd.example.com"))),
    ("public-names", named(dns("www.example.com"), dns("a.*.example.com"))),
    ("public-subject", named(dns("other.example.com"))),
    ("public-subject", draft(subject=subject_from_custom([(COMMON_NAME, "www.example.com"), ("2.5.4.10", "X")]))),
    ("public-usages", with_extension(key_usage(["DigitalSignature", "KeyEncipherment"], critical=True))),
    ("public-usages", with_extension(key_usage(["KeyAgreement"], critical=True))),
    ("public-purposes", with_extension(extended_key_usage([OID.CLIENT_AUTH]))),
    ("public-purposes", with_extension(extended_key_usage([OID.SERVER_AUTH, OID.CODE_SIGNING]))),
    ("public-purposes", with_extension(extended_key_usage([OID.SERVER_AUTH, OID.ANY_EXTENDED_KEY_USAGE]))),
]


@pytest.mark.parametrize(("code", "fields"), BROKEN, ids=[f"{n}-{code}" for n, (code, _) in enumerate(BROKEN)])
def test_a_rule_blocks(code, fields):
    assert code in errors(fields)
    assert errors(fields, public=False) == set(), "private certificates may have it"


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("public-ca-purposes", with_extension(extended_key_usage([OID.SERVER_AUTH, OID.OCSP_SIGNING]), PUBLIC_ISSUER)),
        ("public-ca-usages", with_extension(key_usage(["KeyCertSign"], critical=True), PUBLIC_ISSUER)),
        ("public-policies", with_extension(certificate_policies([("1.2.3.4", ())]), PUBLIC_ISSUER)),
        (
            "public-extensions",
            with_extension(subject_alternative_name([dns("a.example")], critical=False), PUBLIC_ISSUER),
        ),
    ],
)
def test_a_rule_for_cas_blocks(code, fields):
    assert code in errors(fields, ca=True)


def test_the_limit_follows_the_calendar():
    day = timedelta(days=1)
    assert public_limit(datetime(2027, 3, 14, 23, 59, 59, tzinfo=UTC)) == 200 * day
    assert public_limit(datetime(2027, 3, 15, tzinfo=UTC)) == 100 * day
    assert public_limit(datetime(2029, 3, 15, tzinfo=UTC)) == 47 * day
    start, end = public_period(datetime(2027, 3, 14, 12, tzinfo=UTC), 198)
    assert end - start == 198 * day - timedelta(seconds=1)


def test_templates_of_the_journal_are_found_and_nobody_else_can_name_them():
    arn = "arn:aws:acm-pca:::template/PublicServerCertificate/V1"
    assert find_any_template(arn).public
    assert not find_any_template("arn:aws:acm-pca:::template/EndEntityCertificate/V1").public
    with pytest.raises(InvalidArgument):
        find_template(arn)
