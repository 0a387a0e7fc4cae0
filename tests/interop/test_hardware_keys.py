"""Keys in SoftHSM, through PKCS#11: what they sign is verified by OpenSSL, and the token may be wrong, slow or away."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.session import Session

from conformance.hierarchy import Customer, csr
from doors.lists import point_of
from interop.conftest import GREATSEAL
from interop.programs import Workbench, running

pytestmark = pytest.mark.interop
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "314159"


class Token:
    """A directory with one SoftHSM token, and a data directory whose settings name it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokens = folder / "tokens"
        self.configuration = folder / "softhsm2.conf"
        self.data = folder / "data"
        self.tokens.mkdir()
        self.data.mkdir(mode=0o700)
        self.configuration.write_text(
            f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.tool("--init-token", "--free", "--label", "greatseal", "--pin", PIN, "--so-pin", "271828")
        self.pin(PIN)

    def tool(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, env=self.environment, capture_output=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS", "GREATSEAL_"))}
        return kept | {"SOFTHSM2_CONF": str(self.configuration)}

    def pin(self, text: str) -> None:
        path = self.folder / "pin"
        path.write_text(text + "\n")
        path.chmod(0o600)

    def settings(self, *lines: str) -> None:
        """Writes the settings file: lines before the table of the key store."""
        store = ["[key_stores.hsm]", f'module = "{MODULE}"', 'token_label = "greatseal"', 'pin_file = "../pin"']
        (self.data / "greatseal.toml").write_text("\n".join([*lines, *store]) + "\n")

    def greatseal(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [GREATSEAL, *arguments, "--data", self.data],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def token(tmp_path: Path) -> Token:
    return Token(tmp_path)


def apart(script: str, token: Token) -> str:
    """Runs Python that uses the token in a process of its own: a PKCS#11 module belongs to its process."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(token.folder)],
        env=token.environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


START = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from pkcs11 import Attribute
from greatseal.crypto.algorithms import *
from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.keys.verified import VerifiedSigner
from greatseal.integrations.signers.pkcs11 import Pkcs11Store
from greatseal.integrations.signers.sessions import TokenAddress
from greatseal.kernel.secret import Secret
folder = Path(sys.argv[1])
def store(pin="314159", **more):
    address = TokenAddress("hsm", "/usr/lib/softhsm/libsofthsm2.so", "greatseal", lambda: Secret(pin.encode()), **more)
    return Pkcs11Store(address)
EC, ALGORITHM = KeyAlgorithm.EC_prime256v1, SignatureAlgorithm.SHA256WITHECDSA
def signer(of, name):
    spki = of.generate(name, EC)
    return VerifiedSigner(of.signer(name, spki), spki)
"""


def test_every_signature_of_every_key_verifies(token):
    said = apart(
        START
        + """
hsm = store()
for algorithm in sorted(hsm.health().algorithms, key=lambda each: each.name):
    if algorithm.size > 2048: continue
    spki = hsm.generate(algorithm.name, algorithm)
    made = VerifiedSigner(hsm.signer(algorithm.name, spki), spki)
    for each in signature_algorithms_for(algorithm):
        made.sign(b"message", each)
        print(algorithm.name, each.name)
    made._signer.sign(b"message", each)
    private = hsm._pool.run(lambda held: held.keys[algorithm.name])
    assert (private[Attribute.SENSITIVE], private[Attribute.EXTRACTABLE]) == (True, False)
    hsm.destroy(algorithm.name)
assert not hsm._pool.run(lambda held: list(held.session.get_objects()))
""",
        token,
    )
    assert len(said.splitlines()) == 3 * 3 + 6


def test_sixteen_threads_share_eight_sessions(token):
    apart(
        START
        + """
hsm = store()
made = signer(hsm, "key")
with ThreadPoolExecutor(16) as threads:
    list(threads.map(lambda number: made.sign(b"%d" % number, ALGORITHM), range(800)))
assert hsm._pool.threads <= 8
""",
        token,
    )


def test_a_wrong_pin_is_given_once(token):
    said = apart(
        START
        + """
asked = []
hsm = store()
hsm._pool._address = replace(hsm._pool._address, pin=lambda: asked.append(1) or Secret(b"000000"))
for _ in range(5):
    print(hsm.health().description)
assert asked == [1], asked
""",
        token,
    )
    assert all("is refused" in line and "not tried again" in line for line in said.splitlines())


def test_a_token_that_is_pulled_out_and_put_back(token):
    apart(
        START
        + """
import greatseal.integrations.signers.sessions as sessions
sessions._PAUSE = 0
hsm = store()
made = signer(hsm, "key")
made.sign(b"before", ALGORITHM)
(folder / "tokens").rename(folder / "away")
for _ in range(3):
    try:
        made.sign(b"while it is away", ALGORITHM)
    except SignerUnavailable:
        pass
    else:
        raise AssertionError("signed without a token")
(folder / "away").rename(folder / "tokens")
made.sign(b"after", ALGORITHM)
""",
        token,
    )


def test_a_token_that_hangs_holds_up_nobody_for_longer_than_the_deadline(token):
    apart(
        START
        + """
hsm = store(max_sessions=2, timeout=1.0)
made = signer(hsm, "key")
go_on = threading.Event()
def hang(held):
    go_on.wait()
def call(_):
    try:
        hsm._pool.run(hang)
    except SignerUnavailable as error:
        return str(error)
with ThreadPoolExecutor(4) as threads:
    said = list(threads.map(call, range(4)))
assert all("did not answer within 1 s" in each for each in said), said
assert hsm._pool.threads == 2
go_on.set()
made.sign(b"after", ALGORITHM)
""",
        token,
    )


@contextmanager
def served(token: Token) -> Iterator[dict[str, str]]:
    """A service over the token's data directory; what `greatseal env` says of it."""
    anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    command = ["env", f"SOFTHSM2_CONF={token.configuration}", GREATSEAL, "serve", "--data", token.data, *anywhere]
    with running(*command, folder=token.folder, ready="ready https://"):
        yield json.loads(token.greatseal("env", "--json"))


def clients(environment: dict[str, str], *names: str) -> list[Any]:
    session = Session()
    session.set_credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    where = {"endpoint_url": environment["AWS_ENDPOINT_URL"], "verify": environment["AWS_CA_BUNDLE"]}
    return [session.create_client(name, region_name=environment["AWS_DEFAULT_REGION"], **where) for name in names]


def bucket(s3: Any, name: str) -> None:
    """A bucket that lists may be written to (acm-pca.md 10.5)."""
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerPreferred")
    s3.delete_public_access_block(Bucket=name)
    actions = ["s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketAcl", "s3:GetBucketLocation"]
    resources = [f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "acm-pca.amazonaws.com"},
        "Action": actions,
        "Resource": resources,
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def fetched(url: str) -> bytes:
    """What is at a URL within a minute."""
    until = time.monotonic() + 60
    while True:
        try:
            with urlopen(url, timeout=20) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > until:
                raise


@pytest.mark.parametrize("key", ["EC_secp384r1", "RSA_2048"])
def test_a_ca_of_a_token_from_its_certificate_to_the_ocsp_answer(token, key):
    """CA certificate, certificate, CRL and OCSP answer of a service whose keys are all in the token, by OpenSSL."""
    stores = ("[kek]", 'store = "hsm"', "[keys]", 'authority_store = "hsm"', 'ocsp_store = "hsm"')
    token.settings(*stores, "[publication]", "crl_delay_seconds = 0")
    bench = Workbench(token.folder)
    with served(token) as environment:
        pca, acm, s3 = clients(environment, "acm-pca", "acm", "s3")
        bucket(s3, "lists")
        listed = {
            "Enabled": True,
            "ExpirationInDays": 7,
            "S3BucketName": "lists",
        }
        revocation = {"OcspConfiguration": {"Enabled": True}, "CrlConfiguration": listed}
        aws = Customer(pca, acm)
        leaf = aws.issue(aws.root(key, RevocationConfiguration=revocation), csr("EC_prime256v1", "app.example.com"))
        bench.put(root=leaf.root, leaf=leaf.certificate)
        assert "leaf.pem: OK" in bench.run("openssl", "verify", "-CAfile", "root.pem", "leaf.pem")
        where = bench.run("openssl", "x509", "-in", "leaf.pem", "-noout", "-ocsp_uri").strip()
        about = ("-issuer", "root.pem", "-cert", "leaf.pem", "-CAfile", "root.pem", "-url", where)
        said = bench.run("openssl", "ocsp", *about)
        assert "Response verify OK" in said
        assert "leaf.pem: good" in said
        (token.folder / "list.der").write_bytes(fetched(point_of(leaf.parsed)))
        assert "verify OK" in bench.run("openssl", "crl", "-inform", "DER", "-in", "list.der", "-CAfile", "root.pem")
        for each in (pca, acm, s3):
            each.close()
    findings = json.loads(token.greatseal("doctor", "--json", code=1))["findings"]
    found = [each for each in findings if each["check"].startswith("key")]
    assert {each["level"] for each in found} <= {"ok", "note"}, found
    assert any("a trial signature verifies" in each["text"] for each in found)
    assert not (token.data / "kek").exists()


def test_the_key_encryption_key_moves_from_a_file_into_the_token(token):
    """While a service runs; until the change is finished the settings of before and of after open everything."""
    token.settings()
    with served(token) as environment:
        (pca,) = clients(environment, "acm-pca")
        aws = Customer(pca, pca)
        authority = aws.root("EC_prime256v1")
        said = token.greatseal("keys", "rotate-kek", "--to-store", "hsm")
        assert 'kek.store = "hsm"' in said
        aws.issue(authority, csr("EC_prime256v1", "app.example.com"))
        pca.close()
    for settings in ((), ("[kek]", 'store = "hsm"')):
        token.settings(*settings)
        with served(token) as environment:
            (pca,) = clients(environment, "acm-pca")
            Customer(pca, pca).issue(authority, csr("EC_prime256v1", "app.example.com"))
            pca.close()
    (token.data / "kek").unlink()
    with served(token):
        pass
    findings = json.loads(token.greatseal("doctor", "--json", code=1))["findings"]
    assert any("is not finished" in each["text"] for each in findings)


def test_the_doctor_names_what_is_wrong_with_a_token(token):
    token.settings()
    with served(token):
        pass
    for change, words in (
        (lambda: token.pin("000000"), "the PIN of the key store hsm is refused"),
        (lambda: token.tokens.rename(token.folder / "away"), "cannot be used"),
    ):
        change()
        # The log follows on the other stream.
        found = json.JSONDecoder().raw_decode(token.greatseal("doctor", "--json", code=2))[0]["findings"]
        (broken,) = [each for each in found if each["check"] == "key store hsm"]
        assert broken["level"] == "failure"
        assert broken["fix"]
        assert words in broken["text"] or "few tries are left" in broken["text"]


@pytest.mark.parametrize(
    ("spec", "algorithm", "options"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256", ()),
        ("ECC_NIST_P384", "ECDSA_SHA_384", ()),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", ()),
        ("RSA_2048", "RSASSA_PSS_SHA_256", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")),
    ],
)
def test_a_kms_key_of_a_token_signs(token, spec, algorithm, options):
    """RAW and DIGEST, verified by OpenSSL; a key that decrypts is sealed in the database and works beside it."""
    token.settings("[keys]", 'kms_store = "hsm"')
    bench = Workbench(token.folder)
    with served(token) as environment:
        (kms,) = clients(environment, "kms")
        key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        (token.folder / "key.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])
        message = b"signed in a token"
        (token.folder / "message").write_bytes(message)
        name = f"sha{algorithm[-3:]}"
        for kind, given in (("RAW", message), ("DIGEST", hashlib.new(name, message).digest())):
            asked = {"KeyId": key, "SigningAlgorithm": algorithm, "Message": given, "MessageType": kind}
            signature = kms.sign(**asked)["Signature"]
            assert kms.verify(**asked, Signature=signature)["SignatureValid"]
            (token.folder / "signature").write_bytes(signature)
            checked = ("-verify", "key.der", "-keyform", "DER", *options, "-signature", "signature", "message")
            assert "Verified OK" in bench.run("openssl", "dgst", f"-{name}", *checked)
        sealed = kms.create_key()["KeyMetadata"]["Arn"]
        blob = kms.encrypt(KeyId=sealed, Plaintext=b"text")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
        token.tokens.rename(token.folder / "away")
        with pytest.raises(kms.exceptions.KeyUnavailableException):
            kms.sign(**asked)
        (token.folder / "away").rename(token.tokens)
        kms.close()
