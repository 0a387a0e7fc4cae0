"""`greatseal verify` as a person and a script meet it: exit codes, reasons, and every kind of file."""

import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from greatseal.cli.group import greatseal
from greatseal.x509 import pem
from greatseal.x509.extensions import certificate_policies, subject_alternative_name
from greatseal.x509.general_names import dns
from greatseal.x509.pkcs7 import certificates_only
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order, named
from made_revocation import answer_der, crl

AT = ("--time", NOW.isoformat())


class Desk:
    """A directory with files, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("root.pem", ROOT)
        self.put("ca.pem", SUBORDINATE)
        self.put("leaf.pem", LEAF)

    def put(self, name: str, *content: Order | bytes) -> Path:
        """Certificates as PEM, or octets as they are."""
        path = self.folder / name
        pieces = [each if isinstance(each, bytes) else self.pem(each) for each in content]
        path.write_bytes(b"".join(pieces))
        return path

    @staticmethod
    def pem(order: Order) -> bytes:
        return pem.write_certificates([order.sign().der]).encode() + b"\n"

    def verify(self, *words: str, at: tuple[str, ...] = AT) -> Result:
        names = [str(self.folder / word) if (self.folder / word).is_file() else word for word in words]
        done = CliRunner().invoke(greatseal, ["verify", *names, *at])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


CHAIN = ("--root", "root.pem", "--intermediate", "ca.pem")


def test_a_valid_certificate(desk):
    done = desk.verify("leaf.pem", *CHAIN)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0].endswith("leaf.pem: valid")
    assert [line.split()[:2] for line in lines[1:4]] == [["0", "CN=leaf"], ["1", "CN=subordinate"], ["2", "CN=root"]]
    assert lines[4] == "  policies: none"


def test_one_exact_reason(desk):
    done = desk.verify("leaf.pem", *CHAIN, at=("--time", (NOW + timedelta(days=366)).isoformat()))
    assert done.exit_code == 1
    assert "leaf.pem: not valid: certificate 2 (CN=root) expired 2027-07-01T12:00:00Z" in done.output


def test_several_files_are_judged_each(desk):
    done = desk.verify("leaf.pem", "root.pem", "--root", "root.pem")
    assert done.exit_code == 1
    assert "leaf.pem: not valid: certificate 0 (CN=leaf) was issued by 'CN=subordinate', of which" in done.output
    assert "root.pem: valid" in done.output


def test_every_kind_of_file(desk):
    leaf, middle = LEAF.sign().der, SUBORDINATE.sign().der
    both = [x509.load_der_x509_certificate(each) for each in (leaf, middle)]
    files = {
        "der": leaf,
        "full.pem": desk.pem(LEAF) + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "text.pem": b"\xef\xbb\xbfsubject: x\r\n" + desk.pem(LEAF).replace(b"\n", b"\r\n"),
        "utf16.pem": b"\xff\xfe" + desk.pem(LEAF).decode().encode("utf-16-le"),
    }
    for name, content in files.items():
        desk.put(name, content)
        assert desk.verify(name, *CHAIN).exit_code == 0, name
    bundles = {
        "bundle.p7b": pkcs7.serialize_certificates(both, Encoding.DER),
        "bundle.pem": pkcs7.serialize_certificates(both, Encoding.PEM),
        "ours.p7b": certificates_only([leaf, middle]),
    }
    for name, content in bundles.items():
        desk.put(name, content)
        assert desk.verify("leaf.pem", "--root", "root.pem", "--intermediate", name).exit_code == 0, name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"\xff\xfe\x00",
        b"\x30\x80",
        b"\x30" * 5000,
        b"\x30\x82\xff\xff",
        bytes.fromhex("300b06092a864886f70d010702"),
    ],
)
@pytest.mark.parametrize("where", ["FILE", "--root", "--intermediate", "--crl", "--ocsp"])
def test_unreadable_files_are_exit_code_2(desk, content, where):
    desk.put("odd", content)
    words = ("odd", *CHAIN) if where == "FILE" else ("leaf.pem", *CHAIN, where, "odd")
    done = desk.verify(*words)
    assert done.exit_code == 2
    assert "Error: " in done.output
    assert "odd: " in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("missing.pem",),
        ("leaf.pem", "--time", "yesterday"),
        ("leaf.pem", "--time", "0001-01-01T00:00:00+14:00"),
        ("leaf.pem", "--policy", "1.two"),
        ("leaf.pem", "--name", "a..b", *CHAIN),
        ("leaf.pem", "--purpose", "everything"),
        ("leaf.pem", "--revocation", "maybe"),
        ("leaf.pem", "--nonce"),
        ("leaf.pem", "--fetch", "--config", "missing.toml", *CHAIN),
    ],
)
def test_questions_that_make_no_sense_are_exit_code_2(desk, words):
    at = () if "--time" in words else AT
    assert desk.verify(*words, at=at).exit_code == 2


def test_a_directory_is_no_file(desk):
    assert desk.verify(str(desk.folder)).exit_code == 2


def test_names_purposes_and_policies(desk):
    policy = certificate_policies([("1.2.3", [])])
    middle = SUBORDINATE.but(add=(policy,))
    desk.put("ca.pem", middle)
    desk.put("leaf.pem", LEAF.but(issuer=middle, add=(policy, subject_alternative_name([dns("app.example")]))))
    assert desk.verify("leaf.pem", *CHAIN, "--name", "app.example", "--purpose", "serverAuth").exit_code == 0
    done = desk.verify("leaf.pem", *CHAIN, "--policy", "1.2.3")
    assert "policies: 1.2.3" in done.output
    assert desk.verify("leaf.pem", *CHAIN, "--policy", "1.2.4").exit_code == 1
    assert "is not for b.example" in desk.verify("leaf.pem", *CHAIN, "--name", "b.example").output
    assert "code signing must be named" in desk.verify("leaf.pem", *CHAIN, "--purpose", "codeSigning").output


def test_revocation_from_files(desk):
    desk.put("root.crl", crl(ROOT).der)
    desk.put("ca.crl", pem.write("X509 CRL", crl().der).encode())
    desk.put("good.ocsp", answer_der(LEAF.sign(), SUBORDINATE.sign()))
    desk.put("revoked.crl", crl(SUBORDINATE, (LEAF.serial, 1)).der)
    assert desk.verify("leaf.pem", *CHAIN, "--crl", "root.crl", "--crl", "ca.crl").exit_code == 0
    assert "good (OCSP)" in desk.verify("leaf.pem", *CHAIN, "--crl", "root.crl", "--ocsp", "good.ocsp").output
    done = desk.verify("leaf.pem", *CHAIN, "--crl", "revoked.crl", "--revocation", "soft")
    assert done.exit_code == 1
    assert "was revoked 2026-07-01T11:00:00Z (keyCompromise), says CRL" in done.output
    assert desk.verify("leaf.pem", *CHAIN, "--crl", "ca.crl").exit_code == 1
    assert desk.verify("leaf.pem", *CHAIN, "--crl", "ca.crl", "--revocation", "soft").exit_code == 0
    assert (
        "CN=subordinate) is of unknown revocation status"
        in desk.verify("leaf.pem", *CHAIN, "--revocation", "hard").output
    )


def test_json(desk):
    desk.put("revoked.crl", crl(SUBORDINATE, (LEAF.serial, 1)).der)
    done = desk.verify(
        "leaf.pem", "root.pem", *CHAIN, "--crl", "revoked.crl", "--crl", "revoked.crl", "--output", "json"
    )
    leaf, root = json.loads(done.output)
    assert done.exit_code == 1
    assert leaf["problem"]["code"] == "revoked"
    assert leaf["problem"]["index"] == 0
    assert leaf["path"][0]["revocation"]["reason"] == "keyCompromise"
    assert root["valid"] is True
    assert root["path"][0]["sha256"] == ROOT.sign().fingerprint_sha256.hex()


def test_foreign_names_forge_no_lines(desk):
    desk.put("odd.pem", Order("odd", SUBORDINATE, subject=named("x\n\x1b[2Kleaf.pem: valid")))
    done = desk.verify("odd.pem", *CHAIN)
    assert "\x1b" not in done.output
    assert len(done.output.splitlines()) == 5


def test_without_roots_the_system_is_asked(desk, monkeypatch):
    system = ssl.get_default_verify_paths()
    here = str(desk.folder / "system.pem")
    odd = pem.write("CERTIFICATE", b"\x30\x00") + "\n"
    desk.put("system.pem", odd.encode(), ROOT)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system._replace(cafile=here))
    assert desk.verify("leaf.pem", "--intermediate", "ca.pem").exit_code == 0
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: system._replace(cafile=None))
    assert desk.verify("leaf.pem", "--intermediate", "ca.pem").exit_code == 2
