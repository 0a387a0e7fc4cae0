"""The tables of the room: attempts, their names, and the mails that ask for approval."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from greatseal.domain.validation.model import Attempt, AttemptState, Method, Name, NameState, Reason, Subject
from greatseal.storage import Tx
from greatseal.storage.schema import job, metadata, utc_timestamp
from greatseal.storage.statements import delete_by, select_by, update_by

attempt = Table(
    "validation_attempt",
    metadata,
    Column("reference", String(96), primary_key=True),
    Column("subject", String(36), nullable=False),
    Column("arn", Text, nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("principal_arn", Text, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("method", String(8), nullable=False),
    Column("renewal", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("troubled", Boolean, nullable=False),
    Column("started_at", utc_timestamp(), nullable=False),
    Column("deadline", utc_timestamp(), nullable=False),
    Column("ended_at", utc_timestamp()),
    Index("ix_validation_attempt_subject", "subject"),
    Index("ix_validation_attempt_deadline", "state", "deadline"),
)

validated_name = Table(
    "validated_name",
    metadata,
    Column("reference", String(96), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("method", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("reason", String(64)),
    Column("validated_at", utc_timestamp()),
    Column("detail", Text, nullable=False),
    Index("ix_validated_name_look", "domain", "account", "method", "state"),
)

approval = Table(
    "validation_approval",
    metadata,
    # SHA-256 of the token in the mail: the token itself is nowhere.
    Column("token_hash", String(64), primary_key=True),
    Column("reference", String(96), nullable=False),
    Column("position", Integer, nullable=False),
    Column("mailbox", Text, nullable=False),
    Column("sent_at", utc_timestamp(), nullable=False),
    Column("expires_at", utc_timestamp(), nullable=False),
    Index("ix_validation_approval_reference", "reference", "position"),
)

mailing = Table(
    "validation_mailing",
    metadata,
    Column("domain", String(255), primary_key=True),
    # As in ISO 8601, in UTC.
    Column("day", String(10), primary_key=True),
    Column("mails", Integer, nullable=False),
)

# Built once: every look at a domain asks twice.
_PENDING = (
    select(attempt.c.reference)
    .join(validated_name, validated_name.c.reference == attempt.c.reference)
    .where(
        validated_name.c.domain == bindparam("domain"),
        validated_name.c.account == bindparam("account"),
        validated_name.c.method == bindparam("method"),
        validated_name.c.state == NameState.PENDING_VALIDATION.value,
        attempt.c.state == AttemptState.OPEN.value,
        attempt.c.deadline > bindparam("now", type_=attempt.c.deadline.type),
    )
    .distinct()
)


def add(tx: Tx, new: Attempt) -> bool:
    """Stores an attempt with its names; False when there is one with this reference."""
    values = {
        "reference": new.reference,
        "subject": new.subject.id,
        "arn": new.subject.arn,
        "account": new.subject.account,
        "region": new.subject.region,
        "principal_arn": new.subject.principal_arn,
        "request_id": new.subject.request_id,
        "method": new.method.value,
        "renewal": new.renewal,
        "state": new.state.value,
        "reason": new.reason.value if new.reason else None,
        "troubled": new.troubled,
        "started_at": new.started_at,
        "deadline": new.deadline,
        "ended_at": new.ended_at,
    }
    if not tx.insert_once(attempt, values):
        return False
    rows = [
        {
            "reference": new.reference,
            "position": each.position,
            "account": new.subject.account,
            "method": new.method.value,
            "name": each.name,
            "domain": each.domain,
            "state": each.state.value,
            "reason": each.reason.value if each.reason else None,
            "validated_at": each.validated_at,
            "detail": each.detail,
        }
        for each in new.names
    ]
    tx.execute(insert(validated_name), rows)
    return True


def find(tx: Tx, reference: str) -> Attempt | None:
    """The attempt with this reference."""
    row = tx.first(select_by(attempt.c.reference), {"reference": reference})
    return None if row is None else _load(tx, row)


def of(tx: Tx, subject_id: str) -> list[Attempt]:
    """The attempts for one certificate, the newest first."""
    rows = tx.all(select(attempt).where(attempt.c.subject == subject_id).order_by(attempt.c.started_at.desc()))
    return [_load(tx, row) for row in rows]


def forget(tx: Tx, references: Sequence[str]) -> None:
    """Removes attempts with all that belongs to them."""
    if not references:
        return
    for table in (approval, validated_name, attempt):
        tx.execute(delete(table).where(table.c.reference.in_(references)))


def close(tx: Tx, reference: str, state: AttemptState, reason: Reason | None, at: datetime) -> None:
    """Ends an attempt; the mails that ask for it are good for nothing any more."""
    values = {"state": state.value, "reason": reason.value if reason else None, "ended_at": at}
    tx.execute(update_by(attempt.c.reference), {**values, "this_reference": reference})
    tx.execute(delete_by(approval.c.reference), {"reference": reference})


def fail_pending(tx: Tx, reference: str) -> None:
    """Those that were not validated in time have failed (acm.md 6.1)."""
    pending = and_(
        validated_name.c.reference == reference, validated_name.c.state == NameState.PENDING_VALIDATION.value
    )
    tx.execute(update(validated_name).where(pending).values(state=NameState.FAILED.value))


def trouble(tx: Tx, reference: str) -> bool:
    """Marks an attempt of which the customer should know; False when it was marked."""
    new = and_(attempt.c.reference == reference, attempt.c.troubled.is_(False))
    return tx.execute(update(attempt).where(new).values(troubled=True)).rowcount == 1


def settle(tx: Tx, reference: str, position: int, state: NameState, *, reason: Reason | None, at: datetime) -> None:
    """Gives a name its final state."""
    values = {
        "state": state.value,
        "reason": reason.value if reason else None,
        "validated_at": at if state is NameState.SUCCESS else None,
        "detail": "",
    }
    this = {"this_reference": reference, "this_position": position}
    tx.execute(update_by(validated_name.c.reference, validated_name.c.position), {**values, **this})


def note(tx: Tx, reference: str, position: int, detail: str) -> None:
    """Writes down what the last look has found."""
    this = and_(validated_name.c.reference == reference, validated_name.c.position == position)
    tx.execute(update(validated_name).where(this).values(detail=detail))


def is_wanted(tx: Tx, method: Method, account: str, domain: str, now: datetime) -> bool:
    """Whether anybody waits for a look at this domain."""
    given = {"method": method.value, "account": account, "domain": domain, "now": now}
    return tx.first(_PENDING, given) is not None


def pending(tx: Tx, method: Method, account: str, domain: str, now: datetime) -> list[tuple[Attempt, Name]]:
    """Whoever waits for a look at this domain."""
    given = {"method": method.value, "account": account, "domain": domain, "now": now}
    found = [find(tx, row.reference) for row in tx.all(_PENDING, given)]
    return [
        (each, name)
        for each in found
        if each is not None
        for name in each.names
        if name.domain == domain and name.state is NameState.PENDING_VALIDATION
    ]


def abandoned(tx: Tx, kind: str, limit: int) -> list[tuple[Method, str, str]]:
    """Domains that somebody waits for but that have no unburied job of this kind."""
    names = validated_name.c
    key = names.method + "/" + names.account + "/" + names.domain
    working = exists().where(job.c.kind == kind, job.c.key == key, job.c.buried_at.is_(None))
    waiting = and_(names.state == NameState.PENDING_VALIDATION.value, names.method != Method.EMAIL.value)
    is_open = exists().where(attempt.c.reference == names.reference, attempt.c.state == AttemptState.OPEN.value)
    query = select(names.method, names.account, names.domain).where(waiting, is_open, ~working).distinct().limit(limit)
    return [(Method(row.method), row.account, row.domain) for row in tx.all(query)]


def domains(tx: Tx, method: Method) -> list[tuple[str, str]]:
    """Accounts and domains of every attempt by this method, which last as long as their certificates."""
    names = validated_name.c
    query = select(names.account, names.domain).where(names.method == method.value).distinct()
    return [(row.account, row.domain) for row in tx.all(query.order_by(names.domain, names.account))]


def overdue(tx: Tx, now: datetime, limit: int) -> list[str]:
    """References of open attempts whose time is over."""
    over = and_(attempt.c.state == AttemptState.OPEN.value, attempt.c.deadline <= now)
    query = select(attempt.c.reference).where(over).order_by(attempt.c.deadline).limit(limit)
    return [row.reference for row in tx.all(query)]


def add_approvals(tx: Tx, rows: Iterable[dict[str, Any]]) -> None:
    """Stores what is known of mails."""
    tx.execute(insert(approval), list(rows))


def find_approval(tx: Tx, token_hash: str) -> Row[Any] | None:
    """The mail with this token."""
    return tx.first(select(approval).where(approval.c.token_hash == token_hash))


def last_mails(tx: Tx, reference: str, position: int) -> tuple[int, datetime | None]:
    """How many mails were sent about a name, and when the last."""
    query = select(func.count().label("mails"), func.max(approval.c.sent_at).label("last")).where(
        approval.c.reference == reference, approval.c.position == position
    )
    row = tx.one(query)
    return int(row.mails), row.last


def count_mails(tx: Tx, domain: str, day: str, mails: int, most: int) -> bool:
    """Counts mails to a domain on a day; False when it would be more than `most`, and then they are not counted."""
    tx.insert_once(mailing, {"domain": domain, "day": day, "mails": 0})
    today = and_(mailing.c.domain == domain, mailing.c.day == day, mailing.c.mails <= most - mails)
    return tx.execute(update(mailing).where(today).values(mails=mailing.c.mails + mails)).rowcount == 1


def forget_mails(tx: Tx, before: str) -> None:
    """Removes the counts of days before this one."""
    tx.execute(delete(mailing).where(mailing.c.day < before))


def rename_method(tx: Tx, reference: str, method: Method, names: Sequence[Name]) -> None:
    """Has an attempt show control in another way."""
    tx.execute(update(attempt).where(attempt.c.reference == reference).values(method=method.value))
    for each in names:
        this = and_(validated_name.c.reference == reference, validated_name.c.position == each.position)
        tx.execute(update(validated_name).where(this).values(method=method.value, domain=each.domain))


def _load(tx: Tx, row: Row[Any]) -> Attempt:
    names = tx.all(select_by(validated_name.c.reference), {"reference": row.reference})
    return Attempt(
        reference=row.reference,
        subject=Subject(row.subject, row.arn, row.account, row.region, row.principal_arn, row.request_id),
        method=Method(row.method),
        renewal=row.renewal,
        state=AttemptState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        troubled=row.troubled,
        started_at=row.started_at,
        deadline=row.deadline,
        ended_at=row.ended_at,
        names=tuple(sorted(map(_name, names), key=lambda name: name.position)),
    )


def _name(row: Row[Any]) -> Name:
    return Name(
        position=row.position,
        name=row.name,
        domain=row.domain,
        state=NameState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        validated_at=row.validated_at,
        detail=row.detail,
    )
