"""Records of transactions that are tried again: the second try hands out the same ones.

A blocking sink sees a record before its transaction commits. PostgreSQL may then ask for the transaction to be
repeated; the line that comes again must be the same line, with the same event id, or nobody could tell it from
a second act.
"""

import threading
import weakref
from collections.abc import Callable, Mapping

from greatseal.domain.audit.model import AuditRecord
from greatseal.kernel.caller import Caller
from greatseal.storage import Tx

_Draft = tuple[Caller, tuple[str, ...], dict[str, str], str | None, AuditRecord]


class Drafts(threading.local):
    """What this thread recorded in transactions that did not commit (yet)."""

    def __init__(self) -> None:
        self._tx: weakref.ref[Tx] | None = None
        self._made: list[_Draft] = []
        self._left: list[_Draft] = []

    def take(
        self,
        tx: Tx,
        caller: Caller,
        resources: tuple[str, ...],
        detail: Mapping[str, str],
        response: str | None,
        make: Callable[[], AuditRecord],
    ) -> AuditRecord:
        """The record of the try before, when it said the same of the very same call; otherwise a new one."""
        if self._tx is None or self._tx() is not tx:
            self._tx, self._left, self._made = weakref.ref(tx), self._made, []
            tx.on_commit(self._forget)
        said = (resources, dict(detail), response)
        record = None
        for position, draft in enumerate(self._left):
            if draft[0] is caller and draft[1:4] == said:
                record = self._left.pop(position)[4]
                break
        record = record or make()
        self._made.append((caller, *said, record))
        return record

    def _forget(self) -> None:
        self._made, self._left = [], []
