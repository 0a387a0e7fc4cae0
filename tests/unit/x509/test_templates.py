"""The 61 templates against the text table, and what goes into a certificate (acm-pca.md 7)."""

import itertools
import re
from pathlib import Path

import pytest

from greatseal.kernel.errors import InvalidArgument, MalformedCsr
from greatseal.x509 import extensions, general_names
from greatseal.x509.csr import CertificationRequest
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.names import Name, subject_from_attributes
from greatseal.x509.templates import (
    DEFAULT_TEMPLATE,
    TEMPLATES,
    Content,
    IssuerFacts,
    Passthrough,
    compose,
    find_template,
    passthrough,
    template_arn,
)

TABLE = Path(__file__).parents[2] / "golden" / "templates.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.read_text("utf-8").splitlines()
    if line.startswith("| ")
]
USAGES = {"dS": "DigitalSignature", "kE": "KeyEncipherment", "kCS": "KeyCertSign", "cRL": "CRLSign"}
PURPOSES = {"srv": OID.SERVER_AUTH, "cli": OID.CLIENT_AUTH, "code": OID.CODE_SIGNING, "ocsp": OID.OCSP_SIGNING}

ISSUER = IssuerFacts(subject_from_attributes({"CommonName": "Issuer"}), b"\x01" * 20)
CDP = "http://ca.example.com/1.crl"
REVOCABLE = IssuerFacts(ISSUER.subject, ISSUER.key_identifier, CDP, "http://ocsp.example.com")
SUBJECT, API_SUBJECT = (subject_from_attributes({"CommonName": cn}) for cn in ("csr.example.com", "api.example.com"))
# A P-256 key; nothing here looks inside.
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04" + "11" * 64)


def request(*wanted, subject=SUBJECT):
    return CertificationRequest(b"", subject, SPKI, tuple(wanted), ())


def san(host, critical=False):
    return extensions.subject_alternative_name([general_names.dns(host)], critical)


def made(template, *wanted, api=None, issuer=ISSUER, subject=SUBJECT):
    row = TEMPLATES[template]
    return compose(row, request=request(*wanted, subject=subject), passthrough=api, issuer=None if row.root else issuer)


def found(content: Content, oid):
    return extensions.find(content.extensions, oid)


def test_there_are_61_and_the_table_has_the_same():
    assert [int(row[0]) for row in ROWS] == list(range(1, 62))
    assert {row[1] for row in ROWS} == set(TEMPLATES)
    assert DEFAULT_TEMPLATE in TEMPLATES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_each_row_of_the_table(row):
    _, name, subject, basic, aki, usage, purposes, cdp, passed = row
    template = TEMPLATES[name]
    assert template.name == name
    expected = re.fullmatch(r"(crit )?CA:(TRUE|FALSE)(?: pl=(\d))?", basic)
    assert template.critical_basic_constraints == (expected[1] is not None)
    assert template.ca == (expected[2] == "TRUE")
    assert template.path_length == (int(expected[3]) if expected[3] else None)
    assert template.root == (aki != "CA SKI")
    if usage == "–":
        assert template.key_usage is None
    else:
        assert usage.startswith("crit ")
        assert template.key_usage == tuple(USAGES[short] for short in usage.removeprefix("crit ").split(","))
    if purposes == "–":
        assert template.extended_key_usage is None
    else:
        assert template.critical_extended_key_usage == purposes.startswith("crit ")
        oids = tuple(PURPOSES[short] for short in purposes.removeprefix("crit ").split("+"))
        assert template.extended_key_usage == oids
    sources = {
        "nothing": (False, False),
        "CSR ext": (False, True),
        "API ext": (True, False),
        "API>CSR ext": (True, True),
    }
    assert (template.from_api, template.from_csr) == sources[passed]
    assert subject.removesuffix(" (a)") == ("API>CSR" if template.from_api else "CSR")
    # A root takes no CDP from its settings; elsewhere the CA's comes first.
    assert cdp.startswith("CA") != template.root


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_of_every_template_are_found_in_every_partition(partition):
    for name, template in TEMPLATES.items():
        arn = template_arn(partition, name)
        assert arn == f"arn:{partition}:acm-pca:::template/{name}/V1"
        assert find_template(arn) is template


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "EndEntityCertificate",
        "arn:aws:acm-pca:::template/EndEntityCertificate",
        "arn:aws:acm-pca:::template/EndEntityCertificate/V2",
        "arn:aws:acm-pca:::template/EndEntityCertificate/V1/V1",
        "arn:aws:acm-pca:::EndEntityCertificate/V1",
        "arn:aws:acm-pca:::template/endentitycertificate/V1",
        "arn:aws:acm-pca:::template/BlankEndEntityCertificate/V1",
        "arn:aws:acm-pca:::template/RootCACertificate_CSRPassthrough/V1",
        "arn:aws:acm-pca:us-east-1::template/EndEntityCertificate/V1",
        "arn:aws:acm-pca::123456789012:template/EndEntityCertificate/V1",
        "arn:aws:acm:::template/EndEntityCertificate/V1",
        "arn:evil:acm-pca:::template/EndEntityCertificate/V1",
    ],
)
def test_other_arns_are_refused(arn):
    with pytest.raises(InvalidArgument, match="template ARN"):
        find_template(arn)


# --- worked examples and rules


def test_example_eku_in_api_and_request_is_ignored_by_the_client_template():
    api = passthrough(purposes=[OID.SERVER_AUTH])
    content = made(
        "EndEntityClientAuthCertificate_APIPassthrough",
        extensions.extended_key_usage([OID.CODE_SIGNING]),
        san("csr.example.com"),
        api=api,
    )
    assert extensions.read_extended_key_usage(found(content, OID.EXTENDED_KEY_USAGE)) == (OID.CLIENT_AUTH,)
    assert content.subject == SUBJECT
    assert found(content, OID.SUBJECT_ALTERNATIVE_NAME) == san("csr.example.com")


def test_example_san_of_the_api_replaces_that_of_the_request():
    content = made(
        "EndEntityClientAuthCertificate_APICSRPassthrough",
        san("csr.example.com"),
        api=passthrough(names=[general_names.dns("api.example.com")]),
    )
    assert found(content, OID.SUBJECT_ALTERNATIVE_NAME) == san("api.example.com")


CUSTOM = Extension("1.3.6.1.4.1.37244.9.9", True, b"\x05\x00")


@pytest.mark.parametrize(
    ("suffix", "from_api", "from_csr"),
    [
        ("", False, False),
        ("_CSRPassthrough", False, True),
        ("_APIPassthrough", True, False),
        ("_APICSRPassthrough", True, True),
    ],
)
def test_which_source_is_let_through(suffix, from_api, from_csr):
    api_own, csr_own = (Extension(f"1.2.3.{n}", False, b"") for n in (1, 2))
    api = passthrough(subject=API_SUBJECT, custom=[CUSTOM, api_own])
    losing = Extension(CUSTOM.oid, False, b"csr")
    content = made("EndEntityCertificate" + suffix, losing, csr_own, san("csr.example.com"), api=api)
    assert (api_own in content.extensions) == from_api
    assert (csr_own in content.extensions) == from_csr
    assert found(content, CUSTOM.oid) == (CUSTOM if from_api else losing if from_csr else None)
    assert content.subject == (API_SUBJECT if from_api else SUBJECT)
    assert found(content, OID.SUBJECT_ALTERNATIVE_NAME) == san("csr.example.com")


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_overrides_a_template(name):
    """The same hostile extensions from both sides change no value that the template defines."""
    template = TEMPLATES[name]
    attack = [
        extensions.basic_constraints(not template.ca, None, critical=not template.critical_basic_constraints),
        Extension(OID.SUBJECT_KEY_IDENTIFIER, True, b"attack"),
        Extension(OID.AUTHORITY_KEY_IDENTIFIER, True, b"attack"),
        extensions.key_usage(["DecipherOnly"], critical=False),
        extensions.extended_key_usage([OID.ANY_EXTENDED_KEY_USAGE], critical=True),
        Extension(OID.CRL_DISTRIBUTION_POINTS, True, b"attack"),
        Extension(OID.AUTHORITY_INFORMATION_ACCESS, True, b"attack"),
    ]
    calm = made(name, issuer=REVOCABLE)
    attacked = made(name, *attack, api=passthrough(custom=attack), issuer=REVOCABLE)
    for extension in calm.extensions:
        assert found(attacked, extension.oid) == extension
    passed = {extension.oid for extension in attacked.extensions} - {extension.oid for extension in calm.extensions}
    allowed = set()
    if template.from_api or template.from_csr:
        allowed |= {OID.KEY_USAGE} if template.key_usage is None else set()
        allowed |= {OID.EXTENDED_KEY_USAGE} if template.extended_key_usage is None else set()
    if template.root and template.from_api:
        allowed |= {OID.AUTHORITY_KEY_IDENTIFIER, OID.CRL_DISTRIBUTION_POINTS, OID.AUTHORITY_INFORMATION_ACCESS}
    assert passed == allowed


def test_settings_of_the_ca_and_their_absence():
    own = extensions.crl_distribution_points("http://own.example.com")
    access = extensions.authority_information_access("http://own.example.com")
    for name, issuer in itertools.product(TEMPLATES, (ISSUER, REVOCABLE)):
        template = TEMPLATES[name]
        content = made(name, own, access, api=passthrough(custom=[own, access]), issuer=issuer)
        passes = template.from_api or template.from_csr
        settings = issuer is REVOCABLE and not template.root
        expected = extensions.crl_distribution_points(CDP) if settings else own if passes else None
        assert found(content, OID.CRL_DISTRIBUTION_POINTS) == expected, name
        url = "http://ocsp.example.com" if settings else "http://own.example.com"
        expected = extensions.authority_information_access(url) if settings or passes else None
        assert found(content, OID.AUTHORITY_INFORMATION_ACCESS) == expected, name


def test_note_d_the_base_client_template_takes_no_distribution_point_from_the_request():
    own = extensions.crl_distribution_points("http://own.example.com")
    assert found(made("EndEntityClientAuthCertificate", own), OID.CRL_DISTRIBUTION_POINTS) is None


def test_note_b_a_root_may_carry_an_authority_key_identifier_from_the_api():
    aki = extensions.authority_key_identifier(b"\x02" * 20)
    for name in ("RootCACertificate_APIPassthrough", "BlankRootCACertificate_PathLen1_APIPassthrough"):
        assert found(made(name, api=passthrough(custom=[aki])), OID.AUTHORITY_KEY_IDENTIFIER) == aki
        assert found(made(name, aki), OID.AUTHORITY_KEY_IDENTIFIER) is None
    assert found(made("RootCACertificate", api=passthrough(custom=[aki])), OID.AUTHORITY_KEY_IDENTIFIER) is None


def test_the_order_of_extensions():
    content = made(
        "EndEntityCertificate_APICSRPassthrough",
        Extension("1.2.3.2", False, b""),
        san("csr.example.com"),
        api=passthrough(custom=[Extension("1.2.3.1", False, b"")]),
        issuer=REVOCABLE,
    )
    assert [extension.oid for extension in content.extensions] == [
        OID.BASIC_CONSTRAINTS,
        OID.AUTHORITY_KEY_IDENTIFIER,
        OID.SUBJECT_KEY_IDENTIFIER,
        OID.KEY_USAGE,
        OID.EXTENDED_KEY_USAGE,
        OID.CRL_DISTRIBUTION_POINTS,
        OID.AUTHORITY_INFORMATION_ACCESS,
        OID.SUBJECT_ALTERNATIVE_NAME,
        "1.2.3.1",
        "1.2.3.2",
    ]
    root = made("RootCACertificate")
    order = [OID.BASIC_CONSTRAINTS, OID.SUBJECT_KEY_IDENTIFIER, OID.KEY_USAGE]
    assert [extension.oid for extension in root.extensions] == order


def test_the_san_is_critical_when_nothing_else_names_the_subject():
    nobody = Name.build([])
    content = made("EndEntityCertificate", san("csr.example.com"), subject=nobody)
    assert found(content, OID.SUBJECT_ALTERNATIVE_NAME) == san("csr.example.com", critical=True)
    kept = made("EndEntityCertificate", san("csr.example.com", critical=True))
    assert found(kept, OID.SUBJECT_ALTERNATIVE_NAME).critical
    with pytest.raises(MalformedCsr, match="neither"):
        made("BlankEndEntityCertificate_APIPassthrough", api=Passthrough(subject=nobody))


def test_typed_members_of_the_api_and_their_criticality():
    api = passthrough(
        key_usages=["KeyAgreement"],
        purposes=[OID.CLIENT_AUTH],
        names=[general_names.dns("a")],
        policies=[("1.2.3", [])],
        custom=[CUSTOM],
    )
    assert [(extension.oid, extension.critical) for extension in api.extensions] == [
        (OID.KEY_USAGE, True),
        (OID.EXTENDED_KEY_USAGE, False),
        (OID.CERTIFICATE_POLICIES, False),
        (OID.SUBJECT_ALTERNATIVE_NAME, False),
        (CUSTOM.oid, True),
    ]
    assert passthrough() == Passthrough()
    exact = Extension(OID.KEY_USAGE, False, bytes.fromhex("03020780"))
    content = made("BlankEndEntityCertificate_APIPassthrough", api=passthrough(custom=[exact]))
    assert found(content, OID.KEY_USAGE) == exact


@pytest.mark.parametrize(
    "members",
    [
        {"custom": [CUSTOM, CUSTOM]},
        {"key_usages": ["KeyAgreement"], "custom": [Extension(OID.KEY_USAGE, True, b"")]},
        {"key_usages": ["Signing"]},
        {"custom": [Extension("9.9", False, b"")]},
        {"names": [general_names.dns("é")]},
    ],
)
def test_members_that_cannot_be_used(members):
    with pytest.raises(InvalidArgument, match="ApiPassthrough"):
        passthrough(**members)


def test_issuer_and_template_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        compose(TEMPLATES["RootCACertificate"], request=request(), issuer=ISSUER)
    with pytest.raises(ValueError, match="do not fit"):
        compose(TEMPLATES["EndEntityCertificate"], request=request())
