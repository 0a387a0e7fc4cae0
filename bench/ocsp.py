"""OCSP answers per second, beside `openssl ocsp`: `python bench/ocsp.py [--seconds N]`.

In process: the door with a signed answer in memory, with a nonce (a signature for each), and about a serial that
was never issued. Over HTTP: a connection for each request, as `openssl ocsp -port` serves no other, on both; and
connections that stay open. Prints lines for people and one JSON object for programs.
"""

import argparse
import asyncio
import base64
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from prometheus_client import CollectorRegistry

from greatseal.app.doors import plain_mounts
from greatseal.app.listeners import Listener
from greatseal.crypto.algorithms import KeyAlgorithm, default_signature_algorithm
from greatseal.edge import EdgeApp, EdgeMetrics, Limits
from greatseal.edge.messages import HttpRequest
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import Installation
from greatseal.testing.clock import FakeClock
from greatseal.web.ocsp import handler

CLIENTS = 4


class Ca:
    """A CA of an installation, a certificate of it, and the keys to ask about it."""

    def __init__(self, installation: Installation, key: str) -> None:
        self._pca = installation.client("acm-pca")
        algorithm = default_signature_algorithm(KeyAlgorithm[key]).name
        self.arn = self._pca.create_certificate_authority(
            CertificateAuthorityType="ROOT",
            CertificateAuthorityConfiguration={
                "KeyAlgorithm": key,
                "SigningAlgorithm": algorithm,
                "Subject": {"CommonName": "Bench"},
            },
            RevocationConfiguration={"OcspConfiguration": {"Enabled": True}},
        )["CertificateAuthorityArn"]
        csr = self._pca.get_certificate_authority_csr(CertificateAuthorityArn=self.arn)["Csr"].encode()
        root = self._issue(csr, algorithm, 3650, TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1")
        self._pca.import_certificate_authority_certificate(CertificateAuthorityArn=self.arn, Certificate=root)
        self.root = x509.load_pem_x509_certificate(root)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench.example.com")])
        request = x509.CertificateSigningRequestBuilder(subject).sign(
            ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
        )
        leaf = self._issue(request.public_bytes(serialization.Encoding.PEM), algorithm, 30)
        self.leaf = x509.load_pem_x509_certificate(leaf)

    def _issue(self, csr: bytes, algorithm: str, days: int, **more: str) -> bytes:
        issued = self._pca.issue_certificate(
            CertificateAuthorityArn=self.arn,
            Csr=csr,
            SigningAlgorithm=algorithm,
            Validity={"Type": "DAYS", "Value": days},
            **more,
        )["CertificateArn"]
        answer = self._pca.get_certificate(CertificateAuthorityArn=self.arn, CertificateArn=issued)
        text: str = answer["Certificate"]
        return text.encode()

    def question(self, nonce: bytes | None = None) -> bytes:
        """A request about the certificate."""
        builder = ocsp.OCSPRequestBuilder().add_certificate(self.leaf, self.root, hashes.SHA1())
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.build().public_bytes(serialization.Encoding.DER)


def path_of(question: bytes) -> str:
    """The path of a GET."""
    return f"/ocsp/{quote(base64.b64encode(question).decode(), safe='')}"


def rate(call: Callable[[], object], seconds: float) -> float:
    """Calls per second of one thread."""
    call()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        call()
        count += 1
    return count / passed


def in_process(installation: Installation, ca: Ca, seconds: float) -> dict[str, float]:
    """Answers per second at the door, without HTTP."""
    handle = handler(installation.rooms.ocsp, installation.clock)

    def get(question: bytes) -> Callable[[], object]:
        request = HttpRequest("GET", path_of(question).encode(), b"", (), b"", "bench")
        assert ocsp.load_der_ocsp_response(handle(request).body).response_status.name == "SUCCESSFUL"
        return lambda: handle(request)

    return {
        "cached": rate(get(ca.question()), seconds),
        "with_nonce": rate(get(ca.question(bytes(32))), seconds),
    }


@contextmanager
def greatseal_server(installation: Installation) -> Iterator[int]:
    """The plain listener of the installation in a thread of this process; its port."""
    registry = CollectorRegistry()
    app = EdgeApp(
        plain_mounts(installation.rooms, registry, None),
        limits=Limits(),
        metrics=EdgeMetrics(registry),
        entropy=installation.entropy,
    )
    started, ended = threading.Event(), asyncio.Event()
    where: dict[str, Any] = {}

    async def serve() -> None:
        listener = Listener("127.0.0.1", 0, max_body_bytes=1 << 20)
        await listener.start(app)
        where["port"] = int(listener.address.rpartition(":")[2])
        where["loop"] = asyncio.get_running_loop()
        started.set()
        await ended.wait()
        await listener.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield where["port"]
    finally:
        where["loop"].call_soon_threadsafe(ended.set)
        thread.join()
        app.close()


@contextmanager
def openssl_server(folder: Path) -> Iterator[tuple[int, bytes]]:
    """`openssl ocsp` with a CA and a certificate of its own; its port and a request that it answers."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Peer")])
    now = FakeClock().now()
    root = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now.replace(year=2099)).sign(
        key, hashes.SHA256()
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    (folder / "index.txt").write_text("V\t990101000000Z\t\t1001\tunknown\t/CN=leaf\n")
    leaf = x509.CertificateBuilder(name, name, key.public_key(), 0x1001, now, now.replace(year=2099))
    question = ocsp.OCSPRequestBuilder().add_certificate(leaf.sign(key, hashes.SHA256()), root, hashes.SHA1()).build()
    command = ["openssl", "ocsp", "-port", "0", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem"]
    with subprocess.Popen(
        [*command, "-rkey", "key.pem", "-nmin", "5"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.match(r"ACCEPT .*:(\d+)", line):
                    # What it says from now on must not fill the pipe.
                    threading.Thread(target=process.stdout.read, daemon=True).start()
                    yield int(found[1]), question.public_bytes(serialization.Encoding.DER)
                    break
            else:
                raise RuntimeError("openssl ocsp did not start")
        finally:
            process.terminate()


def over_http(port: int, path: str, seconds: float, *, stay: bool) -> float:
    """GETs per second of a few clients at once, all answers being OCSP ones."""
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{'' if stay else 'Connection: close'}\r\n\r\n"
    ask = asked.replace("\r\n\r\n\r\n", "\r\n\r\n").encode()
    counts = [0] * CLIENTS
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        while time.perf_counter() < end:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while time.perf_counter() < end:
                    connection.sendall(ask)
                    assert exchange(connection), "not an OCSP answer"
                    counts[number] += 1
                    if not stay:
                        break

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return sum(counts) / seconds


def exchange(connection: socket.socket) -> bool:
    """Reads one answer to its end; whether it is an OCSP one."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := connection.recv(65536)):
            return False
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    assert length
    while len(body) < int(length[1]):
        body += connection.recv(65536)
    return b" 200 " in head.partition(b"\r\n")[0] and b"application/ocsp-response" in head


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each measurement takes")
    seconds = parser.parse_args().seconds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    result: dict[str, Any] = {"name": "ocsp", "seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        installation = Installation(storage)
        for key in ("EC_prime256v1", "RSA_2048", "ML_DSA_65"):
            found = in_process(installation, Ca(installation, key), seconds)
            result[key] = {name: round(value) for name, value in found.items()}
            print(f"{key}: {found['cached']:.0f} answers/s from memory, {found['with_nonce']:.0f}/s signed anew")
        path = path_of(Ca(installation, "EC_prime256v1").question())
        with greatseal_server(installation) as port:
            result["http"] = round(over_http(port, path, seconds, stay=False))
            result["http_open"] = round(over_http(port, path, seconds, stay=True))
        print(f"over HTTP: {result['http']} GETs/s with a connection each, {result['http_open']} on open connections")
        storage.close()
        if shutil.which("openssl"):
            with openssl_server(Path(folder)) as (port, question):
                path = path_of(question).removeprefix("/ocsp")
                result["openssl"] = round(over_http(port, path, seconds, stay=False))
            print(f"openssl ocsp: {result['openssl']} GETs/s with a connection each")
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
