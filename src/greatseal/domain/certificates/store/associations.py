"""The table of what uses which certificate."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, Text, delete, select

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp
from greatseal.storage.statements import select_among

certificate_association = Table(
    "certificate_association",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("resource_arn", Text, primary_key=True),
    Column("associated_at", utc_timestamp(), nullable=False),
    Index("ix_certificate_association_resource", "resource_arn"),
)


def add(tx: Tx, certificate_id: str, resource_arn: str, at: datetime) -> bool:
    """Stores an association; False when it exists."""
    values = {"certificate_id": certificate_id, "resource_arn": resource_arn, "associated_at": at}
    return tx.insert_once(certificate_association, values)


def remove(tx: Tx, certificate_id: str, resource_arn: str) -> bool:
    """Removes an association; False when there is none."""
    rows = certificate_association.c
    found = tx.execute(
        delete(certificate_association).where(rows.certificate_id == certificate_id, rows.resource_arn == resource_arn)
    )
    return found.rowcount == 1


def of_certificates(tx: Tx, certificate_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The resources (ARNs, in order) that use each of these certificates; those in use only."""
    rows = certificate_association.c
    found: dict[str, tuple[str, ...]] = {}
    listed = tx.all(select_among(rows.certificate_id), {"among": list(certificate_ids)})
    for row in sorted(listed, key=lambda row: row.resource_arn):
        found[row.certificate_id] = (*found.get(row.certificate_id, ()), row.resource_arn)
    return found


def of_resource(tx: Tx, resource_arn: str) -> list[str]:
    """The ids of the certificates that a resource uses."""
    rows = certificate_association.c
    query = select(rows.certificate_id).where(rows.resource_arn == resource_arn).order_by(rows.certificate_id)
    return [row.certificate_id for row in tx.all(query)]
