"""Clients that ask for certificates without end, through whatever happens to the service, and remember what they heard.

What they write down is all that the checker (`faults.census`) is told: whom they asked for, and what was answered.
"""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from faults.nodes import Client, Refused, Unanswered

_KEY = ec.derive_private_key(2**199 + 3, ec.SECP256R1())
PATIENCE = 90.0
# Every so many, a request to ACM in place of one to the CA, and a revocation.
_MANAGED, _REVOKED = 7, 5


@dataclass
class Memory:
    """What the clients know. Changed under `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: set[str] = field(default_factory=set)
    """The common names of all requests that were ever sent."""
    issued: dict[str, str] = field(default_factory=dict)
    """By common name, the ARN that IssueCertificate answered."""
    managed: dict[str, str] = field(default_factory=dict)
    """By domain name, the ARN that RequestCertificate answered."""
    to_revoke: set[str] = field(default_factory=set)
    """Serials whose revocation was asked for."""
    revoked: set[str] = field(default_factory=set)
    """Serials whose revocation was confirmed."""
    repeated: int = 0
    """How many requests were sent more than once."""
    slowest: float = 0.0
    """Seconds from the first try to the answer."""
    failures: list[str] = field(default_factory=list)
    """What must not happen: refusals, and requests that nobody answered in time."""


class Load:
    """Threads that ask one node or the other, between `start` and `stop`."""

    def __init__(self, client: Client, authority: str, *, threads: int = 4, managed: bool = True) -> None:
        self.memory = Memory()
        self._client = client
        self._authority = authority
        self._managed = managed
        self._numbers = count()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in range(threads)]

    def start(self) -> "Load":
        """Begins to ask."""
        for each in self._threads:
            each.start()
        return self

    def stop(self) -> Memory:
        """Lets every client come to the end of what it asked; what they know."""
        self._stopping.set()
        for each in self._threads:
            each.join(PATIENCE * 2)
            assert not each.is_alive()
        return self.memory

    def _run(self, number: int) -> None:
        for step in count():
            if self._stopping.is_set():
                return
            try:
                if self._managed and step % _MANAGED == _MANAGED - 1:
                    self._request(number)
                else:
                    self._issue(number, revoke=step % _REVOKED == _REVOKED - 1)
            except Exception as error:  # noqa: BLE001 - the test is told of everything
                with self.memory.lock:
                    self.memory.failures.append(f"{type(error).__name__}: {error}")

    def _issue(self, number: int, *, revoke: bool) -> None:
        name = self._name()
        arn = self._insist(
            number,
            "IssueCertificate",
            service="acm-pca",
            CertificateAuthorityArn=self._authority,
            Csr=_blob(_csr(name)),
            SigningAlgorithm="SHA256WITHECDSA",
            Validity={"Type": "DAYS", "Value": 30},
            IdempotencyToken=name,
        )["CertificateArn"]
        with self.memory.lock:
            self.memory.issued[name] = arn
        if revoke:
            self._revoke(number, arn.rpartition("/")[2])

    def _request(self, number: int) -> None:
        name = self._name()
        arn = self._insist(
            number,
            "RequestCertificate",
            service="acm",
            DomainName=name,
            CertificateAuthorityArn=self._authority,
            KeyAlgorithm="EC_prime256v1",
            IdempotencyToken=name.partition(".")[0].replace("-", "_"),
        )["CertificateArn"]
        with self.memory.lock:
            self.memory.managed[name] = arn

    def _revoke(self, number: int, serial: str) -> None:
        with self.memory.lock:
            self.memory.to_revoke.add(serial)
        done = lambda error: error.code == "RequestAlreadyProcessedException"  # noqa: E731
        try:
            self._insist(
                number,
                "RevokeCertificate",
                service="acm-pca",
                accept=done,
                CertificateAuthorityArn=self._authority,
                CertificateSerial=serial,
                RevocationReason="SUPERSEDED",
            )
        except Refused as error:
            if error.code != "RequestInProgressException":
                raise
            # The node that prepared it died before it signed, and another told us of it: recovery signs within minutes.
            return
        with self.memory.lock:
            self.memory.revoked.add(serial)

    def _name(self) -> str:
        name = f"host-{next(self._numbers)}.load.example.com"
        with self.memory.lock:
            self.memory.asked.add(name)
        return name

    def _insist(
        self,
        number: int,
        operation: str,
        *,
        service: str,
        accept: Callable[[Refused], bool] = lambda error: False,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Sends the same request to one node after the other until one of them answers."""
        began = time.monotonic()
        for attempt in count():
            try:
                answer = self._client.call(number + attempt, service, operation, **parameters)
                break
            except Refused as error:
                # Only a request whose first answer was lost may be told that it was made before.
                if attempt == 0 or not accept(error):
                    raise
                answer = {}
                break
            except Unanswered:
                if time.monotonic() - began > PATIENCE:
                    raise
                threading.Event().wait(0.05)
        with self.memory.lock:
            self.memory.repeated += attempt > 0
            self.memory.slowest = max(self.memory.slowest, time.monotonic() - began)
        return answer


def _csr(name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(_KEY, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def _blob(octets: bytes) -> str:
    """As JSON carries octets."""
    return base64.b64encode(octets).decode()
