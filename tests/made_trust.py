"""Orders for the trust services, and a stand-in for logs."""

from dataclasses import dataclass, field

from doors.pki import P256, csr, rsa_key
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.kernel.errors import InProgress
from greatseal.x509.sct import Sct

KEYS = {"RSA_2048": rsa_key, "EC_prime256v1": lambda: P256}


@dataclass(frozen=True)
class Ordered:
    """An order as the room above writes it."""

    names: tuple[str, ...] = ("www.example.com",)
    key_algorithm: str = KeyAlgorithm.EC_prime256v1.name
    logged: bool = False
    token: str = "order/1"
    request_id: str = "11111111-2222-3333-4444-555555555555"

    @property
    def csr(self) -> bytes:
        """Signed with a key of that kind."""
        return csr(self.names[0], *self.names, key=KEYS[self.key_algorithm]())


@dataclass
class Logs:
    """Two logs that take everything; `away` makes them silent. Implements `Submission`."""

    away: bool = False
    seen: list[tuple[bytes, tuple[bytes, ...]]] = field(default_factory=list)

    def collect(self, precertificate: bytes, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """SCTs that nobody verifies here."""
        if self.away:
            raise InProgress("too few logs answer")
        self.seen.append((precertificate, chain))
        return tuple(Sct(bytes([log]) * 32, 1, b"", b"signature").encode() for log in (1, 2))
