"""Several server processes on one machine (`--workers N`): the same ports, the same database, one interpreter each.

    supervisor   holds the data directory, reserves the ports, migrates, starts the others and starts them again
      worker 0   a whole service; also does what only one may do on a machine
      worker 1 … a whole service

A worker is a node like any other: nothing passes between workers but the database. Each hears of the supervisor's end,
however it ends, by the pipe that closes, and ends too.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog

from greatseal.app import logs
from greatseal.app.seats import Seat, Sockets, address_of, reserve
from greatseal.app.serving import as_worker, run_alone
from greatseal.app.worker_metrics import forget_all
from greatseal.settings import Settings
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.storage.owner import DataDirectory

_log = structlog.get_logger("greatseal")

_START = "from greatseal.app.workers import work; work()"
_READY = b"ready\n"
_SECONDS_TO_END = 60.0
_PAUSE = 1.0


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the service until SIGTERM or SIGINT. `announce` receives the line that says where it answers."""
    logs.configure(settings.log.level, settings.log.format)
    if settings.server.workers == 1:
        run_alone(settings, announce)
        return
    with DataDirectory.open(settings.data):
        storage = open_storage(settings.database_url)
        try:
            migrate(storage)
        finally:
            storage.close()
        forget_all(settings.paths.endpoint.parent)
        sockets = Sockets(reserve(settings.server.listen), reserve(settings.server.http))
        try:
            _Supervisor(settings, sockets).run(announce)
        finally:
            sockets.close()


class _Worker:
    """One running process."""

    def __init__(self, settings: Settings, seat: Seat, sockets: Sockets) -> None:
        self.seat = seat
        descriptors = (sockets.https.fileno(), sockets.http.fileno())
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=descriptors
        )
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            pickle.dump((settings, seat, descriptors), self.process.stdin)
            self.process.stdin.flush()

    def is_ready(self) -> bool:
        """Waits until it answers; False when it ended instead."""
        assert self.process.stdout is not None
        return self.process.stdout.readline() == _READY

    def stop(self) -> None:
        """Asks it to end after the requests that it has."""
        if self.process.poll() is None:
            self.process.terminate()

    def join(self) -> None:
        """Returns once it has ended."""
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


class _Supervisor:
    """Starts workers, watches over them and ends with them."""

    def __init__(self, settings: Settings, sockets: Sockets) -> None:
        self._settings = settings
        self._sockets = sockets
        self._workers: list[_Worker] = []
        self._stopping = threading.Event()

    def run(self, announce: Callable[[str], None]) -> None:
        """Until a signal comes. Raises OSError when a worker does not even start."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        try:
            # One after the other: the first makes what a new installation lacks, and finishes what a crash left.
            for number in range(self._settings.server.workers):
                worker = self._hire(Seat(number, self._settings.server.workers, recovers=number == 0))
                if not worker.is_ready():
                    if self._stopping.is_set():
                        return
                    raise OSError(f"worker {number} ended before it answered; the log says why")
            announce(f"ready https://{address_of(self._sockets.https)} http://{address_of(self._sockets.http)}")
            while not self._stopping.wait(_PAUSE):
                self._replace_the_dead()
        finally:
            for worker in self._workers:
                worker.stop()
            for worker in self._workers:
                worker.join()

    def _hire(self, seat: Seat) -> _Worker:
        sockets = self._sockets.beside()
        try:
            worker = _Worker(self._settings, seat, sockets)
        finally:
            # Its own now: connections are not sent to a worker that has ended.
            sockets.close()
        self._workers.append(worker)
        return worker

    def _replace_the_dead(self) -> None:
        for worker in [each for each in self._workers if each.process.poll() is not None]:
            _log.error("worker_ended", worker=worker.seat.number, code=worker.process.returncode)
            self._workers.remove(worker)
            worker.join()
            # The others are at work: what is open in the database may be theirs.
            self._hire(Seat(worker.seat.number, worker.seat.of, recovers=False))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()


def work() -> None:
    """The main function of a worker, which learns what it is by standard input, and ends when that is closed."""
    settings, seat, (https, http) = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent, by a pipe
    logs.configure(settings.log.level, settings.log.format)
    threading.Thread(target=_end_with_supervisor, name="greatseal-lifeline", daemon=True).start()

    def announce(line: str) -> None:
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()

    as_worker(settings, seat, Sockets(socket.socket(fileno=https), socket.socket(fileno=http)), announce)


def _end_with_supervisor() -> None:
    # Not through the buffer, whose lock an ending interpreter would stumble over.
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)
    # Whatever hangs now has nobody else who would end it.
    time.sleep(_SECONDS_TO_END)
    os.kill(os.getpid(), signal.SIGKILL)
