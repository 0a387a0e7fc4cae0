"""The main job of a private CA, done with the real AWS CLI and OpenSSL against a service of one's own.

`make demo` runs it. Standard library only, besides the programs: `aws` of the environment (or of $AWS),
`openssl` and, when there is one, `curl` of PATH. Everything happens in a temporary directory.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo_stage import Child, Stage, StepFailed

BIN = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent
TEMPLATE = "arn:aws:acm-pca:::template/"
SIGNING = {
    "RSA_2048": "SHA256WITHRSA",
    "RSA_3072": "SHA256WITHRSA",
    "RSA_4096": "SHA256WITHRSA",
    "EC_prime256v1": "SHA256WITHECDSA",
    "EC_secp384r1": "SHA384WITHECDSA",
    "EC_secp521r1": "SHA512WITHECDSA",
    "ML_DSA_44": "ML_DSA_44",
    "ML_DSA_65": "ML_DSA_65",
    "ML_DSA_87": "ML_DSA_87",
}


@dataclass(frozen=True)
class Programs:
    """The programs of other people that the demo uses, and what they can do."""

    aws: str
    aws_version: tuple[int, int]
    openssl_version: tuple[int, int]
    curl: str | None

    @classmethod
    def find(cls) -> "Programs":
        """Raises StepFailed when one is missing."""
        aws = os.environ.get("AWS") or str(BIN / "aws")
        return cls(
            aws=aws,
            aws_version=_version(r"aws-cli/(\d+)\.(\d+)", aws, "--version"),
            openssl_version=_version(r"OpenSSL (\d+)\.(\d+)", "openssl", "version"),
            curl=shutil.which("curl"),
        )

    @property
    def openssl_knows_ml_dsa(self) -> bool:
        """OpenSSL verifies ML-DSA since 3.5."""
        return self.openssl_version >= (3, 5)

    @property
    def endpoint_option(self) -> tuple[str, ...]:
        """What an AWS CLI needs that does not read AWS_ENDPOINT_URL (2.13 and 1.29 are the first that do)."""
        old = self.aws_version < ((2, 13) if self.aws_version[0] == 2 else (1, 29))
        return ("--endpoint-url",) if old else ()


def _version(pattern: str, *command: str) -> tuple[int, int]:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        raise StepFailed(f"{command[0]} is needed and does not run: {error}") from error
    found = re.search(pattern, answer.stdout + answer.stderr)
    if not found:
        raise StepFailed(f"{command[0]} answers {answer.stdout + answer.stderr!r}, which names no version")
    return int(found[1]), int(found[2])


class Demo:
    """The story, step by step."""

    def __init__(self, stage: Stage, programs: Programs, algorithm: str) -> None:
        self.stage = stage
        self.programs = programs
        self.algorithm = algorithm
        # ACM certificates are RSA or EC, and their CA's key must be of the same family; so a post-quantum
        # root gets a classical subordinate.
        self.issuing = "EC_prime256v1" if algorithm.startswith("ML_DSA") else algorithm
        self.leaf = "RSA_2048" if self.issuing.startswith("RSA") else "EC_prime256v1"
        self.children: list[Child] = []

    def play(self) -> None:
        """All of it. Raises StepFailed."""
        self.start_service()
        root = self.create_authority("root", "ROOT", self.algorithm)
        self.install_root("root", root)
        subordinate = self.create_authority("sub", "SUBORDINATE", self.issuing)
        self.install_subordinate(subordinate, root)
        self.issue_from_csr(subordinate)
        certificate = self.request_from_acm(subordinate)
        self.export(certificate)
        self.serve_and_fetch()
        if not self.algorithm.startswith("ML_DSA"):
            self.post_quantum()

    def start_service(self) -> None:
        """`greatseal serve` and `greatseal env`."""
        stage = self.stage
        stage.step("Start a service on an empty directory")
        anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
        service = Child(stage, BIN / "greatseal", "serve", "--data", "data", *anywhere, log="service.log")
        self.children.append(service)
        ready = service.read_line(30)
        if not ready.startswith("ready https://"):
            raise StepFailed(f"the service did not get ready: {ready!r}")
        stage.good(ready)
        variables: dict[str, str] = json.loads(stage.run(BIN / "greatseal", "env", "--data", "data", "--json"))
        stage.environment |= variables
        for name, value in variables.items():
            stage.say(f"{name}={'…' if 'SECRET' in name else value}")

    def aws(self, service: str, operation: str, *arguments: str, to: str | None = None, show: bool = False) -> str:
        """One command of the AWS CLI."""
        endpoint = [word for option in self.programs.endpoint_option for word in (option, self._endpoint())]
        return self.stage.run(self.programs.aws, *endpoint, service, operation, *arguments, to=to, show=show)

    def _endpoint(self) -> str:
        return self.stage.environment["AWS_ENDPOINT_URL"]

    def create_authority(self, name: str, kind: str, algorithm: str) -> str:
        """An authority with its CSR in NAME.csr; returns its ARN."""
        self.stage.step(f"Create a {kind.lower()} CA with an {algorithm} key and get its CSR")
        configuration = (
            f"KeyAlgorithm={algorithm},SigningAlgorithm={SIGNING[algorithm]},Subject={{CommonName=Demo {name}}}"
        )
        arn = self.aws(
            "acm-pca", "create-certificate-authority",
            "--certificate-authority-type", kind,
            "--certificate-authority-configuration", configuration,
            "--query", "CertificateAuthorityArn", "--output", "text",
        )  # fmt: skip
        self.stage.remember(f"{name.upper().replace('-', '_')}_CA", arn)
        self.aws("acm-pca", "wait", "certificate-authority-csr-created", "--certificate-authority-arn", arn)
        self.aws(
            "acm-pca", "get-certificate-authority-csr",
            "--certificate-authority-arn", arn, "--output", "text", to=f"{name}.csr",
        )  # fmt: skip
        return arn

    def issue(
        self,
        authority: str,
        name: str,
        algorithm: str,
        validity: str,
        template: str | None = None,
        csr: str | None = None,
    ) -> None:
        """Has a CSR, NAME.csr unless told otherwise, signed into NAME.pem."""
        arn = self.aws(
            "acm-pca", "issue-certificate",
            "--certificate-authority-arn", authority,
            "--csr", f"fileb://{csr or name + '.csr'}",
            "--signing-algorithm", SIGNING[algorithm],
            *(("--template-arn", TEMPLATE + template) if template else ()),
            "--validity", validity,
            "--query", "CertificateArn", "--output", "text",
        )  # fmt: skip
        self.stage.remember(f"{name.upper().replace('-', '_')}_CERT", arn)
        both = ("--certificate-authority-arn", authority, "--certificate-arn", arn)
        self.aws("acm-pca", "wait", "certificate-issued", *both)
        self.aws(
            "acm-pca", "get-certificate", *both, "--query", "Certificate", "--output", "text", to=f"{name}.pem"
        )  # fmt: skip

    def install_root(self, name: str, arn: str, algorithm: str | None = None) -> None:
        """Signs the root with itself and makes it ACTIVE."""
        self.stage.step("Self-sign the root, import it, and it is ACTIVE")
        self.issue(arn, name, algorithm or self.algorithm, "Value=10,Type=YEARS", "RootCACertificate/V1")
        self.aws(
            "acm-pca", "import-certificate-authority-certificate",
            "--certificate-authority-arn", arn, "--certificate", f"fileb://{name}.pem",
        )  # fmt: skip
        self.expect_active(arn)

    def install_subordinate(self, arn: str, root: str) -> None:
        """Signs the subordinate with the root and makes it ACTIVE."""
        self.stage.step("Sign the subordinate with the root and import it")
        self.issue(root, "sub", self.algorithm, "Value=5,Type=YEARS", "SubordinateCACertificate_PathLen0/V1")
        self.aws(
            "acm-pca", "import-certificate-authority-certificate",
            "--certificate-authority-arn", arn,
            "--certificate", "fileb://sub.pem", "--certificate-chain", "fileb://root.pem",
        )  # fmt: skip
        self.expect_active(arn)

    def expect_active(self, arn: str) -> None:
        """Asks for the state of an authority."""
        status = self.aws(
            "acm-pca", "describe-certificate-authority", "--certificate-authority-arn", arn,
            "--query", "CertificateAuthority.Status", "--output", "text",
        )  # fmt: skip
        if status != "ACTIVE":
            raise StepFailed(f"the authority is {status}, not ACTIVE")
        self.stage.good("ACTIVE")

    def issue_from_csr(self, subordinate: str) -> None:
        """A leaf whose key OpenSSL made."""
        name = "web.example.internal"
        self.stage.step("Issue a certificate from a CSR that OpenSSL made")
        self.stage.run(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "web.key", "-out", "web.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
        )  # fmt: skip
        self.issue(subordinate, "web", self.issuing, "Value=30,Type=DAYS")
        self.stage.run(
            "openssl", "x509", "-in", "web.pem", "-noout", "-subject", "-issuer", "-dates", "-ext", "subjectAltName",
            show=True,
        )  # fmt: skip
        self.verify("root.pem", "sub.pem", "web.pem")

    def verify(self, root: str, *rest: str) -> None:
        """Root, authorities in order, leaf: with OpenSSL where it knows the algorithm, else with Python."""
        *between, leaf = rest
        ml_dsa = self.algorithm.startswith("ML_DSA") or root.startswith("pq")
        if ml_dsa and not self.programs.openssl_knows_ml_dsa:
            self.stage.say("this openssl is older than 3.5 and does not know ML-DSA: Python's cryptography verifies")
            self.stage.run(sys.executable, HERE / "verify_chain.py", root, *between, leaf, show=True)
        else:
            untrusted = [word for file in between for word in ("-untrusted", file)]
            self.stage.run("openssl", "verify", "-x509_strict", "-CAfile", root, *untrusted, leaf, show=True)
        self.stage.good("the chain verifies")

    def request_from_acm(self, subordinate: str) -> str:
        """A private certificate that ACM keeps; returns its ARN."""
        self.stage.step("Request a private certificate from ACM, which makes and keeps the key")
        arn = self.aws(
            "acm", "request-certificate", "--domain-name", "app.example.internal",
            "--subject-alternative-names", "www.app.example.internal",
            "--key-algorithm", self.leaf, "--certificate-authority-arn", subordinate,
            "--query", "CertificateArn", "--output", "text",
        )  # fmt: skip
        self.stage.remember("APP_CERT", arn)
        query = "Certificate.{Domain:DomainName,Status:Status,Key:KeyAlgorithm,Until:NotAfter,Why:FailureReason}"
        for _ in range(20):
            answer = self.aws(
                "acm", "describe-certificate", "--certificate-arn", arn, "--query", query, "--output", "json"
            )
            described = json.loads(answer)
            if described["Status"] != "PENDING_VALIDATION":
                break
            time.sleep(0.5)
        if described["Status"] != "ISSUED":
            raise StepFailed(f"the certificate is {described['Status']}: {described['Why']}")
        self.stage.good(f"{described['Domain']} is ISSUED, {described['Key']}, until {_day(described['Until'])}")
        return arn

    def export(self, arn: str) -> None:
        """Certificate, chain and key, the key decrypted by OpenSSL."""
        self.stage.step("Export it with a passphrase and decrypt the key with OpenSSL")
        # Without a newline: the service takes every byte of the file, OpenSSL the first line.
        self.stage.run("printf", "correct horse battery staple", to="passphrase")
        exported = json.loads(
            self.aws(
                "acm", "export-certificate", "--certificate-arn", arn, "--passphrase", "fileb://passphrase",
                "--output", "json", to="app.json",
            )
        )  # fmt: skip
        files = {"Certificate": "app.pem", "CertificateChain": "chain.pem", "PrivateKey": "app-encrypted.key"}
        for member, file in files.items():
            (self.stage.directory / file).write_text(exported[member].rstrip("\n") + "\n", encoding="utf-8")
        self.stage.say("the three members of app.json are now in " + ", ".join(files.values()))
        self.stage.run("openssl", "pkey", "-in", "app-encrypted.key", "-passin", "file:passphrase", "-out", "app.key")
        of_key = self.stage.run("openssl", "pkey", "-in", "app.key", "-pubout")
        of_certificate = self.stage.run("openssl", "x509", "-in", "app.pem", "-noout", "-pubkey")
        if of_key != of_certificate:
            raise StepFailed("the exported key is not the key of the certificate")
        self.stage.good("the key belongs to the certificate")

    def serve_and_fetch(self) -> None:
        """A TLS server with the exported files, and clients that trust nothing but the root."""
        stage, host = self.stage, "app.example.internal"
        stage.step("Serve it with openssl s_server, fetch it with clients that trust only the root")
        port = _free_port()
        connect = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host)
        too_old = self.algorithm.startswith("ML_DSA") and not self.programs.openssl_knows_ml_dsa
        # OpenSSL before 3.5 takes a signature that it does not know for a weak one and refuses even to send it.
        old = ("-cipher", "DEFAULT@SECLEVEL=0") if too_old else ()
        server = Child(
            stage, "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "app.pem", "-key", "app.key",
            "-cert_chain", "chain.pem", "-www", "-quiet", *old, log="s_server.log",
        )  # fmt: skip
        self.children.append(server)
        _wait_for(port, server)
        if too_old:
            stage.run(*connect, *old, to="connection.txt")
            stage.run("openssl", "x509", "-in", "connection.txt", "-out", "served.pem")
            self.verify("root.pem", "sub.pem", "served.pem")
            return
        stage.run(
            *connect, "-verify_hostname", host, "-verify_return_error", "-CAfile", "root.pem", "-brief", show=True
        )
        stage.good("OpenSSL verified the server")
        if self.programs.curl:
            stage.run(
                "curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", "root.pem", "--output", "page.html",
                "--resolve", f"{host}:{port}:127.0.0.1", f"https://{host}:{port}/",
            )  # fmt: skip
            stage.good("curl fetched a page from it")

    def post_quantum(self) -> None:
        """The same, shorter, with an authority that signs with ML-DSA (FIPS 204, RFC 9881)."""
        root = self.create_authority("pq-root", "ROOT", "ML_DSA_65")
        self.install_root("pq-root", root, "ML_DSA_65")
        self.stage.step("Issue from the same CSR under the post-quantum root")
        self.issue(root, "pq-web", "ML_DSA_65", "Value=30,Type=DAYS", csr="web.csr")
        self.verify("pq-root.pem", "pq-web.pem")


def _day(timestamp: float | str) -> str:
    """The day of a time as the AWS CLI prints it: seconds (version 1) or ISO 8601 (version 2)."""
    if isinstance(timestamp, str):
        return timestamp[:10]
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: Child) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if not server.alive():
                raise StepFailed(f"the server ended:\n{server.tail()}") from None
            time.sleep(0.05)
        else:
            return
    raise StepFailed("the server does not listen")


def _environment() -> dict[str, str]:
    """The user's environment without what would lead the AWS CLI or the service elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS", "GREATSEAL_"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
    return kept | nowhere | {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*", "no_proxy": "*"}


def main() -> int:
    """Plays the demo and cleans up; 0 when everything went as promised."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--algorithm", choices=SIGNING, default="EC_prime256v1", help="key algorithm of the CAs")
    options.add_argument("--keep", action="store_true", help="keep the directory with everything that was made")
    chosen = options.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="greatseal-demo-"))
    stage = Stage(directory, _environment())
    children: list[Child] = []
    try:
        demo = Demo(stage, Programs.find(), chosen.algorithm)
        children = demo.children
        print(f"Greatseal: the main job of a private CA, in {directory}")
        demo.play()
    except StepFailed as failure:
        print(f"\n✗ {failure}", file=sys.stderr)
        if children:
            print(f"\nThe end of the service's log:\n{children[0].tail()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    finally:
        for child in reversed(children):
            child.stop()
        if not chosen.keep:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"\nEverything worked, in {stage.elapsed():.0f} s.")
    if chosen.keep:
        print(f"All files are still in {directory}.")
    else:
        print("The directory is gone again; `.venv/bin/python tools/demo.py --keep` keeps it, --help says what else.")
    print("\nGo on with a service of your own:\n")
    print("  .venv/bin/greatseal serve                     in one terminal")
    print('  eval "$(.venv/bin/greatseal env)"             in another')
    print("  .venv/bin/aws acm-pca list-certificate-authorities\n")
    print("README.md has the first five minutes, docs/README.md the rest.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
