"""Buses. The default one has a row only once something was set for it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from greatseal.domain.events.model import DEFAULT_BUS, Bus, BusKey
from greatseal.domain.events.store import listing
from greatseal.domain.events.store.tables import event_bus, event_rule, owned
from greatseal.storage import Tx


def find(tx: Tx, key: BusKey) -> Bus | None:
    """The bus; that of the services is always there."""
    row = listing.named(tx, event_bus, key)
    if row is not None:
        return _bus(row)
    return Bus(key.arn, key.name) if key.name == DEFAULT_BUS else None


def add(tx: Tx, key: BusKey, values: Mapping[str, Any]) -> bool:
    """Adds a bus; False when its name is taken."""
    return listing.add(tx, event_bus, {"arn": key.arn, **owned(key), **values})


def change(tx: Tx, key: BusKey, values: Mapping[str, Any]) -> bool:
    """Changes a bus that has a row."""
    return listing.change(tx, event_bus, key.arn, values)


def remove(tx: Tx, key: BusKey) -> bool:
    """Removes a bus."""
    return listing.remove(tx, event_bus, key.arn)


def page(tx: Tx, key: BusKey, *, prefix: str, after: str, limit: int) -> list[Bus]:
    """The buses of an account and region that have a row, by name."""
    return [_bus(row) for row in listing.page(tx, event_bus, key, prefix=prefix, after=after, limit=limit)]


def count(tx: Tx, key: BusKey) -> int:
    """How many of them."""
    return listing.count(tx, event_bus, key)


def has_rules(tx: Tx, key: BusKey) -> bool:
    """Whether any rule belongs to the bus."""
    return tx.first(select(event_rule.c.arn).where(event_rule.c.bus_arn == key.arn).limit(1)) is not None


def _bus(row: Row[Any]) -> Bus:
    return Bus(row.arn, row.name, row.description, row.dead_letter_arn, row.created_at, row.modified_at)
