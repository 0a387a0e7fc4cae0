"""`openssl ocsp` against the plain listener of the running service, found by the address in the certificate."""

import base64
import http.client
import re
from urllib.parse import quote, urlsplit

import pytest

from conformance.hierarchy import csr
from interop.programs import openssl_version

pytestmark = pytest.mark.interop
OCSP = {"OcspConfiguration": {"Enabled": True}}
CLASSICAL = ["EC_prime256v1", "EC_secp384r1", "RSA_2048"]


class Question:
    """A certificate of a subordinate with OCSP, in files, and the address in it."""

    def __init__(self, bench, leaf):
        self.bench = bench
        bench.put(leaf=leaf.certificate, sub=leaf.intermediates, root=leaf.root)
        self.url = bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-ocsp_uri").strip()
        self.trust = ("-issuer", "sub.pem", "-CAfile", "root.pem", "-verify_other", "sub.pem")

    def ask(self, *about, hash="-sha1"):
        """What OpenSSL says of the answer to its own question, which travels over HTTP/1.1."""
        who = (hash, "-issuer", "sub.pem", *about)
        self.bench.run("openssl", "ocsp", *who, "-reqout", "request.der")
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.netloc, timeout=20)
        connection.request(
            "POST", where.path, self.bench.read("request.der"), {"Content-Type": "application/ocsp-request"}
        )
        answer = connection.getresponse()
        assert answer.status == 200
        (self.bench.folder / "answer.der").write_bytes(answer.read())
        connection.close()
        # Once with the question, so that the nonce is compared, and once for the status.
        said = self.bench.run("openssl", "ocsp", "-reqin", "request.der", "-respin", "answer.der", *self.trust)
        assert "Response verify OK" in said
        assert "nonce" not in said.lower()
        read = ("-no_nonce", hash, "-respin", "answer.der", *self.trust)
        return self.bench.run("openssl", "ocsp", *read, *about)


@pytest.fixture
def asked(customer, bench):
    """Makes a subordinate with OCSP and a certificate of it."""

    def make(key):
        authority = customer.subordinate(customer.root(key), key, RevocationConfiguration=OCSP)
        leaf = customer.issue(authority, csr("EC_prime256v1", "app.example.internal"))
        return authority, leaf, Question(bench, leaf)

    return make


@pytest.mark.parametrize("key", CLASSICAL)
def test_good_then_revoked_then_unknown(customer, asked, key):
    authority, leaf, question = asked(key)
    assert "leaf.pem: good" in question.ask("-cert", "leaf.pem")
    customer.pca.revoke_certificate(
        CertificateAuthorityArn=authority.arn,
        CertificateSerial=leaf.arn.rpartition("/")[2],
        RevocationReason="SUPERSEDED",
    )
    for hash in ("-sha1", "-sha256"):
        said = question.ask("-cert", "leaf.pem", hash=hash)
        assert "leaf.pem: revoked" in said
        assert "Reason: superseded" in said
    assert "0x4711: unknown" in question.ask("-serial", "0x4711")


def test_openssl_asks_by_itself(bench, asked):
    """It speaks HTTP/1.0, as nginx does when it staples."""
    _, _, question = asked("EC_prime256v1")
    said = bench.run("openssl", "ocsp", *question.trust, "-cert", "leaf.pem", "-url", question.url)
    assert "leaf.pem: good" in said


def test_the_responder_for_those_who_look_closely(bench, asked):
    _, _, question = asked("EC_prime256v1")
    question.ask("-cert", "leaf.pem")
    text = bench.run("openssl", "ocsp", "-respin", "answer.der", "-resp_text", *question.trust)
    assert "OCSP Response Status: successful (0x0)" in text
    assert "OCSP Signing" in text
    assert "OCSP No Check" in text
    assert "Signature Algorithm: ecdsa-with-SHA256" in text


def test_ml_dsa(bench, asked):
    if openssl_version(bench) < (3, 5):
        pytest.skip("this OpenSSL does not know ML-DSA")
    _, _, question = asked("ML_DSA_65")
    assert "leaf.pem: good" in question.ask("-cert", "leaf.pem")


def test_get_by_the_address_in_the_certificate(bench, asked):
    _, _, question = asked("EC_prime256v1")
    bench.run("openssl", "ocsp", "-issuer", "sub.pem", "-cert", "leaf.pem", "-no_nonce", "-reqout", "request.der")
    where = urlsplit(question.url)
    path = f"{where.path}/{quote(base64.b64encode(bench.read('request.der')).decode(), safe='')}"
    connection = http.client.HTTPConnection(where.netloc, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    assert re.match(r"max-age=\d+, public, no-transform", answer.headers["Cache-Control"])
    (bench.folder / "answer.der").write_bytes(body)
    said = bench.run(*("openssl", "ocsp", "-no_nonce", "-respin", "answer.der"), *question.trust, "-cert", "leaf.pem")
    assert "Response verify OK" in said
    assert "leaf.pem: good" in said
    connection.request("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert connection.getresponse().status == 304
    connection.close()


def test_name_constraints_hold_for_the_responder(customer, bench):
    """A chain that permits one name only permits the responder of its CA."""
    root = customer.root("EC_prime256v1")
    arn = customer.create("SUBORDINATE", "EC_prime256v1", RevocationConfiguration=OCSP)
    # permittedSubtrees: directoryName C=SE, O=Example.
    constraints = base64.b64encode(
        bytes.fromhex("3027a0253023a421301f310b3009060355040613025345" + "3110300e060355040a0c074578616d706c65")
    ).decode()
    made = customer.pca.issue_certificate(
        CertificateAuthorityArn=root.arn,
        Csr=customer.csr_of(arn),
        SigningAlgorithm=root.signing,
        TemplateArn="arn:aws:acm-pca:::template/SubordinateCACertificate_PathLen0_APIPassthrough/V1",
        Validity={"Type": "DAYS", "Value": 100},
        ApiPassthrough={
            "Extensions": {
                "CustomExtensions": [{"ObjectIdentifier": "2.5.29.30", "Value": constraints, "Critical": True}]
            }
        },
    )["CertificateArn"]
    both = {"CertificateAuthorityArn": root.arn, "CertificateArn": made}
    customer.pca.get_waiter("certificate_issued").wait(**both, WaiterConfig={"Delay": 0, "MaxAttempts": 1000})
    answer = customer.pca.get_certificate(**both)
    customer.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn,
        Certificate=answer["Certificate"].encode(),
        CertificateChain=answer["CertificateChain"].encode(),
    )
    leaf = customer.issue(type(root)(arn, root.signing, root.issued), csr("EC_prime256v1", "app.example.internal"))
    assert "leaf.pem: good" in Question(bench, leaf).ask("-cert", "leaf.pem")
