"""What ACM exports, in the hands of OpenSSL and GnuTLS, and what those make of it, back in ACM."""

import re

import pytest
from botocore.exceptions import ClientError

from conformance.hierarchy import PASSPHRASE, csr, pem, pkcs8, requestable

pytestmark = pytest.mark.interop
HOST = "app.example.internal"
PASSWORD = f"pass:{PASSPHRASE.decode()}"
REQUESTABLE = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")


@pytest.fixture
def exported(customer, chain, bench):
    """An export of ACM as files: leaf.pem, chain.pem, root.pem, key.pem (encrypted)."""

    def make(key: str):
        made = customer.export(chain(key), requestable(key), HOST, "www.example.internal")
        bench.put(leaf=made.certificate, chain=made.chain, key=made.key, root=made.root, sub=made.intermediates)
        return made

    return make


def of_certificate(bench, file: str = "leaf.pem") -> str:
    return bench.run("openssl", "x509", "-in", file, "-noout", "-pubkey")


def of_key(bench, file: str) -> str:
    return bench.run("openssl", "pkey", "-in", file, "-pubout")


@pytest.mark.parametrize("key", REQUESTABLE)
def test_openssl_decrypts_the_key(exported, bench, key):
    assert exported(key).key.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    bench.run("openssl", "pkey", "-in", "key.pem", "-passin", PASSWORD, "-check", "-out", "clear.pem")
    assert of_key(bench, "clear.pem") == of_certificate(bench)
    bench.run("openssl", "pkcs8", "-in", "key.pem", "-passin", PASSWORD, "-out", "clear8.pem")
    assert of_key(bench, "clear8.pem") == of_certificate(bench)
    bench.fail("openssl", "pkey", "-in", "key.pem", "-passin", "pass:wrong")


@pytest.mark.parametrize("key", REQUESTABLE)
def test_gnutls_decrypts_the_key(exported, bench, key):
    exported(key)
    opened = ("--pkcs8", "--password", PASSPHRASE.decode(), "--infile", "key.pem")
    identifier = re.compile(r"Public Key ID:\s+(?:sha1:\w+\s+)?sha256:(\w{64})")
    of_key = identifier.search(bench.run("certtool", "--key-info", *opened))
    of_certificate = identifier.search(bench.run("certtool", "--certificate-info", "--infile", "leaf.pem"))
    assert of_key
    assert of_certificate
    assert of_key[1] == of_certificate[1]
    bench.fail("certtool", "--key-info", "--pkcs8", "--password", "wrong", "--infile", "key.pem")


@pytest.mark.parametrize("key", REQUESTABLE)
def test_gnutls_encrypts_the_key_again(exported, bench, key):
    exported(key)
    both = ("--load-privkey", "key.pem", "--password", PASSPHRASE.decode(), "--pkcs-cipher", "aes-128")
    bench.run("certtool", "--to-p8", *both, "--outfile", "again.pem")
    opened = bench.run("openssl", "pkey", "-in", "again.pem", "-passin", PASSWORD, "-pubout")
    assert opened == of_certificate(bench)


@pytest.mark.parametrize("passphrase", ["four", "a b'c\"d\\e&f`g;*", "x" * 128])
def test_passphrases(customer, chain, bench, passphrase):
    arn = customer.export(chain("EC_prime256v1"), "EC_prime256v1", HOST).arn
    answer = customer.acm.export_certificate(CertificateArn=arn, Passphrase=passphrase.encode())
    bench.put(key=answer["PrivateKey"], leaf=answer["Certificate"])
    opened = bench.run("openssl", "pkey", "-in", "key.pem", "-passin", f"pass:{passphrase}", "-pubout")
    assert opened == of_certificate(bench)


def reimported(customer, bench, arn: str | None = None) -> str:
    """Imports cert-file.pem, withoutpw-privatekey.pem and ca-chain.pem; returns the ARN."""
    return customer.acm.import_certificate(
        Certificate=bench.read("cert-file.pem"),
        PrivateKey=bench.read("withoutpw-privatekey.pem"),
        CertificateChain=bench.read("ca-chain.pem"),
        **({"CertificateArn": arn} if arn else {}),
    )["CertificateArn"]


@pytest.mark.parametrize("key", REQUESTABLE)
def test_pkcs12_and_back(customer, exported, bench, key):
    """The four commands with which people import a PFX file (workflows.md section 2)."""
    made = exported(key)
    bundling = ("-in", "leaf.pem", "-certfile", "chain.pem", "-inkey", "key.pem", "-passin", PASSWORD, "-name", "app")
    bench.run("openssl", "pkcs12", "-export", *bundling, "-passout", "pass:pfx", "-out", "app.pfx")
    taken = ("openssl", "pkcs12", "-in", "app.pfx", "-passin", "pass:pfx")
    bench.run(*taken, "-nocerts", "-passout", "pass:four", "-out", "withpw-privatekey.pem")
    rewriting = ("-in", "withpw-privatekey.pem", "-passin", "pass:four", "-out", "withoutpw-privatekey.pem")
    bench.run("openssl", "rsa" if key.startswith("RSA") else "ec", *rewriting)
    bench.run(*taken, "-clcerts", "-nokeys", "-out", "cert-file.pem")
    bench.run(*taken, "-cacerts", "-nokeys", "-chain", "-out", "ca-chain.pem")
    assert bench.read("cert-file.pem").startswith(b"Bag Attributes")
    arn = reimported(customer, bench)
    described = customer.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (described["Type"], described["Status"]) == ("IMPORTED", "ISSUED")
    assert described["RenewalEligibility"] == "INELIGIBLE"
    got = customer.acm.get_certificate(CertificateArn=arn)
    assert got["Certificate"].strip() == pem(made.parsed).strip()
    # The encrypted key is refused in words, and nothing changes.
    (bench.folder / "withoutpw-privatekey.pem").write_bytes(bench.read("withpw-privatekey.pem"))
    with pytest.raises(ClientError) as refusal:
        reimported(customer, bench)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert "encrypted" in refusal.value.response["Error"]["Message"]


def test_a_pfx_of_gnutls(customer, exported, bench):
    exported("RSA_2048")
    bench.run("openssl", "pkey", "-in", "key.pem", "-passin", PASSWORD, "-out", "clear.pem")
    parts = ("--load-certificate", "leaf.pem", "--load-ca-certificate", "sub.pem", "--load-privkey", "clear.pem")
    bundling = ("--p12-name", "app", "--password", "pfx", "--outder", "--outfile", "app.pfx")
    bench.run("certtool", "--to-p12", *parts, *bundling)
    taken = ("openssl", "pkcs12", "-in", "app.pfx", "-passin", "pass:pfx", "-nodes")
    bench.run(*taken, "-nocerts", "-out", "withoutpw-privatekey.pem")
    bench.run(*taken, "-clcerts", "-nokeys", "-out", "cert-file.pem")
    bench.run(*taken, "-cacerts", "-nokeys", "-out", "ca-chain.pem")
    assert reimported(customer, bench)


@pytest.mark.parametrize("form", ["PKCS#1", "SEC 1", "SEC 1 after EC PARAMETERS", "PKCS#8"])
def test_forms_of_a_key(customer, chain, bench, form):
    key = "RSA_2048" if form == "PKCS#1" else "EC_prime256v1"
    leaf = customer.issue(chain(key), csr(key, HOST))
    bench.put(key=pkcs8(key))
    if form == "PKCS#1":
        bench.run("openssl", "rsa", "-in", "key.pem", "-traditional", "-out", "key.pem")
        assert b"BEGIN RSA PRIVATE KEY" in bench.read("key.pem")
    elif form.startswith("SEC 1"):
        bench.run("openssl", "ec", "-in", "key.pem", "-out", "key.pem")
        assert b"BEGIN EC PRIVATE KEY" in bench.read("key.pem")
    if form.endswith("EC PARAMETERS"):
        bench.run("openssl", "ecparam", "-name", "prime256v1", "-out", "parameters.pem")
        bench.put(key=bench.read("parameters.pem") + bench.read("key.pem"))
    arn = customer.acm.import_certificate(
        Certificate=leaf.certificate.encode(), PrivateKey=bench.read("key.pem"), CertificateChain=leaf.chain.encode()
    )["CertificateArn"]
    assert customer.acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainName"] == HOST


def test_a_self_signed_certificate_of_openssl(customer, bench):
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.pem")
    bench.run(*new, "-days", "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}")
    own = {"Certificate": bench.read("own.pem"), "PrivateKey": bench.read("own.key")}
    arn = customer.acm.import_certificate(**own)["CertificateArn"]
    bench.run("openssl", "x509", "-in", "own.pem", "-text", "-out", "own.pem")
    again = customer.acm.import_certificate(**{**own, "Certificate": bench.read("own.pem")}, CertificateArn=arn)
    assert again["CertificateArn"] == arn
