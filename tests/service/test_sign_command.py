"""`greatseal sign` and `greatseal verify` on files: exit codes, reports, formats, refusals."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from greatseal.cli.group import greatseal
from greatseal.x509 import cms, custom_object, pem
from greatseal.x509.extensions import OID
from made_certificates import ROOT, SUBORDINATE
from made_signed import order, pkcs8, private_key

NOW = datetime.now(UTC).replace(microsecond=0)
SPAN = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=30)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys, certificates and a file, in the working directory."""
    monkeypatch.chdir(tmp_path)
    root, subordinate = ROOT.but(**SPAN), SUBORDINATE.but(**SPAN, issuer=ROOT)
    put("root.pem", root.sign().der)
    for label in ("p256", "rsa", "mldsa65", "ed25519"):
        leaf = order(label, issuer=subordinate).but(**SPAN).sign()
        chain = pem.write_certificates([leaf.der, subordinate.sign().der, root.sign().der])
        Path(f"{label}.pem").write_text(chain + "\n", encoding="utf-8")
        Path(f"{label}.key").write_bytes(pkcs8(label, Encoding.PEM))
    Path("file").write_bytes(b"to be released\n")
    return tmp_path


def put(name: str, certificate: bytes) -> None:
    Path(name).write_text(pem.write("CERTIFICATE", certificate) + "\n", encoding="utf-8")


def run(*words: str) -> Result:
    done = CliRunner().invoke(greatseal, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def sign(*words: str, label: str = "p256") -> Result:
    return run("sign", *words, "--key", f"file:{label}.key", "--certificate", f"{label}.pem")


def verify(*words: str) -> Result:
    return run("verify", *words, "--root", "root.pem")


@pytest.mark.parametrize("label", ["p256", "rsa", "mldsa65", "ed25519"])
def test_a_file_is_signed_and_verified(folder: Path, label: str) -> None:
    done = sign("file", label=label)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "file.p7s\n", "[1/1] file\n")
    found = cms.read(Path("file.p7s").read_bytes())
    # The root is for those who verify to bring.
    assert len(found.certificates) == 2
    assert verify("file", "--signature", "file.p7s").exit_code == 0
    assert verify("file", "--signed").stdout.startswith("file: good\n  signer 1  CN=")
    Path("file").write_bytes(b"changed\n")
    changed = verify("file", "--signed")
    assert changed.exit_code == 1
    assert "not good: the content is not what was signed" in changed.stdout


def test_several_files_and_signers_at_once(folder: Path) -> None:
    names = [f"f{number}" for number in range(5)]
    for name in names:
        Path(name).write_text(name)
    keys_given = ("--key", "file:p256.key", "--key", "file:mldsa65.key")
    given = (*keys_given, "--certificate", "p256.pem", "--certificate", "mldsa65.pem")
    done = run("sign", *names, *given, "--output", "json", "--jobs", "2", "--pem")
    assert done.exit_code == 0, done.output
    listed = json.loads(done.stdout)
    assert [each["signature"] for each in listed["signed"]] == [f"{name}.p7s" for name in names]
    assert listed["problem"] is None
    Path("f3").write_text("x")
    report = verify(*names, "--signed", "--output", "json", "--signers", "any")
    assert report.exit_code == 1
    found = json.loads(report.stdout)
    assert [each["good"] for each in found] == [True, True, True, False, True]
    assert found[3]["problem"]["code"] == "content-changed"
    assert {each["algorithm"] for each in found[0]["signers"]} == {"SHA256WITHECDSA", "ML_DSA_65"}
    assert {each["post_quantum"] for each in found[0]["signers"]} == {True, False}


def test_a_directory_has_a_signed_manifest(folder: Path) -> None:
    (folder / "dist" / "bin").mkdir(parents=True)
    Path("dist/bin/tool").write_bytes(b"tool")
    Path("dist/notes\n.txt").write_bytes(b"notes")
    assert sign("dist").stdout == "dist/MANIFEST.sha256.p7s\n"
    assert subprocess.run(["sha256sum", "-c", "MANIFEST.sha256"], cwd="dist", check=False).returncode == 0
    good = verify("dist")
    assert good.exit_code == 0
    assert "2 files in the manifest" in good.stdout
    # Signed again, it is the same directory.
    assert sign("dist").exit_code == 0
    assert verify("dist").exit_code == 0
    Path("dist/bin/tool").write_bytes(b"other")
    bad = verify("dist", "--output", "json")
    assert bad.exit_code == 1
    (report,) = json.loads(bad.stdout)
    assert report["problem"] == {"code": "directory-changed", "sentence": "bin/tool has changed"}
    assert report["directory"]["changed"] == ["bin/tool"]
    with Path("dist/MANIFEST.sha256").open("ab") as file:
        file.write(b"x\n")
    report = json.loads(verify("dist", "--output", "json").stdout)[0]
    assert report["problem"]["code"] == "content-changed"
    assert "directory" not in report


def value(tag: str, *parts: bytes) -> bytes:
    """One DER value, by an encoder that shares nothing with ours."""
    content = b"".join(parts)
    length = f"{len(content):02x}" if len(content) < 128 else f"82{len(content):04x}" if len(content) > 255 else ""
    return bytes.fromhex(tag + (length or f"81{len(content):02x}")) + content


def test_the_classic_object_is_that_of_another_encoder(folder: Path) -> None:
    done = sign("file", "--format", "classic", label="rsa")
    assert done.exit_code == 0, done.output
    block = pem.read_blocks(Path("file.object.pem").read_bytes())[0]
    assert block.label == "CUSTOM OBJECT"
    subject = value("30", value("31", value("30", bytes.fromhex("0603550403"), value("0c", b"rsa"))))
    tbs = value("30", value("03", b"\0to be released\n"), subject)
    # RSASSA_PKCS1_V1_5 is deterministic, so that the whole object must be the same.
    signature = private_key("rsa").sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    algorithm = bytes.fromhex("300d 0609 2a864886f70d01010b 0500")
    assert block.der == value("30", tbs, algorithm, value("03", b"\0", signature))
    assert verify("file.object.pem", "--intermediate", "rsa.pem").exit_code == 0


def test_classic_objects_that_are_refused(folder: Path) -> None:
    assert sign("file", "--format", "classic", "--to", "o.pem", label="rsa").exit_code == 0
    none = verify("o.pem")
    assert none.exit_code == 1
    assert "no certificates of the signer (CN=rsa) were given" in none.stdout
    twin = replace(order("rsa"), issuer=SUBORDINATE.but(**SPAN)).but(**SPAN, serial=7)
    put("twin.pem", twin.sign().der)
    both = verify("o.pem", "--intermediate", "rsa.pem", "--intermediate", "twin.pem")
    assert "2 certificates of the signer" in both.stdout
    found = custom_object.read(Path("o.pem").read_bytes())
    forged = custom_object.assemble(
        custom_object.to_be_signed(b"other", found.signer), found.algorithm, found.signature
    )
    Path("o.pem").write_text(pem.write("CUSTOM OBJECT", forged), encoding="utf-8")
    bad = verify("o.pem", "--intermediate", "rsa.pem", "--output", "json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)[0]["problem"]["code"] == "signature"
    Path("o.pem").write_text(pem.write("CUSTOM OBJECT", forged + b"\0"), encoding="utf-8")
    assert "1 octets follow" in verify("o.pem", "--intermediate", "rsa.pem").stdout


def test_who_should_not_sign(folder: Path) -> None:
    def refused(text: str, *words: str, label: str = "p256") -> None:
        done = sign("file", *words, label=label)
        assert done.exit_code == 2, done.output
        assert text in done.stderr

    Path("rsa.pem").replace("kept.pem")
    Path("p256.pem").replace("rsa.pem")
    refused("no certificate of the key rsa.key was given", label="rsa")
    put("p256.pem", order("p256", purpose=OID.SERVER_AUTH).but(**SPAN).sign().der)
    refused("(CN=p256) is not for code signing")
    put("p256.pem", order("p256").but(not_before=NOW - timedelta(2), not_after=NOW - timedelta(1)).sign().der)
    refused("is not valid at")
    refused("the digest SHA256 is too weak for ML_DSA_65", "--digest", "SHA256", label="mldsa65")
    Path("p256.key").write_text("nonsense", encoding="utf-8")
    refused("not a private key that signs")
    assert not Path("file.p7s").exists()


def test_what_cannot_be_asked(folder: Path) -> None:
    assert sign("file").exit_code == 0
    assert sign("absent").exit_code == 2
    assert sign("file", "root.pem", "--to", "x").exit_code == 2
    assert verify("file", "--signature", "absent").exit_code == 2
    assert verify("file", "root.pem", "--signature", "file.p7s").exit_code == 2
    assert verify("file", "--signed", "--name", "app.example.com").exit_code == 2
    (folder / "dist").mkdir()
    assert verify("file", "dist").exit_code == 2
    assert verify("dist").exit_code == 2
    assert run("verify", "file", "--signed", "--root", "file").exit_code == 2


def test_signatures_that_are_no_signatures(folder: Path) -> None:
    assert sign("file").exit_code == 0
    whole = Path("file.p7s").read_bytes()
    for octets, text in (
        (whole + b"x", "1 octets follow the last value"),
        (whole[:50], "not strict DER"),
        (b"", "not exactly one block of type CMS"),
        (b"0" * 100, "not a CMS signature in DER or PEM"),
    ):
        Path("file.p7s").write_bytes(octets)
        done = verify("file", "--signed")
        assert done.exit_code == 1
        assert text in done.stdout
    huge = Path("file.p7s")
    huge.write_bytes(bytes(3 << 20))
    assert verify("file", "--signed").exit_code == 2


def test_a_certificate_is_verified_as_before(folder: Path) -> None:
    assert verify("p256.pem").exit_code == 0
    assert verify("p256.pem", "--purpose", "serverAuth").exit_code == 1


def test_kms_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    nowhere = ("--data", "nowhere")
    done = run("kms", "csr", "--key", "alias/x", "--subject", "CN=App", *nowhere)
    assert done.exit_code == 2
    assert "no service was ever started on" in done.stderr
    done = run("sign", "file", "--key", "alias/x", "--certificate", "p256.pem", *nowhere)
    assert done.exit_code == 2
    assert "no service was ever started on" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--subject", "nonsense"),
        ("--subject", "CN=App", "--san", "app.example.com"),
        ("--subject", "CN=App", "--san", "ip:nowhere"),
        ("--subject", "CN=App", "--der"),
    ],
)
def test_requests_that_cannot_be_made(folder: Path, words: tuple[str, ...]) -> None:
    assert run("kms", "csr", "--key", "alias/x", *words, "--data", "nowhere").exit_code == 2
