"""The verbs of archives and replays. A replay is a job that puts archived events back on their bus, batch by batch."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from greatseal.domain.events import refusals
from greatseal.domain.events.desk import (
    Desk,
    Wanted,
    bus_of,
    check_pattern,
    check_quota,
    key_of,
    listen_to_trail,
    own,
    page,
)
from greatseal.domain.events.model import Archive, BusKey, Replay, ReplayState
from greatseal.domain.events.posting import Posted, post
from greatseal.domain.events.store import archives as store
from greatseal.domain.events.store.tables import changed
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.pages import Page
from greatseal.storage import Tx, queue

REPLAY_JOB = "replay-events"
"""The kind of the job of a replay; its key is the ARN."""

MOST_ARCHIVES = 100
MOST_REPLAYS = 10
_BATCH = 200
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = (ReplayState.STARTING, ReplayState.RUNNING)
_ENDED = (ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED)


class Archives:
    """Makes, changes, shows and deletes archives."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self,
        caller: Caller,
        name: str,
        bus_arn: str,
        *,
        description: str | None,
        pattern: str | None,
        retention_days: int,
    ) -> Archive:
        """Archives a bus from now on. Raises NotFound, AlreadyExists, LimitExceeded, InvalidEventPattern."""
        key, bus = own(caller, name), _own_bus(caller, bus_arn)
        check_pattern(pattern)
        archive = Archive(
            arn=_arn(key, "archive"),
            name=name,
            bus_arn=bus.arn,
            created_at=self._desk.clock.now(),
            description=description,
            pattern=pattern,
            retention_days=retention_days,
        )

        def work(tx: Tx) -> None:
            bus_of(tx, bus)
            check_quota(store.count(tx, key) + 1, MOST_ARCHIVES)
            if not store.add(tx, key, archive):
                raise refusals.exists("Archive", name)
            listen_to_trail(tx, pattern)
            changed(tx)
            self._desk.audit.record(tx, caller, archive.arn, response={"archive_arn": archive.arn, "state": "ENABLED"})

        self._desk.storage.transact(work)
        return archive

    def find(self, key: BusKey) -> Archive:
        """The archive. Raises NotFound."""
        return self._desk.storage.read(lambda tx: _archive(tx, key))

    def update(self, caller: Caller, name: str, changes: Mapping[str, object]) -> Archive:
        """Changes description, pattern or retention, those that are given. Raises NotFound, InvalidEventPattern."""
        key = own(caller, name)

        def work(tx: Tx) -> Archive:
            archive = replace(_archive(tx, key), **changes)  # type: ignore[arg-type]
            check_pattern(archive.pattern)
            store.change(tx, archive)
            listen_to_trail(tx, archive.pattern)
            changed(tx)
            self._desk.audit.record(tx, caller, archive.arn)
            return archive

        return self._desk.storage.transact(work)

    def delete(self, caller: Caller, name: str) -> None:
        """Deletes an archive with its events. Raises NotFound."""
        key = own(caller, name)

        def work(tx: Tx) -> None:
            archive = _archive(tx, key)
            store.remove(tx, archive.arn)
            changed(tx)
            self._desk.audit.record(tx, caller, archive.arn)

        self._desk.storage.transact(work)

    def page(self, caller: Caller, wanted: Wanted, *, bus_arn: str | None) -> Page[Archive]:
        """The caller's archives by name. Raises NotFound for a bus that is not there."""
        key = own(caller, "")
        bus = None if bus_arn is None else key_of(bus_arn)

        def load(tx: Tx, after: str, limit: int) -> list[Archive]:
            equal = {} if bus is None else {"bus_arn": bus_of(tx, bus).arn}
            return store.page(tx, key, prefix=wanted.prefix, after=after, limit=limit, equal=equal)

        scope = ("ListArchives", caller.account, caller.region, bus_arn or "")
        return page(self._desk, scope, wanted, load, lambda archive: archive.name)

    def prune(self) -> None:
        """Forgets events whose retention is over."""
        now = self._desk.clock.now()
        for archive in self._desk.storage.read(store.everyone):
            while self._desk.storage.transact(partial(store.forget, archive=archive, now=now, limit=1000)):
                pass


class Replays:
    """Starts, shows, cancels and carries out replays."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def start(
        self,
        caller: Caller,
        name: str,
        archive_arn: str,
        destination: str,
        *,
        filter_arns: tuple[str, ...],
        span: tuple[datetime, datetime],
        description: str | None,
    ) -> Replay:
        """Sends the events of a span of an archive to its bus again, marked as replayed.

        Raises ValidationFailed, NotFound, AlreadyExists, LimitExceeded.
        """
        key, now = own(caller, name), self._desk.clock.now()
        bus, of = key_of(destination), _key_in(archive_arn, "archive")
        replay = Replay(
            arn=_arn(key, "replay"),
            name=name,
            archive_arn=archive_arn,
            bus_arn=bus.arn,
            start=span[0],
            end=span[1],
            state=ReplayState.STARTING,
            started_at=now,
            filter_arns=filter_arns,
            description=description,
        )

        def work(tx: Tx) -> None:
            bus_of(tx, bus)
            archive = store.find(tx, of)
            if archive is None or archive.arn != archive_arn:
                raise refusals.invalid("EventSourceArn", f"Archive {of.name} does not exist.")
            if archive.bus_arn != bus.arn:
                raise refusals.invalid("Destination.Arn", "Cross event bus replay is not permitted.")
            if replay.start >= replay.end:
                raise refusals.invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
            for arn in filter_arns:
                if not arn.startswith(bus.rule_arn("")):
                    raise refusals.invalid("FilterArns", f"{arn} is not a rule of the event bus.")
            check_quota(store.running(tx, key) + 1, MOST_REPLAYS)
            if not store.add_replay(tx, key, replay):
                raise refusals.exists("Replay", name)
            queue.enqueue(tx, kind=REPLAY_JOB, key=replay.arn, payload={}, due=now)
            self._desk.audit.record(tx, caller, replay.arn, response={"replay_arn": replay.arn, "state": "STARTING"})

        self._desk.storage.transact(work)
        return replay

    def find(self, key: BusKey) -> Replay:
        """The replay. Raises NotFound."""
        return self._desk.storage.read(lambda tx: _replay(tx, key))

    def cancel(self, caller: Caller, name: str) -> Replay:
        """Ends a replay before its time. Raises NotFound, NotCancellable."""
        key, now = own(caller, name), self._desk.clock.now()

        def work(tx: Tx) -> Replay:
            replay = _replay(tx, key)
            if replay.state not in _OPEN:
                raise refusals.NotCancellable(f"Replay {name} is not in a valid state for this operation.")
            store.change_replay(tx, replay.arn, {"state": ReplayState.CANCELLING.value})
            queue.enqueue(tx, kind=REPLAY_JOB, key=replay.arn, payload={}, due=now)
            self._desk.audit.record(tx, caller, replay.arn)
            return replace(replay, state=ReplayState.CANCELLING)

        return self._desk.storage.transact(work)

    def page(self, caller: Caller, wanted: Wanted, *, archive_arn: str | None, state: str | None) -> Page[Replay]:
        """The caller's replays by name."""
        key = own(caller, "")
        equal = {"archive_arn": archive_arn, "state": state}

        def load(tx: Tx, after: str, limit: int) -> list[Replay]:
            present = {name: value for name, value in equal.items() if value is not None}
            return store.page_of_replays(tx, key, prefix=wanted.prefix, after=after, limit=limit, equal=present)

        scope = ("ListReplays", caller.account, caller.region, archive_arn or "", state or "")
        return page(self._desk, scope, wanted, load, lambda replay: replay.name)

    def carry_out(self, arn: str) -> None:
        """Sends what is left of a replay, a batch in each transaction; a crash continues behind the last batch."""
        while self._desk.storage.transact(lambda tx: self._batch(tx, arn)):
            pass

    def give_up(self, arn: str) -> None:
        """Notes that a replay will not come to its end."""
        self._desk.storage.transact(lambda tx: self._end(tx, arn, ReplayState.FAILED, "The replay failed repeatedly."))

    def _batch(self, tx: Tx, arn: str) -> bool:
        """Whether there may be more to send."""
        found = store.replay_at(tx, arn)
        if found is None or found[0].state in _ENDED:
            return False
        replay, last_id = found
        if replay.state is ReplayState.CANCELLING:
            self._end(tx, arn, ReplayState.CANCELLED, None)
            return False
        events = store.events_of(tx, replay, (replay.last_event_at or _BEFORE_ALL, last_id), _BATCH)
        if not events:
            self._end(tx, arn, ReplayState.COMPLETED, None)
            return False
        now = self._desk.clock.now()
        for event in events:
            text = _marked(event.body, replay.name)
            post(tx, Posted(text, replay.bus_arn, rules=replay.filter_arns, replayed=True), event.order_key, now)
        done = {"last_event_at": events[-1].at, "last_event_id": events[-1].id, "state": ReplayState.RUNNING.value}
        store.change_replay(tx, arn, done)
        return True

    def _end(self, tx: Tx, arn: str, state: ReplayState, reason: str | None) -> None:
        values = {"state": state.value, "reason": reason, "ended_at": self._desk.clock.now()}
        store.change_replay(tx, arn, values)


def _marked(text: str, replay: str) -> str:
    """An event that says that it is replayed; the rest of its text stays as it is."""
    head, members, tail = text.partition(',"resources":')
    return f'{head},"replay-name":{json.dumps(replay)}{members}{tail}'


def _archive(tx: Tx, key: BusKey) -> Archive:
    found = store.find(tx, key)
    if found is None:
        raise refusals.no_archive(key.name)
    return found


def _replay(tx: Tx, key: BusKey) -> Replay:
    found = store.find_replay(tx, key)
    if found is None:
        raise refusals.no_replay(key.name)
    return found


def _arn(key: BusKey, kind: str) -> str:
    return str(Arn(key.partition, "events", key.region, key.account, f"{kind}/{key.name}"))


def _key_in(arn: str, kind: str) -> BusKey:
    parsed = Arn.parse(arn)
    if parsed.service != "events" or not parsed.resource.startswith(f"{kind}/"):
        raise refusals.wrong_arn(arn)
    return BusKey(parsed.partition, parsed.region, parsed.account, parsed.resource.partition("/")[2])


def _own_bus(caller: Caller, arn: str) -> BusKey:
    bus = key_of(arn)
    if (bus.account, bus.region) != (caller.account, caller.region):
        raise ValidationFailed("Parameter EventSourceArn is not valid. Reason: the event bus must be your own.")
    return bus
