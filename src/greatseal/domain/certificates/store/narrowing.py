"""The few certificates that a predicate can hold for, where an index tells.

A database that keeps no statistics cannot tell a name that one certificate has from one that all have. So it is asked
for up to `FEW` ids that a part of the predicate holds for. When there are no more, these certificates are read and
sorted; otherwise all are walked in the order that is wanted, and a page is full soon.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, select

from greatseal.domain.certificates.model import Status, Type, certificate_id
from greatseal.domain.certificates.search import And, Between, Contains, Equals, Or, Predicate
from greatseal.domain.certificates.store.associations import certificate_association
from greatseal.domain.certificates.store.certificates import UNFINISHED_RENEWAL, certificate, certificate_name
from greatseal.domain.certificates.store.lookup import contains, equals, time_of
from greatseal.storage import Tx
from greatseal.storage.schema import utc_timestamp

FEW = 1000
_UNFINISHED = {"PENDING_AUTO_RENEWAL", "PENDING_VALIDATION", "FAILED"}


def few(tx: Tx, account: str, region: str, predicate: Predicate, now: datetime) -> set[str] | None:
    """Ids among which are those of all certificates that the predicate holds for; None when they may be many."""
    match predicate:
        case And(parts):
            # Reading every name comes last.
            narrowed = (few(tx, account, region, part, now) for part in sorted(parts, key=_reads_all))
            return next((found for found in narrowed if found is not None), None)
        case Or(parts):
            return _any(tx, account, region, parts, now)
        case Equals("arn", values):
            return {found for found in (certificate_id(str(value)) for value in values) if found is not None}
        case Equals("status", values) if len(values) > 1:
            return _any(tx, account, region, tuple(Equals("status", (value,)) for value in values), now)
        case Between("not_after", start, end):
            query: Select[Any] | None = _ending(account, region, start, end)
        case _:
            query = _holding(predicate, now)
    # Counting costs less than fetching, unless it is to read every name.
    if query is None or (not _reads_all(predicate) and tx.all(query.offset(FEW).limit(1))):
        return None
    rows = tx.all(query.limit(FEW + 1))
    return {row[0] for row in rows} if len(rows) <= FEW else None


def _any(tx: Tx, account: str, region: str, parts: tuple[Predicate, ...], now: datetime) -> set[str] | None:
    ids: set[str] = set()
    for part in parts:
        found = few(tx, account, region, part, now)
        if found is None or len(ids | found) > FEW:
            return None
        ids |= found
    return ids


def _reads_all(predicate: Predicate) -> bool:
    match predicate:
        case And(parts) | Or(parts):
            return any(_reads_all(part) for part in parts)
    return isinstance(predicate, Contains)


def _ending(account: str, region: str, start: datetime | None, end: datetime | None) -> Select[Any]:
    rows, ends = certificate.c, time_of(certificate.c.not_after)
    query = select(rows.id).where(rows.account == account, rows.region == region)
    if start is not None:
        query = query.where(ends >= literal(start, utc_timestamp()))
    if end is not None:
        query = query.where(ends <= literal(end, utc_timestamp()))
    return query


def _holding(predicate: Predicate, now: datetime) -> Select[Any] | None:
    """Of all accounts; None where every certificate would have to be read."""
    rows, names = certificate.c, certificate_name.c
    match predicate:
        case Equals("name", values):
            return select(names.certificate_id).where(equals(names.name, values))
        case Equals("common_name", values):
            return select(rows.id).where(equals(rows.common_name, values))
        case Equals("serial", values):
            return select(rows.id).where(rows.serial.in_(values))
        case Equals("in_use", (True,)):
            return select(certificate_association.c.certificate_id)
        case Equals("renewal_status", values) if _UNFINISHED.issuperset(values):
            return select(rows.id).where(rows.renewal_status.in_(values), UNFINISHED_RENEWAL)
        case Equals("status", (value,)):
            stored = Status.ISSUED.value if value == Status.EXPIRED.value else value
            # Every type, because the index begins with it.
            query = select(rows.id).where(rows.type.in_([each.value for each in Type]), rows.status == stored)
            return query.where(rows.not_after < now) if value == Status.EXPIRED.value else query
        case Contains("name", value) if value:
            return select(names.certificate_id).where(contains(names.name, value))
    return None
