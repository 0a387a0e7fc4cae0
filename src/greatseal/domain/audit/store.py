"""The table of audit records. Rows are added, never changed."""

from collections.abc import Sequence

from sqlalchemy import Column, Index, String, Table, Text, insert, select

from greatseal.domain.audit.model import AuditRecord
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

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
    Index("ix_audit_record_account", "account", "id"),
)


def append(tx: Tx, record: AuditRecord) -> None:
    """Adds one record."""
    tx.execute(
        insert(audit_record),
        {
            "id": record.id,
            "at": record.at,
            "account": record.account,
            "region": record.region,
            "principal_arn": record.principal_arn,
            "access_key_id": record.access_key_id,
            "operation": record.operation,
            "request_id": record.request_id,
            "resources": list(record.resources),
            "source_ip": record.source_ip,
            "user_agent": record.user_agent,
            "service_principal": record.service_principal,
            "request_parameters": record.request_parameters,
            "detail": record.detail,
        },
    )


def recent(tx: Tx, account: str, limit: int) -> Sequence[AuditRecord]:
    """The newest records of an account, newest first."""
    rows = tx.all(
        select(audit_record).where(audit_record.c.account == account).order_by(audit_record.c.id.desc()).limit(limit)
    )
    return [AuditRecord(**{**row._mapping, "resources": tuple(row.resources)}) for row in rows]
