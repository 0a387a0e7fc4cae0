"""Receivers that behave as the test says, and the job runner of their lanes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from greatseal.domain.delivery import DELIVER_JOB, Deliveries, Parcel, Undeliverable
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.work.runner import Pace, Runner

SECOND = timedelta(seconds=1)
Behaviour = Callable[[Parcel], None]


def parcel(message_id: str, lane: str = "one", key: str = "", kind: str = "k", **address: str) -> Parcel:
    return Parcel(lane, kind, address, f"body of {message_id}", message_id, key, {"subject": "s"}, "111122223333")


class Receiver:
    """A carrier that notes what it got and then does what the test wants."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.tried: list[str] = []
        self.behave: Behaviour = lambda each: None

    def carry(self, each: Parcel) -> None:
        self.tried.append(each.message_id)
        self.behave(each)
        self.got.append(each.message_id)

    def refuse(self, *ids: str, **how: Any) -> None:
        """Refuses these messages, or all."""

        def behave(each: Parcel) -> None:
            if not ids or each.message_id in ids:
                raise Undeliverable("no", **how)

        self.behave = behave

    def accept(self) -> None:
        self.behave = lambda each: None


class Lanes:
    """Deliveries over a database, and what runs their jobs."""

    def __init__(self, storage: Storage, clock: FakeClock | None = None, **more: Any) -> None:
        self.storage = storage
        self.clock = clock or FakeClock()
        self.receiver = Receiver()
        self.results: list[str] = []
        self.deliveries = Deliveries(
            storage=storage,
            clock=self.clock,
            entropy=FakeEntropy("deliveries"),
            carriers={"k": self.receiver},
            on_attempt=lambda kind, result: self.results.append(result),
            **more,
        )

    def runner(self) -> Runner:
        return Runner(
            storage=self.storage,
            clock=self.clock,
            entropy=FakeEntropy("runner"),
            handlers={DELIVER_JOB: lambda job: self.deliveries.run(job.key)},
            owner="test",
            pace=Pace(batch=1),
        )

    def post(self, *parcels: Parcel) -> None:
        self.storage.transact(lambda tx: self.deliveries.post(tx, parcels))

    def work(self) -> int:
        runner, total = self.runner(), 0
        while handled := runner.run_due(self.clock.now()):
            total += handled
        return total

    def pass_time(self, much: timedelta, step: timedelta = SECOND) -> None:
        """Works at every step."""
        end = self.clock.now() + much
        while self.clock.now() < end:
            self.clock.advance(step)
            self.work()
