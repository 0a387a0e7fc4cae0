"""A root that OpenSSL keeps, and subordinates of ours below it."""

import pytest
from botocore.exceptions import ClientError

from conformance.hierarchy import Authority, Issued, csr, customary_signature

pytestmark = pytest.mark.interop
ROOT_EXTENSIONS = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
SUBORDINATE = """
basicConstraints = critical, CA:TRUE, pathlen:{length}
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
"""


@pytest.fixture
def external(bench):
    """Makes a root with OpenSSL and returns what signs a CSR with it, into `<name>.pem`."""
    new = ("openssl", "req", "-x509", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "3650")
    curve = ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")
    bench.run(*new, "-newkey", *curve, "-subj", "/O=Outside/CN=Outside Root", *ROOT_EXTENSIONS)

    def sign(request: bytes, name: str, *, length: int = 0, by: str = "root", key: str = "root.key") -> str:
        bench.put(request=request)
        (bench.folder / "extensions").write_text(SUBORDINATE.format(length=length))
        bench.run(
            "openssl", "x509", "-req", "-in", "request.pem", "-CA", f"{by}.pem", "-CAkey", key, "-days", "1825",
            "-sha384", "-CAcreateserial", "-extfile", "extensions", "-out", f"{name}.pem",
        )  # fmt: skip
        return bench.read(f"{name}.pem").decode()

    return sign


def install(customer, arn, certificate: str, chain: bytes) -> None:
    customer.pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=certificate.encode(), CertificateChain=chain
    )


def status(customer, arn) -> str:
    return customer.pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]["Status"]


@pytest.mark.parametrize("key", ["RSA_2048", "EC_prime256v1", "EC_secp521r1"])
def test_a_subordinate_below_it(customer, bench, external, key):
    arn = customer.create("SUBORDINATE", key)
    certificate = external(customer.csr_of(arn), "sub")
    install(customer, arn, certificate, bench.read("root.pem"))
    assert status(customer, arn) == "ACTIVE"
    leaf = customer.issue(
        Authority(arn, customary_signature(key), Issued("", "", "")), csr(key, "app.example.internal")
    )
    assert leaf.above[-1].subject.rfc4514_string() == "CN=Outside Root,O=Outside"
    bench.put(leaf=leaf.certificate, path=leaf.full_chain)
    path = ("-CAfile", "root.pem", "-untrusted", "sub.pem", "-purpose", "sslserver")
    bench.run("openssl", "verify", "-x509_strict", *path, "leaf.pem")
    bench.run("certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", "path.pem")


def test_an_intermediate_of_openssl_between(customer, bench, external):
    bench.run(
        "openssl", "req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", "middle.key", "-out", "middle.csr",
        "-subj", "/O=Outside/CN=Outside Intermediate",
    )  # fmt: skip
    middle = external(bench.read("middle.csr"), "middle", length=1)
    arn = customer.create("SUBORDINATE", "EC_prime256v1")
    certificate = external(customer.csr_of(arn), "sub", by="middle", key="middle.key")
    root = bench.read("root.pem")
    with pytest.raises(ClientError, match=r"[Cc]hain"):
        install(customer, arn, certificate, root)
    with pytest.raises(ClientError, match=r"[Cc]hain"):
        install(customer, arn, certificate, root + middle.encode())
    assert status(customer, arn) == "PENDING_CERTIFICATE"
    install(customer, arn, certificate, middle.encode() + root)
    assert status(customer, arn) == "ACTIVE"
    exported = customer.export(
        Authority(arn, "SHA256WITHECDSA", Issued("", "", "")), "EC_prime256v1", "app.example.internal"
    )
    assert len(exported.above) == 3
    bench.put(leaf=exported.certificate, between=exported.intermediates)
    bench.run("openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "between.pem", "leaf.pem")


def test_gnutls_signs_a_subordinate(customer, bench):
    (bench.folder / "root.cfg").write_text('cn = "GnuTLS Root"\nca\ncert_signing_key\nexpiration_days = 3650\n')
    (bench.folder / "sub.cfg").write_text(
        "ca\ncert_signing_key\ncrl_signing_key\npath_len = 0\nexpiration_days = 900\n"
    )
    bench.run("certtool", "--generate-privkey", "--key-type", "rsa", "--bits", "2048", "--outfile", "root.key")
    signed = ("--load-privkey", "root.key", "--template", "root.cfg", "--outfile", "root.pem")
    bench.run("certtool", "--generate-self-signed", *signed)
    arn = customer.create("SUBORDINATE", "RSA_2048")
    bench.put(request=customer.csr_of(arn))
    bench.run(
        "certtool", "--generate-certificate", "--load-request", "request.pem", "--load-ca-certificate", "root.pem",
        "--load-ca-privkey", "root.key", "--template", "sub.cfg", "--outfile", "sub.pem",
    )  # fmt: skip
    install(customer, arn, bench.read("sub.pem").decode(), bench.read("root.pem"))
    assert status(customer, arn) == "ACTIVE"


def test_a_certificate_of_another_key_is_refused(customer, bench, external):
    arn = customer.create("SUBORDINATE", "EC_prime256v1")
    other = external(customer.csr_of(customer.create("SUBORDINATE", "EC_prime256v1")), "other")
    with pytest.raises(ClientError) as refusal:
        install(customer, arn, other, bench.read("root.pem"))
    assert refusal.value.response["Error"]["Code"] == "CertificateMismatchException"
    assert status(customer, arn) == "PENDING_CERTIFICATE"
