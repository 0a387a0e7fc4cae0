"""A process that delivers and is killed: run by test_lanes.py, one death for each line of its standard input."""

import json
import os
import sys
import traceback
from pathlib import Path

from sqlalchemy import text

from greatseal.domain.delivery import DELIVER_JOB, Deliveries, Parcel, Undeliverable
from greatseal.storage import Storage, Tx
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.testing.faults import FaultyStorage, die
from greatseal.work.runner import Pace, Runner

BAD = "a2"
"""The message that no receiver ever takes."""


class Notes:
    """A receiver that writes on the disk what it has, before anybody hears of it."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self.reach = lambda point: None

    def carry(self, parcel: Parcel) -> None:
        self.reach("before carry")
        if parcel.message_id == BAD:
            raise Undeliverable("never", final=True)
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(f"{parcel.message_id}\n")
            file.flush()
            os.fsync(file.fileno())
        self.reach("after carry")


def deliveries(storage: Storage, notes: Notes, clock: FakeClock) -> Deliveries:
    """Deliveries of which each dead letter tells another receiver, as queues for dead letters do."""

    def bury(tx: Tx, parcel: Parcel, reason: str) -> None:
        made.post(tx, [Parcel("letters", "k", {}, parcel.body, f"letter-{parcel.message_id}")])

    made = Deliveries(storage=storage, clock=clock, entropy=FakeEntropy("d"), carriers={"k": notes}, on_death=bury)
    return made


def post(storage: Storage, made: Deliveries) -> None:
    """Three messages that belong together in one lane, one of which is bad, and another beside them."""
    parcels = [Parcel("lane", "k", {}, "body", each, order_key=each[0]) for each in ("a1", BAD, "a3", "b1")]
    storage.transact(lambda tx: made.post(tx, parcels))


def work(storage: Storage, made: Deliveries, clock: FakeClock) -> None:
    """Runs the jobs that are due."""
    runner = Runner(
        storage=storage,
        clock=clock,
        entropy=FakeEntropy("r"),
        handlers={DELIVER_JOB: lambda job: made.run(job.key)},
        owner="mortal",
        pace=Pace(batch=1),
    )
    while runner.run_due(clock.now()):
        pass


def _run(job: dict[str, str]) -> None:
    storage = FaultyStorage(job["url"])
    notes, clock, counts = Notes(Path(job["notes"])), FakeClock(), dict[str, int]()

    def reach(point: str) -> None:
        counts[point] = counts.get(point, 0) + 1
        if f"{point} {counts[point]}" == job["point"]:
            die()

    notes.reach = reach
    made = deliveries(storage, notes, clock)
    storage.read(lambda tx: tx.all(text("SELECT 1")))  # type: ignore[arg-type]
    storage.observe = lambda point: reach(point.replace("-", " "))
    post(storage, made)
    work(storage, made, clock)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _run(json.loads(line))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - nothing may go on in the parent's place
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
