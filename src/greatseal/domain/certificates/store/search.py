"""Predicates and orderings as SQL, page by page with the key of the last row (never with an offset).

The orders by creation and by end come from an index and are walked; every other order sorts the account's ids.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Function,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)

from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.search import And, Between, Contains, Equals, Field, Not, Or, Ordering, Predicate
from greatseal.domain.certificates.store.associations import certificate_association
from greatseal.domain.certificates.store.certificates import certificate, certificate_name, certificate_usage, load
from greatseal.domain.certificates.store.lookup import contains, equals, time_of
from greatseal.domain.certificates.store.narrowing import few
from greatseal.storage import Tx
from greatseal.storage.schema import utc_timestamp
from greatseal.storage.statements import select_among

_TIMES: dict[Field, Any] = {
    "not_before": certificate.c.not_before,
    "not_after": certificate.c.not_after,
    "created_at": certificate.c.created_at,
    "issued_at": certificate.c.issued_at,
    "imported_at": certificate.c.imported_at,
    "revoked_at": certificate.c.revoked_at,
}
_TEXTS: dict[Field, Any] = {
    "arn": certificate.c.arn,
    "common_name": certificate.c.common_name,
    "key_algorithm": certificate.c.key_algorithm,
    "serial": certificate.c.serial,
    "renewal_status": certificate.c.renewal_status,
    "type": certificate.c.type,
    "export_option": certificate.c.export_option,
    "validation_method": certificate.c.validation_method,
    "managed_by": certificate.c.managed_by,
}


def run(
    tx: Tx,
    account: str,
    region: str,
    predicate: Predicate | None,
    ordering: Ordering,
    *,
    now: datetime,
    after: Sequence[str | int] | None,
    limit: int,
) -> tuple[list[ManagedCertificate], list[str | int]]:
    """Up to `limit` + 1 certificates, and the position of the one at `limit`."""
    # Without what a page does not need, so that an index can stand for the table, or sorting is light.
    # Sorted as raw integers and never-null texts, so that a position compares in SQL as it did when sorted.
    key = _sort_key(ordering.key, now)
    query = _among(tx, account, region, predicate, now).add_columns(key.label("sort_key"))
    start, end = (None, None) if predicate is None else _span(predicate, ordering.key, now)
    if after is not None:
        query = query.where(_beyond(key, after, ordering))
        # The position is the nearer end of what is left.
        start, end = (start, None) if ordering.descending else (None, end)
    if start is not None:
        query = query.where(key >= literal(start, utc_timestamp()))
    if end is not None:
        query = query.where(key <= literal(end, utc_timestamp()))
    columns = (key, certificate.c.id)
    query = query.order_by(*(each.desc() if ordering.descending else each.asc() for each in columns))
    page = tx.all(query.limit(limit + 1))
    position = [page[limit - 1].sort_key, page[limit - 1].id] if len(page) >= limit else []
    return _whole(tx, [row.id for row in page]), position


def _whole(tx: Tx, ids: list[str]) -> list[ManagedCertificate]:
    rows = {row.id: row for row in tx.all(select_among(certificate.c.id), {"among": ids})} if ids else {}
    return load(tx, [rows[each] for each in ids])


def _among(tx: Tx, account: str, region: str, predicate: Predicate | None, now: datetime) -> Select[Any]:
    """The ids that the predicate holds for: of a few certificates, or in a walk over all of the account."""
    rows = certificate.c
    of_account = select(rows.id).where(rows.account == account, rows.region == region)
    if predicate is None:
        return of_account
    found = few(tx, account, region, predicate, now)
    if found is None:
        return of_account.where(_sql(predicate, now))
    # As expressions, which keeps SQLite from reading all of the account rather than these few.
    here = and_(rows.account.concat("") == account, rows.region.concat("") == region)
    return select(rows.id).where(rows.id.in_(sorted(found)), here, _sql(predicate, now))


def _beyond(key: ColumnElement[Any], after: Sequence[str | int], ordering: Ordering) -> ColumnElement[bool]:
    place, position = tuple_(key, certificate.c.id), tuple_(literal(after[0]), literal(after[1]))
    beyond = place < position if ordering.descending else place > position
    if isinstance(key, Function):
        # SQLite finds columns in an index together, but of these only the expression.
        return and_(key <= literal(after[0]) if ordering.descending else key >= literal(after[0]), beyond)
    return beyond


def _span(predicate: Predicate, key: Field, now: datetime) -> tuple[datetime | None, datetime | None]:
    """First and last end of all that the predicate holds for, when that is the order: so much of it is walked."""
    match predicate:
        case _ if key != "not_after":
            return None, None
        case And(parts):
            spans = [_span(part, key, now) for part in parts]
            starts, ends = [start for start, _ in spans if start], [end for _, end in spans if end]
            return max(starts, default=None), min(ends, default=None)
        case Between("not_after", start, end):
            return start, end
        case Equals("status", (Status.ISSUED.value,)):
            return now, None
        case Equals("status", (Status.EXPIRED.value,)):
            return None, now
    return None, None


def _sort_key(field: Field, now: datetime) -> ColumnElement[Any]:
    if field in _TIMES:
        column = _TIMES[field]
        return time_of(column) if column.nullable else type_coerce(column, BigInteger)
    if field == "in_use":
        return case((_in_use(), literal(1)), else_=literal(0))
    if field == "exported":
        return case((certificate.c.ever_exported, literal(1)), else_=literal(0))
    if field == "renewal_eligibility":
        return case((_eligible(now), literal(0)), else_=literal(1))
    text = _text(field, now)
    return text if isinstance(text, Column) and not text.nullable else func.coalesce(text, literal(""))


def _text(field: Field, now: datetime) -> ColumnElement[Any]:
    if field in _TEXTS:
        column: ColumnElement[Any] = _TEXTS[field]
        return column
    if field == "status":
        # EXPIRED is not stored; see model.ManagedCertificate.status_at.
        expired = and_(certificate.c.status == Status.ISSUED.value, certificate.c.not_after < now)
        return case((expired, literal(Status.EXPIRED.value)), else_=certificate.c.status)
    if field == "key_pair_origin":
        imported = certificate.c.type == Type.IMPORTED.value
        return case((imported, literal("CUSTOMER_PROVIDED")), else_=literal("AWS_MANAGED"))
    # The ACME fields: no certificate has them yet.
    return literal("")


def _eligible(now: datetime) -> ColumnElement[bool]:
    return and_(
        certificate.c.type != Type.IMPORTED.value,
        certificate.c.status == Status.ISSUED.value,
        certificate.c.not_after >= now,
        or_(certificate.c.exported_at.is_not(None), _in_use()),
    )


def _in_use() -> ColumnElement[bool]:
    rows = certificate_association.c
    return select(rows.certificate_id).where(rows.certificate_id == certificate.c.id).exists()


def _sql(predicate: Predicate, now: datetime) -> ColumnElement[bool]:
    match predicate:
        case And(parts):
            return and_(true(), *(_sql(part, now) for part in parts))
        case Or(parts):
            return or_(false(), *(_sql(part, now) for part in parts))
        case Not(part):
            # Without coalesce, NOT over a missing value would be unknown, and the row would vanish.
            return not_(func.coalesce(_sql(part, now), false()))
        case Between(field, start, end):
            column = _TIMES[field]
            lower = column >= start if start is not None else true()
            upper = column <= end if end is not None else true()
            return and_(column.is_not(None), lower, upper)
        case Contains("name", ""):
            return _has_name()
        case Contains("name", value):
            return _has_name(contains(certificate_name.c.name, value))
        case Contains(field, value):
            return contains(_text(field, now), value)
        case Equals(field, values):
            return _equals(field, values, now)


def _equals(field: Field, values: tuple[str | bool, ...], now: datetime) -> ColumnElement[bool]:
    if field == "exported":
        return certificate.c.ever_exported.in_(values)
    if field == "in_use":
        return or_(false(), *(_in_use() if wanted else not_(_in_use()) for wanted in values))
    if field == "name":
        return _has_name(equals(certificate_name.c.name, values))
    if field in ("key_usage", "extended_key_usage"):
        rows, kind = certificate_usage.c, "KEY" if field == "key_usage" else "EXTENDED"
        return _has(rows.certificate_id, rows.kind == kind, rows.name.in_(values))
    if field == "common_name":
        return equals(certificate.c.common_name, values)
    return _text(field, now).in_(values)


def _has_name(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return _has(certificate_name.c.certificate_id, *conditions)


def _has(owner: Column[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    # With an offset, PostgreSQL asks this of each certificate on its way and does not join all names first.
    return select(owner).where(owner == certificate.c.id, *conditions).offset(0).exists()
