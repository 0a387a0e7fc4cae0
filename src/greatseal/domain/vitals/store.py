"""The queries. They look into tables that are other rooms', and change nothing."""

from datetime import datetime

from sqlalchemy import func, or_, select

from greatseal.domain.audit.store.log import audit_head
from greatseal.domain.audit.store.records import audit_record
from greatseal.domain.authorities.store.authorities import authority
from greatseal.domain.certificates.store.certificates import UNFINISHED_RENEWAL, certificate
from greatseal.domain.revocation.ocsp.store import ocsp_responder
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.domain.transparency.store.logs import ct_log
from greatseal.domain.vitals.model import Delegates, Lists, Queue, Renewals, Trail
from greatseal.storage import Tx
from greatseal.storage.schema import job

# Beyond so many a number only says "too many", and counting costs more than it tells.
MOST_COUNTED = 100_000


def queue(tx: Tx, now: datetime) -> Queue:
    """The durable jobs."""
    live = job.c.buried_at.is_(None)
    free = or_(job.c.leased_until.is_(None), job.c.leased_until <= now)
    waiting = select(job.c.kind, job.c.due).where(live, job.c.due <= now, free).order_by(job.c.due).limit(MOST_COUNTED)
    few = waiting.subquery()
    rows = tx.all(
        select(few.c.kind, func.count().label("number"), func.min(few.c.due).label("due")).group_by(few.c.kind)
    )
    return Queue(
        due={row.kind: int(row.number) for row in rows},
        running=int(tx.scalar(select(func.count()).select_from(job).where(live, job.c.leased_until > now))),
        oldest_due=min((row.due for row in rows), default=None),
        buried=int(tx.scalar(select(func.count()).select_from(job).where(job.c.buried_at.is_not(None)))),
    )


def trail(tx: Tx) -> Trail:
    """The audit trail."""
    outside = audit_record.c.leaf_index.is_(None)
    few = select(audit_record.c.id).where(outside).limit(MOST_COUNTED).subquery()
    return Trail(
        size=int(tx.scalar(select(audit_head.c.size)) or 0),
        waiting=int(tx.scalar(select(func.count()).select_from(few))),
        waiting_since=tx.scalar(select(audit_record.c.at).where(outside).order_by(audit_record.c.id).limit(1)),
    )


def lists(tx: Tx, now: datetime) -> Lists:
    """The published revocation lists that somebody wants to be kept fresh."""
    document = revocation_list_document
    wanted = revocation_list.c.due_at.is_not(None)
    row = tx.one(
        select(
            func.count().label("number"),
            func.min(document.c.generated_at).label("oldest"),
            func.min(document.c.next_update).label("next_update"),
        )
        .select_from(revocation_list.join(document, document.c.list_id == revocation_list.c.id))
        .where(wanted)
    )
    overdue = select(func.count()).select_from(revocation_list).where(revocation_list.c.due_at <= now)
    return Lists(int(row.number), int(tx.scalar(overdue)), row.oldest, row.next_update)


def delegates(tx: Tx, now: datetime) -> Delegates:
    """The OCSP responders."""
    good = ocsp_responder.c.not_after > now
    ends = (
        select(func.max(ocsp_responder.c.not_after).label("end"))
        .where(good)
        .group_by(ocsp_responder.c.authority_id)
        .subquery()
    )
    number = tx.scalar(select(func.count()).select_from(ocsp_responder).where(good))
    return Delegates(int(number), tx.scalar(select(func.min(ends.c.end))))


def renewals(tx: Tx, now: datetime) -> Renewals:
    """Managed renewals."""
    rows = certificate.c
    grouped = select(rows.renewal_status, func.count().label("number")).where(UNFINISHED_RENEWAL)
    unfinished = {row.renewal_status: int(row.number) for row in tx.all(grouped.group_by(rows.renewal_status))}
    late = select(rows.id).where(rows.renewal_at <= now).limit(MOST_COUNTED).subquery()
    return Renewals(unfinished, int(tx.scalar(select(func.count()).select_from(late))))


def authorities(tx: Tx) -> dict[str, int]:
    """CAs by status."""
    query = select(authority.c.status, func.count().label("number")).group_by(authority.c.status)
    return {row.status: int(row.number) for row in tx.all(query)}


def logs(tx: Tx) -> dict[str, int]:
    """The entries of each of our transparency logs."""
    return {row.id: int(row.size) for row in tx.all(select(ct_log.c.id, ct_log.c.size))}
