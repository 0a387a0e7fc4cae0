"""What an invariant is, what its check gets and what it reports."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Row, Select, Table, literal, select, tuple_

from greatseal.crypto.wrap import Keyring
from greatseal.storage import Storage, Tx

_RUN = 200
MOST = 100
"""Violations of one invariant that are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not hold. `subject` names it (an ARN, a key, a file); what is not `broken` is only left over."""

    subject: str
    text: str
    broken: bool = True


@dataclass(slots=True)
class Case:
    """What is examined. Without a keyring nothing that is sealed is opened; `stores` are the key stores that there are.

    `looked` hears how much was looked at since it heard last.
    """

    storage: Storage
    keyring: Keyring | None
    objects: Path
    now: datetime
    stores: frozenset[str] = frozenset()
    looked: Callable[[int], None] = lambda _: None

    def pages(self, table: Table, *also: Callable[[Tx, Sequence[Row[Any]]], Any]) -> Iterator[tuple[Any, ...]]:
        """All rows by primary key, some at a time, with what each of `also` reads for them in the same snapshot."""
        keys: list[Column[Any]] = list(table.primary_key.columns)
        after: list[Any] | None = None
        while True:
            query = _following(table, keys, after)

            def work(tx: Tx, query: Select[Any] = query) -> tuple[Any, ...]:
                rows = tx.all(query)
                return (rows, *(read(tx, rows) for read in also)) if rows else ((),)

            found = self.storage.read(work)
            if not found[0]:
                return
            yield found
            self.looked(len(found[0]))
            after = [found[0][-1]._mapping[key.name] for key in keys]


def _following(table: Table, keys: list[Column[Any]], after: list[Any] | None) -> Select[Any]:
    query = select(table).order_by(*keys).limit(_RUN)
    if after is None:
        return query
    behind = tuple_(*(literal(value, key.type) for key, value in zip(keys, after, strict=True)))
    return query.where(tuple_(*keys) > behind)


Check = Callable[[Case], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that always holds. `needs_keys` when it cannot be examined without the key-encryption key."""

    name: str
    statement: str
    check: Check
    needs_keys: bool = False


@dataclass(slots=True)
class Examined:
    """How one invariant fared. `skipped` says why it was not examined."""

    invariant: Invariant
    looked_at: int = 0
    violations: list[Violation] = field(default_factory=list)
    more: int = 0
    skipped: str = ""

    def add(self, violation: Violation) -> None:
        """One more."""
        if len(self.violations) < MOST:
            self.violations.append(violation)
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class Report:
    """How every invariant fared."""

    examined: Sequence[Examined]

    @property
    def exit_code(self) -> int:
        """2: something is broken. 1: something is left over, or was not examined. 0: all holds."""
        found = [each for one in self.examined for each in one.violations]
        if any(each.broken for each in found):
            return 2
        return 1 if found or any(one.skipped for one in self.examined) else 0
