"""OCSP answers per second, beside `openssl ocsp`: `python bench/ocsp.py [--seconds N]`.

In process: the door with a ready answer, with a signed answer in memory and a look into the database, and with a nonce
(a signature for each). Over HTTP with wrk and ab, which take a core of their own: connections that stay open, and a
connection for each request, as `openssl ocsp -port` serves no other. Prints lines for people and one JSON object.
"""

import argparse
import asyncio
import base64
import json
import re
import shutil
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
from urllib.request import urlopen

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from prometheus_client import CollectorRegistry

from greatseal.app.doors import plain_mounts
from greatseal.app.listeners import Listener
from greatseal.app.seats import bind
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.crypto.algorithms import KeyAlgorithm, default_signature_algorithm
from greatseal.edge import EdgeApp, EdgeMetrics, Limits
from greatseal.edge.messages import HttpRequest
from greatseal.kernel.clock import SystemClock
from greatseal.settings.values import Address
from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import Installation
from greatseal.testing.clock import FakeClock
from greatseal.web.ocsp import OcspDoor

CLIENTS = 8


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
    door = OcspDoor(installation.rooms.ocsp, installation.clock)

    def get(question: bytes) -> Callable[[], object]:
        request = HttpRequest("GET", path_of(question).encode(), b"", (), b"", "bench")
        assert ocsp.load_der_ocsp_response(door.handle(request).body).response_status.name == "SUCCESSFUL"
        return lambda: door.handle(request)

    def post(question: bytes) -> Callable[[], object]:
        content_type = ((b"content-type", b"application/ocsp-request"),)
        request = HttpRequest("POST", b"/ocsp", b"", content_type, question, "bench")
        return lambda: door.handle(request)

    path = path_of(ca.question()).encode()
    get(ca.question())()
    assert door.ready(path)
    return {
        "ready": rate(lambda: door.ready(path), seconds),
        "looked_up": rate(post(ca.question()), seconds),
        "with_nonce": rate(get(ca.question(bytes(32))), seconds),
    }


@contextmanager
def greatseal_server(installation: Installation) -> Iterator[int]:
    """The plain listener of the installation in a thread of this process; its port."""
    registry = CollectorRegistry()
    app = EdgeApp(
        plain_mounts(installation.rooms, WorkerMetrics(registry), None),
        limits=Limits(),
        metrics=EdgeMetrics(registry),
        entropy=installation.entropy,
    )
    started, ended = threading.Event(), asyncio.Event()
    where: dict[str, Any] = {}

    async def serve() -> None:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1 << 20)
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
def openssl_server(folder: Path, kind: str) -> Iterator[tuple[int, bytes]]:
    """`openssl ocsp` with a CA and a certificate of its own; its port and a request that it answers."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind.startswith("EC") else rsa.generate_private_key(65537, 2048)
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


def on_open_connections(port: int, path: str, seconds: float) -> dict[str, float]:
    """GETs per second of wrk on connections that stay open, and the milliseconds that one in a hundred exceeds."""
    said = _output("wrk", "-t1", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}", "--latency", _url(port, path))
    slow = re.search(r" 99% +([\d.]+)(us|ms|s)", said)
    many = re.search(r"Requests/sec: +([\d.]+)", said)
    assert slow, said
    assert many, said
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    return {"gets": float(many[1]), "p99_ms": float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]}


def with_a_connection_each(port: int, path: str, seconds: float) -> dict[str, float]:
    """The same of ab, which opens a connection for each, as `openssl ocsp -port` wants it."""
    said = _output("ab", "-q", "-l", "-t", str(max(1, round(seconds))), f"-c{CLIENTS}", _url(port, path))
    many = re.search(r"Requests per second: +([\d.]+)", said)
    slow = re.search(r" 99% +(\d+)", said)
    assert many, said
    assert slow, said
    assert re.search(r"Failed requests: +0$", said, re.MULTILINE), said
    assert "Non-2xx" not in said, said
    return {"gets": float(many[1]), "p99_ms": float(slow[1])}


def _url(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        assert answer.headers["content-type"] == "application/ocsp-response"
        assert ocsp.load_der_ocsp_response(answer.read()).certificate_status.name == "GOOD"
    return f"http://127.0.0.1:{port}{path}"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure_http(installation: Installation, key: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Both responders over HTTP, one after the other; each signs with a key of this kind."""
    path = path_of(Ca(installation, key).question())
    with greatseal_server(installation) as port:
        worked = time.process_time()
        opened = on_open_connections(port, path, seconds)
        # Of the server alone, so that it tells the same on a busy machine.
        opened["microseconds"] = (time.process_time() - worked) / (opened["gets"] * max(1, round(seconds))) * 1e6
        found = {
            "open": opened,
            "each": with_a_connection_each(port, path, seconds),
        }
    with openssl_server(folder, key) as (port, question):
        found["openssl"] = with_a_connection_each(port, path_of(question).removeprefix("/ocsp"), seconds)
    ratio = found["open"]["gets"] / found["openssl"]["gets"]
    each, peer = found["each"], found["openssl"]
    print(f"{key} over HTTP: {opened['gets']:.0f} GETs/s on open connections, p99 {opened['p99_ms']:.2f} ms")
    print(f"  {opened['microseconds']:.0f} µs of the server's work for each")
    print(f"  a connection each: {each['gets']:.0f}/s; openssl ocsp: {peer['gets']:.0f}/s; {ratio:.1f} to 1 when open")
    return {**found, "ratio": round(ratio, 1)}


def _storage(folder: str, name: str) -> Storage:
    storage = open_storage(f"sqlite:///{folder}/{name}.db")
    migrate(storage)
    return storage


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each measurement takes")
    seconds = parser.parse_args().seconds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    result: dict[str, Any] = {"name": "ocsp", "seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        storage = _storage(folder, "still")
        installation = Installation(storage)
        for key in ("EC_prime256v1", "RSA_2048", "ML_DSA_65"):
            found = in_process(installation, Ca(installation, key), seconds)
            result[key] = {name: round(value) for name, value in found.items()}
            print(
                f"{key}: {found['ready']:.0f} ready answers/s, {found['looked_up']:.0f}/s with a look into the "
                f"database, {found['with_nonce']:.0f}/s signed anew"
            )
        missing = [tool for tool in ("wrk", "ab", "openssl") if not shutil.which(tool)]
        if missing:
            print(f"not measured over HTTP: {', '.join(missing)} missing (tools/install-interop wrk apache2-utils)")
        else:
            served = _storage(folder, "served")
            there = Installation(served, clock=SystemClock())
            result["http"] = {
                key: measure_http(there, key, Path(folder), seconds) for key in ("EC_prime256v1", "RSA_2048")
            }
            served.close()
        storage.close()
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
