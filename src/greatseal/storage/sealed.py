"""Columns that hold sealed secrets: what a change of the key-encryption key goes through, a batch at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, func, literal, select, update

from greatseal.storage.tx import Tx


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values, some of which may be NULL, in a table with one text column as its key."""

    table: Table
    key: str
    column: str
    identity: Callable[[str], str]
    """What the sealed value of a row is bound to."""

    def others(self, tx: Tx, prefix: bytes, after: str, limit: int) -> Sequence[tuple[str, bytes]]:
        """Rows in the order of their keys, after one of them, whose value does not start with `prefix`."""
        key, column = self.table.c[self.key], self.table.c[self.column]
        query = (
            select(key.label("key"), column.label("sealed"))
            .where(key > after, column.is_not(None), func.substr(column, 1, len(prefix)) != literal(prefix))
            .order_by(key)
            .limit(limit)
        )
        return [(row.key, row.sealed) for row in tx.all(query)]

    def replace(self, tx: Tx, key: str, old: bytes, new: bytes) -> None:
        """Puts `new` where `old` still is; a row that is gone or changed is left alone."""
        named, column = self.table.c[self.key], self.table.c[self.column]
        tx.execute(update(self.table).where(named == key, column == old).values({self.column: new}))
