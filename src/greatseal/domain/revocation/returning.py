"""What becomes of revocation lists in a database that was put back from a backup."""

from datetime import datetime

from greatseal.domain.revocation.points import PUBLISH_JOB
from greatseal.domain.revocation.store import returning
from greatseal.storage import Tx, queue


def withdraw_lists(tx: Tx, now: datetime) -> None:
    """Lists that are kept up are not served any more until they are made anew, which is due at once.

    Clients may have newer ones. The numbers stay: the next one follows the clock, above all that were ever taken.
    """
    for list_id in returning.withdraw(tx):
        queue.enqueue(tx, kind=PUBLISH_JOB, key=list_id, payload={}, due=now)
