"""The tables of the hierarchy, of which CA an order was given to, and of test endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Index, Integer, String, Table, Text, delete, select, update

from greatseal.storage import Tx
from greatseal.storage.schema import metadata, utc_timestamp

trust_authority = Table(
    "trust_authority",
    metadata,
    # As a primary key the role lets one of two nodes make the CA.
    Column("role", String(32), primary_key=True),
    Column("tier", Integer, nullable=False),
    # None for the root of the tier.
    Column("number", Integer),
    Column("arn", Text, nullable=False),
    # Of the root, signed by the older root.
    Column("cross_arn", Text),
)
trust_order = Table(
    "trust_order",
    metadata,
    Column("token", String(200), primary_key=True),
    Column("authority_arn", Text, nullable=False),
    Column("ordered_at", utc_timestamp(), nullable=False),
    Index("ix_trust_order_age", "ordered_at"),
)
trust_endpoint = Table(
    "trust_endpoint",
    metadata,
    Column("tier", Integer, primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("key_id", String(36), nullable=False),
    Column("not_after", utc_timestamp(), nullable=False),
    Column("certificate_arn", Text),
)


@dataclass(frozen=True, slots=True)
class Role:
    """A CA of the hierarchy. `number` is None for the root of its tier."""

    role: str
    tier: int
    number: int | None
    arn: str
    cross_arn: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One certificate of a test endpoint, and its key. `certificate_arn` is None until it is issued."""

    tier: int
    state: str
    generation: int
    name: str
    key_id: str
    not_after: datetime
    certificate_arn: str | None = None


def add(tx: Tx, role: Role) -> bool:
    """False when somebody else has made it."""
    return tx.insert_once(
        trust_authority, {"role": role.role, "tier": role.tier, "number": role.number, "arn": role.arn}
    )


def cross(tx: Tx, role: str, arn: str) -> None:
    """Remembers the cross-certificate of a root."""
    tx.execute(update(trust_authority).where(trust_authority.c.role == role).values(cross_arn=arn))


def find(tx: Tx, role: str) -> Role | None:
    """One CA."""
    row = tx.first(select(trust_authority).where(trust_authority.c.role == role))
    return None if row is None else Role(row.role, row.tier, row.number, row.arn, row.cross_arn)


def all_roles(tx: Tx, tier: int | None = None) -> list[Role]:
    """The CAs of a tier, or of all: the root first, then the issuing CAs in their order."""
    query = select(trust_authority)
    if tier is not None:
        query = query.where(trust_authority.c.tier == tier)
    roles = [Role(row.role, row.tier, row.number, row.arn, row.cross_arn) for row in tx.all(query)]
    return sorted(roles, key=lambda each: (each.tier, each.number or 0))


def bind(tx: Tx, token: str, authority_arn: str, now: datetime) -> str:
    """The CA that an order is for: this one, unless it was given to another before."""
    if tx.insert_once(trust_order, {"token": token, "authority_arn": authority_arn, "ordered_at": now}):
        return authority_arn
    return str(tx.scalar(select(trust_order.c.authority_arn).where(trust_order.c.token == token)))


def rebind(tx: Tx, token: str, old_arn: str, new_arn: str) -> str:
    """The CA that an order is for: the new one, unless it was taken from the old one before."""
    c = trust_order.c
    tx.execute(update(trust_order).where(c.token == token, c.authority_arn == old_arn).values(authority_arn=new_arn))
    return str(tx.scalar(select(c.authority_arn).where(c.token == token)))


def bound(tx: Tx, token: str) -> str | None:
    """The CA that an order was given to, if it was."""
    found: str | None = tx.scalar(select(trust_order.c.authority_arn).where(trust_order.c.token == token))
    return found


def prune_orders(tx: Tx, before: datetime) -> None:
    """Forgets orders that nobody repeats any more."""
    tx.execute(delete(trust_order).where(trust_order.c.ordered_at < before))


def add_endpoint(tx: Tx, row: EndpointRow) -> bool:
    """False when somebody else has made this generation."""
    return tx.insert_once(
        trust_endpoint,
        {
            "tier": row.tier,
            "state": row.state,
            "generation": row.generation,
            "name": row.name,
            "key_id": row.key_id,
            "not_after": row.not_after,
            "certificate_arn": None,
        },
    )


def set_endpoint_certificate(tx: Tx, row: EndpointRow, arn: str, not_after: datetime) -> None:
    """The certificate of an endpoint was issued."""
    tx.execute(update(trust_endpoint).where(*_is(row)).values(certificate_arn=arn, not_after=not_after))


def remove_endpoint(tx: Tx, row: EndpointRow) -> None:
    """Forgets one generation."""
    tx.execute(delete(trust_endpoint).where(*_is(row)))


def endpoints(tx: Tx) -> Sequence[EndpointRow]:
    """All generations of all test endpoints, the newest of each first."""
    rows = tx.all(select(trust_endpoint).order_by(trust_endpoint.c.tier, trust_endpoint.c.state))
    found = [
        EndpointRow(row.tier, row.state, row.generation, row.name, row.key_id, row.not_after, row.certificate_arn)
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.tier, each.state, -each.generation))


def _is(row: EndpointRow) -> tuple[ColumnElement[bool], ...]:
    columns = trust_endpoint.c
    return columns.tier == row.tier, columns.state == row.state, columns.generation == row.generation
