"""Lists of a database that was put back from a backup."""

from collections.abc import Iterator

from sqlalchemy import delete, select, update

from greatseal.domain.revocation.store.deltas import revocation_delta
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.storage import Tx

_RUN = 500


def withdraw(tx: Tx) -> Iterator[str]:
    """Takes away what clients could be given of the lists that are kept up; the ids of these lists.

    What nobody publishes any more, of a deleted CA for instance, stays the last of its kind.
    """
    wanted = select(revocation_list.c.id).where(revocation_list.c.due_at.is_not(None))
    tx.execute(delete(revocation_list_document).where(revocation_list_document.c.list_id.in_(wanted)))
    # Their base stays: a delta may follow an older list than the one that a client has.
    tx.execute(update(revocation_delta).where(revocation_delta.c.list_id.in_(wanted)).values(der=None, due_at=None))
    for ids in tx.column(wanted.order_by(revocation_list.c.id), run=_RUN):
        yield from ids
