"""Which certificates are due for a look at their renewal."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from greatseal.domain.certificates.model import ManagedCertificate, Type
from greatseal.domain.certificates.store.certificates import certificate, load
from greatseal.storage import Tx


def due(tx: Tx, now: datetime, limit: int) -> list[ManagedCertificate]:
    """Certificates whose next look is due, the longest due first; an index finds them."""
    query = select(certificate).where(certificate.c.renewal_at <= now).order_by(certificate.c.renewal_at).limit(limit)
    return load(tx, list(tx.all(query)))


def plan(tx: Tx, certificate_id: str, at: datetime | None) -> None:
    """Sets when the renewal of a certificate is looked at next; None for never."""
    tx.execute(update(certificate).where(certificate.c.id == certificate_id).values(renewal_at=at))


def among(tx: Tx, certificate_ids: Sequence[str]) -> list[ManagedCertificate]:
    """Those of these certificates that still exist, as they are now."""
    return load(tx, list(tx.all(select(certificate).where(certificate.c.id.in_(list(certificate_ids))))))


def planned(tx: Tx, now: datetime, after: str, limit: int) -> list[ManagedCertificate]:
    """Public certificates whose renewal is looked at later and is not under way, by id, from behind `after`."""
    rows = certificate.c
    query = select(certificate).where(
        rows.type == Type.AMAZON_ISSUED.value, rows.renewal_at > now, rows.pending_key_id.is_(None), rows.id > after
    )
    return load(tx, list(tx.all(query.order_by(rows.id).limit(limit))))


def pull(tx: Tx, item: ManagedCertificate, at: datetime) -> bool:
    """Has the renewal of a certificate looked at no later than `at`, unless it was renewed since; whether it was."""
    rows = certificate.c
    this = (rows.id == item.id, rows.not_after == item.not_after, rows.renewal_at > at)
    return tx.execute(update(certificate).where(*this).values(renewal_at=at)).rowcount == 1
