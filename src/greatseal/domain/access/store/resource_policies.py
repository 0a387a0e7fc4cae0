"""The table of resource policies."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from greatseal.domain.access.store.tables import resource_policy as table
from greatseal.storage import Tx


def put(tx: Tx, resource_arn: str, part: str, document: str, at: datetime) -> None:
    """Sets a part."""
    remove(tx, resource_arn, part)
    row = {"resource_arn": resource_arn, "part": part, "document": document, "updated_at": at}
    tx.execute(insert(table), row)


def remove(tx: Tx, resource_arn: str, part: str | None) -> bool:
    """Removes a part, or all; whether there was any."""
    statement = delete(table).where(table.c.resource_arn == resource_arn)
    if part is not None:
        statement = statement.where(table.c.part == part)
    return tx.execute(statement).rowcount > 0


def parts(tx: Tx, resource_arn: str) -> list[tuple[str, str]]:
    """(part, document) by part."""
    rows = tx.all(select(table).where(table.c.resource_arn == resource_arn).order_by(table.c.part))
    return [(row.part, row.document) for row in rows]
