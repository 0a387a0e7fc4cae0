"""Durable jobs, written in the same transaction as the state change that wants them.

A job runs at least once and, while its lease lives, on one worker only. Leases are rows, so any number of
nodes may work. Each lease gets the next `fence`; whoever comes back with an older one is too late.

    enqueue → waiting ⇄ leased → complete: gone, or waiting again when it was enqueued while it ran
                         leased → retry: waiting, later
                         leased → bury: kept for a human (`buried`, `revive`)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Row, bindparam, case, delete, func, literal, null, or_, select, update

from greatseal.kernel.entropy import Entropy
from greatseal.storage.schema import job as jobs
from greatseal.storage.schema import utc_timestamp
from greatseal.storage.tx import Tx

JOB_TOPIC = "job"
"""What `Storage.after_commit` hears when a commit enqueued something."""

_ERROR_LENGTH = 2000
_UNBURIED = jobs.c.buried_at.is_(None)


_FREE: dict[str, Any] = {"owner": None, "leased_until": None, "again_at": None}

# Built once: these run for every job.
_NOW = bindparam("now", type_=utc_timestamp())
_MOMENT = bindparam("moment", type_=utc_timestamp())
_WAITS = jobs.c.leased_until.is_(None)
_IS_FREE = (_UNBURIED, jobs.c.due <= _NOW, or_(_WAITS, jobs.c.leased_until <= _NOW))
_OF_KINDS = jobs.c.kind.in_(bindparam("kinds", expanding=True))
_MOST = bindparam("most", type_=Integer())
# SQLite has no row locks and one writer: its compiler leaves the clause out.
_FREE_JOBS = (
    select(jobs).where(*_IS_FREE).order_by(jobs.c.due, jobs.c.id).limit(_MOST).with_for_update(skip_locked=True)
)
_FREE_JOBS_OF = _FREE_JOBS.where(_OF_KINDS)
_DUE = select(func.count()).select_from(select(jobs.c.id).where(*_IS_FREE, _OF_KINDS).limit(_MOST).subquery())
_TAKE = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        owner=bindparam("new_owner"),
        leased_until=bindparam("until", type_=utc_timestamp()),
        attempts=jobs.c.attempts + 1,
        fence=jobs.c.fence + 1,
        # A run that starts now answers every request made before now.
        again_at=case((jobs.c.again_at > _NOW, jobs.c.again_at), else_=null()),
    )
)
_PULL = (
    update(jobs)
    .where(jobs.c.kind == bindparam("this_kind"), jobs.c.key == bindparam("this_key"), _UNBURIED)
    .values(
        due=case((_WAITS & (jobs.c.due > _MOMENT), _MOMENT), else_=jobs.c.due),
        again_at=case(
            (~_WAITS & or_(jobs.c.again_at.is_(None), jobs.c.again_at > _MOMENT), _MOMENT), else_=jobs.c.again_at
        ),
    )
)
_THIS = (
    jobs.c.id == bindparam("this_id"),
    jobs.c.fence == bindparam("this_fence"),
    # An expired lease that nobody took over still counts: the work was done once.
    jobs.c.leased_until.is_not(None),
    _UNBURIED,
)
_FINISH = delete(jobs).where(*_THIS, jobs.c.again_at.is_(None))
_BEGIN_AGAIN = (
    update(jobs)
    .where(*_THIS, jobs.c.again_at.is_not(None))
    .values(due=jobs.c.again_at, attempts=0, last_error=None, **_FREE)
)


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job. `attempts` counts this lease; `fence` proves that the lease is still the newest."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    due: datetime
    attempts: int
    fence: int
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class BuriedJob:
    """A job that was given up, and why."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    error: str
    buried_at: datetime


def enqueue(tx: Tx, *, kind: str, key: str, payload: Mapping[str, Any], due: datetime) -> None:
    """Makes sure that the job `(kind, key)` runs at `due` or earlier.

    An unfinished one is pulled to the earlier time and keeps its payload; one that is running now runs once more,
    because it may have read the state before this transaction changed it.
    """
    if ensure(tx, kind=kind, key=key, payload=payload, due=due):
        return
    tx.execute(_PULL, {"this_kind": kind, "this_key": key, "moment": due})
    tx.announce(JOB_TOPIC)


def ensure(tx: Tx, *, kind: str, key: str, payload: Mapping[str, Any], due: datetime) -> bool:
    """Enqueues the job unless an unfinished `(kind, key)` exists, which stays as it is; True when it was new."""
    values = {"kind": kind, "key": key, "payload": payload, "due": due, "attempts": 0, "fence": 0}
    inserted = tx.insert_once(jobs, values)
    if inserted:
        tx.announce(JOB_TOPIC)
    return inserted


def lease(
    tx: Tx, *, now: datetime, owner: str, limit: int, lease_for: timedelta, kinds: Collection[str] | None = None
) -> list[Job]:
    """Takes up to `limit` due jobs that nobody holds, the longest due first, until `now + lease_for`.

    `kinds` limits the search to what the worker can handle. `owner` is for the reader of the table, and for `free_of`.
    """
    if kinds is None:
        rows = tx.all(_FREE_JOBS, {"now": now, "most": limit})
    else:
        rows = tx.all(_FREE_JOBS_OF, {"now": now, "most": limit, "kinds": sorted(kinds)})
    if not rows:
        return []
    until = now + lease_for
    taken = {"ids": [row.id for row in rows], "now": now, "new_owner": owner, "until": until}
    tx.execute(_TAKE, taken)
    return [
        Job(row.id, row.kind, row.key, row.payload, row.due, row.attempts + 1, row.fence + 1, until) for row in rows
    ]


def complete(tx: Tx, job: Job) -> bool:
    """The job is done. False when the lease was taken over, and then nothing changed."""
    held = {"this_id": job.id, "this_fence": job.fence}
    if tx.execute(_FINISH, held).rowcount == 1:
        return True
    return _put_back(tx, tx.execute(_BEGIN_AGAIN, held).rowcount)


def retry(tx: Tx, job: Job, *, now: datetime, error: str, delay: timedelta) -> bool:
    """The job failed and is due again after `delay`. False when the lease was taken over."""
    later = literal(now + delay, utc_timestamp())
    back = tx.execute(
        update(jobs)
        .where(*_held(job))
        .values(
            due=case((jobs.c.again_at < later, jobs.c.again_at), else_=later), last_error=error[:_ERROR_LENGTH], **_FREE
        )
    )
    return _put_back(tx, back.rowcount)


def release(tx: Tx, job: Job) -> bool:
    """Gives the job back unworked; the attempt does not count. False when the lease was taken over."""
    back = tx.execute(
        update(jobs).where(*_held(job)).values(attempts=jobs.c.attempts - 1, owner=None, leased_until=None)
    )
    return _put_back(tx, back.rowcount)


def free_of(tx: Tx, owner: str) -> None:
    """Takes the leases of `owner` away. Only for who bears that name now: whoever bore it before is dead."""
    tx.execute(update(jobs).where(_UNBURIED, jobs.c.owner == owner).values(owner=None, leased_until=None))
    tx.announce(JOB_TOPIC)


def free_all(tx: Tx) -> None:
    """Takes every lease away. Only for a process that knows itself alone, when it starts: the others are dead."""
    held = jobs.c.leased_until.is_not(None)
    tx.execute(update(jobs).where(_UNBURIED, held).values(owner=None, leased_until=None))
    tx.announce(JOB_TOPIC)


def hurry(tx: Tx, *, now: datetime) -> None:
    """Makes every job due that waits for later. For a clock that was set back: "later" may be years away now.

    Whoever has nothing to do yet waits again. Leases are left alone, because what is held is being worked on.
    """
    waiting = jobs.c.leased_until.is_(None)
    tx.execute(update(jobs).where(_UNBURIED, waiting, jobs.c.due > now).values(due=now))
    tx.announce(JOB_TOPIC)


def bury(tx: Tx, job: Job, *, now: datetime, error: str) -> bool:
    """Gives the job up and keeps it visible. What was enqueued while it ran becomes a fresh job.

    False when the lease was taken over.
    """
    row = tx.first(select(jobs.c.again_at).where(*_held(job)))
    if row is None:
        return False
    tx.execute(update(jobs).where(*_held(job)).values(buried_at=now, last_error=error[:_ERROR_LENGTH], **_FREE))
    if row.again_at is not None:
        enqueue(tx, kind=job.kind, key=job.key, payload=job.payload, due=row.again_at)
    return True


def buried(tx: Tx, *, limit: int) -> list[BuriedJob]:
    """The dead letters, the newest first."""
    query = select(jobs).where(jobs.c.buried_at.is_not(None)).order_by(jobs.c.buried_at.desc(), jobs.c.id.desc())
    return [_buried(row) for row in tx.all(query.limit(limit))]


def revive(tx: Tx, job_id: int, *, due: datetime) -> bool:
    """Enqueues a buried job again with fresh attempts; False when there is no such dead letter."""
    row = tx.first(select(jobs).where(jobs.c.id == job_id, jobs.c.buried_at.is_not(None)))
    if row is None:
        return False
    tx.execute(delete(jobs).where(jobs.c.id == job_id))
    enqueue(tx, kind=row.kind, key=row.key, payload=row.payload, due=due)
    return True


def prune_buried(tx: Tx, *, before: datetime) -> int:
    """Forgets the dead letters buried before `before`; how many."""
    return tx.execute(delete(jobs).where(jobs.c.buried_at < before)).rowcount


def next_due(tx: Tx) -> datetime | None:
    """When the earliest waiting job is due; None when nothing waits. For metrics and the loop's nap."""
    due: datetime | None = tx.scalar(select(func.min(jobs.c.due)).where(_UNBURIED, jobs.c.leased_until.is_(None)))
    return due


def due_count(tx: Tx, kinds: Collection[str], now: datetime, *, limit: int) -> int:
    """How many jobs of these kinds are due that nobody holds; counts no further than `limit`."""
    return int(tx.scalar(_DUE, {"now": now, "most": limit, "kinds": sorted(kinds)}))


def backoff(
    attempts: int, entropy: Entropy, *, first: timedelta = timedelta(seconds=1), cap: timedelta = timedelta(hours=1)
) -> timedelta:
    """How long to wait after `attempts` failures: doubling from `first` to `cap`, of which the upper half is random.

    The random half keeps many jobs that failed together from coming back together.
    """
    full = min(first * (1 << min(max(attempts, 1) - 1, 24)), cap)
    share = int.from_bytes(entropy.token_bytes(4), "big") / (1 << 32)
    return full / 2 + full / 2 * share


def _held(job: Job) -> tuple[Any, ...]:
    # An expired lease that nobody took over still counts: the work was done once.
    return jobs.c.id == job.id, jobs.c.fence == job.fence, jobs.c.leased_until.is_not(None), _UNBURIED


def _put_back(tx: Tx, rows: int) -> bool:
    if rows == 1:
        tx.announce(JOB_TOPIC)
    return rows == 1


def _buried(row: Row[Any]) -> BuriedJob:
    return BuriedJob(row.id, row.kind, row.key, row.payload, row.attempts, row.last_error, row.buried_at)
