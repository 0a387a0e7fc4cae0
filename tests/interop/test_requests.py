"""Requests that other people's programs made."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conformance.hierarchy import Issued

pytestmark = pytest.mark.interop
HOST = "app.example.internal"
NEW = ("openssl", "req", "-new", "-nodes", "-keyout", "own.key", "-out", "own.csr")
CONFIGURATION = """
[req]
prompt = no
distinguished_name = subject
req_extensions = wanted
string_mask = utf8only
[subject]
C = SE
ST = Skåne
O = Exempel & Söner AB
OU = Drift
CN = app.example.internal
[wanted]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, emailProtection
subjectAltName = @names
[names]
DNS.1 = app.example.internal
DNS.2 = *.app.example.internal
IP.1 = 192.0.2.7
IP.2 = 2001:db8::7
URI.1 = spiffe://example.internal/app
email.1 = drift@example.internal
"""
GNUTLS_TEMPLATE = """
cn = "app.example.internal"
organization = "Example"
country = SE
dns_name = "app.example.internal"
dns_name = "www.example.internal"
ip_address = "192.0.2.7"
tls_www_server
signing_key
"""


def issued(customer, chain, bench, request="own.csr", template="EndEntityCertificate", key="EC_prime256v1") -> Issued:
    """The certificate for a request; OpenSSL and GnuTLS must both find it good."""
    leaf = customer.issue(chain(key), bench.read(request), template)
    bench.put(root=leaf.root, sub=leaf.intermediates, leaf=leaf.certificate, path=leaf.full_chain)
    bench.run("openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "sub.pem", "leaf.pem")
    bench.run("certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", "path.pem")
    return leaf


def same_key(bench) -> None:
    """The certificate has the key of own.key."""
    of_key = bench.run("openssl", "pkey", "-in", "own.key", "-pubout")
    assert bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-pubkey") == of_key


def names(leaf: Issued) -> list[object]:
    return [name.value for name in leaf.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


@pytest.mark.parametrize(
    "key",
    [
        ("rsa:2048",),
        ("rsa:4096",),
        ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
        ("ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    ],
    ids=lambda key: key[-1],
)
@pytest.mark.parametrize("issuer", ["RSA_2048", "EC_prime256v1"])
def test_openssl(customer, chain, bench, issuer, key):
    wanted = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:192.0.2.7")
    bench.run(*NEW, "-newkey", *key, *wanted)
    leaf = issued(customer, chain, bench, key=issuer)
    same_key(bench)
    assert [str(name) for name in names(leaf)] == [HOST, "192.0.2.7"]


@pytest.mark.parametrize("digest", ["-sha256", "-sha384", "-sha512"])
def test_openssl_signs_with_pss(customer, chain, bench, digest):
    pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
    bench.run(*NEW, "-newkey", "rsa:2048", "-subj", f"/CN={HOST}", digest, *pss)
    issued(customer, chain, bench)
    same_key(bench)


def test_a_common_name_alone(customer, chain, bench):
    bench.run(*NEW, "-newkey", "rsa:2048", "-subj", f"/CN={HOST}")
    leaf = issued(customer, chain, bench)
    assert not [each for each in leaf.parsed.extensions if isinstance(each.value, x509.SubjectAlternativeName)]


@pytest.mark.parametrize("passing", [False, True])
def test_openssl_with_a_configuration_file(customer, chain, bench, passing):
    (bench.folder / "own.cnf").write_text(CONFIGURATION, encoding="utf-8")
    bench.run(*NEW, "-newkey", "rsa:2048", "-config", "own.cnf", "-utf8")
    template = "BlankEndEntityCertificate_CSRPassthrough" if passing else "EndEntityCertificate"
    leaf = issued(customer, chain, bench, template=template)
    assert names(leaf)[:2] == [HOST, f"*.{HOST}"]
    assert [str(name) for name in names(leaf)[2:]] == [
        "192.0.2.7",
        "2001:db8::7",
        "spiffe://example.internal/app",
        "drift@example.internal",
    ]
    organization = leaf.parsed.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    assert organization == "Exempel & Söner AB"
    purposes = leaf.parsed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    other = ExtendedKeyUsageOID.EMAIL_PROTECTION if passing else ExtendedKeyUsageOID.CLIENT_AUTH
    assert set(purposes) == {ExtendedKeyUsageOID.SERVER_AUTH, other}


@pytest.mark.parametrize("form", ["text before it", "CRLF", "NEW CERTIFICATE REQUEST"])
def test_forms_of_a_request(customer, chain, bench, form):
    bench.run(*NEW, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={HOST}")
    path = bench.folder / "own.csr"
    if form == "text before it":
        bench.run("openssl", "req", "-in", "own.csr", "-text", "-out", "own.csr")
    elif form == "CRLF":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    else:
        bench.run("openssl", "req", "-in", "own.csr", "-newhdr", "-out", "own.csr")
        assert form.encode() in path.read_bytes()
    issued(customer, chain, bench)
    same_key(bench)


@pytest.mark.parametrize(
    "key", [("rsa", "2048"), ("rsa", "3072"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521")]
)
def test_gnutls(customer, chain, bench, key):
    (bench.folder / "template").write_text(GNUTLS_TEMPLATE)
    size = ("--bits", key[1]) if key[0] == "rsa" else ("--curve", f"secp{key[1]}r1")
    bench.run("certtool", "--generate-privkey", "--key-type", key[0], *size, "--outfile", "own.key")
    making = ("--load-privkey", "own.key", "--template", "template", "--outfile", "own.csr")
    bench.run("certtool", "--generate-request", *making)
    leaf = issued(customer, chain, bench)
    same_key(bench)
    assert [str(name) for name in names(leaf)] == [HOST, "www.example.internal", "192.0.2.7"]


def test_openssl_and_gnutls_accept_the_request_of_an_authority(customer, bench):
    for key in ("RSA_2048", "EC_prime256v1", "EC_secp521r1"):
        bench.put(ca=customer.csr_of(customer.create("SUBORDINATE", key)))
        assert "verify OK" in bench.run("openssl", "req", "-in", "ca.pem", "-noout", "-verify")
        assert "Self signature: verified" in bench.run("certtool", "--crq-info", "--infile", "ca.pem")
