"""What a router knows: the rules of everybody, compiled, until their generation changes."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from greatseal.domain.delivery import Parcel
from greatseal.domain.events.desk import wants_calls
from greatseal.domain.events.model import Archive, Destination, Rule, RuleState, Target
from greatseal.domain.events.patterns import InvalidPattern, Pattern, compile_pattern, nested
from greatseal.domain.events.posting import Posted
from greatseal.domain.events.store import archives, connections, rules
from greatseal.domain.events.store.tables import generation
from greatseal.domain.events.targets import BUS, Targets, account_of, kind_of
from greatseal.domain.events.tokens import NotJson, read_event
from greatseal.domain.events.transform import Source
from greatseal.storage import Tx

MOST_HOPS = 1
"""From bus to bus an event goes once: no rule can make a circle."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sender:
    """A rule that works, with its targets."""

    rule: Rule
    pattern: Pattern | None
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class _Keeper:
    """An archive; no pattern takes every event."""

    arn: str
    pattern: Pattern | None


@dataclass(slots=True)
class _Shelf:
    """What belongs to one bus; rules that name their sources plainly are found by them."""

    by_source: dict[str, list[_Sender]] = field(default_factory=dict)
    others: list[_Sender] = field(default_factory=list)
    keepers: list[_Keeper] = field(default_factory=list)


@dataclass(slots=True)
class Routed:
    """What becomes of events."""

    parcels: list[Parcel] = field(default_factory=list)
    copies: list[tuple[str, datetime, str, str]] = field(default_factory=list)
    """For archives: archive, instant, order key, text."""


class Book:
    """Rules, targets, archives and API destinations of one generation."""

    def __init__(self, tx: Tx, targets: Targets) -> None:
        """Reads everything."""
        self.generation = generation(tx)
        self._targets = targets
        self._shelves: dict[str, _Shelf] = {}
        self._by_arn: dict[str, _Sender] = {}
        self._destinations: Mapping[str, Destination] = {
            each.arn: each for each, usable in connections.all_destinations(tx) if usable
        }
        self.wants_calls = False
        sent_to = rules.all_targets(tx)
        for rule in rules.enabled(tx):
            self._add_rule(rule, tuple(sent_to.get(rule.arn, ())))
        for archive in archives.everyone(tx):
            self._add_archive(archive)

    def route(self, event: Posted, order_key: str, at: datetime, into: Routed, *, read_only: bool = False) -> None:
        """What an event is sent to and where it is kept. `read_only` is an API call that changed nothing."""
        shelf = self._shelves.get(event.bus_arn)
        if shelf is None and not event.firing:
            return
        try:
            tree = read_event(event.text)
        except NotJson:
            tree = None
        if not isinstance(tree, dict):
            _log.error("an event that is not JSON is given up: %.200s", event.text)
            return
        if event.firing:
            sender = self._by_arn.get(event.firing)
            self._send(sender, tree, event, order_key, at, into) if sender else None
            return
        assert shelf is not None
        flat = nested(tree)
        for sender in self._candidates(shelf, tree):
            if event.rules and sender.rule.arn not in event.rules:
                continue
            if read_only and sender.rule.state is not RuleState.ALL_CALLS:
                continue
            if sender.pattern is not None and sender.pattern(flat):
                self._send(sender, tree, event, order_key, at, into)
        if not event.replayed and not read_only:
            into.copies += [
                (keeper.arn, at, order_key, event.text)
                for keeper in shelf.keepers
                if keeper.pattern is None or keeper.pattern(flat)
            ]

    def _candidates(self, shelf: _Shelf, tree: Mapping[str, object]) -> Iterator[_Sender]:
        source = tree.get("source")
        if isinstance(source, str):
            yield from shelf.by_source.get(source, ())
        yield from shelf.others

    def _send(
        self,
        sender: _Sender,
        tree: Mapping[str, object],
        event: Posted,
        order_key: str,
        at: datetime,
        into: Routed,
    ) -> None:
        rule = sender.rule
        source = Source(event.text, tree, rule.arn, rule.name, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        for target in sender.targets:
            if event.hops >= MOST_HOPS and kind_of(target.arn) == BUS:
                continue
            to = self._destinations.get(target.arn) if account_of(target.arn) == account_of(rule.arn) else None
            try:
                into.parcels.append(
                    self._targets.parcel(rule, target, source, order_key=order_key, hops=event.hops, to=to)
                )
            except Exception:  # noqa: BLE001 - one target that cannot be served must not stop all others for ever
                _log.exception("an event cannot be made fit for target %s of %s", target.id, rule.arn)

    def _add_rule(self, rule: Rule, targets: tuple[Target, ...]) -> None:
        pattern = _compiled(rule.pattern, rule.arn)
        sender = _Sender(rule, pattern, targets)
        self._by_arn[rule.arn] = sender
        if pattern is None or not targets:
            return
        shelf = self._shelves.setdefault(rule.bus_arn, _Shelf())
        sources = pattern.literals("source")
        for source in sources or ():
            shelf.by_source.setdefault(source, []).append(sender)
        if sources is None:
            shelf.others.append(sender)
        self.wants_calls = self.wants_calls or wants_calls(rule.pattern)

    def _add_archive(self, archive: Archive) -> None:
        keeper = _Keeper(archive.arn, _compiled(archive.pattern, archive.arn))
        self._shelves.setdefault(archive.bus_arn, _Shelf()).keepers.append(keeper)
        self.wants_calls = self.wants_calls or wants_calls(archive.pattern)


def _compiled(text: str | None, owner: str) -> Pattern | None:
    try:
        return None if text is None else compile_pattern(text)
    except InvalidPattern:  # pragma: no cover - checked before it was stored
        _log.exception("the pattern of %s cannot be used", owner)
        return None
