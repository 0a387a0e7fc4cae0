"""Which certificates are due for a notice, and the numbers that the metrics show."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, update

from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.notices import MOST_DAYS
from greatseal.domain.certificates.store.certificates import certificate, load
from greatseal.storage import Tx


def due(tx: Tx, now: datetime, limit: int) -> list[ManagedCertificate]:
    """Certificates whose next notice is due, the longest due first."""
    query = select(certificate).where(certificate.c.notice_at <= now).order_by(certificate.c.notice_at).limit(limit)
    return load(tx, list(tx.all(query)))


def plan(tx: Tx, certificate_id: str, at: datetime | None) -> None:
    """Sets when a certificate is looked at next; None for never."""
    tx.execute(update(certificate).where(certificate.c.id == certificate_id).values(notice_at=at))


def hurry(tx: Tx, account: str, region: str, *, waiting_beyond: datetime, now: datetime) -> None:
    """Makes due what waits for its first notice and could have it by now, in one account and region."""
    # Notices come up to two hours early.
    latest_end = now + timedelta(days=MOST_DAYS, hours=2)
    tx.execute(
        update(certificate)
        .where(
            certificate.c.account == account,
            certificate.c.region == region,
            certificate.c.not_after > now,
            certificate.c.not_after <= latest_end,
            certificate.c.notice_at > waiting_beyond,
        )
        .values(notice_at=now)
    )


def counts(tx: Tx, now: datetime) -> dict[tuple[str, str], int]:
    """How many certificates there are by type and state. Reads an index and no certificate."""
    rows = certificate.c
    ended = (rows.status == Status.ISSUED.value) & (rows.not_after < now)
    grouped = select(rows.type, rows.status, func.count().label("number")).group_by(rows.type, rows.status)
    found = {(row.type, row.status): int(row.number) for row in tx.all(grouped)}
    for row in tx.all(grouped.where(ended)):
        found[(row.type, row.status)] -= row.number
        found[(row.type, Status.EXPIRED.value)] = row.number
    return found


def soonest(tx: Tx, now: datetime, limit: int) -> Sequence[tuple[str, datetime]]:
    """The ARNs and ends of the issued certificates that end next."""
    rows = certificate.c
    query = select(rows.arn, rows.not_after).where(rows.not_after >= now, rows.status == Status.ISSUED.value)
    return [(row.arn, row.not_after) for row in tx.all(query.order_by(rows.not_after).limit(limit))]


def places(tx: Tx, start: datetime, end: datetime) -> set[tuple[str, str]]:
    """The accounts and regions with certificates that end in `[start, end)`."""
    rows = certificate.c
    query = select(rows.account, rows.region).where(rows.not_after >= start, rows.not_after < end).distinct()
    return {(row.account, row.region) for row in tx.all(query)}


def ending(
    tx: Tx, account: str, region: str, start: datetime, end: datetime, *, after: tuple[datetime, str] | None, limit: int
) -> list[ManagedCertificate]:
    """Certificates of an account and region that end in `[start, end)`, by their end, from behind `after`."""
    rows = certificate.c
    query = select(certificate).where(
        rows.account == account, rows.region == region, rows.not_after >= start, rows.not_after < end
    )
    if after is not None:
        query = query.where(or_(rows.not_after > after[0], and_(rows.not_after == after[0], rows.id > after[1])))
    return load(tx, list(tx.all(query.order_by(rows.not_after, rows.id).limit(limit))))


def imported(tx: Tx, *, after: str, limit: int) -> list[ManagedCertificate]:
    """Imported certificates of all accounts and regions, by id, from behind `after`."""
    query = select(certificate).where(certificate.c.type == Type.IMPORTED.value, certificate.c.id > after)
    return load(tx, list(tx.all(query.order_by(certificate.c.id).limit(limit))))


def imported_from(tx: Tx, issuers: Sequence[str], now: datetime) -> list[ManagedCertificate]:
    """Imported certificates of all accounts and regions that name one of these issuers and have not ended."""
    rows = certificate.c
    query = select(certificate).where(
        rows.issuer_name.in_(sorted(issuers)), rows.type == Type.IMPORTED.value, rows.not_after >= now
    )
    return load(tx, list(tx.all(query.order_by(rows.id))))
