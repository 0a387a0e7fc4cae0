"""Rows of subjects."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, insert, or_, select, update

from greatseal.domain.anywhere.model import SeenCertificate, SeenProperties, Subject
from greatseal.domain.anywhere.store.tables import anywhere_subject
from greatseal.storage import Tx

_table = anywhere_subject


def find(tx: Tx, id: str) -> Subject | None:
    """The subject with this id."""
    row = tx.first(select(_table).where(_table.c.id == id))
    return None if row is None else _load(row)


def by_name(tx: Tx, account: str, region: str, x509_subject: str) -> Subject | None:
    """The subject with this name."""
    row = tx.first(
        select(_table).where(
            _table.c.account == account,
            _table.c.region == region,
            _table.c.subject_digest == _digest(x509_subject),
        )
    )
    return None if row is None else _load(row)


def add(tx: Tx, new: Subject) -> None:
    """Stores a new subject."""
    tx.execute(insert(_table), _values(new))


def save(tx: Tx, changed: Subject) -> None:
    """Stores the changed values of a subject that was read in the same transaction."""
    tx.execute(update(_table).where(_table.c.id == changed.id).values(_values(changed)))


def listing(tx: Tx, account: str, region: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Subject]:
    """The subjects of an account and region in the order in which they came."""
    query = select(_table).where(_table.c.account == account, _table.c.region == region)
    if after is not None:
        at, last = after
        query = query.where(or_(_table.c.created_at > at, and_(_table.c.created_at == at, _table.c.id > last)))
    return [_load(row) for row in tx.all(query.order_by(_table.c.created_at, _table.c.id).limit(limit))]


def _digest(x509_subject: str) -> str:
    return hashlib.sha256(x509_subject.encode()).hexdigest()


def _values(item: Subject) -> dict[str, Any]:
    return {
        "id": item.id,
        "arn": item.arn,
        "account": item.account,
        "region": item.region,
        "subject_digest": _digest(item.x509_subject),
        "x509_subject": item.x509_subject,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "last_seen_at": item.last_seen_at,
        "credentials": [
            [each.seen_at.isoformat(), each.serial, each.issuer, each.pem, each.failed] for each in item.credentials
        ],
        "instance_properties": [
            [each.seen_at.isoformat(), each.properties, each.failed] for each in item.instance_properties
        ],
    }


def _load(row: Row[Any]) -> Subject:
    return Subject(
        id=row.id,
        arn=row.arn,
        account=row.account,
        region=row.region,
        x509_subject=row.x509_subject,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_seen_at=row.last_seen_at,
        credentials=tuple(
            SeenCertificate(datetime.fromisoformat(at), serial, issuer, pem, failed)
            for at, serial, issuer, pem, failed in row.credentials
        ),
        instance_properties=tuple(
            SeenProperties(datetime.fromisoformat(at), tuple((key, value) for key, value in properties), failed)
            for at, properties, failed in row.instance_properties
        ),
    )
