"""The table of audit records. Rows are added, never changed, but for their place in the log, which is given once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
    text,
    update,
)

from greatseal.domain.audit.model import AuditRecord
from greatseal.kernel.ids import new_ordered_id
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

_SEQUENCED = text("leaf_index IS NOT NULL")
_UNSEQUENCED = text("leaf_index IS NULL")

audit_record = Table(
    "audit_record",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", utc_timestamp(), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("principal_arn", Text, nullable=False),
    Column("access_key_id", String(128), nullable=False),
    Column("operation", String(128), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("resources", json_text(), nullable=False),
    Column("source_ip", String(64), nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("service_principal", String(128)),
    Column("request_parameters", Text, nullable=False),
    Column("detail", json_text(), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event_source", Text, nullable=False),
    Column("event_name", String(128), nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("response_elements", Text),
    Column("identity", Text, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("leaf_index", BigInteger),
    Index("ix_audit_record_account", "account", "id"),
    Index("uq_audit_record_event_id", "event_id", unique=True),
    Index(
        "uq_audit_record_leaf_index", "leaf_index", unique=True, sqlite_where=_SEQUENCED, postgresql_where=_SEQUENCED
    ),
    Index("ix_audit_record_unsequenced", "id", sqlite_where=_UNSEQUENCED, postgresql_where=_UNSEQUENCED),
)

_FIELDS = tuple(AuditRecord.__struct_fields__)
_values = attrgetter(*_FIELDS)
_record = select(*(audit_record.c[name] for name in _FIELDS))
_INSERT = insert(audit_record)


def append(tx: Tx, rows: Sequence[tuple[AuditRecord, bytes, bytes]]) -> None:
    """Adds records, each with its leaf hash and its seal."""
    tx.execute(
        _INSERT,
        [
            {
                **dict(zip(_FIELDS, _values(record), strict=True)),
                "resources": list(record.resources),
                "leaf_hash": leaf_hash,
                "seal": seal,
            }
            for record, leaf_hash, seal in rows
        ],
    )


def recent(tx: Tx, account: str, limit: int) -> Sequence[AuditRecord]:
    """The newest records of an account, newest first."""
    query = _record.where(audit_record.c.account == account).order_by(audit_record.c.id.desc()).limit(limit)
    return [_load(row) for row in tx.all(query)]


def newest(tx: Tx, limit: int) -> Sequence[AuditRecord]:
    """The newest records of all accounts, newest first."""
    return [_load(row) for row in tx.all(_record.order_by(audit_record.c.id.desc()).limit(limit))]


def last_with_key(tx: Tx, account: str, access_key_id: str, since: datetime) -> AuditRecord | None:
    """The newest record of an access key. Nothing before `since` is looked at: there is no index of keys."""
    record = audit_record.c
    query = _record.where(record.account == account, record.access_key_id == access_key_id, record.id >= _id_at(since))
    row = tx.first(query.order_by(record.id.desc()).limit(1))
    return None if row is None else _load(row)


def last_with_resource(
    tx: Tx, account: str, resource: str, names: Sequence[str], since: datetime
) -> AuditRecord | None:
    """The newest record of a successful call with this resource. Nothing before `since` is looked at."""
    record = audit_record.c
    query = _record.where(
        record.account == account,
        record.id >= _id_at(since),
        record.event_name.in_(names),
        record.error_code.is_(None),
        record.resources.cast(Text).contains(f'"{resource}"', autoescape=True),
    )
    row = tx.first(query.order_by(record.id.desc()).limit(1))
    return None if row is None else _load(row)


def by_event(tx: Tx, event_id: str) -> tuple[AuditRecord, int | None] | None:
    """An event and its place in the log, None while it has none."""
    row = tx.first(_record.add_columns(audit_record.c.leaf_index).where(audit_record.c.event_id == event_id))
    return None if row is None else (_load(row), row.leaf_index)


def candidates(
    tx: Tx,
    account: str,
    region: str,
    *,
    equal: Sequence[tuple[str, Any]],
    containing: Sequence[tuple[str, str]],
    start: datetime | None,
    end: datetime | None,
    before: str | None,
    limit: int,
) -> list[AuditRecord]:
    """Records of an account and region that may match, newest first: what columns can tell is looked at here.

    `containing` compares without regard to case on SQLite, so that the caller looks again.
    """
    record = audit_record.c
    query = _record.where(record.account == account, record.region == region)
    for name, value in equal:
        query = query.where(record[name] == value)
    for name, value in containing:
        # JSON columns are compared as the text that they are stored as.
        query = query.where(record[name].cast(Text).contains(value, autoescape=True))
    if start is not None:
        query = query.where(record.id >= _id_at(start))
    if end is not None:
        query = query.where(record.id < _id_at(end + timedelta(microseconds=1)))
    if before is not None:
        query = query.where(record.id < before)
    return [_load(row) for row in tx.all(query.order_by(record.id.desc()).limit(limit))]


def sequenced(tx: Tx, *, after: int, limit: int) -> list[tuple[int, AuditRecord]]:
    """Records with their places in the log, in its order, from behind a place on."""
    place = audit_record.c.leaf_index
    rows = tx.all(_record.add_columns(place).where(place > after).order_by(place).limit(limit))
    return [(row.leaf_index, _load(row)) for row in rows]


class Waiting(NamedTuple):
    """A record that has no place in the log."""

    id: str
    leaf_hash: bytes
    seal: bytes


def unsequenced(tx: Tx, *, after: str, limit: int) -> Sequence[Waiting]:
    """The records without a place, in the order of their ids."""
    record = audit_record.c
    rows = tx.all(
        select(record.id, record.leaf_hash, record.seal)
        .where(record.leaf_index.is_(None), record.id > after)
        .order_by(record.id)
        .limit(limit)
    )
    return [Waiting(row.id, row.leaf_hash, row.seal) for row in rows]


_PLACE = (
    update(audit_record)
    .where(audit_record.c.id == bindparam("record"), audit_record.c.leaf_index.is_(None))
    .values(leaf_index=bindparam("place"))
)


def place(tx: Tx, ids: Sequence[str], first: int) -> int:
    """Gives records consecutive places from `first`; how many of them had none."""
    rows = [{"record": id, "place": first + number} for number, id in enumerate(ids)]
    return tx.execute(_PLACE, rows).rowcount


def _id_at(at: datetime) -> str:
    """Below every id of this microsecond, above those of the one before."""
    return new_ordered_id(_NoBytes(), at)


class _NoBytes:
    """An Entropy for the lower end of a range of ids."""

    def token_bytes(self, size: int) -> bytes:
        """Zeros."""
        return bytes(size)


def _load(row: Row[Any]) -> AuditRecord:
    values = {name: getattr(row, name) for name in _FIELDS}
    return AuditRecord(**{**values, "resources": tuple(row.resources)})
