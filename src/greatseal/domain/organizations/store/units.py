"""The table of organizational units."""

from sqlalchemy import Row, delete, select, update

from greatseal.domain.organizations.model import Unit
from greatseal.domain.organizations.store.tables import unit
from greatseal.storage import Tx


def add(tx: Tx, new: Unit) -> bool:
    """False when the parent has a unit of this name."""
    row = {"organization_id": new.organization_id, "id": new.id, "parent_id": new.parent_id, "name": new.name}
    return tx.insert_once(unit, row)


def find(tx: Tx, organization_id: str, unit_id: str) -> Unit | None:
    """One unit."""
    row = tx.first(select(unit).where(unit.c.organization_id == organization_id, unit.c.id == unit_id))
    return None if row is None else _unit(row)


def named(tx: Tx, organization_id: str, parent_id: str, name: str) -> Unit | None:
    """The unit of this name right below a parent."""
    here = (unit.c.organization_id == organization_id, unit.c.parent_id == parent_id, unit.c.name == name)
    row = tx.first(select(unit).where(*here))
    return None if row is None else _unit(row)


def listing(
    tx: Tx, organization_id: str, *, parent_id: str | None = None, after: str = "", limit: int | None = None
) -> list[Unit]:
    """Units of an organization, or those right below one parent, by id."""
    query = select(unit).where(unit.c.organization_id == organization_id, unit.c.id > after)
    if parent_id is not None:
        query = query.where(unit.c.parent_id == parent_id)
    return [_unit(row) for row in tx.all(query.order_by(unit.c.id).limit(limit))]


def rename(tx: Tx, organization_id: str, unit_id: str, name: str) -> None:
    """Gives a unit another name, which its parent must not have yet."""
    here = (unit.c.organization_id == organization_id, unit.c.id == unit_id)
    tx.execute(update(unit).where(*here).values(name=name))


def remove(tx: Tx, organization_id: str, unit_id: str) -> None:
    """Removes a unit, which must be empty."""
    tx.execute(delete(unit).where(unit.c.organization_id == organization_id, unit.c.id == unit_id))


def lineage(tx: Tx, organization_id: str, parent_id: str) -> tuple[str, ...]:
    """The ids from the root down to a root or unit that exists, both included."""
    line = [parent_id]
    while (above := find(tx, organization_id, line[0])) is not None:
        line.insert(0, above.parent_id)
    return tuple(line)


def _unit(row: Row[tuple[object, ...]]) -> Unit:
    return Unit(row.id, row.organization_id, row.parent_id, row.name)
