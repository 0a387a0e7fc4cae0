"""Archives with their events, and replays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update

from greatseal.domain.events.model import Archive, BusKey, Replay, ReplayState
from greatseal.domain.events.store import listing
from greatseal.domain.events.store.tables import event_archive, event_archived, event_replay, owned
from greatseal.storage import Tx


@dataclass(frozen=True, slots=True)
class Archived:
    """An event of an archive, and its place in it."""

    id: int
    at: datetime
    order_key: str
    body: str


def find(tx: Tx, key: BusKey) -> Archive | None:
    """The archive with a name."""
    row = listing.named(tx, event_archive, key)
    return None if row is None else _archive(row)


def count(tx: Tx, key: BusKey) -> int:
    """How many archives an account has in a region."""
    return listing.count(tx, event_archive, key)


def everyone(tx: Tx) -> list[Archive]:
    """All archives."""
    return [_archive(row) for row in tx.all(select(event_archive).order_by(event_archive.c.arn))]


def add(tx: Tx, key: BusKey, archive: Archive) -> bool:
    """Adds an archive; False when its name is taken."""
    values = {
        "arn": archive.arn,
        **owned(key),
        "bus_arn": archive.bus_arn,
        "description": archive.description,
        "pattern": archive.pattern,
        "retention_days": archive.retention_days,
        "events": 0,
        "size": 0,
        "created_at": archive.created_at,
    }
    return listing.add(tx, event_archive, values)


def change(tx: Tx, archive: Archive) -> None:
    """Stores what may be changed of an archive."""
    values = {
        "description": archive.description,
        "pattern": archive.pattern,
        "retention_days": archive.retention_days,
    }
    listing.change(tx, event_archive, archive.arn, values)


def remove(tx: Tx, arn: str) -> bool:
    """Removes an archive with its events."""
    tx.execute(delete(event_archived).where(event_archived.c.archive_arn == arn))
    return listing.remove(tx, event_archive, arn)


def page(tx: Tx, key: BusKey, *, prefix: str, after: str, limit: int, equal: Mapping[str, object]) -> list[Archive]:
    """Archives of an account and region by name."""
    rows = listing.page(tx, event_archive, key, prefix=prefix, after=after, limit=limit, equal=equal)
    return [_archive(row) for row in rows]


_COUNT = (
    update(event_archive)
    .where(event_archive.c.arn == bindparam("archive"))
    .values(events=event_archive.c.events + bindparam("more"), size=event_archive.c.size + bindparam("octets"))
)


def keep(tx: Tx, events: Sequence[tuple[str, datetime, str, str]]) -> None:
    """Adds events, each as (archive, instant, order key, text), and counts them."""
    if not events:
        return
    tx.execute(
        insert(event_archived).inline(),
        [{"archive_arn": arn, "at": at, "order_key": key, "body": body} for arn, at, key, body in events],
    )
    for arn in dict.fromkeys(event[0] for event in events):
        bodies = [body for archive, _, _, body in events if archive == arn]
        tx.execute(_COUNT, {"archive": arn, "more": len(bodies), "octets": sum(len(b.encode()) for b in bodies)})


def forget(tx: Tx, archive: Archive, now: datetime, limit: int) -> int:
    """Removes events that an archive keeps no longer, up to `limit`; how many."""
    if not archive.retention_days:
        return 0
    table = event_archived
    # The instants may be older than the epoch allows when days are many.
    old = table.c.at < now - timedelta(days=min(archive.retention_days, 36_500))
    rows = tx.all(
        select(table.c.id, func.length(table.c.body).label("size"))
        .where(table.c.archive_arn == archive.arn, old)
        .order_by(table.c.at, table.c.id)
        .limit(limit)
    )
    if rows:
        tx.execute(delete(table).where(table.c.id.in_([row.id for row in rows])))
        counted = {"archive": archive.arn, "more": -len(rows), "octets": -sum(row.size for row in rows)}
        tx.execute(_COUNT, counted)
    return len(rows)


def events_of(tx: Tx, replay: Replay, after: tuple[datetime, int], limit: int) -> list[Archived]:
    """What a replay sends next, in the order in which it was archived."""
    table = event_archived.c
    at, number = after
    rows = tx.all(
        select(event_archived)
        .where(
            table.archive_arn == replay.archive_arn,
            table.at >= replay.start,
            table.at <= replay.end,
            or_(table.at > at, (table.at == at) & (table.id > number)),
        )
        .order_by(table.at, table.id)
        .limit(limit)
    )
    return [Archived(row.id, row.at, row.order_key, row.body) for row in rows]


def find_replay(tx: Tx, key: BusKey) -> Replay | None:
    """The replay with a name."""
    row = listing.named(tx, event_replay, key)
    return None if row is None else _replay(row)


def replay_at(tx: Tx, arn: str) -> tuple[Replay, int] | None:
    """The replay with this ARN, and the id of the last event that it sent."""
    row = tx.first(select(event_replay).where(event_replay.c.arn == arn))
    return None if row is None else (_replay(row), row.last_event_id)


def add_replay(tx: Tx, key: BusKey, replay: Replay) -> bool:
    """Adds a replay; False when its name is taken."""
    values = {
        "arn": replay.arn,
        **owned(key),
        "archive_arn": replay.archive_arn,
        "bus_arn": replay.bus_arn,
        "filter_arns": list(replay.filter_arns),
        "description": replay.description,
        "start": replay.start,
        "end": replay.end,
        "state": replay.state.value,
        "started_at": replay.started_at,
        "last_event_id": 0,
    }
    return listing.add(tx, event_replay, values)


def change_replay(tx: Tx, arn: str, values: Mapping[str, Any]) -> None:
    """Notes how far a replay is."""
    listing.change(tx, event_replay, arn, values)


def page_of_replays(
    tx: Tx, key: BusKey, *, prefix: str, after: str, limit: int, equal: Mapping[str, object]
) -> list[Replay]:
    """Replays of an account and region by name."""
    rows = listing.page(tx, event_replay, key, prefix=prefix, after=after, limit=limit, equal=equal)
    return [_replay(row) for row in rows]


def running(tx: Tx, key: BusKey) -> int:
    """How many replays of an account and region have not ended."""
    table = event_replay.c
    open_ = table.state.in_([ReplayState.STARTING.value, ReplayState.RUNNING.value, ReplayState.CANCELLING.value])
    query = select(func.count()).select_from(event_replay)
    return int(tx.scalar(query.where(table.account == key.account, table.region == key.region, open_)))


def _archive(row: Row[Any]) -> Archive:
    return Archive(
        arn=row.arn,
        name=row.name,
        bus_arn=row.bus_arn,
        created_at=row.created_at,
        description=row.description,
        pattern=row.pattern,
        retention_days=row.retention_days,
        events=row.events,
        size=row.size,
    )


def _replay(row: Row[Any]) -> Replay:
    return Replay(
        arn=row.arn,
        name=row.name,
        archive_arn=row.archive_arn,
        bus_arn=row.bus_arn,
        start=row.start,
        end=row.end,
        state=ReplayState(row.state),
        started_at=row.started_at,
        filter_arns=tuple(row.filter_arns),
        description=row.description,
        reason=row.reason,
        last_event_at=row.last_event_at,
        ended_at=row.ended_at,
    )
