"""Several server processes on one machine (`--workers N`): the same ports, the same database, one interpreter each.

    supervisor   holds the data directory, reserves the ports, starts the others and starts them again
      worker 0   a whole service; also does what only one may do on a machine
      worker 1 … a whole service

A worker is a node like any other: nothing passes between workers but the database. Each hears of the supervisor's end,
however it ends, by the pipe that closes, and ends too.

Workers are forks of the supervisor, which has imported the whole service and begun nothing of it: one thread, no event
loop, no database, no key, no connection (docs/performance.md, "Starting"). So code and models are read once and are
in memory once. What the supervisor may hold is listed in `_Ours`.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType

import structlog

from greatseal.app import logs
from greatseal.app.seats import Seat, Sockets, address_of, reserve
from greatseal.app.serving import as_worker, run_alone
from greatseal.app.worker_metrics import forget_all
from greatseal.kernel.errors import Refusal
from greatseal.settings import Settings
from greatseal.storage.errors import StorageError
from greatseal.storage.owner import DataDirectory

_log = structlog.get_logger("greatseal")

_FORK = multiprocessing.get_context("fork")
_SECONDS_TO_END = 60.0
_PAUSE = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the service until SIGTERM or SIGINT. `announce` receives the line that says where it answers."""
    logs.configure(settings.log.level, settings.log.format)
    if settings.server.workers == 1:
        run_alone(settings, announce)
        return
    with DataDirectory.open(settings.data) as directory:
        forget_all(settings.paths.endpoint.parent)
        sockets = Sockets(reserve(settings.server.listen), reserve(settings.server.http))
        lifeline = os.pipe()
        try:
            _Supervisor(settings, _Ours(directory, sockets, lifeline)).run(announce)
        finally:
            sockets.close()
            for descriptor in lifeline:
                os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Ours:
    """All that the supervisor holds when it forks."""

    directory: DataDirectory
    sockets: Sockets
    """They reserve the ports."""
    lifeline: tuple[int, int]
    """A pipe nobody writes to, whose reading end is at its end when the supervisor has ended."""

    def leave(self) -> int:
        """In a worker: lets everything go that would outlive the supervisor; what is left to read of the lifeline."""
        self.directory.leave()
        self.sockets.close()
        os.close(self.lifeline[1])
        return self.lifeline[0]


class _Worker:
    """One running process."""

    def __init__(self, settings: Settings, seat: Seat, sockets: Sockets, ours: _Ours) -> None:
        self.seat = seat
        self._told, telling = _FORK.Pipe(duplex=False)
        self.process = _FORK.Process(
            target=_work, args=(settings, seat, sockets, ours, telling), name=f"worker-{seat.number}"
        )
        # A signal that comes between the fork and the worker's own handlers waits until it has those.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            telling.close()

    def await_ready(self) -> None:
        """Waits until it answers. Raises OSError with its own words when it ended instead."""
        try:
            words = self._told.recv()
        except EOFError:
            words = f"worker {self.seat.number} ended before it answered; the log says why"
        if words:
            raise OSError(words)

    def stop(self) -> None:
        """Asks it to end after the requests that it has."""
        if self.process.is_alive():
            self.process.terminate()

    def join(self) -> None:
        """Returns once it has ended."""
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        self._told.close()


class _Supervisor:
    """Starts workers, watches over them and ends with them."""

    def __init__(self, settings: Settings, ours: _Ours) -> None:
        self._settings = settings
        self._ours = ours
        self._workers: list[_Worker] = []
        self._stopping = threading.Event()

    def run(self, announce: Callable[[str], None]) -> None:
        """Until a signal comes. Raises OSError when a worker does not even start."""
        for each in _SIGNALS:
            signal.signal(each, self._stop)
        try:
            # One after the other: the first makes what a new installation lacks, and finishes what a crash left.
            for number in range(self._settings.server.workers):
                worker = self._hire(Seat(number, self._settings.server.workers, recovers=number == 0))
                try:
                    worker.await_ready()
                except OSError:
                    if self._stopping.is_set():
                        return
                    raise
            sockets = self._ours.sockets
            announce(f"ready https://{address_of(sockets.https)} http://{address_of(sockets.http)}")
            while not self._stopping.wait(_PAUSE):
                self._replace_the_dead()
        finally:
            for worker in self._workers:
                worker.stop()
            for worker in self._workers:
                worker.join()

    def _hire(self, seat: Seat) -> _Worker:
        sockets = self._ours.sockets.beside()
        try:
            worker = _Worker(self._settings, seat, sockets, self._ours)
        finally:
            # Its own now: connections are not sent to a worker that has ended.
            sockets.close()
        self._workers.append(worker)
        return worker

    def _replace_the_dead(self) -> None:
        for worker in [each for each in self._workers if not each.process.is_alive()]:
            _log.error("worker_ended", worker=worker.seat.number, code=worker.process.exitcode)
            self._workers.remove(worker)
            worker.join()
            # The others are at work: what is open in the database may be theirs.
            self._hire(Seat(worker.seat.number, worker.seat.of, recovers=False))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()


def _work(settings: Settings, seat: Seat, sockets: Sockets, ours: _Ours, telling: Connection) -> None:
    """The main function of a worker, a fork of the supervisor. It ends with the process."""
    lifeline = ours.leave()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    # Whoever reads what the supervisor prints reads the end of it when the supervisor ends.
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with_supervisor, args=(lifeline,), name="greatseal-lifeline", daemon=True).start()

    def tell(words: str) -> None:
        with suppress(BrokenPipeError), telling:
            telling.send(words)

    try:
        as_worker(settings, seat, sockets, lambda line: tell(""))
    except (Refusal, StorageError, OSError) as refusal:
        if telling.closed:
            raise
        # Of those that replace others the supervisor does not hear.
        _log.error("worker_not_started", worker=seat.number, why=str(refusal))
        tell(str(refusal))


def _end_with_supervisor(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    # Whatever hangs now has nobody else who would end it.
    time.sleep(_SECONDS_TO_END)
    os.kill(os.getpid(), signal.SIGKILL)
