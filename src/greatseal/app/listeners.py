"""Listening sockets that outlive the servers on them, so that a new HTTPS certificate needs no restart.

HTTPS is h2corn's: HTTP/2, and TLS with X25519MLKEM768. Plain HTTP is uvicorn's, which also answers HTTP/1.0: that is
what `openssl ocsp` and the stapling of web servers speak.
"""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import uvicorn
from h2corn import Config, Server

from greatseal.app.identity import Identity
from greatseal.app.places import write, write_private
from greatseal.app.plain_protocol import PlainProtocol
from greatseal.app.seats import address_of, listen
from greatseal.edge.asgi import EdgeApp

# The edge enforces the exact limit of a body; the server's own keeps a client from sending without end.
_BODY_SLACK = 65536
_SECONDS_TO_END = 30


class Running(Protocol):
    """A server on a socket."""

    async def serve(self) -> None:
        """Answers until `shutdown`, then until what runs is done."""
        ...

    async def wait_started(self) -> None:
        """Returns once it answers."""
        ...

    def shutdown(self) -> None:
        """Asks it to end."""
        ...


class _Uvicorn(uvicorn.Server):
    """Uvicorn as a guest: signals are for the service as a whole, and it tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PlainServer:
    """HTTP/1.1 and 1.0 without TLS."""

    def __init__(self, app: EdgeApp, listening: socket.socket, max_header_bytes: int) -> None:
        config = uvicorn.Config(
            app,
            http=PlainProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            # Who asks is whoever connects: anybody could claim to be somebody else.
            proxy_headers=False,
            h11_max_incomplete_event_size=max_header_bytes,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        self._server = _Uvicorn(config)
        self._listening = listening

    async def serve(self) -> None:
        """As `Running.serve`. Uvicorn closes the socket that it is given, the listener's stays."""
        await self._server.serve([self._listening.dup()])

    async def wait_started(self) -> None:
        """As `Running.wait_started`."""
        await self._server.answers.wait()

    def shutdown(self) -> None:
        """As `Running.shutdown`."""
        self._server.should_exit = True


class Listener:
    """One bound socket and the server that answers on it now."""

    def __init__(self, bound: socket.socket, *, max_body_bytes: int, max_header_bytes: int = 32 * 1024) -> None:
        self._socket = bound
        self._max_body_bytes = max_body_bytes
        self._max_header_bytes = max_header_bytes
        self._server: Running | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """HOST:PORT as in a URL, with the real port."""
        return address_of(self._socket)

    async def start(self, app: EdgeApp, *, certfile: Path | None = None, keyfile: Path | None = None) -> None:
        """Starts answering, without certificate and key in plain HTTP; a server that answered before ends in order."""
        listen(self._socket)
        if certfile is None:
            await self._start(PlainServer(app, self._socket, self._max_header_bytes))
            return
        config = Config(
            bind=(f"fd://{self._socket.fileno()}",),
            lifespan="off",
            access_log=False,
            date_header=False,
            server_header="off",
            max_request_body_size=self._max_body_bytes + _BODY_SLACK,
            certfile=certfile,
            keyfile=keyfile,
        )
        await self._start(Server(app, config))

    async def _start(self, server: Running) -> None:
        task = asyncio.create_task(server.serve())
        started = asyncio.create_task(server.wait_started())
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            started.cancel()
            await task
            raise OSError(f"the listener on {self.address} ended before it started")
        await started
        await self._end()
        self._server, self._task = server, task

    async def stop(self) -> None:
        """Ends the server after the requests that still run, and closes the socket."""
        await self._end()
        self._socket.close()

    async def _end(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.shutdown()
            await self._task


@contextmanager
def tls_files(run: Path, shown: Identity) -> Iterator[tuple[Path, Path]]:
    """The server takes certificate and key as files only; they exist in `run` until it has read them."""
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_by_a_crash in run.glob("tls-*"):
        shutil.rmtree(left_by_a_crash)
    with tempfile.TemporaryDirectory(prefix="tls-", dir=run) as directory:
        certificate, key = Path(directory) / "certificate.pem", Path(directory) / "key.pem"
        write(certificate, shown.certificate_chain)
        write_private(key, shown.private_key.reveal().decode())
        yield certificate, key
