"""Findings of the whole installation, for whoever holds its database."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from greatseal.domain.findings.model import Finding
from greatseal.domain.findings.store import findings as store
from greatseal.storage import Storage, Tx

_RUN = 200


def everything(storage: Storage, account: str | None = None) -> Iterator[Finding]:
    """The findings of an account, or of all, the last updated first, read a run at a time."""
    after: tuple[Any, ...] | None = None
    while True:

        def work(tx: Tx, after: tuple[Any, ...] | None = after) -> list[Finding]:
            return list(islice(store.newest_first(tx, account, after=after), _RUN))

        found = storage.read(work)
        yield from found
        if len(found) < _RUN:
            return
        last = found[-1]
        who = last.identity
        after = (last.updated_at, who.product_arn, who.id, who.account, who.region)
