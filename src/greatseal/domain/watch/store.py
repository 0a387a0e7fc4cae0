"""When the next round begins, and which rounds have reported."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

watch_round = Table(
    "watch_round",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("schedule", Text, nullable=False),
    # From when a rate counts.
    Column("since", utc_timestamp(), nullable=False),
    Column("next_at", utc_timestamp()),
)

watch_report = Table(
    "watch_report",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("round_at", utc_timestamp(), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Round:
    """The state of the schedule. `next_at` is None when it never comes again."""

    schedule: str
    since: datetime
    next_at: datetime | None


def find(tx: Tx, name: str) -> Round | None:
    """The state of a schedule."""
    row = tx.first(select(watch_round).where(watch_round.c.name == name))
    return None if row is None else Round(row.schedule, row.since, row.next_at)


def put(tx: Tx, name: str, state: Round) -> None:
    """Stores it."""
    values = {"schedule": state.schedule, "since": state.since, "next_at": state.next_at}
    if not tx.insert_once(watch_round, {"name": name, **values}):
        tx.execute(update(watch_round).where(watch_round.c.name == name).values(values))


def reported(tx: Tx, account: str, region: str) -> datetime | None:
    """The last round whose report was sent for a place."""
    row = tx.first(select(watch_report).where(watch_report.c.account == account, watch_report.c.region == region))
    return None if row is None else row.round_at


def report(tx: Tx, account: str, region: str, round_at: datetime) -> None:
    """Remembers that the report of a round was sent."""
    if not tx.insert_once(watch_report, {"account": account, "region": region, "round_at": round_at}):
        its = (watch_report.c.account == account, watch_report.c.region == region)
        tx.execute(update(watch_report).where(*its).values(round_at=round_at))
