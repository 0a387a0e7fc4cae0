"""The table that says how far renewals are; only certificates that one was attempted for have a row."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, String, Table, insert

from greatseal.domain.certificates.model import Course
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp
from greatseal.storage.statements import delete_by, select_by

renewal_course = Table(
    "renewal_course",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    # Of the certificate that is to be replaced: the row of an earlier one says nothing.
    Column("not_after", utc_timestamp(), nullable=False),
    Column("attempted_at", utc_timestamp()),
    Column("notified_days", BigInteger),
)


def course_of(tx: Tx, certificate_id: str, not_after: datetime) -> Course:
    """How far the renewal of the certificate that ends at `not_after` is."""
    by = select_by(renewal_course.c.certificate_id, renewal_course.c.not_after)
    row = tx.first(by, {"certificate_id": certificate_id, "not_after": not_after})
    return Course() if row is None else Course(row.attempted_at, row.notified_days)


def keep(tx: Tx, certificate_id: str, not_after: datetime, course: Course) -> None:
    """Stores how far a renewal is."""
    tx.execute(delete_by(renewal_course.c.certificate_id), {"certificate_id": certificate_id})
    values = {"attempted_at": course.attempted_at, "notified_days": course.notified_days}
    tx.execute(insert(renewal_course), {"certificate_id": certificate_id, "not_after": not_after, **values})
