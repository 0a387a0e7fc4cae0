"""Whether this process should be sent requests: looked at every other second by a thread, told at once by `/readyz`.

`/readyz` is answered on the thread that serves every connection, which must not wait for a database. So it tells what
the last look found, and a look that does not end within the bound is itself the answer.
"""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from greatseal.app.rooms import Rooms
from greatseal.storage import Tx, installation
from greatseal.storage.revision import Standing, standing

_log = structlog.get_logger("greatseal")

EVERY_SECONDS = 2.0
# A database that needs longer for one row keeps every caller waiting too.
BOUND_SECONDS = 5.0
# A look that asks for the right to write finds a read-only database; only a real write finds a full disk.
_WRITE_EVERY_SECONDS = 30.0
_WRITTEN = "readiness"

OK = "ok"
SLOW = "no answer in time"

Checks = Mapping[str, Callable[[], str]]
"""Each says `ok`, or in a few words what is wrong; raising is `failed`. Everybody may read it: no names, no secrets."""


class Readiness:
    """The last look at each check, and the thread that looks."""

    def __init__(self, checks: Checks, *, now: Callable[[], float] = time.monotonic) -> None:
        """`now` tells seconds that only pass."""
        self._checks = checks
        self._now = now
        self._found = dict.fromkeys(checks, SLOW)
        self._looked_at: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greatseal-readiness", daemon=True)

    def start(self) -> None:
        """Looks once, and from then on every other second."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. A look that hangs ends with the process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(BOUND_SECONDS)

    def look(self) -> None:
        """Makes every check, one after the other."""
        began = self._now()
        found = {name: self._look(name, check) for name, check in self._checks.items()}
        if found != self._found and self._looked_at is not None:
            _log.warning("readiness_changed", **found)
        took = self._now() - began
        self._found = found if took <= BOUND_SECONDS else dict.fromkeys(found, SLOW)
        self._looked_at = self._now()

    def found(self) -> dict[str, str]:
        """What each check says; that it does not answer, when the last look is older than the bound allows."""
        at = self._looked_at
        if at is None or self._now() - at > EVERY_SECONDS + BOUND_SECONDS:
            return dict.fromkeys(self._checks, SLOW)
        return dict(self._found)

    def _look(self, name: str, check: Callable[[], str]) -> str:
        try:
            return check()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the process is not ready
            _log.debug("readiness_failed", check=name, error=type(error).__name__)
            return "failed"

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            self.look()


def checks_of(rooms: Rooms, *, now: Callable[[], float] = time.monotonic) -> Checks:
    """The checks of an installation: its database can be written, has our schema, and its keys open."""
    written: list[float] = []

    def database() -> str:
        moment = now()
        if not written or moment - written[-1] >= _WRITE_EVERY_SECONDS:
            rooms.storage.transact(
                lambda tx: installation.replace(tx, _WRITTEN, rooms.clock.now().isoformat().encode())
            )
            written[:] = [moment]
        else:
            rooms.storage.transact(_no_change)
        return OK

    def schema() -> str:
        found = rooms.storage.read(standing)
        return "older than this version" if found is Standing.BEHIND else OK

    def keys() -> str:
        rooms.kek_change.refresh()
        return OK

    return {"database": database, "schema": schema, "keys": keys}


def _no_change(tx: Tx) -> None:
    installation.forget(tx, "readiness/nothing")
