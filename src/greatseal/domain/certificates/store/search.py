"""Predicates and orderings as SQL, page by page with the key of the last row (never with an offset)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, false, func, literal, not_, or_, select, true, type_coerce

from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.search import And, Between, Contains, Equals, Field, Not, Or, Ordering, Predicate
from greatseal.domain.certificates.store.associations import certificate_association
from greatseal.domain.certificates.store.certificates import certificate, certificate_name, certificate_usage, load
from greatseal.storage import Tx

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
    # Sorted as raw integers and never-null texts, so that a position compares in SQL as it did when sorted.
    key = _sort_key(ordering.key, now).label("sort_key")
    query = select(certificate, key).where(certificate.c.account == account, certificate.c.region == region)
    if predicate is not None:
        query = query.where(_sql(predicate, now))
    if after is not None:
        value, last = after
        beyond = key < literal(value) if ordering.descending else key > literal(value)
        beyond_id = certificate.c.id < last if ordering.descending else certificate.c.id > last
        query = query.where(or_(beyond, and_(key == literal(value), beyond_id)))
    columns = (key, certificate.c.id)
    query = query.order_by(*(column.desc() if ordering.descending else column.asc() for column in columns))
    rows = list(tx.all(query.limit(limit + 1)))
    position = [rows[limit - 1].sort_key, rows[limit - 1].id] if len(rows) >= limit else []
    return load(tx, rows), position


def _sort_key(field: Field, now: datetime) -> ColumnElement[Any]:
    if field in _TIMES:
        return func.coalesce(type_coerce(_TIMES[field], BigInteger), literal(0))
    if field == "in_use":
        return case((_in_use(), literal(1)), else_=literal(0))
    if field == "exported":
        return case((certificate.c.ever_exported, literal(1)), else_=literal(0))
    if field == "renewal_eligibility":
        return case((_eligible(now), literal(0)), else_=literal(1))
    return func.coalesce(_text(field, now), literal(""))


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
        case Contains("name", value):
            return _has_name(_contains(certificate_name.c.name, value))
        case Contains(field, value):
            return _contains(_text(field, now), value)
        case Equals(field, values):
            return _equals(field, values, now)


def _equals(field: Field, values: tuple[str | bool, ...], now: datetime) -> ColumnElement[bool]:
    if field == "exported":
        return certificate.c.ever_exported.in_(values)
    if field == "in_use":
        return or_(false(), *(_in_use() if wanted else not_(_in_use()) for wanted in values))
    if field == "name":
        return _has_name(_is(certificate_name.c.name, values))
    if field in ("key_usage", "extended_key_usage"):
        kind = "KEY" if field == "key_usage" else "EXTENDED"
        return certificate.c.id.in_(
            select(certificate_usage.c.certificate_id).where(
                certificate_usage.c.kind == kind, certificate_usage.c.name.in_(values)
            )
        )
    if field == "common_name":
        return _is(certificate.c.common_name, values)
    return _text(field, now).in_(values)


def _has_name(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return certificate.c.id.in_(select(certificate_name.c.certificate_id).where(condition))


# The database lowers both sides: SQLite leaves what is not ASCII as it is, which Python would not.
def _is(column: ColumnElement[Any], values: tuple[str | bool, ...]) -> ColumnElement[bool]:
    return func.lower(column).in_([func.lower(literal(str(value))) for value in values])


def _contains(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(column).like(func.lower(literal(f"%{escaped}%")), escape="\\")
