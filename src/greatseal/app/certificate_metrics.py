"""What `/metrics` says about certificates: how many there are, and the days that those which end next have left."""

import logging
import time
from datetime import datetime
from threading import Lock, Thread

from prometheus_client import CollectorRegistry, Gauge

from greatseal.domain.certificates.expiry import Census, Expiry
from greatseal.kernel.clock import Clock

_log = logging.getLogger(__name__)

# A time series for each certificate, but only for so many: those that end first.
MAX_SERIES = 200
# Scrapers come every few seconds; certificates take their time.
_FRESH_SECONDS = 60.0
_DAY_SECONDS = 86400.0


class CertificateMetrics:
    """Gauges that are set from the database when they are read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.certificates = Gauge(
            "greatseal_certificates", "Certificates of ACM, by type and status", ("type", "status"), registry=registry
        )
        self.days = Gauge(
            "greatseal_certificate_days_to_expiry",
            f"Days until the end of each of the {MAX_SERIES} issued certificates of ACM that end next",
            ("certificate_arn",),
            registry=registry,
        )
        self._busy = Lock()
        self._read_at = -_FRESH_SECONDS

    def refresh(self, expiry: Expiry, clock: Clock) -> None:
        """Has the gauges set anew, unless that was done within the last minute; does not wait for it.

        `/metrics` is answered on the thread that serves every connection, which must not read a large table.
        """
        if time.monotonic() - self._read_at < _FRESH_SECONDS or not self._busy.acquire(blocking=False):
            return
        Thread(target=self._set, args=(expiry, clock), name="greatseal-metrics", daemon=True).start()

    def _set(self, expiry: Expiry, clock: Clock) -> None:
        try:
            self.set(expiry.census(MAX_SERIES), clock.now())
        except Exception:  # noqa: BLE001 - the next scrape tries again
            _log.exception("the certificates could not be counted")
        finally:
            self._read_at = time.monotonic()
            self._busy.release()

    def set(self, census: Census, now: datetime) -> None:
        """Sets the gauges."""
        self.certificates.clear()
        for (kind, status), number in census.counts.items():
            self.certificates.labels(kind, status).set(number)
        self.days.clear()
        for arn, end in census.soonest:
            self.days.labels(arn).set(round((end - now).total_seconds() / _DAY_SECONDS, 3))
