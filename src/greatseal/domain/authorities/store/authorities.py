"""The tables of private CAs: the CA, the certificates installed for it, and who was permitted to use it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.domain.authorities.model import Authority, CaCertificate, Kind, Status, SubjectSpec, UsageMode
from greatseal.domain.authorities.store import revocation_json
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp
from greatseal.storage.statements import select_by
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import Extension

_KEPT = 1024

authority = Table(
    "authority",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("arn", Text, nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(32), nullable=False),
    Column("key_id", String(36), nullable=False),
    Column("key_algorithm", String(32), nullable=False),
    Column("signing_algorithm", String(32), nullable=False),
    Column("subject", json_text(), nullable=False),
    Column("csr", LargeBinary, nullable=False),
    Column("csr_extensions", json_text(), nullable=False),
    Column("usage_mode", String(32), nullable=False),
    Column("key_storage", String(64), nullable=False),
    Column("created_at", utc_timestamp(), nullable=False),
    Column("changed_at", utc_timestamp(), nullable=False),
    Column("certificate_id", String(36)),
    Column("not_after", utc_timestamp()),
    Column("restorable_until", utc_timestamp()),
    Column("status_before_deletion", String(32)),
    Column("revocation", json_text(), nullable=False),
    Index("ix_authority_listing", "account", "region", "created_at", "id"),
)

ca_certificate = Table(
    "ca_certificate",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("authority_id", String(36), nullable=False),
    Column("der", LargeBinary, nullable=False),
    # The chain as a JSON list of hexadecimal DER, nearest issuer first.
    Column("chain", json_text(), nullable=False),
    Column("installed_at", utc_timestamp(), nullable=False),
    Index("ix_ca_certificate_authority", "authority_id"),
)


def add(tx: Tx, new: Authority) -> None:
    """Stores a new CA."""
    tx.insert_once(authority, _values(new))


def save(tx: Tx, changed: Authority) -> None:
    """Stores the changed values of a CA that was read in the same transaction."""
    values = _values(changed)
    tx.execute(update(authority).where(authority.c.id == values.pop("id")).values(values))


def find(tx: Tx, authority_id: str) -> Authority | None:
    """The CA with this id, with its installed certificate."""
    row = tx.first(select_by(authority.c.id), {"id": authority_id})
    return None if row is None else _load(tx, row)


class Read:
    """The CAs that were read lately, of one database. One whose row is what it was is not put together again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Row[Any], Authority]] = {}

    def find(self, tx: Tx, authority_id: str) -> Authority | None:
        """As the function `find`; the very same value for as long as nothing about the CA has changed."""
        row = tx.first(select_by(authority.c.id), {"id": authority_id})
        if row is None:
            return None
        kept = self._kept.get(authority_id)
        if kept is not None and kept[0] == row:
            return kept[1]
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        found = _load(tx, row)
        self._kept[authority_id] = (row, found)
        return found

    def last(self, authority_id: str) -> Authority | None:
        """What `find` gave the last time, which may not be so any more."""
        kept = self._kept.get(authority_id)
        return None if kept is None else kept[1]


def listing(
    tx: Tx, *, account: str, region: str, after: tuple[datetime, str] | None, now: datetime, limit: int
) -> list[Authority]:
    """The CAs of an account and region in the order of their making, those in their restore window included."""
    query = select(authority).where(authority.c.account == account, authority.c.region == region)
    return _listed(tx, query, after, now, limit)


def listing_of(
    tx: Tx, ids: Collection[str], *, after: tuple[datetime, str] | None, now: datetime, limit: int
) -> list[Authority]:
    """The CAs with these ids, in the same order and under the same conditions."""
    return _listed(tx, select(authority).where(authority.c.id.in_(ids)), after, now, limit)


def _listed(
    tx: Tx, query: Select[Any], after: tuple[datetime, str] | None, now: datetime, limit: int
) -> list[Authority]:
    query = query.where(or_(authority.c.status != Status.DELETED.value, authority.c.restorable_until > now))
    if after is not None:
        position = tuple_(literal(after[0], utc_timestamp()), literal(after[1]))
        query = query.where(tuple_(authority.c.created_at, authority.c.id) > position)
    rows = tx.all(query.order_by(authority.c.created_at, authority.c.id).limit(limit))
    return [_load(tx, row) for row in rows]


def count(tx: Tx, *, account: str, region: str) -> int:
    """How many CAs an account has in a region, for the quota."""
    rows = tx.all(
        select(authority.c.id).where(
            authority.c.account == account,
            authority.c.region == region,
            authority.c.status != Status.DELETED.value,
        )
    )
    return len(rows)


def gone(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Ids of deleted CAs whose restore window has closed and whose key still exists."""
    rows = tx.all(
        select(authority.c.id)
        .where(
            authority.c.status == Status.DELETED.value,
            authority.c.restorable_until <= now,
            authority.c.key_id != "",
        )
        .limit(limit)
    )
    return [row.id for row in rows]


def remove(tx: Tx, authority_id: str) -> None:
    """Removes a CA that never issued anything."""
    tx.execute(delete(authority).where(authority.c.id == authority_id))


def add_certificate(tx: Tx, authority_id: str, new: CaCertificate) -> None:
    """Keeps an installed certificate; earlier ones stay, because issued certificates refer to them."""
    tx.insert_once(
        ca_certificate,
        {
            "id": new.id,
            "authority_id": authority_id,
            "der": new.der,
            "chain": [der.hex() for der in new.chain],
            "installed_at": new.installed_at,
        },
    )


def certificate(tx: Tx, certificate_id: str) -> CaCertificate:
    """An installed certificate, current or earlier."""
    row = tx.one(select_by(ca_certificate.c.id), {"id": certificate_id})
    return CaCertificate(row.id, row.der, tuple(bytes.fromhex(item) for item in row.chain), row.installed_at)


def _values(item: Authority) -> dict[str, Any]:
    installed = item.certificate
    return {
        "id": item.id,
        "arn": item.arn,
        "account": item.account,
        "region": item.region,
        "kind": item.kind.value,
        "status": item.status.value,
        "key_id": item.key_id,
        "key_algorithm": item.key_algorithm.name,
        "signing_algorithm": item.signing_algorithm.name,
        "subject": {"standard": item.subject.standard, "custom": item.subject.custom},
        "csr": item.csr,
        "csr_extensions": [[e.oid, e.critical, e.value.hex()] for e in item.csr_extensions],
        "usage_mode": item.usage_mode.value,
        "key_storage": item.key_storage,
        "created_at": item.created_at,
        "changed_at": item.changed_at,
        "certificate_id": installed.id if installed else None,
        "not_after": Certificate.parse(installed.der).not_after if installed else None,
        "restorable_until": item.restorable_until,
        "status_before_deletion": item.status_before_deletion.value if item.status_before_deletion else None,
        "revocation": revocation_json.write(item.revocation),
    }


def _load(tx: Tx, row: Row[Any]) -> Authority:
    subject = row.subject
    return Authority(
        id=row.id,
        arn=row.arn,
        account=row.account,
        region=row.region,
        kind=Kind(row.kind),
        status=Status(row.status),
        key_id=row.key_id,
        key_algorithm=KeyAlgorithm[row.key_algorithm],
        signing_algorithm=SignatureAlgorithm[row.signing_algorithm],
        subject=SubjectSpec(
            tuple((name, value) for name, value in subject["standard"]),
            tuple((oid, value) for oid, value in subject["custom"]),
        ),
        csr=row.csr,
        csr_extensions=tuple(Extension(o, c, bytes.fromhex(v)) for o, c, v in row.csr_extensions),
        usage_mode=UsageMode(row.usage_mode),
        key_storage=row.key_storage,
        created_at=row.created_at,
        changed_at=row.changed_at,
        certificate=certificate(tx, row.certificate_id) if row.certificate_id else None,
        not_after=row.not_after,
        restorable_until=row.restorable_until,
        status_before_deletion=Status(row.status_before_deletion) if row.status_before_deletion else None,
        revocation=revocation_json.read(row.revocation),
    )
