"""The generation of everything that authorization reads: one number that grows with every change."""

from sqlalchemy import insert, select, update

from greatseal.domain.access.store.tables import generation
from greatseal.storage import Storage, Tx

_QUERY = select(generation.c.value)


def current(storage: Storage) -> int:
    """The generation as it is committed; 0 before the first change."""
    return int(storage.glance(_QUERY) or 0)


def raise_(tx: Tx) -> None:
    """Tells every node that what it remembers may be wrong, once this transaction commits."""
    if tx.execute(update(generation).values(value=generation.c.value + 1)).rowcount == 0:
        tx.execute(insert(generation), {"id": 1, "value": 1})
