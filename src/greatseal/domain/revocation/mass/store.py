"""The tables of mass revocations: each with its progress, the CAs that it covers, and what a list names."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Row, String, Table, Text, delete, func, select, update

from greatseal.domain.revocation.mass.model import Kind, MassRevocation, Outcome, Selection, State
from greatseal.domain.revocation.model import RevocationReason
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

mass_revocation = Table(
    "mass_revocation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("recursive", Boolean, nullable=False),
    Column("template", String(128)),
    Column("issued_after", utc_timestamp()),
    Column("issued_before", utc_timestamp()),
    Column("state", String(16), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("principal_arn", Text, nullable=False),
    Column("asked_at", utc_timestamp(), nullable=False),
    Column("finished_at", utc_timestamp()),
    Column("total", Integer),
    Column("outcomes", json_text(), nullable=False),
    # Everything before this place is dealt with.
    Column("position", Integer, nullable=False),
    Column("serial", String(40), nullable=False),
    Index("ix_mass_revocation_asked_at", "asked_at"),
)

# The CAs in the order in which they are gone through; settled when it is asked for.
mass_revocation_authority = Table(
    "mass_revocation_authority",
    metadata,
    Column("mass_revocation_id", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("authority_id", String(36), nullable=False),
)

# What a list names and is not dealt with yet.
mass_revocation_item = Table(
    "mass_revocation_item",
    metadata,
    Column("mass_revocation_id", String(36), primary_key=True),
    Column("authority_id", String(36), primary_key=True),
    Column("serial", String(40), primary_key=True),
    sqlite_with_rowid=False,
)

_OPEN = (State.WAITING.value, State.RUNNING.value)


def add(tx: Tx, new: MassRevocation) -> None:
    """Stores a mass revocation that was asked for."""
    chosen = new.selection
    tx.insert_once(
        mass_revocation,
        {
            "id": new.id,
            "kind": chosen.kind.value,
            "target": chosen.target,
            "reason": chosen.reason.name,
            "recursive": chosen.recursive,
            "template": chosen.template,
            "issued_after": chosen.issued_after,
            "issued_before": chosen.issued_before,
            "state": new.state.value,
            "account": new.account,
            "region": new.region,
            "principal_arn": new.principal_arn,
            "asked_at": new.asked_at,
            "total": new.total,
            "outcomes": {},
            "position": new.position,
            "serial": new.serial,
        },
    )


def find(tx: Tx, mass_id: str) -> MassRevocation | None:
    """The mass revocation with this id."""
    row = tx.first(select(mass_revocation).where(mass_revocation.c.id == mass_id))
    return None if row is None else _load(row)


def remove(tx: Tx, mass_id: str) -> None:
    """Forgets one whose list could not be read to its end."""
    tx.execute(delete(mass_revocation).where(mass_revocation.c.id == mass_id))
    remove_all_items(tx, mass_id)


def listing(tx: Tx, limit: int) -> list[MassRevocation]:
    """The newest first."""
    query = select(mass_revocation).order_by(mass_revocation.c.asked_at.desc(), mass_revocation.c.id)
    return [_load(row) for row in tx.all(query.limit(limit))]


def unfinished(tx: Tx) -> list[str]:
    """The ids of those that a job works on, or should."""
    return [row.id for row in tx.all(select(mass_revocation.c.id).where(mass_revocation.c.state.in_(_OPEN)))]


def change_state(tx: Tx, mass_id: str, before: Collection[State], after: State, **values: Any) -> bool:
    """Moves on to another state, if it is in one of `before`."""
    changed = tx.execute(
        update(mass_revocation)
        .where(mass_revocation.c.id == mass_id, mass_revocation.c.state.in_(sorted(each.value for each in before)))
        .values(state=after.value, **values)
    )
    return changed.rowcount == 1


def advance(
    tx: Tx, mass: MassRevocation, *, position: int, serial: str, outcomes: Mapping[Outcome, int] | None = None
) -> bool:
    """Moves on from the place of `mass` as it was read.

    False, and nothing changed, when another node did meanwhile, or somebody cancelled it.
    """
    told = mass.outcomes if outcomes is None else outcomes
    moved = tx.execute(
        update(mass_revocation)
        .where(
            mass_revocation.c.id == mass.id,
            mass_revocation.c.state == State.RUNNING.value,
            mass_revocation.c.position == mass.position,
            mass_revocation.c.serial == mass.serial,
        )
        .values(position=position, serial=serial, outcomes={each.name: count for each, count in told.items()})
    )
    return moved.rowcount == 1


def cover(tx: Tx, mass_id: str, authority_ids: Sequence[str]) -> None:
    """Keeps the CAs that it goes through, in their order."""
    for position, authority_id in enumerate(authority_ids):
        values = {"mass_revocation_id": mass_id, "position": position, "authority_id": authority_id}
        tx.insert_once(mass_revocation_authority, values)


def covered(tx: Tx, mass_id: str) -> list[str]:
    """The ids of the CAs that it goes through, in their order."""
    rows = mass_revocation_authority.c
    query = select(rows.authority_id).where(rows.mass_revocation_id == mass_id).order_by(rows.position)
    return [row.authority_id for row in tx.all(query)]


def add_items(tx: Tx, mass_id: str, items: Collection[tuple[str, str]]) -> None:
    """Keeps what a list names: ids of CAs and serial numbers. Naming one twice does no harm."""
    for authority_id, serial in items:
        values = {"mass_revocation_id": mass_id, "authority_id": authority_id, "serial": serial}
        tx.insert_once(mass_revocation_item, values)


def authorities_of_items(tx: Tx, mass_id: str) -> list[str]:
    """The ids of the CAs that a list names."""
    rows = mass_revocation_item.c
    found = tx.all(select(rows.authority_id).where(rows.mass_revocation_id == mass_id).distinct())
    return sorted(row.authority_id for row in found)


def items(tx: Tx, mass_id: str, authority_id: str, *, after: str, limit: int) -> list[str]:
    """Serial numbers of a list, in their order."""
    rows = mass_revocation_item.c
    named = (rows.mass_revocation_id == mass_id, rows.authority_id == authority_id, rows.serial > after)
    return [row.serial for row in tx.all(select(rows.serial).where(*named).order_by(rows.serial).limit(limit))]


def count_items(tx: Tx, mass_id: str) -> int:
    """How many certificates a list names."""
    rows = mass_revocation_item.c
    return int(tx.scalar(select(func.count()).where(rows.mass_revocation_id == mass_id)))


def remove_items(tx: Tx, mass_id: str, authority_id: str, serials: Collection[str]) -> None:
    """Forgets what was dealt with."""
    rows = mass_revocation_item.c
    named = (rows.mass_revocation_id == mass_id, rows.authority_id == authority_id, rows.serial.in_(sorted(serials)))
    tx.execute(delete(mass_revocation_item).where(*named))


def remove_all_items(tx: Tx, mass_id: str) -> None:
    """Forgets the rest of a list."""
    tx.execute(delete(mass_revocation_item).where(mass_revocation_item.c.mass_revocation_id == mass_id))


def _load(row: Row[Any]) -> MassRevocation:
    return MassRevocation(
        id=row.id,
        selection=Selection(
            kind=Kind(row.kind),
            target=row.target,
            reason=RevocationReason[row.reason],
            recursive=row.recursive,
            template=row.template,
            issued_after=row.issued_after,
            issued_before=row.issued_before,
        ),
        state=State(row.state),
        account=row.account,
        region=row.region,
        principal_arn=row.principal_arn,
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        total=row.total,
        outcomes={Outcome[name]: count for name, count in row.outcomes.items()},
        position=row.position,
        serial=row.serial,
    )
