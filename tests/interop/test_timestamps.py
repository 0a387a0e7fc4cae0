"""`openssl ts` against the timestamp authority of the running service."""

import http.client
from pathlib import Path

import pytest

from interop.conftest import Service
from interop.programs import Workbench

pytestmark = pytest.mark.interop


class Authority:
    """The plain listener's `/tsa`, and files that OpenSSL works on."""

    def __init__(self, bench: Workbench, service: Service) -> None:
        self.bench = bench
        self.address = service.plain
        (bench.folder / "file").write_bytes(b"what is stamped\n" * 1000)
        (bench.folder / "other").write_bytes(b"something else\n")

    def stamp(self, *options: str) -> None:
        """OpenSSL asks, HTTP carries, and the reply stays in `reply.tsr`."""
        self.bench.run("openssl", "ts", "-query", "-data", "file", *options, "-out", "request.tsq")
        connection = http.client.HTTPConnection(self.address, timeout=30)
        headers = {"Content-Type": "application/timestamp-query"}
        connection.request("POST", "/tsa", self.bench.read("request.tsq"), headers)
        answer = connection.getresponse()
        assert answer.status == 200
        (self.bench.folder / "reply.tsr").write_bytes(answer.read())
        connection.request("GET", "/tsa/root.pem")
        (self.bench.folder / "root.pem").write_bytes(connection.getresponse().read())
        connection.close()


@pytest.fixture
def authority(bench: Workbench, service: Service) -> Authority:
    return Authority(bench, service)


@pytest.mark.parametrize("digest", ["-sha256", "-sha384", "-sha512"])
def test_openssl_verifies_a_token(authority: Authority, digest: str) -> None:
    authority.stamp(digest, "-cert")
    said = authority.bench.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-text")
    assert "Status: Granted." in said
    assert "Accuracy: 0x01 seconds" in said
    assert "Ordering: yes" in said
    for asked in (("-queryfile", "request.tsq"), ("-data", "file")):
        verified = authority.bench.run("openssl", "ts", "-verify", *asked, "-in", "reply.tsr", "-CAfile", "root.pem")
        assert "Verification: OK" in verified


def test_openssl_needs_the_certificate_when_it_was_not_asked_for(authority: Authority) -> None:
    authority.stamp("-sha256", "-cert")
    certified = authority.bench.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-token_out", "-out", "token.der")
    assert "Using configuration" in certified or certified == ""
    authority.bench.run("openssl", "pkcs7", "-inform", "DER", "-in", "token.der", "-print_certs", "-out", "certs.pem")
    authority.stamp("-sha256", "-no_nonce")
    verify = ("openssl", "ts", "-verify", "-data", "file", "-in", "reply.tsr", "-CAfile", "root.pem")
    assert "Verification: OK" in authority.bench.run(*verify, "-untrusted", "certs.pem")
    assert "Verification: FAILED" in authority.bench.fail(*verify)


def test_openssl_refuses_other_data_and_other_roots(authority: Authority, service: Service) -> None:
    authority.stamp("-sha256", "-cert")
    reply = ("-in", "reply.tsr", "-CAfile")
    said = authority.bench.fail("openssl", "ts", "-verify", "-data", "other", *reply, "root.pem")
    assert "message imprint mismatch" in said
    bundle = str(Path(service.environment["AWS_CA_BUNDLE"]))
    said = authority.bench.fail("openssl", "ts", "-verify", "-data", "file", *reply, bundle)
    assert "certificate verify error" in said


def test_openssl_reads_why_there_is_no_token(authority: Authority) -> None:
    authority.stamp("-sha256", "-tspolicy", "1.2.3.4")
    said = authority.bench.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-text")
    assert "Status: Rejected." in said
    assert "policy is not supported by the TSA" in said
    authority.stamp("-sha1")
    said = authority.bench.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-text")
    assert "unrecognized or unsupported algorithm identifier" in said
    # OpenSSL writes NULL where the parameters of SHA-3 must be absent (docs/timestamps.md).
    authority.stamp("-sha3-256")
    said = authority.bench.run("openssl", "ts", "-reply", "-in", "reply.tsr", "-text")
    assert "unrecognized or unsupported algorithm identifier" in said
    assert "has parameters, which must be absent" in said
