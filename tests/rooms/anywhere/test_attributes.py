"""Attribute mapping and paths of Roles Anywhere as pure functions (iam.md 11.2)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from doors.anywhere import END_ENTITY, der, subject
from doors.pki import P256, ForeignCa
from greatseal.domain.anywhere import attributes
from greatseal.domain.anywhere.model import DEFAULT_MAPPINGS, Field, UntrustedCertificate
from greatseal.domain.anywhere.paths import check_end_entity, trusted_path
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509.certificate import Certificate

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
CA = ForeignCa("Issuer", AT)


def certificate(name, *san, ca=CA):
    more = ((x509.SubjectAlternativeName(san), False),) if san else ()
    return Certificate.parse(der(ca.sign(P256.public_key(), name, constraints=None, extensions=(*END_ENTITY, *more))))


def test_the_default_mapping():
    found = certificate(
        x509.Name([*subject(C="NL", O="Example", OU="One"), *subject(OU="Two"), *subject(CN="app")]),
        x509.DNSName("a.example"),
        x509.DNSName("b.example"),
        x509.UniformResourceIdentifier("spiffe://x/y"),
        x509.DirectoryName(subject(O="Dir", CN="first")),
        x509.DirectoryName(subject(O="Other")),
    )
    assert attributes.session_tags(found, DEFAULT_MAPPINGS) == (
        ("x509Issuer/CN", "Issuer"),
        ("x509SAN/DNS", "a.example"),
        ("x509SAN/URI", "spiffe://x/y"),
        ("x509SAN/Name/O", "Dir"),
        ("x509SAN/Name/CN", "first"),
        ("x509Subject/C", "NL"),
        ("x509Subject/O", "Example"),
        ("x509Subject/OU", "One"),
        ("x509Subject/CN", "app"),
    )


@pytest.mark.parametrize(
    ("specifiers", "tags"),
    [
        (("CN",), [("x509Subject/CN", "app")]),
        (("2.5.4.3",), [("x509Subject/2.5.4.3", "app")]),
        (("OU",), []),
        (("CN", "2.5.4.3", "*"), [("x509Subject/CN", "app"), ("x509Subject/2.5.4.3", "app"), ("x509Subject/L", "x")]),
    ],
)
def test_chosen_attributes(specifiers, tags):
    found = certificate(subject(CN="app", L="x"))
    assert list(attributes.session_tags(found, ((Field.SUBJECT, specifiers),))) == tags


def test_rules_are_added_and_removed():
    added = attributes.with_rules(DEFAULT_MAPPINGS, Field.SUBJECT, ("CN", "*"))
    assert dict(added)[Field.SUBJECT] == ("*", "CN")
    left = attributes.without_rules(added, Field.SUBJECT, ("*",))
    assert dict(left)[Field.SUBJECT] == ("CN",)
    assert Field.SUBJECT not in dict(attributes.without_rules(left, Field.SUBJECT, None))
    for field, specifiers in ((Field.SUBJECT, ("OU",)), (Field.SAN, ("Name/CN",))):
        with pytest.raises(InvalidArgument):
            attributes.without_rules(left, field, specifiers)


def test_source_identities():
    assert attributes.source_identity(certificate(subject(CN="Jane Doe"))) == "Jane Doe"
    for name in (subject(O="x"), subject(CN="\u200b"), subject(CN="a\0")):
        with pytest.raises(UntrustedCertificate):
            attributes.source_identity(certificate(name))


def test_paths_are_found_whatever_the_order():
    chain = [ForeignCa("Level 0", AT)]
    for depth in range(1, 6):
        chain.append(ForeignCa("Level " + "x" * depth, AT, chain[-1]))
    leaf = certificate(subject(CN="x"), ca=chain[-1])
    all_of_them = [Certificate.parse(der(each.certificate)) for each in chain]
    top, between = all_of_them[0], all_of_them[1:]
    check_end_entity(leaf)
    for order in (between, between[::-1], [*between[2:], *between[:2]]):
        path = trusted_path(leaf, order, [top], AT)
        assert [each.subject.display() for each in path] == ["CN=x", *[c.subject.display() for c in all_of_them[::-1]]]
    with pytest.raises(UntrustedCertificate, match="of which no certificate was given"):
        trusted_path(leaf, between[1:], [top], AT)
    with pytest.raises(UntrustedCertificate, match=r"certificate 6 \(CN=Level 0\) expired"):
        trusted_path(leaf, between, [top], AT + timedelta(days=4000))


def test_another_path_is_tried_when_one_has_ended():
    """Two certificates of one CA: the expired one must not hide the other."""
    top = ForeignCa("Level 0", AT)
    old = ForeignCa("Middle", AT, top, until=timedelta(seconds=-1))
    new = ForeignCa("Middle", AT, top)
    leaf = certificate(subject(CN="x"), ca=new)
    anchors = [Certificate.parse(der(top.certificate))]
    both = [Certificate.parse(der(each.certificate)) for each in (old, new)]
    assert trusted_path(leaf, both, anchors, AT)[1] == both[1]
