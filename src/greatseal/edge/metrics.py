"""What the edge counts, on a registry that the composition root passes in."""

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

    def answered(self, door: str, operation: str, status: int, seconds: float) -> None:
        """Counts one answer."""
        self.requests.labels(door, operation, str(status)).inc()
        self.seconds.labels(door).observe(seconds)
