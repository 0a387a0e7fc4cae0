"""Code signing end to end: the AWS CLI makes keys and CAs, we sign, others verify (workflows.md 6 and 7)."""

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from dilithium_py import ml_dsa

from interop.conftest import GREATSEAL, Service
from interop.programs import Workbench, environment
from interop.test_governance import Shell

pytestmark = pytest.mark.interop
FILE = b"what was released\r\n" * 500
TEMPLATE = "arn:aws:acm-pca:::template/{}/V1"
# Family of the sample: key spec, key algorithm and signing algorithm of the CAs.
FAMILIES = {
    "RSA2048": ("RSA_2048", "RSA_2048", "SHA256WITHRSA"),
    "ECP384": ("ECC_NIST_P384", "EC_secp384r1", "SHA384WITHECDSA"),
    "MLDSA65": ("ML_DSA_65", "ML_DSA_65", "ML_DSA_65"),
    "ECP256": ("ECC_NIST_P256", "EC_prime256v1", "SHA256WITHECDSA"),
    "MLDSA44": ("ML_DSA_44", "ML_DSA_44", "ML_DSA_44"),
}


@dataclass(frozen=True)
class Desk:
    """A directory in which the AWS CLI and our own commands run as the same principal."""

    shell: Shell
    folder: Path

    def greatseal(self, *words: str, code: int = 0) -> str:
        """Standard output of our command, which must end with this code and never with a traceback."""
        done = subprocess.run(
            (str(GREATSEAL), *words),
            cwd=self.folder,
            env={**environment(), **self.shell.variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"greatseal {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def write(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content + "\n", encoding="utf-8")
        return f"fileb://{name}"


@pytest.fixture
def desk(service: Service, tmp_path: Path) -> Desk:
    (tmp_path / "file").write_bytes(FILE)
    return Desk(Shell(tmp_path, service.environment), tmp_path)


def issue(desk: Desk, authority: str, csr: str, template: str, years: int, algorithm: str) -> dict[str, str]:
    """A certificate and its chain, waited for as scripts do."""
    arn = desk.shell.aws(
        *("acm-pca", "issue-certificate", "--certificate-authority-arn", authority, "--csr", csr),
        *("--signing-algorithm", algorithm, "--template-arn", TEMPLATE.format(template)),
        *("--validity", f"Type=YEARS,Value={years}"),
    )["CertificateArn"]
    named = ("--certificate-authority-arn", authority, "--certificate-arn", arn)
    desk.shell.aws("acm-pca", "wait", "certificate-issued", *named)
    found: dict[str, str] = desk.shell.aws("acm-pca", "get-certificate", *named)
    return found


def authority(desk: Desk, kind: str, name: str, family: str, above: str | None = None) -> str:
    """A CA of this family that is active; `above` is its parent."""
    _, key, signing = FAMILIES[family]
    configuration = {"KeyAlgorithm": key, "SigningAlgorithm": signing, "Subject": {"CommonName": name}}
    arn: str = desk.shell.aws(
        *("acm-pca", "create-certificate-authority", "--certificate-authority-type", kind),
        *("--certificate-authority-configuration", desk.shell.write("ca.json", configuration)),
        *("--idempotency-token", name, "--tags", f"Key=Name,Value={name}"),
    )["CertificateAuthorityArn"]
    named = ("--certificate-authority-arn", arn)
    desk.shell.aws("acm-pca", "wait", "certificate-authority-csr-created", *named)
    csr = desk.write("ca.csr", desk.shell.aws("acm-pca", "get-certificate-authority-csr", *named)["Csr"])
    template = "SubordinateCACertificate_PathLen0" if above else "RootCACertificate"
    made = issue(desk, above or arn, csr, template, 5 if above else 10, signing)
    chain = ("--certificate-chain", desk.write("chain.crt", made["CertificateChain"])) if above else ()
    certificate = desk.write("ca.crt", made["Certificate"])
    desk.shell.aws("acm-pca", "import-certificate-authority-certificate", *named, "--certificate", certificate, *chain)
    if above is None:
        desk.write("root.pem", made["Certificate"])
    return arn


def prepared(desk: Desk, family: str) -> None:
    """Keys and CAs of a family; leaves `root.pem` and `chain.pem`, and the alias of the key."""
    spec, _, signing = FAMILIES[family]
    root = authority(desk, "ROOT", f"CodeSigningRoot-{family}", family)
    below = authority(desk, "SUBORDINATE", f"CodeSigningSubordinate-{family}", family, root)
    key = desk.shell.aws("kms", "create-key", "--key-spec", spec, "--key-usage", "SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    alias = f"alias/CodeSigningCMK-{family}"
    desk.shell.aws("kms", "create-alias", "--alias-name", alias, "--target-key-id", key)
    listed = desk.shell.aws("kms", "list-aliases")["Aliases"]
    assert {each["AliasName"]: each["TargetKeyId"] for each in listed if "TargetKeyId" in each}[alias] == key
    subject = f"CN=CodeSigningCertificate-{family}"
    desk.write("leaf.csr", desk.greatseal("kms", "csr", "--key", alias, "--subject", subject).strip())
    leaf = issue(desk, below, "fileb://leaf.csr", "CodeSigningCertificate", 1, signing)
    desk.write("chain.pem", f"{leaf['Certificate']}\n{leaf['CertificateChain']}")


def sign(desk: Desk, family: str, *words: str) -> str:
    return desk.greatseal(
        "sign", "file", "--key", f"alias/CodeSigningCMK-{family}", "--certificate", "chain.pem", *words
    )


OPENSSL = ("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-content", "file", "-purpose", "any")


def openssl_verifies(bench: Workbench, signature: str = "file.p7s") -> None:
    command = (*OPENSSL, "-in", signature, "-CAfile", "root.pem", "-out", "verified")
    assert "Verification successful" in bench.run(*command)
    assert bench.read("verified") == bench.read("file")
    (bench.folder / "file").write_bytes(FILE + b"x")
    assert "Verification failure" in bench.fail(*command)
    (bench.folder / "file").write_bytes(FILE)


def test_classic(desk: Desk, bench: Workbench) -> None:
    """workflows.md 6, the object and the CMS of its key; verified with nothing but files."""
    prepared(desk, "RSA2048")
    sign(desk, "RSA2048", "--format", "classic", "--to", "object.pem")
    given = ("--intermediate", "chain.pem", "--root", "root.pem")
    assert "object.pem: good" in desk.greatseal("verify", "object.pem", *given)
    # OpenSSL finds the signature where the sample's reader does: last, over the octets of the first part.
    parsed = bench.run("openssl", "asn1parse", "-in", "object.pem")
    assert "sha256WithRSAEncryption" in parsed
    for more in ((), ("--pss",), ("--digest", "SHA512")):
        sign(desk, "RSA2048", *more)
        openssl_verifies(bench)
        assert desk.greatseal("verify", "file", "--signed", "--root", "root.pem").startswith("file: good")
    (desk.folder / "large").write_bytes(bytes(200_000))
    desk.greatseal(
        *("sign", "large", "--format", "classic", "--key", "alias/CodeSigningCMK-RSA2048", "--certificate", "chain.pem")
    )
    assert desk.greatseal("verify", "large.object.pem", *given).startswith("large.object.pem: good")


def test_elliptic_curves(desk: Desk, bench: Workbench) -> None:
    prepared(desk, "ECP384")
    sign(desk, "ECP384")
    openssl_verifies(bench)
    other = desk.greatseal("verify", "file", "--signed", "--root", "chain.pem", "--output", "json", "--purpose", "any")
    assert json.loads(other)[0]["signers"][0]["digest"] == "SHA384"


def test_post_quantum(desk: Desk) -> None:
    """workflows.md 7: everything is ML-DSA, and a parser and a signature scheme of others agree."""
    prepared(desk, "MLDSA65")
    for digest in ("SHA512", "SHAKE256"):
        sign(desk, "MLDSA65", "--digest", digest)
        read_by_others(desk.folder)
        assert desk.greatseal("verify", "file", "--signed", "--root", "root.pem").startswith("file: good")
    leaf, subordinate = x509.load_pem_x509_certificates((desk.folder / "chain.pem").read_bytes())[:2]
    leaf.verify_directly_issued_by(subordinate)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert [each.dotted_string for each in usage.value] == ["1.3.6.1.5.5.7.3.3"]
    refused = desk.greatseal("verify", "file", "--signed", "--root", "root.pem", "--signers", "classical", code=1)
    assert "no classical key signed it" in refused


def read_by_others(folder: Path) -> None:
    """The rules of workflows.md 7, read with another parser and verified with another ML-DSA."""
    info = cms.ContentInfo.load((folder / "file.p7s").read_bytes(), strict=True)
    assert info["content_type"].native == "signed_data"
    signed = info["content"]
    assert signed["encap_content_info"]["content_type"].native == "data"
    assert signed["encap_content_info"]["content"].native is None
    (signer,) = signed["signer_infos"]
    assert signer["version"].native == "v1"
    assert signer["signature_algorithm"]["algorithm"].dotted == "2.16.840.1.101.3.4.3.18"
    assert not signer["signature_algorithm"]["parameters"].contents
    attributes = {each["type"].dotted: each["values"] for each in signer["signed_attrs"]}
    digest = attributes["1.2.840.113549.1.9.4"][0].native
    name = signer["digest_algorithm"]["algorithm"].dotted
    assert len(digest) == 64
    own = hashes.Hash(hashes.SHAKE256(64) if name.endswith(".12") else hashes.SHA512())
    own.update(FILE)
    assert own.finalize() == digest
    leaf = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())[0]
    public = leaf.public_key().public_bytes_raw()  # type: ignore[union-attr]
    octets = signer["signed_attrs"].dump()
    over = b"\x31" + octets[1:]
    assert ml_dsa.ML_DSA_65.verify(public, over, signer["signature"].native)
    assert not ml_dsa.ML_DSA_65.verify(public, octets, signer["signature"].native)


def test_two_keys_and_our_own_stamp(desk: Desk, bench: Workbench, service: Service) -> None:
    """A classical and an ML-DSA key of KMS sign one file, `/tsa` stamps both; only roots verify them."""
    bundles: dict[str, list[str]] = {"root.pem": [], "chain.pem": []}
    for family in ("ECP256", "MLDSA44"):
        prepared(desk, family)
        for name, kept in bundles.items():
            kept.append((desk.folder / name).read_text(encoding="utf-8"))
    for name, kept in bundles.items():
        desk.write(name, "".join(kept))
    tsa = f"http://{service.plain}/tsa"
    sign(desk, "ECP256", "--key", "alias/CodeSigningCMK-MLDSA44", "--timestamp", tsa)
    with urllib.request.urlopen(f"{tsa}/root.pem", timeout=30) as answer:
        (desk.folder / "tsa.pem").write_bytes(answer.read())

    given = ("--root", "root.pem", "--timestamp-root", "tsa.pem", "--require-timestamp", "--signers", "both")
    (found,) = json.loads(desk.greatseal("verify", "file", "--signed", *given, "--output", "json"))
    assert {each["algorithm"] for each in found["signers"]} == {"SHA256WITHECDSA", "ML_DSA_44"}
    assert all(each["timestamp"]["authority"].startswith("O=Greatseal") for each in found["signers"])
    # Long after the signers have ended, the stamps still hold (the stamps' own keys live for five years).
    later = f"{datetime.now(UTC) + timedelta(days=3 * 365):%Y-%m-%dT%H:%M:%SZ}"
    assert desk.greatseal("verify", "file", "--signed", *given, "--time", later).startswith("file: good")
    refused = desk.greatseal("verify", "file", "--signed", *given[:2], code=1)
    assert "the timestamp's authority is not trusted" in refused

    whole = (desk.folder / "file.p7s").read_bytes()
    alone, stamps = taken_apart(whole)
    for number, (signature, token) in enumerate(stamps):
        (desk.folder / f"{number}.signature").write_bytes(signature)
        (desk.folder / f"{number}.token").write_bytes(token)
        verify = ("openssl", "ts", "-verify", "-token_in", "-in", f"{number}.token", "-CAfile", "tsa.pem")
        assert "Verification: OK" in bench.run(*verify, "-data", f"{number}.signature")
        assert "message imprint mismatch" in bench.fail(*verify, "-data", "file")
    assert len(stamps) == 2
    # The same signer with its octets untouched, and without the one that OpenSSL 3.0 cannot read.
    (desk.folder / "classical.p7s").write_bytes(alone)
    openssl_verifies(bench, "classical.p7s")
    (desk.folder / "file.p7s").write_bytes(alone)
    assert "no post-quantum key signed it" in desk.greatseal("verify", "file", "--signed", *given, code=1)


def taken_apart(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The file with its classical signer alone; and each signer's signature and stamp. By another parser."""
    info = cms.ContentInfo.load(data, strict=True)
    signers = list(info["content"]["signer_infos"])
    stamps = []
    for signer in signers:
        (attribute,) = signer["unsigned_attrs"]
        assert attribute["type"].native == "signature_time_stamp_token"
        (token,) = attribute["values"]
        stamps.append((signer["signature"].native, token.dump()))
    classical = [each for each in signers if each["signature_algorithm"]["algorithm"].native == "sha256_ecdsa"]
    info["content"]["signer_infos"] = cms.SignerInfos(classical)
    alone: bytes = info.dump()
    return alone, stamps


def test_what_openssl_signs_is_read(desk: Desk, bench: Workbench) -> None:
    _own_authority(bench, "codeSigning")
    made = ("-signer", "leaf.pem", "-inkey", "leaf.key", "-outform", "DER", "-out", "file.p7s")
    bench.run("openssl", "cms", "-sign", "-binary", "-in", "file", *made)
    assert desk.greatseal("verify", "file", "--signed", "--root", "root.pem").startswith("file: good")
    bench.run("openssl", "cms", "-sign", "-binary", "-keyid", "-md", "sha384", "-in", "file", *made)
    assert desk.greatseal("verify", "file", "--signed", "--root", "root.pem").startswith("file: good")
    bench.run("openssl", "cms", "-sign", "-binary", "-md", "sha1", "-in", "file", *made)
    assert "SHA-1 is too weak" in desk.greatseal("verify", "file", "--signed", "--root", "root.pem", code=1)
    bench.run("openssl", "cms", "-sign", "-binary", "-noattr", "-in", "file", *made)
    assert "no signed attributes" in desk.greatseal("verify", "file", "--signed", "--root", "root.pem", code=1)
    bench.run("openssl", "cms", "-sign", "-binary", "-nodetach", "-stream", "-in", "file", *made)
    assert "which is BER" in desk.greatseal("verify", "file", "--signed", "--root", "root.pem", code=1)


_AUTHORITY = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Leaf
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, {purpose}
subjectKeyIdentifier = hash
[tsa]
default_tsa = stamps
[stamps]
serial = serial
signer_cert = leaf.pem
signer_key = leaf.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
accuracy = secs:1
"""


def _own_authority(bench: Workbench, purpose: str) -> None:
    """A root and a leaf for this purpose, by OpenSSL."""
    (bench.folder / "openssl.cnf").write_text(_AUTHORITY.format(purpose=purpose), encoding="utf-8")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    bench.run("openssl", "req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Outside")
    bench.run("openssl", "req", *new, "-keyout", "leaf.key", "-out", "leaf.csr", "-config", "openssl.cnf")
    issuer = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial")
    extensions = ("-extfile", "openssl.cnf", "-extensions", "leaf")
    bench.run("openssl", "x509", "-req", "-in", "leaf.csr", *issuer, *extensions, "-out", "leaf.pem")


@contextmanager
def stamping(bench: Workbench) -> Iterator[str]:
    """An authority that is OpenSSL behind HTTP; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            (bench.folder / "query.tsq").write_bytes(self.rfile.read(size))
            given = ("-config", "openssl.cnf", "-section", "stamps", "-queryfile", "query.tsq")
            bench.run("openssl", "ts", "-reply", *given, "-out", "reply.tsr")
            body = bench.read("reply.tsr")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_timestamp_of_openssl(desk: Desk, bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = Workbench(tmp_path_factory.mktemp("tsa"))
    _own_authority(outside, "timeStamping")
    (outside.folder / "serial").write_text("01\n", encoding="utf-8")
    _own_authority(bench, "codeSigning")
    with stamping(outside) as url:
        given = ("--key", "file:leaf.key", "--certificate", "leaf.pem", "--timestamp", url)
        desk.greatseal("sign", "file", *given)
    openssl_verifies(bench)
    bench.put(authority=outside.read("root.pem"))
    roots = ("--root", "root.pem", "--timestamp-root", "authority.pem", "--require-timestamp")
    (found,) = json.loads(desk.greatseal("verify", "file", "--signed", *roots, "--output", "json"))
    assert found["signers"][0]["timestamp"]["authority"] == "CN=Leaf"
    refused = desk.greatseal("verify", "file", "--signed", "--root", "root.pem", code=1)
    assert "the timestamp's authority is not trusted" in refused
    desk.greatseal("sign", "file", *given, code=1)


_LIMITED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def test_four_gibibytes_in_little_memory(desk: Desk, bench: Workbench) -> None:
    _own_authority(bench, "codeSigning")
    with (desk.folder / "large").open("wb") as file:
        file.truncate(4 << 30)
    key = ("--key", "file:leaf.key", "--certificate", "leaf.pem")
    for words in (("sign", "large", *key), ("verify", "large", "--signed", "--root", "root.pem")):
        command = (sys.executable, "-c", _LIMITED, str(GREATSEAL), *words)
        done = subprocess.run(command, cwd=desk.folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout.splitlines()[-1]) < 200 * 1024, "kilobytes"
