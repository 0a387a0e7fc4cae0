"""The tables of the zones room: records of our own zones, and records that providers shall create.

Every name is kept with each of its ancestors: whether there is anything below a name is then one look into an index,
whatever order the database sorts texts in.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Row, String, Table, Text, delete, select, update

from greatseal.domain.zones.model import Record, Wanted, Wish
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

_NAME = 253
# The row that stands for every zone that was never changed.
_UNCHANGED = ""
_LEAP = 1_000_000

zone_record = Table(
    "zone_record",
    metadata,
    Column("name", String(_NAME), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("value", Text(), primary_key=True),
    Column("ttl", Integer(), nullable=False),
)

zone_ancestor = Table(
    "zone_ancestor",
    metadata,
    Column("ancestor", String(_NAME), primary_key=True),
    Column("name", String(_NAME), primary_key=True),
    Index("ix_zone_ancestor_name", "name"),
)

zone_serial = Table(
    "zone_serial",
    metadata,
    Column("zone", String(_NAME), primary_key=True),
    Column("serial", BigInteger(), nullable=False),
)

wanted_record = Table(
    "wanted_record",
    metadata,
    Column("name", String(_NAME), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("value", Text(), nullable=False),
    Column("ttl", Integer(), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("zone", String(_NAME), nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text(), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
)


def add(tx: Tx, record: Record) -> bool:
    """Adds a record; False when the same was there, which then gets the new time to live."""
    values = {"name": record.name, "kind": record.kind, "value": record.value, "ttl": record.ttl}
    if tx.insert_once(zone_record, values):
        labels = record.name.split(".")
        for at_label in range(1, len(labels)):
            tx.insert_once(zone_ancestor, {"ancestor": ".".join(labels[at_label:]), "name": record.name})
        return True
    tx.execute(update(zone_record).where(*_same(record)).values(ttl=record.ttl))
    return False


def remove(tx: Tx, record: Record) -> bool:
    """Takes a record away; False when it was not there."""
    if tx.execute(delete(zone_record).where(*_same(record))).rowcount == 0:
        return False
    if not at(tx, record.name):
        tx.execute(delete(zone_ancestor).where(zone_ancestor.c.name == record.name))
    return True


def at(tx: Tx, name: str) -> list[Record]:
    """The records of a name."""
    query = select(zone_record).where(zone_record.c.name == name)
    return [_record(row) for row in tx.all(query.order_by(zone_record.c.kind, zone_record.c.value))]


def has_below(tx: Tx, name: str) -> bool:
    """Whether there is a record below a name: then the name exists, too (RFC 8020)."""
    query = select(zone_ancestor.c.name).where(zone_ancestor.c.ancestor == name).limit(1)
    return tx.first(query) is not None


def within(tx: Tx, zone: str) -> list[Record]:
    """All records of a zone, by name."""
    columns = zone_record.c
    below = select(zone_ancestor.c.name).where(zone_ancestor.c.ancestor == zone)
    query = select(zone_record).where((columns.name == zone) | columns.name.in_(below))
    return [_record(row) for row in tx.all(query.order_by(columns.name, columns.kind, columns.value))]


def serial(tx: Tx, zone: str) -> int:
    """How often a zone was changed, plus one."""
    return _serial(tx, zone) or _serial(tx, _UNCHANGED) or 1


def raise_serial(tx: Tx, zone: str) -> None:
    """Counts a change of a zone."""
    if not tx.insert_once(zone_serial, {"zone": zone, "serial": serial(tx, zone) + 1}):
        tx.execute(update(zone_serial).where(zone_serial.c.zone == zone).values(serial=zone_serial.c.serial + 1))


def leap(tx: Tx) -> None:
    """Counts very many changes of every zone: those that a database from a backup does not know."""
    tx.insert_once(zone_serial, {"zone": _UNCHANGED, "serial": 1})
    tx.execute(update(zone_serial).values(serial=zone_serial.c.serial + _LEAP))


def _serial(tx: Tx, zone: str) -> int | None:
    found: int | None = tx.scalar(select(zone_serial.c.serial).where(zone_serial.c.zone == zone))
    return found


def want(tx: Tx, wanted: Wanted) -> None:
    """Keeps a wish; an earlier one for the same name and kind is replaced."""
    record = wanted.record
    key = {"name": record.name, "kind": record.kind}
    values = {
        "value": record.value,
        "ttl": record.ttl,
        "provider": wanted.provider,
        "zone": wanted.zone,
        "state": wanted.state.value,
        "detail": wanted.detail,
        "updated_at": wanted.updated_at,
    }
    if not tx.insert_once(wanted_record, {**key, **values}):
        tx.execute(update(wanted_record).where(*_wish(record.name, record.kind)).values(values))


def wanted_at(tx: Tx, name: str, kind: str) -> Wanted | None:
    """The wish for a name and kind."""
    row = tx.first(select(wanted_record).where(*_wish(name, kind)))
    return None if row is None else _wanted(row)


def note(tx: Tx, wanted: Wanted, state: Wish, detail: str, now: datetime) -> None:
    """Says what became of a wish, unless another value is wanted by now."""
    record = wanted.record
    same = (*_wish(record.name, record.kind), wanted_record.c.value == record.value)
    tx.execute(update(wanted_record).where(*same).values(state=state.value, detail=detail[:500], updated_at=now))


def wishes(tx: Tx) -> list[Wanted]:
    """All wishes, by name."""
    return [_wanted(row) for row in tx.all(select(wanted_record).order_by(wanted_record.c.name))]


def _same(record: Record) -> Sequence[Any]:
    columns = zone_record.c
    return columns.name == record.name, columns.kind == record.kind, columns.value == record.value


def _wish(name: str, kind: str) -> tuple[Any, ...]:
    return wanted_record.c.name == name, wanted_record.c.kind == kind


def _record(row: Row[Any]) -> Record:
    return Record(row.name, row.kind, row.value, row.ttl)


def _wanted(row: Row[Any]) -> Wanted:
    return Wanted(_record(row), row.provider, row.zone, Wish(row.state), row.detail, row.updated_at)
