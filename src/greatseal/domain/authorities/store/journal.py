"""The table of the issuance journal: every certificate that a CA prepared, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Row, String, Table, Text, select, update

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.issued import JournalEntry, JournalState
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

issued_certificate = Table(
    "issued_certificate",
    metadata,
    # The primary key is what makes a serial number unique per CA, whatever two nodes do at once.
    Column("authority_id", String(36), primary_key=True),
    Column("serial", String(40), primary_key=True),
    Column("arn", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tbs", LargeBinary, nullable=False),
    Column("signing_algorithm", String(32), nullable=False),
    Column("template_arn", Text, nullable=False),
    Column("issuer_certificate_id", String(36)),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("service_principal", String(128)),
    Column("not_after", utc_timestamp(), nullable=False),
    Column("prepared_at", utc_timestamp(), nullable=False),
    Column("issued_at", utc_timestamp()),
    Column("certificate", LargeBinary),
    Column("partition", String(36)),
    Index("ix_issued_certificate_open", "state", "prepared_at"),
)


def prepare(tx: Tx, entry: JournalEntry) -> bool:
    """Writes the journal row. False when the serial is taken."""
    return tx.insert_once(
        issued_certificate,
        {
            "authority_id": entry.authority_id,
            "serial": entry.serial,
            "arn": entry.arn,
            "state": entry.state.value,
            "tbs": entry.tbs,
            "signing_algorithm": entry.signing_algorithm.name,
            "template_arn": entry.template_arn,
            "issuer_certificate_id": entry.issuer_certificate_id,
            "account": entry.account,
            "region": entry.region,
            "service_principal": entry.service_principal,
            "not_after": entry.not_after,
            "prepared_at": entry.prepared_at,
            "partition": entry.partition,
        },
    )


def close(tx: Tx, entry: JournalEntry, *, certificate: bytes | None, at: datetime) -> bool:
    """Closes an open row as ISSUED, or as FAILED without a certificate. False when it was closed already."""
    state = JournalState.ISSUED if certificate is not None else JournalState.FAILED
    result = tx.execute(
        update(issued_certificate)
        .where(
            issued_certificate.c.authority_id == entry.authority_id,
            issued_certificate.c.serial == entry.serial,
            issued_certificate.c.state == JournalState.PREPARED.value,
        )
        .values(state=state.value, certificate=certificate, issued_at=at if certificate is not None else None)
    )
    return bool(result.rowcount)


def find(tx: Tx, authority_id: str, serial: str) -> JournalEntry | None:
    """One row."""
    row = tx.first(
        select(issued_certificate).where(
            issued_certificate.c.authority_id == authority_id, issued_certificate.c.serial == serial
        )
    )
    return None if row is None else _load(row)


def open_entries(tx: Tx, before: datetime, limit: int) -> list[JournalEntry]:
    """Rows that were prepared before a time and not closed, oldest first."""
    rows = tx.all(
        select(issued_certificate)
        .where(
            issued_certificate.c.state == JournalState.PREPARED.value,
            issued_certificate.c.prepared_at <= before,
        )
        .order_by(issued_certificate.c.prepared_at)
        .limit(limit)
    )
    return [_load(row) for row in rows]


def issued(tx: Tx, authority_id: str, *, after: str, limit: int) -> list[JournalEntry]:
    """The certificates that a CA issued, by serial number, from behind `after`."""
    rows = tx.all(
        select(issued_certificate)
        .where(
            issued_certificate.c.authority_id == authority_id,
            issued_certificate.c.serial > after,
            issued_certificate.c.state == JournalState.ISSUED.value,
        )
        .order_by(issued_certificate.c.serial)
        .limit(limit)
    )
    return [_load(row) for row in rows]


def has_any(tx: Tx, authority_id: str) -> bool:
    """Whether the CA ever prepared a certificate."""
    query = select(issued_certificate.c.serial).where(issued_certificate.c.authority_id == authority_id).limit(1)
    return tx.first(query) is not None


def _load(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        authority_id=row.authority_id,
        serial=row.serial,
        arn=row.arn,
        state=JournalState(row.state),
        tbs=row.tbs,
        signing_algorithm=SignatureAlgorithm[row.signing_algorithm],
        template_arn=row.template_arn,
        issuer_certificate_id=row.issuer_certificate_id,
        account=row.account,
        region=row.region,
        service_principal=row.service_principal,
        not_after=row.not_after,
        prepared_at=row.prepared_at,
        issued_at=row.issued_at,
        certificate=row.certificate,
        partition=row.partition,
    )
