"""Name constraints form by form, with the traps of workflows.md 23 and faults.md row 35."""

from base64 import b64decode

import pytest

from greatseal.kernel.errors import NameConstraintViolation, ValidationFailed
from greatseal.x509 import der
from greatseal.x509.attributes import EMAIL_ADDRESS, Attribute
from greatseal.x509.constraints import Unreadable, check_names, check_supported
from greatseal.x509.extensions import OID, Extension, NameConstraints, read_name_constraints
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.names import Name
from made_certificates import named

EMPTY = named()
ORGANISATION, COUNTRY = "2.5.4.10", "2.5.4.6"

# workflows.md 23: permitted .dev/.prod/.test.example.com, excluded .prod.dev.example.com.
VECTOR = (
    "MFugPjASghAuZGV2LmV4YW1wbGUuY29tMBOCES5wcm9kLmV4YW1wbGUuY29tMBOCES50ZXN0LmV4YW1wbGUuY29toRkwF4IVLnByb2QuZGV2LmV4"
    "YW1wbGUuY29t"
)


def level(permitted=(), excluded=()) -> NameConstraints:
    return NameConstraints(tuple(permitted), tuple(excluded))


def allowed(*constraints: NameConstraints, san=(), subject: Name = EMPTY, **options) -> bool:
    try:
        check_names(constraints, subject=subject, san=san, **options)
    except NameConstraintViolation:
        return False
    return True


def of_kind(kind: str, *values: object) -> list[GeneralName]:
    return [GeneralName(kind, value) for value in values]


def directory(*parts: tuple[str, int, str]) -> Name:
    return Name.build([(Attribute(oid, tag, text),) for oid, tag, text in parts])


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("app.dev.example.com", True),
        ("a.b.test.example.com", True),
        ("APP.DEV.Example.COM", True),
        ("dev.example.com", False),
        ("prod.dev.example.com", True),
        ("app.prod.dev.example.com", False),
        ("*.prod.dev.example.com", False),
        ("*.dev.example.com", True),
        ("app.dev.example.com.evil.org", False),
        ("notdev.example.com", False),
        ("xdev.example.com", False),
        ("amazon.com", False),
        ("", False),
    ],
)
def test_the_vector_of_the_walk_through(host, verdict):
    constraints = read_name_constraints(Extension(OID.NAME_CONSTRAINTS, True, b64decode(VECTOR)))
    check_supported(constraints)
    assert allowed(constraints, san=[dns(host)]) is verdict


@pytest.mark.parametrize(
    ("base", "host", "inside"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", True),
        ("example.com", "a.b.example.com", True),
        ("example.com", "badexample.com", False),
        ("example.com", "com", False),
        (".example.com", "example.com", False),
        (".example.com", "www.example.com", True),
        (".example.com", "www.example.com.", True),
        ("Example.COM", "WWW.example.com", True),
        ("", "anything.example", True),
        ("example.com", "*.example.com", True),
        ("www.example.com", "*.example.com", False),
        ("bad base", "bad base", False),
    ],
)
def test_permitted_dns(base, host, inside):
    assert allowed(level(of_kind("dns", base)), san=[dns(host)]) is inside


@pytest.mark.parametrize(
    ("base", "host", "inside"),
    [
        ("example.com", "example.com", True),
        ("example.com", "www.example.com.", True),
        ("example.com", "example.org", False),
        ("www.example.com", "*.example.com", True),
        ("a.www.example.com", "*.example.com", False),
        (".www.example.com", "*.example.com", False),
        (".example.com", "*.example.com", True),
        ("example.com", "*", False),
        ("com", "*", True),
        ("foo.example.com", "f*.example.com", True),
        ("", "anything.example", True),
        # A base that is no domain cannot be evaluated, so every name of its form is refused.
        ("bad base", "www.example.com", True),
    ],
)
def test_excluded_dns(base, host, inside):
    assert allowed(level(excluded=of_kind("dns", base)), san=[dns(host)]) is not inside


@pytest.mark.parametrize(
    ("base", "mailbox", "inside"),
    [
        ("root@example.com", "root@example.com", True),
        ("root@example.com", "root@EXAMPLE.com", True),
        ("root@example.com", "other@example.com", False),
        ("example.com", "anyone@example.com", True),
        ("example.com", "anyone@mail.example.com", False),
        (".example.com", "anyone@mail.example.com", True),
        (".example.com", "anyone@example.com", False),
        ("example.com", "not a mailbox", False),
        ("example.com", "@example.com", False),
        ("example.com", '"a@b"@example.com', True),
        ("@example.com", "anyone@example.com", False),
        ("", "anyone@example.com", False),
    ],
)
def test_permitted_email(base, mailbox, inside):
    assert allowed(level(of_kind("email", base)), san=of_kind("email", mailbox)) is inside


def test_the_local_part_is_exact_for_permission_and_loose_for_exclusion():
    shouted = of_kind("email", "ROOT@example.com")
    assert not allowed(level(of_kind("email", "root@example.com")), san=shouted)
    assert not allowed(level(excluded=of_kind("email", "root@example.com")), san=shouted)


def test_an_excluded_email_form_that_cannot_be_read_excludes():
    for base in ("", "@example.com", "bad host"):
        assert not allowed(level(excluded=of_kind("email", base)), san=of_kind("email", "a@b.example"))


def test_email_addresses_inside_the_subject_count():
    subject = directory((EMAIL_ADDRESS, der.IA5_STRING, "a@evil.example"))
    assert not allowed(level(excluded=of_kind("email", "evil.example")), subject=subject)
    assert not allowed(level(of_kind("email", "good.example")), subject=subject)
    assert allowed(level(of_kind("email", "evil.example")), subject=subject)


def test_internationalised_mailboxes_obey_email_constraints():
    mailbox = GeneralName("other", "ü@bücher.example", "1.3.6.1.5.5.7.8.9")
    assert not allowed(level(excluded=of_kind("email", "xn--bcher-kva.example")), san=[mailbox])
    assert not allowed(level(of_kind("email", "good.example")), san=[mailbox])
    assert allowed(level(of_kind("email", "xn--bcher-kva.example")), san=[mailbox])
    broken = GeneralName("other", "ü@" + "ü" * 80, "1.3.6.1.5.5.7.8.9")
    assert not allowed(level(of_kind("email", "good.example")), san=[broken])


@pytest.mark.parametrize(
    ("base", "uri", "inside"),
    [
        ("host.example", "https://host.example/path", True),
        ("host.example", "https://HOST.example:8443/?q#f", True),
        ("host.example", "https://www.host.example/", False),
        (".host.example", "https://www.host.example/", True),
        (".host.example", "https://host.example/", False),
        ("prod", "spiffe://prod/web", True),
        ("host.example", "https://evil.example/@host.example", False),
        ("host.example", "https://host.example@evil.example/", False),
        ("host.example", "https://host.example.evil.example/", False),
    ],
)
def test_permitted_uri(base, uri, inside):
    assert allowed(level(of_kind("uri", base)), san=of_kind("uri", uri)) is inside


@pytest.mark.parametrize(
    "uri",
    [
        "urn:uuid:0",
        "mailto:a@b.example",
        "https:///path",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://host.example\\@evil.example/",
        "https://user@host.example/",
        "https://ho%73t.example/",
        "",
    ],
)
def test_a_uri_without_a_host_name_is_refused_whenever_uris_are_constrained(uri):
    names = of_kind("uri", uri)
    assert not allowed(level(of_kind("uri", "host.example")), san=names)
    assert not allowed(level(excluded=of_kind("uri", "other.example")), san=names)
    assert allowed(level(of_kind("dns", "host.example")), san=names)


def network(address: str, mask: str) -> GeneralName:
    return GeneralName("ip", ip(address).value + ip(mask).value)


@pytest.mark.parametrize(
    ("base", "address", "inside"),
    [
        (network("10.0.0.0", "255.0.0.0"), "10.255.1.2", True),
        (network("10.0.0.0", "255.0.0.0"), "11.0.0.1", False),
        (network("10.1.2.3", "255.0.0.0"), "10.9.9.9", True),
        (network("10.0.0.1", "255.255.255.255"), "10.0.0.1", True),
        (network("0.0.0.0", "0.0.0.0"), "203.0.113.9", True),
        (network("0.0.0.0", "0.0.0.0"), "2001:db8::1", False),
        (network("2001:db8::", "ffff:ffff::"), "2001:db8:1::1", True),
        (network("2001:db8::", "ffff:ffff::"), "2001:db9::1", False),
        (network("10.0.0.0", "255.0.255.0"), "10.0.0.1", False),
        (network("10.0.0.0", "255.0.0.0"), "::ffff:10.0.0.1", False),
    ],
)
def test_permitted_ip(base, address, inside):
    assert allowed(level([base]), san=[ip(address)]) is inside


def test_excluded_ip():
    ten = network("10.0.0.0", "255.0.0.0")
    assert not allowed(level(excluded=[ten]), san=[ip("10.1.1.1")])
    assert not allowed(level(excluded=[ten]), san=[ip("::ffff:10.1.1.1")])
    assert allowed(level(excluded=[ten]), san=[ip("11.1.1.1")])
    holes = network("10.0.0.0", "255.0.255.0")
    assert not allowed(level(excluded=[holes]), san=[ip("192.0.2.1")])


ACME = directory((COUNTRY, der.PRINTABLE_STRING, "US"), (ORGANISATION, der.UTF8_STRING, "Acme Corp"))
ACME_WEB = directory(
    (COUNTRY, der.PRINTABLE_STRING, "US"),
    (ORGANISATION, der.PRINTABLE_STRING, "ACME  corp"),
    ("2.5.4.3", der.UTF8_STRING, "web"),
)


def test_directory_names_are_compared_as_prefixes():
    base = of_kind("directory", ACME)
    assert allowed(level(base), subject=ACME)
    assert allowed(level(base), subject=ACME_WEB)
    assert not allowed(level(base), subject=named("web"))
    assert not allowed(level(base), subject=directory((COUNTRY, der.PRINTABLE_STRING, "US")))
    assert not allowed(level(excluded=base), subject=ACME_WEB)
    assert allowed(level(excluded=base), subject=named("web"))


def test_directory_names_in_the_san_count():
    assert not allowed(level(of_kind("directory", ACME)), subject=ACME, san=of_kind("directory", named("web")))


def test_an_empty_subject_is_not_a_directory_name():
    assert allowed(level(of_kind("directory", ACME)), san=[dns("www.example.com")])


def test_an_empty_directory_base_holds_every_name():
    assert allowed(level(of_kind("directory", named())), subject=ACME)
    assert not allowed(level(excluded=of_kind("directory", named())), subject=ACME)


@pytest.mark.parametrize("tag", [der.TELETEX_STRING, der.BMP_STRING, der.IA5_STRING])
def test_another_string_type_does_not_slip_past_an_exclusion(tag):
    disguised = directory((COUNTRY, der.PRINTABLE_STRING, "us"), (ORGANISATION, tag, "ACME CORP"))
    assert not allowed(level(excluded=of_kind("directory", ACME)), subject=disguised)


def test_excluded_wins_over_permitted():
    both = level(of_kind("dns", "example.com"), of_kind("dns", "example.com"))
    assert not allowed(both, san=[dns("www.example.com")])


def test_forms_that_are_not_mentioned_are_free():
    only_dns = level(of_kind("dns", "example.com"))
    assert allowed(only_dns, san=[ip("192.0.2.1"), *of_kind("email", "a@b.example"), *of_kind("uri", "urn:x")])
    assert allowed(only_dns, subject=ACME)


def test_every_level_applies():
    parent = level(of_kind("dns", ".private", ".corp"))
    child = level(of_kind("dns", "sub.private"))
    assert allowed(parent, child, san=[dns("a.sub.private")])
    assert not allowed(parent, child, san=[dns("a.corp")])
    assert not allowed(parent, child, san=[dns("other.private")])
    disjoint = level(of_kind("dns", "example.org"))
    assert not allowed(parent, disjoint, san=[dns("a.private")])
    assert not allowed(parent, disjoint, san=[dns("example.org")])


def test_every_name_is_checked():
    constraint = level(of_kind("dns", "example.com"))
    with pytest.raises(NameConstraintViolation, match=r"evil\.org"):
        check_names([constraint], subject=EMPTY, san=[dns("a.example.com"), dns("evil.org"), dns("b.example.com")])


def test_a_violation_is_a_validation_failure_that_names_form_and_name():
    with pytest.raises(ValidationFailed, match=r"'a\.corp' \(dNSName\) is not permitted by the name constraints"):
        check_names([level(of_kind("dns", "b.corp"))], subject=EMPTY, san=[dns("a.corp")])


@pytest.mark.parametrize(
    ("common_name", "verdict"),
    [
        ("www.example.com", True),
        ("www.evil.org", False),
        ("WWW.EVIL.ORG", False),
        ("*.evil.org", False),
        ("www.evil.org.", False),
        ("Jane Doe", True),
        ("localhost", True),
        ("10.0.0.1", False),
        ("Example CA v1.2 (test)", True),
    ],
)
def test_a_common_name_is_checked_like_a_host_when_no_dns_name_is_there(common_name, verdict):
    constraint = level(of_kind("dns", "example.com"))
    assert allowed(constraint, subject=named(common_name)) is verdict
    assert allowed(constraint, subject=named(common_name), san=of_kind("email", "a@b.example")) is verdict
    assert allowed(constraint, subject=named(common_name), san=[dns("www.example.com")])
    assert allowed(constraint, subject=named(common_name), common_name_as_host=False)


def test_an_address_as_common_name_is_checked_like_an_address():
    ten = level(excluded=[network("10.0.0.0", "255.0.0.0")])
    assert not allowed(ten, subject=named("10.0.0.1"))
    assert allowed(ten, subject=named("10.0.0.1"), san=[ip("192.0.2.1")])
    assert allowed(ten, subject=named("192.0.2.1"))


def test_every_common_name_is_checked():
    assert not allowed(level(of_kind("dns", "example.com")), subject=named("www.example.com", "www.evil.org"))


UNSUPPORTED = [
    GeneralName("other", "x", "1.2.3"),
    GeneralName("registered_id", "1.2.3"),
    GeneralName("edi", b""),
    GeneralName("x400", b""),
]


@pytest.mark.parametrize("base", UNSUPPORTED, ids=lambda base: base.kind)
def test_forms_that_cannot_be_constrained(base):
    with pytest.raises(Unreadable, match="not supported"):
        check_supported(level([base]))
    with pytest.raises(Unreadable):
        check_supported(level(excluded=[base]))
    # When such constraints are in force all the same, names of the form are refused and others are free.
    assert not allowed(level([base]), san=[base])
    assert not allowed(level(excluded=[base]), san=[base])
    assert allowed(level([base]), san=[dns("www.example.com")])


@pytest.mark.parametrize(
    "base",
    [
        GeneralName("dns", "bad base"),
        GeneralName("dns", "*.example.com"),
        GeneralName("dns", "a..b"),
        GeneralName("email", ""),
        GeneralName("uri", "https://example.com/"),
        GeneralName("ip", bytes(7)),
        network("10.0.0.0", "255.0.255.0"),
    ],
    ids=str,
)
def test_bases_that_are_not_of_their_form_are_reported(base):
    with pytest.raises(Unreadable):
        check_supported(level([base]))


@pytest.mark.parametrize(
    "base",
    [
        GeneralName("dns", ""),
        GeneralName("dns", "example.com"),
        GeneralName("dns", ".example.com"),
        GeneralName("email", "a@example.com"),
        GeneralName("email", ".example.com"),
        GeneralName("uri", "example.com"),
        network("10.0.0.0", "255.0.0.0"),
        network("::", "::"),
        GeneralName("directory", ACME),
    ],
    ids=str,
)
def test_sound_bases_are_supported(base):
    check_supported(level([base], [base]))
