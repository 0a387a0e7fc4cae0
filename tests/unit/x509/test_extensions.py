"""Builders and readers of extensions against `cryptography` and `asn1crypto`."""

import hashlib

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509 import der, extensions, general_names
from greatseal.x509.extensions import KEY_USAGES, OID, AccessDescription, BasicConstraints, Extension, NameConstraints
from greatseal.x509.general_names import GeneralName

THEIR_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
KEY = ec.derive_private_key(7, ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
OIDS = st.lists(st.integers(0, 2**40), max_size=5).map(lambda arcs: ".".join(map(str, (1, 3, *arcs))))
HOST = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True)


def reference(oid, value):
    """The value as asn1crypto reads it."""
    encoded = der.sequence(der.oid(oid), der.octet_string(value))
    return asn1.Extension.load(encoded, strict=True)["extn_value"].parsed


@given(st.sets(st.sampled_from(KEY_USAGES)))
def test_key_usage_comes_back_as_minimal_der(names):
    extension = extensions.key_usage(names)
    assert extensions.read_key_usage(extension) == names
    flags = {attr: ours in names for attr, ours in zip(THEIR_USAGES, KEY_USAGES, strict=True)}
    if flags["key_agreement"] or not (flags["encipher_only"] or flags["decipher_only"]):
        assert extension.value == x509.KeyUsage(**flags).public_bytes()


def test_key_usage_in_octets():
    assert extensions.key_usage(["DigitalSignature", "KeyCertSign", "CRLSign"]).value == bytes.fromhex("03020186")
    # Nine bits with trailing zeros, as the real service writes usages from the API.
    nine = Extension(OID.KEY_USAGE, True, bytes.fromhex("0303078000"))
    assert extensions.read_key_usage(nine) == {"DigitalSignature"}
    with pytest.raises(der.DerError, match="Signing"):
        extensions.key_usage(["Signing"])


@given(st.booleans(), st.none() | st.integers(0, 300))
def test_basic_constraints_come_back(ca, path_length):
    if not ca and path_length is not None:
        with pytest.raises(der.DerError):
            extensions.basic_constraints(ca, path_length)
        return
    extension = extensions.basic_constraints(ca, path_length)
    assert extensions.read_basic_constraints(extension) == BasicConstraints(ca, path_length)
    assert extension.value == x509.BasicConstraints(ca, path_length).public_bytes()


def test_basic_constraints_of_old_certificates():
    explicit_false = Extension(OID.BASIC_CONSTRAINTS, False, bytes.fromhex("3003010100"))
    assert extensions.read_basic_constraints(explicit_false) == BasicConstraints(False, None)
    for broken in ("30030101010500", "30060101ff0201ff", "3000ff", "0400", ""):
        with pytest.raises(der.DerError):
            extensions.read_basic_constraints(Extension(OID.BASIC_CONSTRAINTS, True, bytes.fromhex(broken)))


@given(st.lists(OIDS, min_size=1, max_size=6))
def test_extended_key_usage_comes_back(purposes):
    extension = extensions.extended_key_usage(purposes)
    assert extensions.read_extended_key_usage(extension) == tuple(purposes)
    assert [oid.dotted for oid in reference(OID.EXTENDED_KEY_USAGE, extension.value)] == purposes


@pytest.mark.parametrize("key", [KEY, rsa.generate_private_key(65537, 2048)], ids=["EC", "RSA"])
def test_key_identifiers(key):
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    theirs = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    ours = extensions.subject_key_identifier(spki)
    assert ours.value == theirs.public_bytes()
    assert extensions.read_subject_key_identifier(ours) == theirs.digest
    authority = extensions.authority_key_identifier(theirs.digest)
    assert authority.value == x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()).public_bytes()
    assert extensions.read_authority_key_identifier(authority) == theirs.digest


def test_an_authority_key_identifier_by_issuer_and_serial():
    name = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]))
    value = x509.AuthorityKeyIdentifier(None, [name], 7).public_bytes()
    assert extensions.read_authority_key_identifier(Extension(OID.AUTHORITY_KEY_IDENTIFIER, False, value)) is None


@given(st.lists(HOST, min_size=1, max_size=5))
def test_subject_alternative_name(hosts):
    extension = extensions.subject_alternative_name([general_names.dns(host) for host in hosts], critical=True)
    assert extension.critical
    assert [name.text for name in extensions.read_san(extension)] == hosts
    assert extension.value == x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]).public_bytes()


def test_distribution_points_and_information_access():
    url = "http://ca.example.com/crl/1.crl"
    points = extensions.crl_distribution_points(url)
    theirs = x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)]
    )
    assert points.value == theirs.public_bytes()
    assert extensions.read_crl_urls(points) == (url,)

    access = extensions.authority_information_access("http://ocsp.example.com")
    description = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example.com")
    )
    assert access.value == x509.AuthorityInformationAccess([description]).public_bytes()
    assert extensions.read_ocsp_urls(access) == ("http://ocsp.example.com",)


def test_distribution_points_of_others():
    name = x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    issuer = x509.DirectoryName(x509.Name([name]))
    reasons = frozenset([x509.ReasonFlags.key_compromise])
    value = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint(None, name, reasons, [issuer]),
            x509.DistributionPoint([issuer, x509.UniformResourceIdentifier("ldap://x")], None, None, None),
            x509.DistributionPoint(None, None, None, [issuer]),
        ]
    ).public_bytes()
    assert extensions.read_crl_urls(Extension(OID.CRL_DISTRIBUTION_POINTS, False, value)) == ("ldap://x",)


def test_subject_information_access():
    entry = AccessDescription(OID.ACCESS_CA_REPOSITORY, GeneralName("uri", "http://r.example.com"))
    extension = extensions.subject_information_access([entry])
    assert extensions.read_information_access(extension) == (entry,)
    theirs = x509.AccessDescription(
        x509.oid.SubjectInformationAccessOID.CA_REPOSITORY, x509.UniformResourceIdentifier("http://r.example.com")
    )
    assert extension.value == x509.SubjectInformationAccess([theirs]).public_bytes()


def test_certificate_policies():
    extension = extensions.certificate_policies([("1.2.3.4", ["https://example.com/cps"]), ("2.5.29.32.0", [])])
    theirs = x509.CertificatePolicies(
        [
            x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), ["https://example.com/cps"]),
            x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None),
        ]
    )
    assert extension.value == theirs.public_bytes()
    assert [(policy.oid, policy.cps_uris) for policy in extensions.read_certificate_policies(extension)] == [
        ("1.2.3.4", ("https://example.com/cps",)),
        ("2.5.29.32.0", ()),
    ]
    notice = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), [x509.UserNotice(None, "text")])
    value = x509.CertificatePolicies([notice]).public_bytes()
    (policy,) = extensions.read_certificate_policies(Extension(OID.CERTIFICATE_POLICIES, False, value))
    assert policy.cps_uris == ()


def test_name_constraints():
    # The example of acm-pca.md 8: permitted DNS .permitted.test.
    sample = bytes.fromhex("3015a0133011820f2e7065726d69747465642e74657374")
    ours = extensions.name_constraints([general_names.dns(".permitted.test")], [])
    assert (ours.value, ours.critical) == (sample, True)
    subnet = GeneralName("ip", bytes.fromhex("c0000200ffffff00"))
    both = extensions.name_constraints([general_names.dns("a")], [subnet, GeneralName("email", "b.example")])
    assert extensions.read_name_constraints(both) == NameConstraints(
        (general_names.dns("a"),), (subnet, GeneralName("email", "b.example"))
    )
    native = reference(OID.NAME_CONSTRAINTS, both.value).native
    assert [tree["base"] for tree in native["excluded_subtrees"]] == ["192.0.2.0/24", "b.example"]


@pytest.mark.parametrize(
    "value",
    [
        "3000",
        "3002a000",
        "3009a00730058201618101ff"[:22],
        "300aa0083006820161800101",  # minimum 1
        "300aa0083006820161810101",  # a maximum
        "3008a00630048702c000",
        "3008a10630048702c000",
    ],
)
def test_name_constraints_that_are_refused(value):
    with pytest.raises(der.DerError):
        extensions.read_name_constraints(Extension(OID.NAME_CONSTRAINTS, True, bytes.fromhex(value)))


def test_a_minimum_of_zero_is_understood():
    value = bytes.fromhex("300aa0083006820161800100")
    found = extensions.read_name_constraints(Extension(OID.NAME_CONSTRAINTS, True, value))
    assert found.permitted == (general_names.dns("a"),)


@given(st.dictionaries(OIDS, st.tuples(st.booleans(), st.binary(max_size=40)), min_size=1, max_size=6))
def test_lists_come_back_and_asn1crypto_reads_the_same(entries):
    listed = tuple(Extension(oid, critical, value) for oid, (critical, value) in entries.items())
    encoded = extensions.encode_extensions(listed)
    assert extensions.parse_extensions(encoded) == listed
    theirs = asn1.Extensions.load(encoded, strict=True)
    assert [(e["extn_id"].dotted, e["critical"].native, bytes(e["extn_value"])) for e in theirs] == [
        (e.oid, e.critical, e.value) for e in listed
    ]
    assert extensions.find(listed, listed[-1].oid) == listed[-1]
    assert extensions.find(listed, "2.5.29.99") is None


def test_lists_that_are_refused():
    one = Extension("1.2.3", False, b"")
    explicit_false = der.sequence(der.oid("1.2.3"), der.boolean(False), der.octet_string(b""))
    with pytest.raises(der.DerError, match="twice"):
        extensions.encode_extensions([one, one])
    with pytest.raises(der.DerError, match="twice"):
        extensions.parse_extensions(der.sequence(one.encode(), one.encode()))
    with pytest.raises(der.DerError, match="default"):
        extensions.parse_extensions(der.sequence(explicit_false))
    with pytest.raises(der.DerError):
        extensions.encode_extensions([])
    with pytest.raises(der.DerError):
        extensions.parse_extensions(der.sequence())


@pytest.mark.parametrize(
    "build",
    [
        lambda: extensions.extended_key_usage([]),
        lambda: extensions.subject_alternative_name([]),
        lambda: extensions.certificate_policies([]),
        lambda: extensions.certificate_policies([("1.2.3", []), ("1.2.3", [])]),
        lambda: extensions.subject_information_access([]),
        lambda: extensions.name_constraints([], []),
        lambda: extensions.crl_distribution_points("http://é"),
    ],
)
def test_what_cannot_be_built(build):
    with pytest.raises(der.DerError):
        build()


READERS = [getattr(extensions, name) for name in extensions.__all__ if name.startswith("read_")]


@pytest.mark.parametrize("read", READERS)
@given(value=st.binary(max_size=60))
def test_arbitrary_values_never_break_a_reader(read, value):
    for octets in (value, der.tlv(der.SEQUENCE, value)):
        try:
            read(Extension("1.2.3", False, octets))
        except der.DerError:
            continue


def test_method_one_of_key_identifiers():
    assert extensions.key_identifier_of(SPKI) == hashlib.sha1(SPKI[26:]).digest()
