"""Chains of the service, judged by OpenSSL and by GnuTLS."""

import pytest
from cryptography import x509

from conformance.hierarchy import CLASSICAL, POST_QUANTUM, csr
from interop.programs import openssl_version

pytestmark = pytest.mark.interop
HOST = "app.example.internal"
STRICT = ("openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore")
ISSUER_NOT_FOUND, NO_PURPOSE, NAME_MISMATCH = "error 20 at", "error 26 at", "error 62 at"
SERVER_AUTH, CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


@pytest.mark.parametrize("key", CLASSICAL)
def test_openssl_verifies(customer, chain, bench, key):
    leaf = customer.issue(chain(key), csr(key, HOST))
    bench.put(root=leaf.root, sub=leaf.intermediates, leaf=leaf.certificate)
    path = ("-CAfile", "root.pem", "-untrusted", "sub.pem")
    for purpose in ("sslserver", "sslclient"):
        said = bench.run(*STRICT, *path, "-purpose", purpose, "-show_chain", "leaf.pem")
        assert "leaf.pem: OK" in said
        assert "depth=2" in said
    bench.run(*STRICT, *path, "-verify_hostname", HOST, "leaf.pem")
    assert NAME_MISMATCH in bench.fail(*STRICT, *path, "-verify_hostname", "x.example.internal", "leaf.pem")
    assert ISSUER_NOT_FOUND in bench.fail(*STRICT, "-CAfile", "root.pem", "leaf.pem")
    bench.run(*STRICT, "-CAfile", "root.pem", "-purpose", "sslserver", "sub.pem")
    bench.run(*STRICT, "-CAfile", "root.pem", "-check_ss_sig", "root.pem")
    # The subordinate alone is an anchor for those who say so, and only for them.
    bench.fail(*STRICT, "-CAfile", "sub.pem", "leaf.pem")
    bench.run(*STRICT, "-partial_chain", "-CAfile", "sub.pem", "leaf.pem")


@pytest.mark.parametrize("signing", ["SHA256WITHRSA_PSS", "SHA384WITHRSA_PSS", "SHA512WITHRSA_PSS"])
def test_pss(customer, bench, signing):
    leaf = customer.issue(customer.chain("RSA_2048", signing=signing), csr("RSA_2048", HOST))
    bench.put(root=leaf.root, sub=leaf.intermediates, leaf=leaf.certificate, path=leaf.full_chain)
    bench.run(*STRICT, "-CAfile", "root.pem", "-untrusted", "sub.pem", "leaf.pem")
    bench.run("certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", "path.pem")
    text = bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-text")
    assert "Signature Algorithm: rsassaPss" in text
    assert f"Salt Length: 0x{int(signing[3:6]) // 8:x}" in text


@pytest.mark.parametrize("key", CLASSICAL)
def test_gnutls_verifies(customer, chain, bench, key):
    leaf = customer.issue(chain(key), csr(key, HOST))
    bench.put(root=leaf.root, leaf=leaf.certificate, path=leaf.full_chain)
    verify = ("certtool", "--verify", "--load-ca-certificate", "root.pem")
    for purpose in (SERVER_AUTH, CLIENT_AUTH):
        said = bench.run(*verify, "--verify-purpose", purpose, "--verify-hostname", HOST, "--infile", "path.pem")
        assert "Chain verification output: Verified." in said
    bench.fail(*verify, "--verify-hostname", "x.example.internal", "--infile", "path.pem")
    bench.fail(*verify, "--infile", "leaf.pem")
    bench.run("certtool", "--verify-profile", "medium", *verify[1:], "--infile", "path.pem")


@pytest.mark.parametrize(
    ("template", "purpose", "oid"),
    [
        ("EndEntityServerAuthCertificate", "sslclient", CLIENT_AUTH),
        ("EndEntityClientAuthCertificate", "sslserver", SERVER_AUTH),
        ("CodeSigningCertificate", "sslserver", SERVER_AUTH),
    ],
)
def test_a_certificate_is_good_for_its_purpose_only(customer, chain, bench, template, purpose, oid):
    leaf = customer.issue(chain("EC_prime256v1"), csr("EC_prime256v1", HOST), template)
    bench.put(root=leaf.root, sub=leaf.intermediates, leaf=leaf.certificate, path=leaf.full_chain)
    path = ("-CAfile", "root.pem", "-untrusted", "sub.pem")
    bench.run(*STRICT, *path, "leaf.pem")
    assert NO_PURPOSE in bench.fail(*STRICT, *path, "-purpose", purpose, "leaf.pem")
    bench.fail(
        "certtool", "--verify", "--load-ca-certificate", "root.pem", "--verify-purpose", oid, "--infile", "path.pem"
    )


@pytest.mark.parametrize("key", CLASSICAL)
def test_text_and_back(customer, chain, bench, key):
    leaf = customer.issue(chain(key), csr(key, HOST, "www.example.internal"))
    bench.put(leaf=leaf.certificate)
    text = bench.run("openssl", "x509", "-in", "leaf.pem", "-text", "-out", "text.pem") or bench.read("text.pem")
    for expected in (b"Version: 3 (0x2)", b"CA:FALSE", b"DNS:app.example.internal, DNS:www.example.internal"):
        assert expected in text
    # Text around the block does not change it, and DER says the same.
    bench.run("openssl", "x509", "-in", "text.pem", "-outform", "DER", "-out", "leaf.der")
    assert bench.read("leaf.der") == leaf.der
    bench.run("certtool", "--certificate-info", "--inder", "--infile", "leaf.der", "--outfile", "again.pem")
    assert x509.load_pem_x509_certificate(bench.read("again.pem")) == leaf.parsed


@pytest.mark.parametrize("key", POST_QUANTUM)
def test_openssl_on_ml_dsa(customer, chain, bench, key):
    leaf = customer.issue(chain(key), csr(key, HOST))
    bench.put(root=leaf.root, sub=leaf.intermediates, leaf=leaf.certificate)
    text = bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-text")
    assert f"DNS:{HOST}" in text
    if openssl_version(bench) < (3, 5):
        assert "2.16.840.1.101.3.4.3." in text  # reads it, without a name for the algorithm
        pytest.skip("OpenSSL before 3.5 reads certificates with ML-DSA and cannot verify them")
    bench.run(*STRICT, "-CAfile", "root.pem", "-untrusted", "sub.pem", "-purpose", "sslserver", "leaf.pem")


@pytest.mark.parametrize("key", POST_QUANTUM)
def test_gnutls_on_ml_dsa(customer, chain, bench, key):
    leaf = customer.issue(chain(key), csr(key, HOST))
    bench.put(root=leaf.root, leaf=leaf.certificate, path=leaf.full_chain)
    said = bench.run("certtool", "--certificate-info", "--infile", "leaf.pem")
    assert f"DNSname: {HOST}" in said
    if "2.16.840.1.101.3.4.3." in said:
        pytest.skip("this GnuTLS reads certificates with ML-DSA and does not know the algorithm")
    bench.run("certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", "path.pem")
