"""What this process counts of its own work: commits and signatures."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from greatseal.app.rooms import Rooms
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.domain.keys import Purpose
from greatseal.kernel.spans import Spans

_Sign = Callable[[bytes, SignatureAlgorithm], bytes]

# From a database in memory to a disk that is overloaded.
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
# From P-256 in this process to RSA-4096 on a token.
_SIGN_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0)


class WorkMetrics:
    """Counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.commits = Histogram(
            "greatseal_commit_seconds",
            "Seconds that the database needed to make a write transaction durable",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        self.signatures = Counter(
            "greatseal_signatures",
            "Signatures made with stored keys, verified, by kind of key (`authority`, `ocsp`, `kms`, …) and algorithm",
            ("kind", "algorithm"),
            registry=registry,
        )
        self.failed = Counter(
            "greatseal_signature_failures",
            "Signatures that a key did not make or that did not verify, by kind of key",
            ("kind",),
            registry=registry,
        )
        self.seconds = Histogram(
            "greatseal_signature_seconds",
            "Seconds that a signature and its verification took, by kind of key",
            ("kind",),
            buckets=_SIGN_SECONDS,
            registry=registry,
        )

    def watch(self, rooms: Rooms, spans: Spans | None = None) -> None:
        """Counts what these rooms do from now on; signatures are told to whoever traces, too."""
        rooms.storage.committed = self.commits.observe
        rooms.keys.watch(lambda signer, purpose: CountedSigner(signer, purpose, self, spans))


class CountedSigner:
    """A signer whose signatures are counted."""

    def __init__(self, signer: Signer, purpose: Purpose, metrics: WorkMetrics, spans: Spans | None = None) -> None:
        self._signer = signer
        self.algorithm: KeyAlgorithm = signer.algorithm
        self.spki: bytes = signer.spki
        self._kind = purpose.value.lower()
        self._metrics = metrics
        self._spans = spans
        self._seconds = metrics.seconds.labels(self._kind)

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As the signer inside."""
        return self._counted(self._signer.sign, data, algorithm)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As the signer inside."""
        return self._counted(self._signer.sign_digest, digest, algorithm)

    def _counted(self, sign: _Sign, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        started = time.perf_counter()
        try:
            if self._spans is None:
                signed = sign(data, algorithm)
            else:
                with self._spans("signature", kind=self._kind, algorithm=algorithm.name):
                    signed = sign(data, algorithm)
        except Exception:
            self._metrics.failed.labels(self._kind).inc()
            raise
        self._seconds.observe(time.perf_counter() - started)
        self._metrics.signatures.labels(self._kind, algorithm.name).inc()
        return signed
