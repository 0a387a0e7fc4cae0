"""Durable jobs: one row for each wish, one worker at a time, and nobody comes back too late."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from greatseal.storage import queue
from greatseal.storage.queue import Job
from greatseal.storage.tx import Storage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class FixedEntropy:
    def __init__(self, byte: int) -> None:
        self._byte = byte

    def token_bytes(self, size: int) -> bytes:
        return bytes([self._byte]) * size


def enqueue(storage: Storage, key: str, due: datetime = NOW, payload: Mapping[str, object] | None = None) -> None:
    storage.transact(lambda tx: queue.enqueue(tx, kind="renew", key=key, payload=payload or {}, due=due))


def lease(storage: Storage, now: datetime, owner: str = "one", limit: int = 10) -> list[Job]:
    return storage.transact(lambda tx: queue.lease(tx, now=now, owner=owner, limit=limit, lease_for=5 * MINUTE))


def test_a_job_is_leased_when_due_and_gone_when_complete(storage: Storage) -> None:
    enqueue(storage, "a", NOW + MINUTE, {"arn": "x", "n": 1})
    assert lease(storage, NOW) == []
    [job] = lease(storage, NOW + MINUTE)
    assert (job.kind, job.key, job.payload, job.due, job.attempts) == (
        "renew",
        "a",
        {"arn": "x", "n": 1},
        NOW + MINUTE,
        1,
    )
    assert job.leased_until == NOW + 6 * MINUTE
    assert lease(storage, NOW + 2 * MINUTE, "two") == []
    assert storage.transact(lambda tx: queue.complete(tx, job))
    assert lease(storage, NOW + 60 * MINUTE) == []


def test_leases_go_to_the_longest_due_first_within_limit_and_kinds(storage: Storage) -> None:
    for minute, key in [(3, "late"), (1, "early"), (2, "middle")]:
        enqueue(storage, key, NOW + minute * MINUTE)
    later = NOW + 10 * MINUTE
    other = storage.transact(
        lambda tx: queue.lease(tx, now=later, owner="x", limit=9, lease_for=MINUTE, kinds={"other"})
    )
    assert other == []
    assert [job.key for job in lease(storage, later, limit=2)] == ["early", "middle"]
    assert [job.key for job in lease(storage, later)] == ["late"]


def test_an_unfinished_job_is_enqueued_once_at_the_earlier_time(storage: Storage) -> None:
    enqueue(storage, "a", NOW + 2 * MINUTE, {"n": 1})
    enqueue(storage, "a", NOW + 5 * MINUTE, {"n": 2})
    assert lease(storage, NOW + MINUTE) == []
    enqueue(storage, "a", NOW + MINUTE, {"n": 3})
    [job] = lease(storage, NOW + MINUTE)
    assert job.payload == {"n": 1}
    assert job.due == NOW + MINUTE


def test_ensure_leaves_an_unfinished_job_alone(storage: Storage) -> None:
    enqueue(storage, "a", NOW + MINUTE)
    new = storage.transact(lambda tx: queue.ensure(tx, kind="renew", key="a", payload={}, due=NOW))
    assert not new
    assert storage.read(queue.next_due) == NOW + MINUTE


def test_a_job_enqueued_while_it_runs_runs_again(storage: Storage) -> None:
    enqueue(storage, "a")
    [job] = lease(storage, NOW)
    enqueue(storage, "a", NOW + 3 * MINUTE)
    enqueue(storage, "a", NOW + MINUTE)
    assert lease(storage, NOW + MINUTE) == [], "the lease still lives"
    assert storage.transact(lambda tx: queue.complete(tx, job))
    assert lease(storage, NOW) == []
    [again] = lease(storage, NOW + MINUTE)
    assert again.attempts == 1
    assert storage.transact(lambda tx: queue.complete(tx, again))
    assert storage.read(queue.next_due) is None


def test_a_crashed_worker_is_replaced_and_fenced_off(storage: Storage) -> None:
    enqueue(storage, "a")
    [crashed] = lease(storage, NOW, "one")
    assert lease(storage, NOW + 4 * MINUTE, "two") == []
    [taken] = lease(storage, NOW + 5 * MINUTE, "two")
    assert (taken.id, taken.attempts) == (crashed.id, 2)
    now = NOW + 5 * MINUTE
    assert not storage.transact(lambda tx: queue.complete(tx, crashed))
    assert not storage.transact(lambda tx: queue.retry(tx, crashed, now=now, error="", delay=MINUTE))
    assert not storage.transact(lambda tx: queue.bury(tx, crashed, now=now, error=""))
    assert not storage.transact(lambda tx: queue.release(tx, crashed))
    assert lease(storage, now) == []
    assert storage.transact(lambda tx: queue.complete(tx, taken))
    assert not storage.transact(lambda tx: queue.complete(tx, taken))


def test_a_new_job_of_the_same_name_is_not_the_old_one(storage: Storage) -> None:
    enqueue(storage, "a")
    [old] = lease(storage, NOW)
    storage.transact(lambda tx: queue.complete(tx, old))
    enqueue(storage, "a")
    [new] = lease(storage, NOW)
    assert new.id != old.id
    assert not storage.transact(lambda tx: queue.complete(tx, old))


def test_an_expired_lease_that_nobody_took_still_counts(storage: Storage) -> None:
    enqueue(storage, "a")
    [job] = lease(storage, NOW)
    assert storage.transact(lambda tx: queue.complete(tx, job))


def test_retry_waits_and_keeps_the_error(storage: Storage) -> None:
    enqueue(storage, "a")
    [job] = lease(storage, NOW)
    assert storage.transact(lambda tx: queue.retry(tx, job, now=NOW, error="boom", delay=MINUTE))
    assert lease(storage, NOW) == []
    [again] = lease(storage, NOW + MINUTE)
    assert again.attempts == 2
    assert storage.read(lambda tx: tx.scalar(text("SELECT last_error FROM job"))) == "boom"


def test_release_does_not_count_as_an_attempt(storage: Storage) -> None:
    enqueue(storage, "a")
    [job] = lease(storage, NOW)
    assert storage.transact(lambda tx: queue.release(tx, job))
    [again] = lease(storage, NOW)
    assert again.attempts == 1


def test_a_buried_job_is_visible_makes_room_and_can_be_revived(storage: Storage) -> None:
    enqueue(storage, "a", payload={"n": 1})
    [job] = lease(storage, NOW)
    enqueue(storage, "a", NOW + MINUTE)
    assert storage.transact(lambda tx: queue.bury(tx, job, now=NOW, error="gave up"))
    [dead] = storage.read(lambda tx: queue.buried(tx, limit=5))
    assert (dead.id, dead.payload, dead.attempts, dead.error, dead.buried_at) == (job.id, {"n": 1}, 1, "gave up", NOW)
    [fresh] = lease(storage, NOW + MINUTE)
    assert (fresh.attempts, fresh.payload) == (1, {"n": 1})
    storage.transact(lambda tx: queue.complete(tx, fresh))
    assert storage.transact(lambda tx: queue.revive(tx, dead.id, due=NOW))
    assert not storage.transact(lambda tx: queue.revive(tx, dead.id, due=NOW))
    [revived] = lease(storage, NOW)
    assert revived.attempts == 1
    storage.transact(lambda tx: queue.bury(tx, revived, now=NOW, error="again"))
    assert storage.transact(lambda tx: queue.prune_buried(tx, before=NOW)) == 0
    assert storage.transact(lambda tx: queue.prune_buried(tx, before=NOW + MINUTE)) == 1


def test_parallel_workers_share_the_jobs_out(storage: Storage) -> None:
    for number in range(20):
        enqueue(storage, f"job-{number}")
    start = threading.Barrier(4)
    taken: list[str] = []

    def work(owner: str) -> None:
        start.wait(10)
        while jobs := lease(storage, NOW, owner, limit=3):
            taken.extend(job.key for job in jobs)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work, f"worker-{number}") for number in range(4)]:
            future.result(60)
    assert sorted(taken) == sorted(f"job-{number}" for number in range(20))


def test_a_rolled_back_transaction_enqueues_nothing(storage: Storage) -> None:
    woken: list[bool] = []
    storage.after_commit(queue.JOB_TOPIC, lambda: woken.append(True))

    def work(tx: object) -> None:
        queue.enqueue(tx, kind="k", key="a", payload={}, due=NOW)  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        storage.transact(work)
    assert lease(storage, NOW) == []
    assert woken == []
    enqueue(storage, "a")
    assert woken == [True]


def test_backoff_doubles_to_a_cap_and_half_of_it_is_random() -> None:
    seconds = [queue.backoff(n, FixedEntropy(0)).total_seconds() for n in (1, 2, 3, 11, 12, 13, 10_000)]
    assert seconds == [0.5, 1, 2, 512, 1024, 1800, 1800]
    assert queue.backoff(3, FixedEntropy(128)) > queue.backoff(3, FixedEntropy(0))
    assert queue.backoff(3, FixedEntropy(255)) <= timedelta(seconds=4)


def test_a_process_frees_what_was_held_under_its_own_name(storage: Storage) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for key in ("1", "2"):
        storage.transact(lambda tx, key=key: queue.enqueue(tx, kind="k", key=key, payload={}, due=now))  # type: ignore[misc]
    lease = timedelta(minutes=5)
    for owner in ("a/0", "a/1"):
        assert storage.transact(lambda tx, o=owner: queue.lease(tx, now=now, owner=o, limit=1, lease_for=lease))  # type: ignore[misc]
    storage.transact(lambda tx: queue.free_of(tx, "a/0"))
    [job] = storage.transact(lambda tx: queue.lease(tx, now=now, owner="a/0", limit=9, lease_for=lease))
    assert (job.key, job.fence) == ("1", 2)


def test_a_process_that_is_alone_frees_what_a_dead_one_held(storage: Storage) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    storage.transact(lambda tx: queue.enqueue(tx, kind="k", key="1", payload={}, due=now))
    lease = timedelta(minutes=5)
    assert storage.transact(lambda tx: queue.lease(tx, now=now, owner="dead", limit=1, lease_for=lease))
    assert not storage.transact(lambda tx: queue.lease(tx, now=now, owner="new", limit=1, lease_for=lease))
    storage.transact(queue.free_all)
    assert storage.transact(lambda tx: queue.lease(tx, now=now, owner="new", limit=1, lease_for=lease))
