"""What is told of an installation, on both databases, and what becomes of it in `/metrics`."""

import math
from datetime import timedelta

from prometheus_client import CollectorRegistry

from doors.acm_material import Acm
from doors.pki import Pki, csr, days
from doors.renewals import DAY, associate, end_of
from greatseal.app.observing import Observed
from greatseal.app.vital_metrics import VitalMetrics
from greatseal.app.work_metrics import WorkMetrics
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.domain.vitals import take
from greatseal.storage import Storage, queue
from greatseal.testing import FakeClock, FakeEntropy, Installation


def test_an_empty_installation_has_nothing_to_tell(storage: Storage) -> None:
    found = take(storage, FakeClock())
    assert (found.queue.due, found.queue.running, found.queue.oldest_due, found.queue.buried) == ({}, 0, None, 0)
    assert (found.trail.size, found.trail.waiting, found.trail.waiting_since) == (0, 0, None)
    assert (found.lists.published, found.lists.oldest, found.lists.next_update) == (0, None, None)
    assert (found.delegates.number, found.delegates.end) == (0, None)
    assert (found.renewals.unfinished, found.renewals.overdue) == ({}, 0)
    assert (found.authorities, found.logs) == ({}, {})


def test_jobs_are_counted_by_what_they_wait_for(storage: Storage) -> None:
    clock = FakeClock()
    now = clock.now()

    def put(tx: object) -> None:
        for number in range(3):
            queue.enqueue(tx, kind="a", key=str(number), payload={}, due=now - timedelta(seconds=60 - number))
        queue.enqueue(tx, kind="b", key="later", payload={}, due=now + timedelta(hours=1))
        queue.enqueue(tx, kind="c", key="dead", payload={}, due=now)

    storage.transact(put)
    lease = timedelta(minutes=1)
    (dead,) = storage.transact(lambda tx: queue.lease(tx, now=now, owner="x", limit=1, lease_for=lease, kinds=["c"]))
    storage.transact(lambda tx: queue.bury(tx, dead, now=now, error="no use"))
    storage.transact(lambda tx: queue.lease(tx, now=now, owner="x", limit=1, lease_for=lease, kinds=["a"]))
    found = take(storage, clock).queue
    assert (found.due, found.running, found.buried) == ({"a": 2}, 1, 1)
    assert found.oldest_due == now - timedelta(seconds=59)
    clock.advance(timedelta(minutes=2))
    # Whoever held the lease has died: the job waits again.
    assert take(storage, clock).queue.due == {"a": 3}


def test_the_trail_lags_until_it_is_sequenced(storage: Storage) -> None:
    pki = Pki(storage)
    pki.root()
    waiting = take(storage, pki.installation.clock).trail
    assert waiting.size == 0
    assert waiting.waiting > 0
    assert waiting.waiting_since is not None
    pki.installation.rooms.audit_log.catch_up()
    found = take(storage, pki.installation.clock)
    assert (found.trail.size, found.trail.waiting, found.trail.waiting_since) == (waiting.waiting, 0, None)
    assert found.authorities == {"ACTIVE": 1}


def test_metrics_of_a_working_installation(storage: Storage) -> None:
    pki = Pki(storage)
    rooms = pki.installation.rooms
    registry = CollectorRegistry()
    observed = Observed.over(rooms, WorkerMetrics(registry), workers=3)
    counts = WorkMetrics(registry)
    counts.watch(rooms)
    arn = pki.root()
    pki.issue(arn, csr())
    observed.readiness.look()
    observed.vitals.read()
    text = observed.text().decode()
    value = registry.get_sample_value
    assert value("greatseal_workers") == 3
    assert value("greatseal_build_info", {"version": _version(text), "database": storage.dialect}) == 1
    assert value("greatseal_authorities", {"status": "ACTIVE"}) == 1
    # The root itself and one certificate; each was made durable by commits.
    assert value("greatseal_signatures_total", {"kind": "authority", "algorithm": "SHA256WITHECDSA"}) >= 2
    assert value("greatseal_signature_seconds_count", {"kind": "authority"}) >= 2
    assert value("greatseal_commit_seconds_count") > 2
    assert value("greatseal_vitals_timestamp_seconds") == pki.now.timestamp()
    assert [value("greatseal_ready", {"check": check}) for check in ("database", "schema", "keys")] == [1, 1, 1]
    assert math.isnan(value("greatseal_crl_seconds_left"))


def _version(text: str) -> str:
    return text.partition('version="')[2].partition('"')[0]


def test_a_database_that_is_away_leaves_the_gauges_and_their_time(storage: Storage) -> None:
    installation = Installation(storage, clock=FakeClock(), entropy=FakeEntropy())
    registry = CollectorRegistry()
    observed = Observed.over(installation.rooms, WorkerMetrics(registry))
    observed.vitals.read()
    before = registry.get_sample_value("greatseal_vitals_timestamp_seconds")
    installation.clock.advance(timedelta(minutes=5))
    installation.rooms.storage.read = _away  # type: ignore[method-assign]
    observed.vitals.read()
    assert registry.get_sample_value("greatseal_vitals_timestamp_seconds") == before


def _away(work: object) -> object:
    raise OSError("the database is away")


def test_the_gauges_of_renewals_follow_them(storage: Storage) -> None:
    acm = Acm(storage)
    authority = acm.root(valid=days(3650))
    arn = acm.issued(authority)
    associate(acm, arn)
    registry = CollectorRegistry()
    gauges = VitalMetrics(registry)

    def told() -> tuple[float | None, dict[str, float | None]]:
        gauges.set(take(storage, acm.clock), changing=False)
        found = {
            status: registry.get_sample_value("greatseal_renewals_unfinished", {"status": status})
            for status in ("PENDING_AUTO_RENEWAL", "FAILED")
        }
        return registry.get_sample_value("greatseal_renewals_overdue"), {k: v for k, v in found.items() if v}

    assert told() == (0, {})
    acm.clock.at = end_of(acm, arn) - 50 * DAY
    assert told() == (1, {})
    acm.installation.rooms.renewals.managed.carry_on()
    assert told() == (0, {"PENDING_AUTO_RENEWAL": 1})
    acm.work()
    # The CA has given no permission.
    assert told() == (0, {"FAILED": 1})
    acm.permit(authority)
    acm.clock.advance(timedelta(days=1, hours=1))
    assert told() == (1, {"FAILED": 1})
    acm.installation.rooms.renewals.managed.carry_on()
    acm.work()
    assert told() == (0, {})
