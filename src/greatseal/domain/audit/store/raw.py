"""Records as an examiner reads them: raw, because a column that was tampered with may hold anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, or_, select, type_coerce
from sqlalchemy.types import NullType

from greatseal.domain.audit.model import AuditRecord
from greatseal.domain.audit.store.records import audit_record
from greatseal.storage import Tx

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = tuple(column.name for column in audit_record.columns)
_raw = select(*(type_coerce(column, NullType()).label(column.name) for column in audit_record.columns))
_PLAIN = tuple(name for name in AuditRecord.__struct_fields__ if name not in ("at", "resources", "detail", "read_only"))


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A row. `record` is None when its columns do not even make one."""

    id: object
    event_id: str
    leaf_index: object
    leaf_hash: object
    seal: object
    record: AuditRecord | None


def placed(tx: Tx, start: int, stop: int) -> Sequence[RawRecord]:
    """The records with a place from `start` up to, but not including, `stop`."""
    place = audit_record.c.leaf_index
    return [_read(row) for row in tx.all(_raw.where(place >= start, place < stop).order_by(place))]


def outside(tx: Tx, size: int, limit: int) -> Sequence[RawRecord]:
    """Records with a place that the log does not have."""
    place = audit_record.c.leaf_index
    return [_read(row) for row in tx.all(_raw.where(or_(place >= size, place < 0)).order_by(place).limit(limit))]


def waiting(tx: Tx, after: str, limit: int) -> Sequence[RawRecord]:
    """Records without a place, in the order of their ids."""
    record = audit_record.c
    query = _raw.where(record.leaf_index.is_(None), record.id > after).order_by(record.id).limit(limit)
    return [_read(row) for row in tx.all(query)]


def _read(row: Row[Any]) -> RawRecord:
    values: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    record = None
    try:
        if values["read_only"] not in (0, 1):
            raise ValueError("not a boolean")
        record = AuditRecord(
            at=_EPOCH + timedelta(microseconds=values["at"]),
            resources=tuple(msgspec.json.decode(values["resources"], type=list[str])),
            detail=msgspec.json.decode(values["detail"], type=dict[str, str]),
            read_only=bool(values["read_only"]),
            **{name: values[name] for name in _PLAIN},
        )
    except (ValueError, TypeError, OverflowError):
        record = None
    return RawRecord(
        id=values["id"],
        event_id=str(values["event_id"]),
        leaf_index=values["leaf_index"],
        leaf_hash=values["leaf_hash"],
        seal=values["seal"],
        record=record,
    )
