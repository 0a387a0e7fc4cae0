"""What every template makes from a sane request is never an ERROR, for us and for pkilint."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509.certificate import Certificate, TbsCertificate, assemble, encode_tbs
from greatseal.x509.csr import build_csr, parse_csr
from greatseal.x509.extensions import OID, extended_key_usage, key_usage, name_constraints, subject_alternative_name
from greatseal.x509.general_names import dns
from greatseal.x509.lint import Profile, Severity, lint
from greatseal.x509.names import subject_from_attributes
from greatseal.x509.templates import IssuerFacts, compose, passthrough
from greatseal.x509.templates.table import TEMPLATES, Template
from made_certificates import ALGORITHM, LEAF, NOW, ROOT, SUBORDINATE, signer
from pkilint_opinion import pkilint_errors

SUBJECT = subject_from_attributes({"Country": "US", "Organization": "Example", "CommonName": "www.example.com"})
REQUEST = parse_csr(
    build_csr(
        SUBJECT,
        signer("leaf"),
        ALGORITHM,
        [
            subject_alternative_name([dns("www.example.com")]),
            key_usage(["DigitalSignature"]),
            extended_key_usage([OID.SERVER_AUTH]),
        ],
    )
)


def made(template: Template) -> tuple[bytes, Certificate | None]:
    """The TBSCertificate that the template makes of the request, and its issuer (None for a root)."""
    issuer = None if template.root else ROOT.sign()
    facts = (
        IssuerFacts(issuer.subject, issuer.key_identifier, "http://crl.example/c.crl", "http://ocsp.example/")
        if issuer
        else None
    )
    content = compose(
        template,
        request=REQUEST,
        passthrough=passthrough(custom=[name_constraints([dns("example.com")], [])]),
        issuer=facts,
    )
    fields = TbsCertificate(
        serial=0x6707447683A9B7F4055627FFD55CEBCC,
        algorithm=ALGORITHM,
        issuer=issuer.subject if issuer else content.subject,
        not_before=NOW - timedelta(hours=1),
        not_after=NOW + timedelta(days=90),
        subject=content.subject,
        spki=REQUEST.spki,
        extensions=content.extensions,
    )
    return encode_tbs(fields), issuer


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.name)
def test_no_template_makes_an_error(template):
    tbs, issuer = made(template)
    profile = Profile(ca=template.ca, key_usage_required=template.key_usage is not None, algorithm=ALGORITHM)
    found = lint(tbs, issuer=issuer, profile=profile)
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("order", [ROOT, SUBORDINATE, LEAF], ids=lambda order: order.label)
def test_pkilint_agrees_about_good_certificates(order):
    assert pkilint_errors(order.sign().der) == []


@pytest.mark.parametrize(
    "order",
    [
        LEAF.but(serial=-1),
        LEAF.but(version=2),
        LEAF.but(add=(subject_alternative_name([dns("a b.example")]),)),
        LEAF.but(drop=(OID.AUTHORITY_KEY_IDENTIFIER,)),
        SUBORDINATE.but(drop=(OID.SUBJECT_KEY_IDENTIFIER,)),
    ],
)
def test_pkilint_agrees_about_bad_certificates(order):
    assert pkilint_errors(order.sign().der)
    found = lint(order.tbs(), issuer=order.issuer.sign(), profile=Profile(ca=order.ca))
    assert any(finding.severity is Severity.ERROR for finding in found)


@given(st.integers(0, len(LEAF.tbs()) - 1), st.integers(1, 255))
def test_lint_never_raises(at, change):
    damaged = bytearray(LEAF.tbs())
    damaged[at] ^= change
    lint(bytes(damaged), issuer=SUBORDINATE.sign(), profile=Profile(ca=False))


def test_a_certificate_can_be_linted_before_it_is_signed():
    tbs, issuer = made(TEMPLATES["EndEntityCertificate"])
    certificate = Certificate.parse(assemble(tbs, ALGORITHM, signer("root").sign(tbs, ALGORITHM)))
    assert certificate.tbs == tbs
    # The template asks for keyEncipherment whatever the key is (acm-pca.md 5); for us that is a warning.
    assert [error.partition(":")[0] for error in pkilint_errors(certificate.der)] == [
        "pkix.key_usage_value_prohibited_for_ec"
    ]
    found = lint(tbs, issuer=issuer, profile=Profile(ca=False))
    assert [finding.code for finding in found] == ["key-usage-encipherment"]
