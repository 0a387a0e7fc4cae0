"""The table of audit reports."""

from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, select, update

from greatseal.domain.authorities.report import AuditReport, ReportFormat, ReportStatus
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

audit_report = Table(
    "audit_report",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("authority_id", String(36), nullable=False),
    Column("bucket", String(63), nullable=False),
    Column("key", Text, nullable=False),
    Column("form", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Index("ix_audit_report_authority", "authority_id", "created_at"),
)


def add(tx: Tx, new: AuditReport) -> None:
    """Stores a report that is to be made."""
    tx.insert_once(
        audit_report,
        {
            "id": new.id,
            "authority_id": new.authority_id,
            "bucket": new.bucket,
            "key": new.key,
            "form": new.form.value,
            "status": new.status.value,
            "created_at": new.created_at,
        },
    )


def find(tx: Tx, report_id: str) -> AuditReport | None:
    """The report with this id."""
    row = tx.first(select(audit_report).where(audit_report.c.id == report_id))
    return None if row is None else _load(row)


def newest(tx: Tx, authority_id: str) -> AuditReport | None:
    """The last report of a CA that did not fail."""
    row = tx.first(
        select(audit_report)
        .where(audit_report.c.authority_id == authority_id, audit_report.c.status != ReportStatus.FAILED.value)
        .order_by(audit_report.c.created_at.desc())
        .limit(1)
    )
    return None if row is None else _load(row)


def settle(tx: Tx, report_id: str, status: ReportStatus) -> bool:
    """Ends a report that is being made. False when it has ended already."""
    result = tx.execute(
        update(audit_report)
        .where(audit_report.c.id == report_id, audit_report.c.status == ReportStatus.CREATING.value)
        .values(status=status.value)
    )
    return bool(result.rowcount)


def _load(row: Row[Any]) -> AuditReport:
    return AuditReport(
        id=row.id,
        authority_id=row.authority_id,
        bucket=row.bucket,
        key=row.key,
        form=ReportFormat(row.form),
        status=ReportStatus(row.status),
        created_at=row.created_at,
    )
