"""Names: round trips with two libraries, printing, comparison, the service's subjects."""

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import der
from greatseal.x509.attributes import Attribute
from greatseal.x509.names import Name, same_name, subject_from_attributes, subject_from_custom

PRINTABLE = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?", min_size=1, max_size=20
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
BASIC_PLANE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=20)
ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=20)
# Beyond these the two other libraries take TeletexString for two different character sets, and ours for Latin-1.
TELETEX = st.text("abcXYZ0189 .-", min_size=1, max_size=20)
OIDS = st.sampled_from(["2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.5", "1.2.3.4.5"])
ATTRIBUTES = st.one_of(
    st.builds(Attribute, OIDS, st.just(der.UTF8_STRING), TEXT),
    st.builds(Attribute, OIDS, st.just(der.PRINTABLE_STRING), PRINTABLE),
    st.builds(Attribute, OIDS, st.just(der.IA5_STRING), ASCII),
    st.builds(Attribute, OIDS, st.just(der.TELETEX_STRING), TELETEX),
    st.builds(Attribute, OIDS, st.just(der.BMP_STRING), BASIC_PLANE),
    st.builds(Attribute, OIDS, st.just(der.UNIVERSAL_STRING), TEXT),
)
RDNS = st.lists(st.lists(ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda a: a.oid), max_size=5)


@given(RDNS)
def test_names_come_back_and_asn1crypto_reads_the_same(rdns):
    name = Name.build(rdns)
    assert Name.parse(name.der) == name
    other = asn1.Name.load(name.der, strict=True)
    pairs = [sorted((pair["type"].dotted, pair["value"].native) for pair in rdn) for rdn in other.chosen]
    assert pairs == [sorted((a.oid, a.value) for a in rdn) for rdn in rdns]


@settings(max_examples=50)
@given(RDNS)
def test_cryptography_reads_the_same(rdns):
    # cryptography refuses empty values of some attributes in its own constructors, hence its parser is used.
    name = Name.build(rdns)
    request = der.sequence(
        der.sequence(der.integer(0), name.der, SPKI, der.tlv(0xA0, b"")),
        bytes.fromhex("300a06082a8648ce3d040302"),
        der.bit_string(der.sequence(der.integer(1), der.integer(1))),
    )
    found = x509.load_der_x509_csr(request).subject
    pairs = [sorted((a.oid.dotted_string, a.value) for a in rdn) for rdn in found.rdns]
    assert pairs == [sorted((a.oid, a.value) for a in rdn) for rdn in rdns]


SPKI = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def test_built_by_cryptography_is_read_byte_for_byte():
    built = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "AU"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Ünïcode", _ASN1Type.BMPString),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com"),
            x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "a@example.com"),
        ]
    ).public_bytes()
    name = Name.parse(built)
    assert name.der == built
    assert name.common_names == ("example.com",)
    assert name.emails == ("a@example.com",)
    assert name.get("2.5.4.10") == ("Ünïcode",)
    assert not name.is_empty


def test_the_order_of_the_service_and_its_string_types():
    fields = {
        "GenerationQualifier": "III",
        "Pseudonym": "ps",
        "Initials": "AB",
        "GivenName": "Given",
        "Surname": "Sur",
        "Title": "Dr",
        "Locality": "Seattle",
        "SerialNumber": "12",
        "CommonName": "cn.example.com",
        "State": "WA",
        "DistinguishedNameQualifier": "q",
        "OrganizationalUnit": "Sales",
        "Organization": "Örg",
        "Country": "US",
    }
    name = subject_from_attributes(fields)
    assert name.display() == (
        "C=US,O=Örg,OU=Sales,dnQualifier=q,ST=WA,CN=cn.example.com,serialNumber=12,L=Seattle,title=Dr,SN=Sur,GN=Given,"
        "initials=AB,pseudonym=ps,generationQualifier=III"
    )
    printable = {a.oid for a in name.attributes if a.tag == der.PRINTABLE_STRING}
    assert printable == {"2.5.4.6", "2.5.4.46", "2.5.4.5"}
    assert {a.tag for a in name.attributes if a.oid not in printable} == {der.UTF8_STRING}
    assert all(len(rdn) == 1 for rdn in name.rdns)


def test_custom_attributes_keep_their_order_and_may_repeat():
    dc = "0.9.2342.19200300.100.1.25"
    name = subject_from_custom([(dc, "com"), (dc, "example"), ("1.3.6.1.4.1.37244.2.1", "FFF1"), ("2.5.4.6", "US")])
    assert name.display() == "DC=com,DC=example,1.3.6.1.4.1.37244.2.1=FFF1,C=US"
    tags = [a.tag for a in name.attributes]
    assert tags == [der.IA5_STRING, der.IA5_STRING, der.UTF8_STRING, der.PRINTABLE_STRING]


@pytest.mark.parametrize(
    "make",
    [
        lambda: subject_from_attributes({"Nickname": "x"}),
        lambda: subject_from_attributes({"SerialNumber": "a_b"}),
        lambda: subject_from_custom([("0.9.2342.19200300.100.1.25", "exämple")]),
        lambda: subject_from_custom([("9.9", "x")]),
        lambda: subject_from_custom([("2.5.4.3", "\ud800")]),
    ],
)
def test_subjects_that_cannot_be_encoded(make):
    with pytest.raises(InvalidArgument):
        make()


def test_printing_as_the_audit_report_does():
    name = subject_from_attributes(
        {
            "Country": "US",
            "Organization": "Example Company",
            "OrganizationalUnit": "Sales",
            "State": "Washington",
            "CommonName": "www.example1.com",
            "SerialNumber": "42",
        }
    )
    assert name.rfc2253() == "2.5.4.5=#13023432,CN=www.example1.com,ST=Washington,OU=Sales,O=Example Company,C=US"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("Internet Widgits Pty Ltd", "Internet Widgits Pty Ltd"),
        ("Acme, Inc.", r"Acme\, Inc."),
        (' "a"+b\\c;<>', r"\ \"a\"\+b\\c\;\<\>"),
        ("#1", r"\#1"),
        ("end ", r"end\ "),
        (" ", r"\ "),
        ("a\\ ", r"a\\\ "),
        ("a\nb", r"a\0Ab"),
        ("a\x7fb", r"a\7Fb"),
    ],
)
def test_escapes(value, printed):
    name = Name.build([[Attribute("2.5.4.3", der.UTF8_STRING, value)]])
    assert name.display() == f"CN={printed}"
    assert name.rfc2253() == f"CN={printed}"


def test_printing_in_certificate_order():
    pairs = [
        ("2.5.4.6", "AU"),
        ("2.5.4.8", "Some-State"),
        ("2.5.4.10", "Internet Widgits Pty Ltd"),
        ("2.5.4.3", "example.com"),
    ]
    assert subject_from_custom(pairs).display() == "C=AU,ST=Some-State,O=Internet Widgits Pty Ltd,CN=example.com"


def test_multi_valued_and_binary_attributes():
    name = Name.parse(
        der.sequence(
            der.set_of(
                [
                    der.sequence(der.oid("2.5.4.3"), der.utf8("a")),
                    der.sequence(der.oid("2.5.4.45"), der.bit_string(b"\x01")),
                ]
            )
        )
    )
    assert len(name.rdns) == 1
    assert name.rfc2253() in ("CN=a+2.5.4.45=#03020001", "2.5.4.45=#03020001+CN=a")
    assert Name.build(name.rdns) == name


@pytest.mark.parametrize(
    "encoded",
    [
        der.sequence(der.set_of([])),
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"))])),
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.UTF8_STRING, b"\xff"))])),
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.BMP_STRING, b"a"))])),
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.PRINTABLE_STRING, b"\xe9"))])),
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.utf8("a"), der.null())])),
        der.sequence() + b"\0",
        der.set_of([]),
    ],
)
def test_names_that_are_refused(encoded):
    with pytest.raises(der.DerError):
        Name.parse(encoded)


def cn(tag, value):
    return Name.build([[Attribute("2.5.4.3", tag, value)]])


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (cn(der.UTF8_STRING, "Example  CA "), cn(der.PRINTABLE_STRING, "example ca"), True),
        (cn(der.UTF8_STRING, "STRASSE"), cn(der.UTF8_STRING, "straße"), True),
        (cn(der.UTF8_STRING, "a"), cn(der.UTF8_STRING, "b"), False),
        (cn(der.BMP_STRING, "A"), cn(der.BMP_STRING, "a"), False),
        (cn(der.BMP_STRING, "a"), cn(der.UTF8_STRING, "a"), False),
        (Name.build([]), Name.build([]), True),
        (Name.build([]), cn(der.UTF8_STRING, "a"), False),
    ],
)
def test_comparison_of_rfc_5280(first, second, same):
    assert same_name(first, second) is same
    assert same_name(second, first) is same


def test_an_rdn_compares_as_a_set():
    a, b = Attribute("2.5.4.3", der.UTF8_STRING, "A"), Attribute("2.5.4.10", der.PRINTABLE_STRING, "o")
    lower = Attribute("2.5.4.3", der.UTF8_STRING, "a")
    assert same_name(Name.build([[a, b]]), Name.build([[b, lower]]))
    assert not same_name(Name.build([[a], [b]]), Name.build([[b], [a]]))


def test_teletex_is_latin_1():
    name = Name.parse(
        der.sequence(der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.TELETEX_STRING, b"caf\xe9"))]))
    )
    assert name.common_names == ("café",)
    assert Name.build(name.rdns) == name
