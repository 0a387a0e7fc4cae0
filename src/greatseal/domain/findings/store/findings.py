"""The table of findings."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    or_,
    select,
    update,
)

from greatseal.domain.findings.model import Finding, Identity
from greatseal.storage import Tx
from greatseal.storage.schema import json_text, metadata, utc_timestamp

finding = Table(
    "finding",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("product_arn", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("generator_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("record_state", String(16), nullable=False),
    Column("updated_at", utc_timestamp(), nullable=False),
    Column("overruled", json_text(), nullable=False),
    Column("document", json_text(), nullable=False),
    Index("ix_finding_listing", "account", "region", "updated_at", "product_arn", "id"),
    Index("ix_finding_generator", "generator_id", "account", "region"),
    Index("ix_finding_title", "account", "region", "title"),
)

# Filters that the database narrows by equality before the rest is looked at.
NARROWED = {
    "Id": finding.c.id,
    "ProductArn": finding.c.product_arn,
    "GeneratorId": finding.c.generator_id,
    "Title": finding.c.title,
    "RecordState": finding.c.record_state,
}
_RUN = 200


def find(tx: Tx, identity: Identity) -> Finding | None:
    """One finding."""
    row = tx.first(select(finding).where(_is(identity)))
    return None if row is None else _load(row)


def put(tx: Tx, found: Finding, *, new: bool) -> None:
    """Stores a new finding, or one that was read in the same transaction."""
    document = found.document
    values = {
        "generator_id": document["GeneratorId"],
        "title": document["Title"],
        "record_state": document["RecordState"],
        "updated_at": found.updated_at,
        "overruled": sorted(found.overruled),
        "document": document,
    }
    if new:
        who = found.identity
        keys = {"account": who.account, "region": who.region, "product_arn": who.product_arn, "id": who.id}
        # Another node may be writing the same one: then this transaction is tried again.
        tx.insert_once(finding, {**keys, **values})
    else:
        tx.execute(update(finding).where(_is(found.identity)).values(values))


def forget(tx: Tx, account: str, region: str) -> None:
    """Removes every finding of an account and region."""
    tx.execute(delete(finding).where(finding.c.account == account, finding.c.region == region))


def places(tx: Tx, generators: Collection[str]) -> set[tuple[str, str]]:
    """The accounts and regions that have active findings of some generators."""
    query = select(finding.c.account, finding.c.region).distinct()
    query = query.where(finding.c.generator_id.in_(sorted(generators)), finding.c.record_state == "ACTIVE")
    return {(row.account, row.region) for row in tx.all(query)}


def newest_first(
    tx: Tx,
    account: str | None = None,
    region: str | None = None,
    *,
    narrowed: Mapping[str, Collection[str]] | None = None,
    after: tuple[Any, ...] | None = None,
) -> Iterator[Finding]:
    """Findings, the last updated first, from behind `after` (UpdatedAt, ProductArn and Id), read as they are wanted.

    Without an account, those of all accounts and regions.
    """
    conditions: list[ColumnElement[bool]] = []
    if account is not None:
        conditions.append(finding.c.account == account)
    if region is not None:
        conditions.append(finding.c.region == region)
    conditions += [NARROWED[name].in_(sorted(values)) for name, values in (narrowed or {}).items()]
    order = (finding.c.updated_at, finding.c.product_arn, finding.c.id, finding.c.account, finding.c.region)
    query = select(finding).where(*conditions).order_by(*(each.desc() for each in order)).limit(_RUN)
    while True:
        rows = tx.all(query if after is None else query.where(_behind(order[: len(after)], after)))
        yield from map(_load, rows)
        if len(rows) < _RUN:
            return
        last = rows[-1]
        after = (last.updated_at, last.product_arn, last.id, last.account, last.region)


def _behind(columns: tuple[Column[Any], ...], values: tuple[Any, ...]) -> ColumnElement[bool]:
    """What comes later in a descending order."""
    smaller: ColumnElement[bool] = columns[0] < values[0]
    if len(columns) == 1:
        return smaller
    return or_(smaller, and_(columns[0] == values[0], _behind(columns[1:], values[1:])))


def _is(identity: Identity) -> ColumnElement[bool]:
    return and_(
        finding.c.account == identity.account,
        finding.c.region == identity.region,
        finding.c.product_arn == identity.product_arn,
        finding.c.id == identity.id,
    )


def _load(row: Row[Any]) -> Finding:
    identity = Identity(row.account, row.region, row.product_arn, row.id)
    return Finding(identity, row.document, frozenset(row.overruled), row.updated_at)
