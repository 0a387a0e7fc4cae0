"""General names: every form, round trips, both other libraries, refusals."""

import ipaddress

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509 import der, general_names
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.general_names import GeneralName, encode_general_names, parse_general_names
from greatseal.x509.names import subject_from_attributes

ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
UPN = "1.3.6.1.4.1.311.20.2.3"
NAMES = st.one_of(
    st.builds(GeneralName, st.sampled_from(["dns", "uri", "email"]), ASCII),
    st.ip_addresses().map(lambda address: GeneralName("ip", address.packed)),
    st.text(min_size=1, max_size=20).map(
        lambda cn: GeneralName("directory", subject_from_attributes({"CommonName": cn}))
    ),
    st.sampled_from(["1.2.3.4", "2.5.29.17"]).map(lambda oid: GeneralName("registered_id", oid)),
    st.text(max_size=20).map(lambda text: GeneralName("other", text, UPN)),
    st.binary(max_size=20).map(lambda octets: GeneralName("other", der.octet_string(octets), UPN)),
    st.text(max_size=20).map(general_names.edi_party),
)


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_names_come_back(names):
    encoded = encode_general_names(names)
    assert parse_general_names(encoded) == tuple(names)
    assert len(asn1.GeneralNames.load(encoded, strict=True)) == len(names)


@given(st.lists(NAMES.filter(lambda name: name.kind != "edi"), min_size=1, max_size=6))
def test_cryptography_reads_the_same(names):
    extension = subject_alternative_name(names)
    found = list(decode_san(extension.value))
    for ours, theirs in zip(names, found, strict=True):
        match theirs:
            case x509.IPAddress():
                assert theirs.value.packed == ours.value
            case x509.DirectoryName():
                assert theirs.value.public_bytes() == ours.value.der
            case x509.RegisteredID():
                assert theirs.value.dotted_string == ours.value
            case x509.OtherName():
                assert theirs.type_id.dotted_string == ours.type_id
                inner = ours.value if isinstance(ours.value, bytes) else der.utf8(ours.value)
                assert theirs.value == inner
            case _:
                assert theirs.value == ours.value


def decode_san(value):
    """`cryptography` reads extensions only inside of something: a request whose signature nobody checks."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    spki = (
        ec.derive_private_key(7, ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    extension = der.sequence(der.oid("2.5.29.17"), der.octet_string(value))
    attribute = der.sequence(der.oid("1.2.840.113549.1.9.14"), der.set_of([der.sequence(extension)]))
    info = der.sequence(der.integer(0), der.sequence(), spki, der.tlv(0xA0, attribute))
    request = der.sequence(info, bytes.fromhex("300a06082a8648ce3d040302"), der.bit_string(b"\0"))
    return x509.load_der_x509_csr(request).extensions[0].value


def test_the_forms_in_octets():
    assert general_names.dns("a.b").encode() == b"\x82\x03a.b"
    assert general_names.ip("192.0.2.1").encode() == b"\x87\x04\xc0\x00\x02\x01"
    assert general_names.ip("2001:db8::1").value == ipaddress.ip_address("2001:db8::1").packed
    assert GeneralName("registered_id", "2.5.29.17").encode() == b"\x88\x03\x55\x1d\x11"
    # The user principal name of Windows: UTF8String under an explicit [0] (acm-pca.md 8).
    upn = GeneralName("other", "u@d", UPN).encode()
    assert upn == bytes.fromhex("a013060a2b060104018237140203a0050c03754064")
    assert general_names.edi_party("p", "a").encode() == bytes.fromhex("a50aa0030c0161a1030c0170")
    assert GeneralName("x400", b"\x30\x00").encode() == b"\xa3\x02\x30\x00"


def test_how_names_print():
    directory = GeneralName("directory", subject_from_attributes({"Country": "US", "CommonName": "x"}))
    printed = [
        str(name) for name in (general_names.dns("a"), general_names.ip("::1"), directory, general_names.edi_party("p"))
    ]
    assert printed == ["a", "::1", "C=US,CN=x", "a1030c0170"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x82\x01\xe9",  # a U-label
        b"\x81\x01\x80",
        b"\x87\x05\x00\x00\x00\x00\x00",
        b"\x87\x08" + bytes(8),
        b"\x88\x00",
        b"\xa4\x02\x31\x00",
        b"\xa0\x03\x06\x01\x2a",
        b"\xa0\x05\x06\x01\x2a\xa0\x00",
        b"\xa0\x09\x06\x01\x2a\xa0\x04\x05\x00\x05\x00",
        b"\x89\x01a",
        b"\x02\x01\x00",
    ],
)
def test_names_that_are_refused(content):
    with pytest.raises(der.DerError):
        parse_general_names(der.tlv(der.SEQUENCE, content))


def test_an_other_name_with_broken_text_is_kept_as_octets():
    broken = der.tlv(der.UTF8_STRING, b"\xff")
    name = GeneralName("other", broken, UPN)
    assert parse_general_names(der.sequence(name.encode())) == (name,)


@pytest.mark.parametrize(
    "name",
    [
        GeneralName("dns", "ünïcode"),
        GeneralName("dns", b"octets"),
        GeneralName("ip", "192.0.2.1"),
        GeneralName("directory", "CN=x"),
        GeneralName("registered_id", "x"),
        GeneralName("other", "x", ""),
    ],
)
def test_values_that_do_not_fit_their_kind(name):
    with pytest.raises(der.DerError):
        name.encode()


def test_no_name_and_no_address():
    with pytest.raises(der.DerError):
        encode_general_names([])
    with pytest.raises(der.DerError):
        general_names.ip("300.1.1.1")
