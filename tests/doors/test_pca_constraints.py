"""Name constraints on a subordinate, from API to leaf (acm-pca.md 9; workflows.md 23; faults.md 35)."""

import ipaddress

import pytest
from cryptography import x509

from doors.pki import ForeignCa, Pki, csr, name, pem, refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

# The vector of workflows.md 23: permitted .dev.example.com, .prod.example.com and .test.example.com,
# excluded .prod.dev.example.com.
VECTOR = (
    "MFugPjASghAuZGV2LmV4YW1wbGUuY29tMBOCES5wcm9kLmV4YW1wbGUuY29tMBOCES50ZXN0LmV4YW1wbGUuY29toRkwF4IVLnByb2QuZGV2"
    "LmV4YW1wbGUuY29t"
)
PASSTHROUGH = {
    "Extensions": {"CustomExtensions": [{"ObjectIdentifier": "2.5.29.30", "Value": VECTOR, "Critical": True}]}
}


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def constrained(pki):
    """An ACTIVE subordinate whose certificate is replaced by one with constraints, as the workflow does it."""
    root = pki.root()
    low = pki.subordinate(root)
    assert pki.issue(low, csr("anything.else.com", "anything.else.com"))
    pki.install_subordinate(
        low, root, using="SubordinateCACertificate_PathLen0_APIPassthrough", passthrough=PASSTHROUGH
    )
    return low


def test_the_ca_certificate_carries_the_constraints(pki, constrained):
    answer = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=constrained)
    own = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    constraints = own.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [each.value for each in constraints.value.permitted_subtrees] == [
        ".dev.example.com",
        ".prod.example.com",
        ".test.example.com",
    ]


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        ("app.dev.example.com", ["app.dev.example.com"]),
        ("a.b.test.example.com", ["A.B.TEST.example.com"]),
        ("app.prod.example.com", ["*.prod.example.com"]),
        ("prod.dev.example.com", ["prod.dev.example.com"]),
        ("app.dev.example.com", []),
        ("Jane Doe", []),
        (None, ["x.dev.example.com", "y.test.example.com"]),
        # Constraints on one form say nothing about another.
        ("Jane Doe", [x509.RFC822Name("jane@else.com"), x509.UniformResourceIdentifier("https://else.com/x")]),
    ],
)
def test_permitted(pki, constrained, common_name, names):
    assert pki.issue(constrained, csr(common_name, *names))


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        ("app.prod.dev.example.com", ["app.prod.dev.example.com"]),
        ("APP.Prod.Dev.Example.Com", ["APP.Prod.Dev.Example.Com"]),
        ("dev.example.com", ["dev.example.com"]),
        ("example.com", ["example.com"]),
        ("x", ["x"]),
        ("x.notdev.example.com", ["x.notdev.example.com"]),
        ("ok.dev.example.com", ["ok.dev.example.com", "evil.com"]),
        ("ok.dev.example.com", ["*.example.com"]),
        (None, ["*.prod.dev.example.com"]),
        # CN-only requests are checked as DNS names.
        ("evil.com", []),
        ("app.prod.dev.example.com", []),
        ("*.evil.com", [x509.RFC822Name("a@b.com")]),
    ],
)
def test_forbidden(pki, constrained, common_name, names):
    with pki.nothing_issued(), refused("ValidationException", "name constraints"):
        pki.issue(constrained, csr(common_name, *names))


def test_names_from_the_api_are_checked_instead_of_those_of_the_csr(pki, constrained):
    using = "EndEntityCertificate_APIPassthrough"
    good, bad = {"DnsName": "app.dev.example.com"}, {"DnsName": "evil.com"}
    with pki.nothing_issued(), refused("ValidationException", "name constraints"):
        pki.issue(
            constrained,
            csr("app.dev.example.com", "app.dev.example.com"),
            using=using,
            ApiPassthrough={"Extensions": {"SubjectAlternativeNames": [good, bad]}},
        )
    assert pki.issue(
        constrained,
        csr("x.dev.example.com", "evil.com"),
        using=using,
        ApiPassthrough={"Extensions": {"SubjectAlternativeNames": [good]}},
    )


FORMS = [
    ([x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))], x509.IPAddress, ("10.1.2.3", "11.1.2.3")),
    ([x509.RFC822Name("example.com")], x509.RFC822Name, ("a@example.com", "a@sub.example.com")),
    ([x509.RFC822Name(".example.com")], x509.RFC822Name, ("a@sub.example.com", "a@example.com")),
    ([x509.UniformResourceIdentifier(".example.com")], x509.UniformResourceIdentifier, ("https://a.example.com/x", "https://example.com")),
    ([x509.DNSName("example.com")], x509.DNSName, ("example.com", "badexample.com")),
    ([x509.DirectoryName(name("Alice"))], None, ("Alice", "Bob")),
]  # fmt: skip


@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize(("subtrees", "kind", "names"), FORMS)
def test_every_form_permitted_and_excluded_by_a_foreign_parent(pki, subtrees, kind, names, excluded):
    foreign = ForeignCa("External Root", pki.now)
    arn = pki.create("SUBORDINATE")
    # The CA's own subject would break a directory constraint, so only end entities are put to the test.
    constraints = x509.NameConstraints(None, subtrees) if excluded else x509.NameConstraints(subtrees, None)
    certificate = foreign.certify(pki.csr_of(arn), extensions=[(constraints, True)])
    pki.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=pem(certificate), CertificateChain=pem(foreign.certificate)
    )
    inside, outside = names if not excluded else reversed(names)

    def request(text):
        if kind is None:
            return csr(text)
        value = ipaddress.ip_address(text) if kind is x509.IPAddress else text
        return csr("Somebody", kind(value))

    assert pki.issue(arn, request(inside))
    with pki.nothing_issued(), refused("ValidationException", "name constraints"):
        pki.issue(arn, request(outside))


def test_constraints_of_every_ca_above_count(pki):
    top = ForeignCa("Top", pki.now)
    allowed = x509.NameConstraints([x509.DNSName("corp.example"), x509.DNSName("private.example")], None)
    middle = ForeignCa("Middle CA", pki.now, top, extensions=[(allowed, True)])
    arn = pki.create("SUBORDINATE")
    narrower = x509.NameConstraints([x509.DNSName("sub.private.example"), x509.DNSName("elsewhere.example")], None)
    certificate = middle.certify(pki.csr_of(arn), extensions=[(narrower, True)])
    pki.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn,
        Certificate=pem(certificate),
        CertificateChain=pem(middle.certificate) + pem(top.certificate),
    )
    assert pki.issue(arn, csr("a.sub.private.example", "a.sub.private.example"))
    for host in ("a.corp.example", "private.example", "a.elsewhere.example"):
        with pki.nothing_issued(), refused("ValidationException", "name constraints"):
            pki.issue(arn, csr("x", host))
