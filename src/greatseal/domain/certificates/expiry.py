"""The events that say when a certificate ends, and when each is due (acm.md 11).

`ACM Certificate Approaching Expiration` comes once a day, from so many days before the end (`DaysBeforeExpiry`) to the
last; `ACM Certificate Expired` once, not for imported certificates. Every certificate carries the instant of its next
notice, which is indexed: what is not due is not read. A notice and the next instant are written in one transaction, so
that none is lost or sent twice by two nodes, and a clock that jumped sends one for each certificate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.certificates import happenings
from greatseal.domain.certificates.model import ManagedCertificate, Status, Type
from greatseal.domain.certificates.notices import days_left, following_notice, notice_at
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.certificates.store import expiry as notices
from greatseal.domain.events import Events
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx

DEFAULT_DAYS: Mapping[Type, int] = {Type.PRIVATE: 45, Type.IMPORTED: 45, Type.AMAZON_ISSUED: 30}
"""How many days before the end notices begin, where the account has not said otherwise."""

# One transaction is as long as this: a writer of SQLite makes the others wait.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Census:
    """How many certificates there are by type and state, and those that end soonest, with their ends."""

    counts: Mapping[tuple[str, str], int]
    soonest: tuple[tuple[str, datetime], ...]


class Expiry:
    """Sends what is due, over all accounts and regions."""

    def __init__(self, *, storage: Storage, events: Events, clock: Clock) -> None:
        self._storage = storage
        self._events = events
        self._clock = clock

    def sweep(self) -> int:
        """Sends the notices that are due; how many certificates were looked at. Any node may do it at any time."""
        total = 0
        while True:
            looked_at = self._storage.transact(self._sweep)
            total += looked_at
            if looked_at < _BATCH:
                return total

    def census(self, soonest: int) -> Census:
        """The numbers for the metrics."""
        now = self._clock.now()

        def work(tx: Tx) -> Census:
            return Census(notices.counts(tx, now), tuple(notices.soonest(tx, now, soonest)))

        return self._storage.read(work)

    def _sweep(self, tx: Tx) -> int:
        now = self._clock.now()
        found = notices.due(tx, now, _BATCH)
        configured: dict[tuple[str, str], int | None] = {}
        for item in found:
            place = (item.account, item.region)
            if place not in configured:
                configured[place] = store.configured_days(tx, *place)
            days = configured[place]
            self._look_at(tx, item, DEFAULT_DAYS[item.type] if days is None else days, now)
        return len(found)

    def _look_at(self, tx: Tx, item: ManagedCertificate, days: int, now: datetime) -> None:
        """Sends what is due about one certificate and plans its next notice."""
        if item.status is not Status.ISSUED or item.not_after is None:
            notices.plan(tx, item.id, None)
        elif now > item.not_after:
            if item.type is not Type.IMPORTED:
                self._events.emit(tx, happenings.expired(item))
            notices.plan(tx, item.id, None)
        elif now < (start := notice_at(item.id, item.not_after, days)):
            notices.plan(tx, item.id, start)
        else:
            self._events.emit(tx, happenings.approaching(item, days_left(item.not_after, now)))
            notices.plan(tx, item.id, following_notice(item.id, item.not_after, now))


def reconsider(tx: Tx, account: str, region: str, now: datetime) -> None:
    """Has certificates looked at anew whose first notice may have moved, because the account has another setting.

    Those that have their daily notice keep its hour: the next look knows the new setting.
    """
    notices.hurry(tx, account, region, waiting_beyond=now + timedelta(hours=25), now=now)
