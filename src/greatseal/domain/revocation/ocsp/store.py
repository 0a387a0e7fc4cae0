"""The table of responders, and the standing of CAs and certificates as OCSP sees them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Row, String, Table, and_, bindparam, delete, func, select

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.issued import JournalState
from greatseal.domain.authorities.model import Status
from greatseal.domain.authorities.store import revocation_json
from greatseal.domain.authorities.store.authorities import authority, ca_certificate
from greatseal.domain.authorities.store.journal import IN_THE_WORLD, issued_certificate
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.revocation.ocsp.model import ANSWERING, Responder
from greatseal.domain.revocation.store import marks, revocation
from greatseal.domain.revocation.store.marks import revocation_mark, share_of
from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

# What a responder's certificate says is in the journal, under the CA and the serial: there is no second copy.
ocsp_responder = Table(
    "ocsp_responder",
    metadata,
    Column("authority_id", String(36), primary_key=True),
    # Counts up for each CA. As a part of the primary key it lets one of two nodes make the next responder.
    Column("number", Integer, primary_key=True),
    Column("serial", String(40), nullable=False),
    Column("key_id", String(36), nullable=False),
    Column("not_after", utc_timestamp(), nullable=False),
    Index("ix_ocsp_responder_end", "not_after"),
)

_revoked_too = and_(
    revocation.c.authority_id == issued_certificate.c.authority_id, revocation.c.serial == issued_certificate.c.serial
)
# One statement for one certificate, which is what nearly every request is about: on the way to a cached answer
# this is all that the database is asked.
_STANDING = (
    select(
        authority.c.status,
        authority.c.not_after,
        authority.c.certificate_id,
        authority.c.revocation,
        authority.c.created_at,
        issued_certificate.c.serial,
        issued_certificate.c.not_after.label("expires"),
        revocation.c.revoked_at,
        revocation.c.reason,
        revocation_mark.c.serial.label("mark"),
    )
    .select_from(
        authority.outerjoin(
            issued_certificate,
            and_(
                issued_certificate.c.authority_id == authority.c.id,
                issued_certificate.c.serial == bindparam("serial"),
                IN_THE_WORLD,
            ),
        )
        .outerjoin(revocation, _revoked_too)
        .outerjoin(
            revocation_mark,
            and_(revocation_mark.c.authority_id == authority.c.id, revocation_mark.c.share == bindparam("share")),
        )
    )
    .where(authority.c.id == bindparam("authority_id"))
)
_RESPONDERS = (
    select(
        ocsp_responder.c.number,
        ocsp_responder.c.key_id,
        issued_certificate.c.signing_algorithm,
        issued_certificate.c.state,
        issued_certificate.c.prepared_at,
        issued_certificate.c.not_after,
        issued_certificate.c.issuer_certificate_id,
        issued_certificate.c.certificate,
        revocation.c.revoked_at,
    )
    .select_from(
        ocsp_responder.join(
            issued_certificate,
            and_(
                issued_certificate.c.authority_id == ocsp_responder.c.authority_id,
                issued_certificate.c.serial == ocsp_responder.c.serial,
            ),
        ).outerjoin(revocation, _revoked_too)
    )
    .where(ocsp_responder.c.authority_id == bindparam("authority_id"))
    .order_by(ocsp_responder.c.number.desc())
    .limit(8)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a CA answers, with which certificate, and which of the asked serials it issued.

    `issued` has the time and the reason of the revocation, None for a certificate that is not revoked. `mark` is that
    of the share of the only serial.
    """

    answers: bool
    certificate_id: str | None
    issued: Mapping[str, tuple[datetime, RevocationReason] | None]
    mark: str | None = None
    kept_since: datetime | None = None
    """When the CA was made: its journal has every certificate from then on, expired or not."""
    expired: frozenset[str] = frozenset()
    """Those of `issued` that have expired."""


def standing(tx: Tx, authority_id: str, serials: Collection[str], now: datetime) -> Standing:
    """The standing of a CA and of certificates of it, as committed this moment."""
    issued: dict[str, tuple[datetime, RevocationReason] | None] = {}
    expired: set[str] = set()
    row = None
    # No serial is empty: without any, the CA alone is looked at.
    for serial in serials or ("",):
        share = share_of(serial) if serial else None
        row = tx.first(_STANDING, {"authority_id": authority_id, "serial": serial, "share": share})
        if row is None or not _answers(row, now):
            return Standing(False, None, {})
        if row.serial is not None:
            issued[serial] = None if row.revoked_at is None else (row.revoked_at, RevocationReason[row.reason])
            if row.expires < now:
                expired.add(serial)
    assert row is not None
    return Standing(True, row.certificate_id, issued, row.mark, row.created_at, frozenset(expired))


def ground_of(tx: Tx, authority_id: str, now: datetime) -> tuple[str | None, dict[int, str]]:
    """The certificate of a CA, None if the CA does not answer, and its marks; in one snapshot."""
    columns = (authority.c.status, authority.c.not_after, authority.c.certificate_id, authority.c.revocation)
    row = tx.first(select(*columns).where(authority.c.id == authority_id))
    if row is None or not _answers(row, now):
        return None, {}
    return row.certificate_id, marks.of(tx, authority_id)


def _answers(row: Row[Any], now: datetime) -> bool:
    return (
        row.certificate_id is not None
        and Status(row.status) in ANSWERING
        and now <= row.not_after
        and revocation_json.read(row.revocation).ocsp.enabled
    )


def responders(tx: Tx, authority_id: str) -> list[Responder]:
    """The responders of a CA, newest first; more than the last few are of no use to anybody."""
    return [
        Responder(
            number=row.number,
            key_id=row.key_id,
            algorithm=SignatureAlgorithm[row.signing_algorithm],
            state=JournalState(row.state),
            prepared_at=row.prepared_at,
            not_after=row.not_after,
            issuer_certificate_id=row.issuer_certificate_id,
            certificate=row.certificate,
            revoked=row.revoked_at is not None,
        )
        for row in tx.all(_RESPONDERS, {"authority_id": authority_id})
    ]


def add_responder(tx: Tx, authority_id: str, *, serial: str, key_id: str, not_after: datetime) -> bool:
    """Takes the next number for a responder. False when another node has just taken it."""
    last = tx.scalar(select(func.max(ocsp_responder.c.number)).where(ocsp_responder.c.authority_id == authority_id))
    return tx.insert_once(
        ocsp_responder,
        {
            "authority_id": authority_id,
            "number": (last or 0) + 1,
            "serial": serial,
            "key_id": key_id,
            "not_after": not_after,
        },
    )


def remove_expired(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Removes responders whose certificate has expired; the ids of their keys."""
    rows = tx.all(
        select(ocsp_responder.c.authority_id, ocsp_responder.c.number, ocsp_responder.c.key_id)
        .where(ocsp_responder.c.not_after < now)
        .order_by(ocsp_responder.c.not_after)
        .limit(limit)
    )
    for row in rows:
        tx.execute(
            delete(ocsp_responder).where(
                ocsp_responder.c.authority_id == row.authority_id, ocsp_responder.c.number == row.number
            )
        )
    return [row.key_id for row in rows]


def answering_authorities(tx: Tx, now: datetime) -> list[str]:
    """The ids of the CAs that answer OCSP requests."""
    rows = tx.all(
        select(authority.c.id, authority.c.revocation)
        .where(authority.c.status.in_([each.value for each in ANSWERING]), authority.c.not_after >= now)
        .order_by(authority.c.id)
    )
    return [row.id for row in rows if revocation_json.read(row.revocation).ocsp.enabled]


def count_ca_certificates(tx: Tx) -> int:
    """How many CA certificates were ever installed."""
    return int(tx.scalar(select(func.count()).select_from(ca_certificate)))


def ca_certificate_ids(tx: Tx) -> list[str]:
    """The ids of every CA certificate that was ever installed."""
    return [row.id for row in tx.all(select(ca_certificate.c.id))]


def ca_certificates(tx: Tx, ids: Collection[str]) -> list[tuple[str, str, bytes]]:
    """Id, CA and DER of some of them."""
    columns = (ca_certificate.c.id, ca_certificate.c.authority_id, ca_certificate.c.der)
    return [(row.id, row.authority_id, row.der) for row in tx.all(select(*columns).where(ca_certificate.c.id.in_(ids)))]
