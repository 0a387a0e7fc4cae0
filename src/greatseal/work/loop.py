"""The thread that calls a Runner: at every tick, and at once when a commit of this process enqueued a job."""

import logging
import threading
from datetime import datetime, timedelta

from greatseal.kernel.clock import Clock
from greatseal.storage import queue
from greatseal.storage.queue import JOB_TOPIC
from greatseal.storage.tx import Storage
from greatseal.work.runner import Runner

_log = logging.getLogger(__name__)

# Clocks that are kept right by the network make smaller steps than this.
_SET_BACK = timedelta(minutes=1)


class Loop:
    """Runs `runner` in a thread of its own between `start` and `stop`."""

    def __init__(
        self, *, storage: Storage, runner: Runner, clock: Clock, tick: timedelta = timedelta(seconds=1)
    ) -> None:
        self._storage = storage
        self._runner = runner
        self._clock = clock
        self._tick = tick.total_seconds()
        self._wake = threading.Event()
        self._stopping = False
        self._latest = clock.now()
        self._thread = threading.Thread(target=self._run, name="greatseal-work", daemon=True)
        self._deafen = storage.after_commit(JOB_TOPIC, self._wake.set)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Ends the thread after the job that it is handling, at once when it is idle; False when it did not in time."""
        self._stopping = True
        self._deafen()
        self._runner.stop()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout.total_seconds())
        return not self._thread.is_alive()

    def look_at(self, now: datetime) -> None:
        """Notices a clock that was set back, and has every waiting job look anew whether its time has come."""
        if now < self._latest - _SET_BACK:
            _log.warning("the clock was set back from %s to %s", self._latest, now)
            self._storage.transact(lambda tx: queue.hurry(tx, now=now))
            self._latest = now
        self._latest = max(self._latest, now)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                now = self._clock.now()
                self.look_at(now)
                busy = self._runner.run_due(now) > 0
            except Exception:  # noqa: BLE001 - the loop outlives every failure
                _log.exception("background work failed; trying again at the next tick")
                busy = False
            if not busy and not self._stopping:
                self._wake.wait(self._tick)
