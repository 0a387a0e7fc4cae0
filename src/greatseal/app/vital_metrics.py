"""What `/metrics` says about the service as a whole: gauges that a thread reads from the database every few seconds."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Gauge

import greatseal
from greatseal.app.certificate_metrics import CertificateMetrics
from greatseal.app.rooms import Rooms
from greatseal.domain.vitals import Vitals, take

_log = structlog.get_logger("greatseal")

EVERY_SECONDS = 15.0


class VitalMetrics:
    """Gauges of the installation, the same on every node, and of this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"greatseal_{name}", text, labels, registry=registry)

        self.build = gauge(
            "build_info", "Always 1: the version that runs and the kind of its database", "version", "database"
        )
        self.started = gauge("start_timestamp_seconds", "When this process started, as Unix time")
        self.workers = gauge("workers", "Server processes of this machine")
        self.ready = gauge("ready", "1 while a check of `/readyz` is in order, otherwise 0", "check")
        self.read = gauge("vitals_timestamp_seconds", "When the gauges of the database were read, as Unix time")
        self.due = gauge("jobs_due", "Durable jobs that are due and that nobody works on, by kind", "kind")
        self.running = gauge("jobs_running", "Durable jobs that are worked on, on all nodes")
        self.oldest = gauge("jobs_oldest_due_seconds", "Seconds since the oldest waiting job was due")
        self.buried = gauge("jobs_buried", "Durable jobs that were given up and are kept")
        self.records = gauge("audit_log_records", "Records in the log of the audit trail")
        self.unsequenced = gauge("audit_unsequenced", "Audit records without a place in the log; 100000 means many")
        self.lag = gauge("audit_lag_seconds", "Seconds since the oldest audit record without a place was written")
        self.lists = gauge("crl_published", "Revocation lists that are published and kept fresh")
        self.overdue = gauge("crl_overdue", "Revocation lists that should have been made anew by now")
        self.age = gauge("crl_age_seconds", "Seconds since the oldest of the published revocation lists was made")
        self.left = gauge("crl_seconds_left", "Seconds until the first published revocation list ends; below 0 it has")
        self.delegates = gauge("ocsp_delegates", "OCSP responders whose certificates are good")
        self.delegates_left = gauge(
            "ocsp_delegates_seconds_left", "Seconds until the first CA has no good OCSP responder"
        )
        self.renewals = gauge("renewals_unfinished", "Managed renewals that are not done, by status", "status")
        self.late = gauge("renewals_overdue", "Certificates whose look at renewal is late; 100000 means many")
        self.authorities = gauge("authorities", "CAs by status", "status")
        self.logs = gauge("transparency_log_entries", "Entries of our own transparency logs", "log")
        self.changing = gauge("kek_changing", "1 while a change of the key-encryption key is under way")

    def set(self, vitals: Vitals, *, changing: bool) -> None:
        """Sets the gauges of the database."""
        now = vitals.at
        _by(self.due, vitals.queue.due)
        self.running.set(vitals.queue.running)
        self.oldest.set(_since(vitals.queue.oldest_due, now))
        self.buried.set(vitals.queue.buried)
        self.records.set(vitals.trail.size)
        self.unsequenced.set(vitals.trail.waiting)
        self.lag.set(_since(vitals.trail.waiting_since, now))
        self.lists.set(vitals.lists.published)
        self.overdue.set(vitals.lists.overdue)
        self.age.set(_since(vitals.lists.oldest, now))
        self.left.set(_until(vitals.lists.next_update, now))
        self.delegates.set(vitals.delegates.number)
        self.delegates_left.set(_until(vitals.delegates.end, now))
        _by(self.renewals, vitals.renewals.unfinished)
        self.late.set(vitals.renewals.overdue)
        _by(self.authorities, vitals.authorities)
        _by(self.logs, vitals.logs)
        self.changing.set(int(changing))
        self.read.set(now.timestamp())


class VitalsReader:
    """The thread that keeps the gauges current."""

    def __init__(
        self,
        rooms: Rooms,
        registry: CollectorRegistry,
        found: Callable[[], Mapping[str, str]],
        *,
        workers: int,
    ) -> None:
        """`found` is what `/readyz` tells."""
        self._rooms = rooms
        self._metrics = VitalMetrics(registry)
        self._certificates = CertificateMetrics(registry)
        self._found = found
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greatseal-vitals", daemon=True)
        self._metrics.build.labels(greatseal.__version__, rooms.storage.dialect).set(1)
        self._metrics.started.set(rooms.clock.now().timestamp())
        self._metrics.workers.set(workers)

    def start(self) -> None:
        """Reads once and goes on in a thread."""
        self.read()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def read(self) -> None:
        """Sets all gauges; a database that is away leaves them as they were, and their timestamp tells."""
        try:
            vitals = take(self._rooms.storage, self._rooms.clock)
            self._metrics.set(vitals, changing=self._rooms.kek_change.under_way() is not None)
            self._certificates.refresh(self._rooms.watching.expiry, self._rooms.clock)
        except Exception:  # noqa: BLE001 - the thread outlives every failure
            _log.exception("vitals_not_read")

    def scraped(self) -> None:
        """Sets what costs nothing: what `/readyz` would say now."""
        for check, said in self._found().items():
            self._metrics.ready.labels(check).set(int(said == "ok"))

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self.read()


def _by(gauge: Gauge, numbers: Mapping[str, int]) -> None:
    """Replaces all series; what is not there any more must not stay."""
    known: Any = gauge._metrics
    for labels in [each for each in list(known) if each[0] not in numbers]:
        gauge.remove(*labels)
    for label, number in numbers.items():
        gauge.labels(label).set(number)


def _since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)


def _until(at: datetime | None, now: datetime) -> float:
    """NaN when there is nothing that could end: no alert compares with it."""
    return float("nan") if at is None else (at - now).total_seconds()
