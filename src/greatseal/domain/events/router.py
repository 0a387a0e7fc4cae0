"""The router: takes events out of the outbox, off the audit trail and from schedules, and hands them to targets.

    outbox ──┐
    trail  ──┼─► rules ─► parcels (delivery)    one transaction for a batch: parcels, copies for archives,
    clock  ──┘         └► archives              messages marked, places moved

Killed before the commit nothing happened, after it everything did. Routers of several nodes take turns; what makes two
of them harmless is that a batch counts only when it marks messages that nobody marked before.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from greatseal.domain.audit import AuditRecord, last_place, sequenced
from greatseal.domain.audit.cloudtrail import event as cloudtrail_event
from greatseal.domain.delivery import Parcel
from greatseal.domain.events import posting
from greatseal.domain.events.book import Book, Routed
from greatseal.domain.events.desk import API_CALL, SERVICE_CALL
from greatseal.domain.events.model import DEFAULT_BUS, BusKey, Rule
from greatseal.domain.events.posting import TOPIC, Posted
from greatseal.domain.events.schedules import compile_schedule
from greatseal.domain.events.store import archives, routing, rules
from greatseal.domain.events.store.tables import generation
from greatseal.domain.events.targets import Targets
from greatseal.kernel.arn import Arn, partition_of
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, outbox
from greatseal.storage.outbox import Message

_BATCH = 500
_TURN = timedelta(seconds=5)
# Clocks that are kept right by the network make smaller steps than this.
_SET_BACK = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class Post(Protocol):
    """Takes parcels in a transaction: the room of deliveries."""

    def post(self, tx: Tx, parcels: Sequence[Parcel]) -> None:
        """Has the parcels carried after the commit."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One look at everything that may have something to do; the book is at least as new as the messages."""

    book: Book
    messages: list[Message]
    due: list[Rule]
    place: int | None
    records: Sequence[tuple[int, AuditRecord]]


class _TakenOver(Exception):
    """Another router was quicker with this batch."""


class _Outdated(Exception):
    """Rules were changed since this batch was matched."""


class Router:
    """Routes events. Safe on several nodes over one database, and in one thread of each."""

    def __init__(
        self, *, storage: Storage, clock: Clock, entropy: Entropy, deliveries: Post, targets: Targets, owner: str
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._deliveries = deliveries
        self._targets = targets
        self._owner = owner
        self._book: Book | None = None
        self._latest: datetime | None = None

    def run(self) -> int:
        """Routes what waits until nothing does, or it is another router's turn; how many events that were."""
        total, more = 0, True
        while more:
            done, more = self._step()
            total += done
        return total

    def _step(self) -> tuple[int, bool]:
        """One batch: how many events that were, and whether there may be more already."""
        now = self._clock.now()
        self._look_at(now)
        waiting = self._storage.read(lambda tx: self._look(tx, now))
        fired = sum(self._fire(rule, now) for rule in waiting.due)
        book, routed = waiting.book, Routed()
        for message in waiting.messages:
            book.route(posting.read(message.payload), message.key, message.at, routed)
        for _, record in waiting.records:
            if record.event_name != "PutEvents":
                call = _call(record)
                book.route(call, record.event_id, record.at, routed, read_only=record.read_only)
        listens = (waiting.place is not None) == book.wants_calls
        if waiting.messages or waiting.records or not listens:
            try:
                if not self._storage.transact(lambda tx: self._commit(tx, waiting, routed, now)):
                    return fired, False
            except _TakenOver:
                return fired, False
            except _Outdated:
                return fired, True
        full = max(len(waiting.messages), len(waiting.records)) >= _BATCH
        return fired + len(waiting.messages) + len(waiting.records), full or fired > 0 or not listens

    def _look(self, tx: Tx, now: datetime) -> _Waiting:
        if self._book is None or self._book.generation != generation(tx):
            self._book = Book(tx, self._targets)
        place = routing.place(tx)
        wanted = self._book.wants_calls and place is not None
        return _Waiting(
            book=self._book,
            messages=outbox.pending(tx, limit=_BATCH, topics=[TOPIC]),
            due=rules.due(tx, now, _BATCH),
            place=place,
            records=sequenced(tx, after=place, limit=_BATCH) if wanted and place is not None else (),
        )

    def _commit(self, tx: Tx, waiting: _Waiting, routed: Routed, now: datetime) -> bool:
        """False when it is not this router's turn. Raises _TakenOver when another one did the work, and _Outdated."""
        if not routing.take_turn(tx, self._owner, now, _TURN):
            return False
        if generation(tx) != waiting.book.generation:
            raise _Outdated
        if outbox.delivered(tx, [message.id for message in waiting.messages]) != len(waiting.messages):
            raise _TakenOver
        if waiting.records and not routing.move(tx, waiting.place or 0, waiting.records[-1][0]):
            raise _TakenOver
        self._listen(tx, waiting)
        if routed.parcels:
            self._deliveries.post(tx, routed.parcels)
        archives.keep(tx, routed.copies)
        return True

    def _listen(self, tx: Tx, waiting: _Waiting) -> None:
        """Reads the audit trail only while some rule could match what is in it."""
        if waiting.book.wants_calls and waiting.place is None:
            routing.start(tx, last_place(tx))
        elif not waiting.book.wants_calls:
            routing.stop(tx)

    def _fire(self, rule: Rule, now: datetime) -> int:
        """Puts the event of a schedule on the bus and sets when it is due next: one event, however late it is."""
        following = _following(rule, now)
        text = _scheduled(rule, rule.next_at or now, new_uuid(self._entropy))

        def work(tx: Tx) -> int:
            if not rules.move(tx, rule, following):
                return 0
            posting.post(tx, Posted(text, rule.bus_arn, firing=rule.arn), rule.arn, now)
            return 1

        return self._storage.transact(work)

    def _look_at(self, now: datetime) -> None:
        """After a start, and when the clock was set back: nothing may wait for a time that is years away now."""
        latest, self._latest = self._latest, now
        if latest is not None and now >= latest - _SET_BACK:
            return
        if latest is not None:
            _log.warning("the clock was set back from %s to %s", latest, now)

        def work(tx: Tx) -> None:
            for rule in rules.scheduled(tx, now):
                sooner = _following(rule, now)
                if sooner is not None and rule.next_at is not None and sooner < rule.next_at:
                    rules.move(tx, rule, sooner)

        if self._storage.read(lambda tx: bool(rules.scheduled(tx, now))):
            self._storage.transact(work)


def _following(rule: Rule, now: datetime) -> datetime | None:
    # A rate counts from when the rule was set, which lies ahead when the clock was set back since.
    start = min(rule.schedule_from or now, now)
    return compile_schedule(rule.schedule or "", start).following(now)


def _scheduled(rule: Rule, due: datetime, event_id: str) -> str:
    arn = Arn.parse(rule.arn)
    return json.dumps(
        {
            "version": "0",
            "id": event_id,
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": arn.account,
            "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": arn.region,
            "resources": [rule.arn],
            "detail": {},
        },
        separators=(",", ":"),
    )


def _call(record: AuditRecord) -> Posted:
    """A record of the audit trail as an event of the account's default bus. Its id is that of the record."""
    detail = cloudtrail_event(record)
    internal = detail["eventType"] == "AwsServiceEvent"
    text = json.dumps(
        {
            "version": "0",
            "id": record.event_id,
            "detail-type": SERVICE_CALL if internal else API_CALL,
            "source": f"aws.{record.event_source.partition('.')[0]}",
            "account": record.account,
            "time": detail["eventTime"],
            "region": record.region,
            "resources": [],
            "detail": detail,
        },
        separators=(",", ":"),
    )
    key = BusKey(partition_of(record.region), record.region, record.account, DEFAULT_BUS)
    return Posted(text, key.arn)
