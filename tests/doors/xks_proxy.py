"""A proxy of an external key manager: real HTTPS with a CA of its own, strict about signatures, AES-256-GCM inside.

`lie` may answer in its place: it gets the operation and the request, and returns status and body, or None. `silence`
keeps every answer back until it is lifted.
"""

import base64
import hashlib
import ipaddress
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

HOST = "xks.example.com"
PREFIX = "/keystores/one/kms/xks/v1"
ACCESS_KEY_ID = "ABCDEFGHIJKLMNOPQRST2345"
SECRET = "s3cretS3cretS3cretS3cretS3cretS3cretS3cret0+/="
METADATA = b"version=7"
MANAGER = {"id": "hsm-1", "model": "Luna", "healthStatus": "ACTIVE"}
HEALTH = {
    "xksProxyFleetSize": 1,
    "xksProxyVendor": "Test",
    "xksProxyModel": "Test 1",
    "ekmVendor": "Test",
    "ekmFleetDetails": [MANAGER],
}
STATUS = {
    **dict.fromkeys(
        [
            "ValidationException",
            "InvalidStateException",
            "InvalidCiphertextException",
            "InvalidKeyUsageException",
        ],
        400,
    ),
    "AuthenticationFailedException": 401,
    "AccessDeniedException": 403,
    "KeyNotFoundException": 404,
    "InvalidUriPathException": 404,
    "ThrottlingException": 429,
    "InternalException": 500,
    "UnsupportedOperationException": 501,
    "DependencyTimeoutException": 503,
}
"""Every error of the XKS API."""

Lie = Callable[[str, dict[str, Any]], tuple[int, bytes] | None]


def refusal(name: str) -> tuple[int, bytes]:
    """An error as a proxy spells it."""
    return STATUS[name], json.dumps({"errorName": name, "errorMessage": "the proxy's own words"}).encode()


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


class TestProxy:
    """A proxy that listens; `certificate` is the file of its CA."""

    __test__ = False

    def __init__(self, folder: Path, now: Callable[[], datetime], host: str = HOST, region: str = "us-east-1") -> None:
        self.certificate = folder / "xks-ca.pem"
        self._folder, self._host, self._now, self._region = folder, host, now, region
        self.credentials = {ACCESS_KEY_ID: SECRET}
        self.paths = [PREFIX]
        self.keys = {name: hashlib.sha256(name.encode()).digest() for name in ("key-1", "key-2", "key-3")}
        self.key_metadata: dict[str, Any] = {
            "keySpec": "AES_256",
            "keyUsage": ["DECRYPT", "ENCRYPT", "WRAP"],
            "keyStatus": "ENABLED",
        }
        self.health: dict[str, Any] = HEALTH
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.signatures: list[str] = []
        self.connections = 0
        self.hang_up = False
        self.lie: Lie = lambda operation, asked: None
        self.heard = threading.Event()
        self._speak = threading.Event()
        self._speak.set()
        self.port = 0

    @contextmanager
    def silence(self) -> Iterator[None]:
        """No request is answered meanwhile."""
        self._speak.clear()
        try:
            yield
        finally:
            self._speak.set()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """What a request gets."""
        self.heard.set()
        assert self._speak.wait(30)
        if not self._is_authentic(path, headers, body):
            return refusal("AuthenticationFailedException")
        prefix = next((each for each in self.paths if path.startswith(f"{each}/")), None)
        if prefix is None:
            return refusal("InvalidUriPathException")
        asked = json.loads(body)
        resource = path.removeprefix(f"{prefix}/").split("/")
        operation = resource[-1]
        self.seen.append((operation, asked))
        lie = self.lie(operation, asked)
        if lie is not None:
            return lie
        if operation == "health":
            return 200, json.dumps(self.health).encode()
        if resource[1] not in self.keys:
            return refusal("KeyNotFoundException")
        if operation == "metadata":
            return 200, json.dumps(self.key_metadata).encode()
        return getattr(self, f"_{operation}")(self.keys[resource[1]], asked)

    def _encrypt(self, key: bytes, asked: dict[str, Any]) -> tuple[int, bytes]:
        plaintext, given = (base64.b64decode(asked[n]) for n in ("plaintext", "additionalAuthenticatedData"))
        assert asked["encryptionAlgorithm"] == "AES_GCM"
        assert len(plaintext) <= 4300
        assert len(given) <= 8192
        iv = os.urandom(12)
        made = AESGCM(key).encrypt(iv, plaintext, _bound(given))
        return 200, encrypted(given, iv, made[:-16], made[-16:])

    def _decrypt(self, key: bytes, asked: dict[str, Any]) -> tuple[int, bytes]:
        names = ("ciphertext", "initializationVector", "authenticationTag", "additionalAuthenticatedData")
        ciphertext, iv, tag, given = (base64.b64decode(asked[name]) for name in names)
        if base64.b64decode(asked.get("ciphertextMetadata", "")) != METADATA:
            return refusal("InvalidCiphertextException")
        try:
            plaintext = AESGCM(key).decrypt(iv, ciphertext + tag, _bound(given))
        except (InvalidTag, ValueError):
            return refusal("InvalidCiphertextException")
        return 200, json.dumps({"plaintext": b64(plaintext)}).encode()

    def _is_authentic(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        """As botocore's signer computes it, over exactly the headers that the XKS API names."""
        stamp = headers["x-amz-date"]
        access_key_id = headers["authorization"].partition("Credential=")[2].partition("/")[0]
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if access_key_id not in self.credentials or abs(sent - self._now()) > timedelta(minutes=5):
            return False
        told = {"host": headers["host"], "x-amz-date": stamp}
        request = AWSRequest("POST", f"https://{headers['host']}{path}", headers=told, data=body)
        request.context["timestamp"] = stamp
        keys = Credentials(access_key_id, self.credentials[access_key_id])
        signer = SigV4Auth(keys, "kms-xks-proxy", self._region)
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        scope = f"{access_key_id}/{stamp[:8]}/{self._region}/kms-xks-proxy/aws4_request"
        expected = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
        self.signatures.append(headers["authorization"])
        return headers["authorization"] == expected and headers["host"] == self._host

    @contextmanager
    def open(self) -> Iterator["TestProxy"]:
        proxy = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def get_request(self) -> Any:
                proxy.connections += 1
                connection, address = super().get_request()
                # The handshake is left to the thread of the connection.
                wrapped = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                return wrapped, address

            def handle_error(self, *_: Any) -> None:
                """Clients that do not like our certificate hang up."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                assert headers["content-type"] == "application/json"
                status, content = proxy.answer(self.path, headers, body)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", f"https://{headers['host']}{PREFIX}/health")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                getattr(content, "send", self.wfile.write)(*([self.wfile] if hasattr(content, "send") else [content]))
                self.close_connection = proxy.hang_up

            def log_message(self, *_: Any) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._certify())
        with Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                self._speak.set()
                server.shutdown()
                thread.join()

    def _certify(self) -> tuple[Path, Path]:
        """Writes the CA, and a certificate for our host with its key."""
        authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA of a proxy")])
        root = _builder(issuer, issuer, authority).add_extension(x509.BasicConstraints(True, 0), True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        ski = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
        made = root.add_extension(usage, True).add_extension(ski, False).sign(authority, hashes.SHA256())
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        names: list[x509.GeneralName] = [x509.DNSName(self._host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
        leaf = _builder(x509.Name([]), issuer, key).add_extension(x509.SubjectAlternativeName(names), True)
        signed = leaf.add_extension(aki, False).sign(authority, hashes.SHA256())
        files = self._folder / "xks.pem", self._folder / "xks.key"
        files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def encrypted(given: bytes, iv: bytes, ciphertext: bytes, tag: bytes, metadata: bytes = METADATA) -> bytes:
    """The answer to an encryption, with its digest."""
    digest = hashlib.sha256(given + metadata + iv + ciphertext + tag).digest()
    answer = {
        "ciphertext": b64(ciphertext),
        "ciphertextMetadata": b64(metadata),
        "initializationVector": b64(iv),
        "authenticationTag": b64(tag),
        "ciphertextDataIntegrityValue": b64(digest),
    }
    return json.dumps(answer).encode()


def _bound(given: bytes) -> bytes:
    """As the XKS API recommends: with lengths in front."""
    return len(given).to_bytes(2, "big") + given + bytes((len(METADATA),)) + METADATA


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
