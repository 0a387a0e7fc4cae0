"""The event bus with its deliveries, built as one: what carries parcels, and what becomes of those given up."""

import logging
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greatseal.crypto.wrap import Sealer
from greatseal.domain.access import Access
from greatseal.domain.delivery import DELIVER_JOB, Carrier, Deliveries, Parcel, Undeliverable
from greatseal.domain.events import REPLAY_JOB, Desk, EventBuses, Router, Targets, dead_letter
from greatseal.domain.events.targets import BUS, QUEUE, TOPIC, UNKNOWN, WEBHOOK
from greatseal.storage import Storage, Tx
from greatseal.storage.outbox import OUTBOX_TOPIC
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring

_TICK_SECONDS = 1.0
# Events that come close behind each other share a transaction: each commit waits for the disk.
_GATHER_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Nobody:
    """Stands for a carrier that this installation does not have."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def carry(self, parcel: Parcel) -> None:
        """Raises Undeliverable."""
        raise Undeliverable(f"this installation has nothing that delivers to the kind {self._kind}", final=True)


@dataclass(frozen=True, slots=True)
class Carriers:
    """What brings parcels to their receivers, by kind, and the channels of the settings, each with its kind."""

    by_kind: Mapping[str, Carrier] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bus:
    """Buses, the router, and the deliveries behind them."""

    buses: EventBuses
    router: Router
    deliveries: Deliveries
    storage: Storage

    def route(self, stopping: threading.Event) -> None:
        """Routes events until `stopping`: soon after each commit of this process, and every second for the others'."""
        put = threading.Event()
        deafen = self.storage.after_commit(OUTBOX_TOPIC, put.set)
        try:
            while not stopping.is_set():
                try:
                    self.router.run()
                except Exception:  # noqa: BLE001 - the thread outlives every failure
                    _log.exception("events could not be routed; trying again in a second")
                    stopping.wait(_TICK_SECONDS)
                # A stop is noticed within a tick.
                put.wait(_TICK_SECONDS)
                stopping.wait(_GATHER_SECONDS)
                put.clear()
        finally:
            deafen()

    def handlers(self) -> dict[str, Handler]:
        """What the clock's door does with jobs, by kind."""
        return {REPLAY_JOB: lambda job: self.buses.replays.carry_out(job.key)}

    def delivery_handlers(self) -> dict[str, Handler]:
        """What is done with the jobs of lanes, which may hang, in threads of their own."""
        return {DELIVER_JOB: lambda job: self.deliveries.run(job.key)}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        return [
            Recurring("resume-deliveries", timedelta(minutes=10), self.deliveries.sweep),
            Recurring("prune-archives", timedelta(hours=1), self.buses.archives.prune),
        ]

    def last_words(self) -> dict[str, Handler]:
        """What is done about jobs that are given up, by kind."""
        return {REPLAY_JOB: lambda job: self.buses.replays.give_up(job.key)}


def build_bus(desk: Desk, *, access: Access, sealer: Sealer, carriers: Carriers | None = None) -> Bus:
    """Builds the bus. What no carrier takes becomes a dead letter."""
    given = carriers or Carriers()
    buses = EventBuses.over(desk, access=access, sealer=sealer, targets=Targets(dict(given.channels)))
    nobody = {kind: Nobody(kind) for kind in (QUEUE, TOPIC, WEBHOOK, UNKNOWN, *given.channels.values())}

    def bury(tx: Tx, parcel: Parcel, reason: str) -> None:
        letter = dead_letter(parcel, reason)
        if letter is not None:
            deliveries.post(tx, [letter])

    deliveries = Deliveries(
        storage=desk.storage,
        clock=desk.clock,
        entropy=desk.entropy,
        carriers={**nobody, **given.by_kind, BUS: buses.carrier},
        on_death=bury,
    )
    return Bus(buses, buses.router(deliveries, owner=f"{socket.gethostname()}/{os.getpid()}"), deliveries, desk.storage)
