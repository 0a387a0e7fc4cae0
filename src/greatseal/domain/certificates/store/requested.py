"""The table of public requests, which counts those of the last year though they were deleted (acm.md 15)."""

from datetime import datetime

from sqlalchemy import Column, Index, String, Table, delete, func, insert, select

from greatseal.domain.certificates.model import ManagedCertificate, Type
from greatseal.domain.certificates.store.certificates import certificate
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

public_request = Table(
    "public_request",
    metadata,
    Column("certificate_id", String(36), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("requested_at", utc_timestamp(), nullable=False),
    Index("ix_public_request_year", "account", "region", "requested_at"),
)


def add(tx: Tx, item: ManagedCertificate) -> None:
    """Counts a request."""
    values = {
        "certificate_id": item.id,
        "account": item.account,
        "region": item.region,
        "requested_at": item.created_at,
    }
    tx.execute(insert(public_request), values)


def count_since(tx: Tx, account: str, region: str, since: datetime) -> int:
    """How many requests an account has made in a region; those before are forgotten."""
    rows = public_request.c
    own = (rows.account == account, rows.region == region)
    tx.execute(delete(public_request).where(*own, rows.requested_at < since))
    return int(tx.scalar(select(func.count()).select_from(public_request).where(*own)))


def existing(tx: Tx, account: str, region: str) -> int:
    """How many public certificates an account has in a region, in whatever state."""
    own = (certificate.c.account == account, certificate.c.region == region)
    public = certificate.c.type == Type.AMAZON_ISSUED.value
    return int(tx.scalar(select(func.count()).select_from(certificate).where(*own, public)))
