"""The table of the issuance journal: every certificate that a CA prepared, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
)

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.issued import JournalEntry, JournalState
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp
from greatseal.storage.statements import insert_unless_there, select_by, update_by

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
    Column("key_fingerprint", String(64), nullable=False),
    Column("issued_at", utc_timestamp()),
    Column("certificate", LargeBinary),
    Column("partition", String(36)),
    Column("logged", Boolean, nullable=False, default=False),
    # Kept beside the certificate: both are in the world (RFC 6962 section 3.1).
    Column("precertificate", LargeBinary),
    Index("ix_issued_certificate_open", "state", "prepared_at"),
    Index("ix_issued_certificate_not_after", "not_after"),
    Index("ix_issued_certificate_key", "key_fingerprint", "authority_id", "serial"),
)

_NAMED = (issued_certificate.c.authority_id, issued_certificate.c.serial, issued_certificate.c.state)
_BY_STATE = update_by(*_NAMED)
_BY_CONTENT = update_by(*_NAMED, issued_certificate.c.tbs)

IN_THE_WORLD = or_(
    issued_certificate.c.state == JournalState.ISSUED.value, issued_certificate.c.precertificate.is_not(None)
)
"""What relying parties may hold: certificates, and precertificates, which promise one (BR section 7.1.2.9)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which issued certificates of a CA are meant; what is None does not limit them. The times are of issuance."""

    key_fingerprint: str | None = None
    template: str | None = None
    """The name of a template, `EndEntityCertificate` for instance."""
    issued_after: datetime | None = None
    issued_before: datetime | None = None

    def covers(self, entry: JournalEntry) -> bool:
        """Whether an issued certificate is meant."""
        assert entry.issued_at is not None
        return (
            (self.key_fingerprint is None or entry.key_fingerprint == self.key_fingerprint)
            and (self.template is None or entry.template_arn.endswith(f"/{self.template}/V1"))
            and (self.issued_after is None or entry.issued_at >= self.issued_after)
            and (self.issued_before is None or entry.issued_at < self.issued_before)
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for the database."""
        rows = issued_certificate.c
        found: list[ColumnElement[bool]] = [IN_THE_WORLD]
        if self.key_fingerprint is not None:
            found.append(rows.key_fingerprint == self.key_fingerprint)
        if self.template is not None:
            found.append(rows.template_arn.endswith(f"/{self.template}/V1", autoescape=True))
        if self.issued_after is not None:
            found.append(rows.issued_at >= self.issued_after)
        if self.issued_before is not None:
            found.append(rows.issued_at < self.issued_before)
        return found


def prepare(tx: Tx, *entries: JournalEntry) -> bool:
    """Writes the rows of the journal. False when a serial is taken: then not all of them are there."""
    statement = insert_unless_there(issued_certificate, tx.dialect)
    rows = [_row(each) for each in entries]
    return tx.execute(statement, rows if len(rows) > 1 else rows[0]).rowcount == len(rows)


def _row(entry: JournalEntry) -> dict[str, object]:
    return {
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
        "key_fingerprint": entry.key_fingerprint,
        "partition": entry.partition,
        "logged": entry.logged,
    }


def issue(tx: Tx, signed: Sequence[tuple[JournalEntry, bytes]], *, at: datetime) -> bool:
    """As `close`, for certificates of many rows without precertificates. False when not all were open any more."""
    values = [
        {"state": JournalState.ISSUED.value, "certificate": der, "issued_at": at, **_this(entry, JournalState.PREPARED)}
        for entry, der in signed
    ]
    return tx.execute(_BY_STATE, values).rowcount == len(values)


def close(tx: Tx, entry: JournalEntry, *, signed: bytes | None, at: datetime) -> bool:
    """Closes an open row with what was signed, or without. False when it was closed, or went on, already.

    A signed precertificate makes it PRECERTIFICATE, a certificate ISSUED. Without a signature it is FAILED, unless the
    precertificate is in the world: then it waits again.
    """
    values: dict[str, object]
    if signed is None:
        waits = entry.precertificate is not None
        values = {"state": (JournalState.PRECERTIFICATE if waits else JournalState.FAILED).value}
    elif entry.awaits_precertificate:
        values = {"state": JournalState.PRECERTIFICATE.value, "precertificate": signed, "issued_at": at}
    else:
        values = {"state": JournalState.ISSUED.value, "certificate": signed, "issued_at": at}
    return _from(tx, entry, JournalState.PREPARED, values)


def embed(tx: Tx, entry: JournalEntry, tbs: bytes, *, at: datetime) -> bool:
    """Opens a row that awaits SCTs again, with what is to be signed now. False when somebody else did."""
    values = {"state": JournalState.PREPARED.value, "tbs": tbs, "prepared_at": at}
    return _from(tx, entry, JournalState.PRECERTIFICATE, values)


def _from(tx: Tx, entry: JournalEntry, state: JournalState, values: dict[str, object]) -> bool:
    statement, this = _BY_STATE, _this(entry, state)
    if entry.logged:
        # Such a row is PREPARED more than once: only who signed what it holds now may close it.
        statement, this["this_tbs"] = _BY_CONTENT, entry.tbs
    return bool(tx.execute(statement, {**values, **this}).rowcount)


def _this(entry: JournalEntry, state: JournalState) -> dict[str, object]:
    return {"this_authority_id": entry.authority_id, "this_serial": entry.serial, "this_state": state.value}


def find(tx: Tx, authority_id: str, serial: str) -> JournalEntry | None:
    """One row."""
    by = select_by(issued_certificate.c.authority_id, issued_certificate.c.serial)
    row = tx.first(by, {"authority_id": authority_id, "serial": serial})
    return None if row is None else _load(row)


def open_entries(tx: Tx, before: datetime, limit: int, *, without: Collection[str] = ()) -> list[JournalEntry]:
    """Rows that were prepared before a time and not closed, oldest first; not those of the CAs `without`."""
    query = select(issued_certificate).where(*_open(before)).order_by(issued_certificate.c.prepared_at)
    rows = tx.all(query.where(issued_certificate.c.authority_id.not_in(sorted(without))).limit(limit))
    return [_load(row) for row in rows]


def authorities_with_open(tx: Tx, before: datetime) -> set[str]:
    """The ids of the CAs that have such rows."""
    rows = tx.all(select(issued_certificate.c.authority_id).where(*_open(before)).distinct())
    return {row.authority_id for row in rows}


def _open(before: datetime) -> tuple[ColumnElement[bool], ...]:
    rows = issued_certificate.c
    return rows.state == JournalState.PREPARED.value, rows.prepared_at <= before


def issued(tx: Tx, authority_id: str, *, after: str, limit: int, wanted: Wanted | None = None) -> list[JournalEntry]:
    """The certificates and precertificates that a CA issued, by serial number, from behind `after`."""
    rows = tx.all(
        select(issued_certificate)
        .where(
            issued_certificate.c.authority_id == authority_id,
            issued_certificate.c.serial > after,
            *(wanted or Wanted()).conditions(),
        )
        .order_by(issued_certificate.c.serial)
        .limit(limit)
    )
    return [_load(row) for row in rows]


def issued_among(tx: Tx, authority_id: str, serials: Collection[str]) -> dict[str, JournalEntry]:
    """Those of `serials` that a CA issued, by serial number."""
    rows = tx.all(
        select(issued_certificate).where(
            issued_certificate.c.authority_id == authority_id,
            issued_certificate.c.serial.in_(sorted(serials)),
            IN_THE_WORLD,
        )
    )
    return {row.serial: _load(row) for row in rows}


def count_issued(tx: Tx, authority_ids: Collection[str], wanted: Wanted) -> int:
    """How many certificates of some CAs are meant."""
    query = select(func.count()).select_from(issued_certificate).where(*wanted.conditions())
    return sum(tx.scalar(query.where(issued_certificate.c.authority_id == each)) for each in authority_ids)


def certified(tx: Tx, key_fingerprint: str) -> list[str]:
    """The ids of the CAs that issued a certificate for this public key."""
    query = select(issued_certificate.c.authority_id).distinct()
    rows = tx.all(query.where(issued_certificate.c.key_fingerprint == key_fingerprint))
    return sorted(row.authority_id for row in rows)


def named_by(tx: Tx, key_fingerprint: str, certificate: bytes) -> tuple[str, str] | None:
    """The id of the CA and the serial number of this very (pre)certificate (DER), if it was issued here."""
    row = tx.first(
        select(issued_certificate.c.authority_id, issued_certificate.c.serial).where(
            issued_certificate.c.key_fingerprint == key_fingerprint,
            or_(
                issued_certificate.c.certificate == certificate,
                issued_certificate.c.precertificate == certificate,
            ),
        )
    )
    return None if row is None else (row.authority_id, row.serial)


def prepared_for(tx: Tx, key_fingerprint: str, serial: str) -> list[bytes]:
    """The to-be-signed parts (DER) of what was issued here, or is about to be, for a key with a serial number."""
    query = select(issued_certificate.c.tbs).where(
        issued_certificate.c.key_fingerprint == key_fingerprint, issued_certificate.c.serial == serial
    )
    return [row.tbs for row in tx.all(query)]


def places_ending(tx: Tx, start: datetime, end: datetime) -> set[tuple[str, str]]:
    """The accounts and regions that had certificates issued which end in `[start, end)`."""
    rows = issued_certificate.c
    query = select(rows.account, rows.region).where(rows.not_after >= start, rows.not_after < end).distinct()
    return {(row.account, row.region) for row in tx.all(query)}


def ending(
    tx: Tx, account: str, region: str, start: datetime, end: datetime, *, after: tuple[datetime, str] | None, limit: int
) -> list[JournalEntry]:
    """Certificates that somebody of an account had issued in a region and that end in `[start, end)`, by their end.

    `after` are the end and the ARN of the last one seen. What a service had issued for itself is not among them.
    """
    rows = issued_certificate.c
    query = select(issued_certificate).where(
        rows.account == account,
        rows.region == region,
        rows.state == JournalState.ISSUED.value,
        rows.service_principal.is_(None),
        rows.not_after >= start,
        rows.not_after < end,
    )
    if after is not None:
        query = query.where(or_(rows.not_after > after[0], and_(rows.not_after == after[0], rows.arn > after[1])))
    return [_load(row) for row in tx.all(query.order_by(rows.not_after, rows.arn).limit(limit))]


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
        key_fingerprint=row.key_fingerprint,
        issued_at=row.issued_at,
        certificate=row.certificate,
        partition=row.partition,
        logged=row.logged,
        precertificate=row.precertificate,
    )
