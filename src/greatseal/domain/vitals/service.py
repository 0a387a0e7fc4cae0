"""The one verb of the room."""

from greatseal.domain.vitals import store
from greatseal.domain.vitals.model import Vitals
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx


def take(storage: Storage, clock: Clock) -> Vitals:
    """The vitals now, of one snapshot. Every query is answered from an index or a small table."""
    now = clock.now()

    def work(tx: Tx) -> Vitals:
        return Vitals(
            at=now,
            queue=store.queue(tx, now),
            trail=store.trail(tx),
            lists=store.lists(tx, now),
            delegates=store.delegates(tx, now),
            renewals=store.renewals(tx, now),
            authorities=store.authorities(tx),
            logs=store.logs(tx),
        )

    return storage.read(work)
