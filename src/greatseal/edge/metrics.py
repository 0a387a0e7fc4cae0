"""What the edge counts, on a registry that the composition root passes in."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# From below a cached read (the fastest answer measured is under a millisecond) to an RSA-4096 key on an HSM.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class EdgeMetrics:
    """Counters of one process. Labels come from closed lists, so that no client can create a time series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "greatseal_http_requests",
            "Requests answered, by door, operation and HTTP status",
            ("door", "operation", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "greatseal_http_request_seconds",
            "Seconds from the first byte of the request to the answer",
            ("door",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "greatseal_http_in_flight", "Requests that a handler is working on or that wait for one", registry=registry
        )
        self.shed = Counter(
            "greatseal_http_shed", "Requests refused with 503 because too many were waiting", registry=registry
        )
        self.throttled = Counter(
            "greatseal_throttled",
            "Requests refused because they came too often, by operation and by whose quota it was: that of the "
            "`account` or of the `principal`",
            ("operation", "quota"),
            registry=registry,
        )
        # Labels come from closed lists, so this ends; finding a series by its labels costs more than counting.
        self._counting = lru_cache(maxsize=None)(self.counting)

    def counting(self, door: str, operation: str, status: int) -> Callable[[float], None]:
        """Counts answers of one kind, by their seconds."""
        requests, seconds = self.requests.labels(door, operation, str(status)), self.seconds.labels(door)

        def count(passed: float) -> None:
            requests.inc()
            seconds.observe(passed)

        return count

    def answered(self, door: str, operation: str, status: int, seconds: float) -> None:
        """Counts one answer."""
        self._counting(door, operation, status)(seconds)

    def too_often(self, operation: str, quota: str) -> None:
        """Counts one request that came too often."""
        self.throttled.labels(operation, quota).inc()


class DeliveryMetrics:
    """What is counted about deliveries to the outside."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "greatseal_deliveries",
            "Attempts to deliver, by kind of receiver and result: `delivered`, `failed` (tried again later), `dead`",
            ("kind", "result"),
            registry=registry,
        )
        self.waiting = Gauge("greatseal_deliveries_waiting", "Parcels that wait for delivery", registry=registry)
        self.oldest = Gauge(
            "greatseal_deliveries_oldest_seconds",
            "Seconds since the oldest waiting parcel was posted",
            registry=registry,
        )
        self.dead = Gauge("greatseal_dead_letters", "Parcels that were given up and are kept", registry=registry)

    def attempted(self, kind: str, result: str) -> None:
        """Counts one attempt."""
        self.attempts.labels(kind, result).inc()

    def seen(self, *, waiting: int, oldest_seconds: float, dead: int) -> None:
        """Notes what was in the database a moment ago."""
        self.waiting.set(waiting)
        self.oldest.set(oldest_seconds)
        self.dead.set(dead)
