"""Listening sockets that outlive the servers on them, so that a new HTTPS certificate needs no restart."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from h2corn import Config, Server

from greatseal.app.identity import Identity
from greatseal.app.places import write, write_private
from greatseal.edge.asgi import EdgeApp

_BACKLOG = 1024
# The edge enforces the exact limit of a body; the server's own keeps a client from sending without end.
_BODY_SLACK = 65536


class Listener:
    """One bound socket and the server that answers on it now."""

    def __init__(self, host: str, port: int, *, max_body_bytes: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._max_body_bytes = max_body_bytes
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """HOST:PORT as in a URL, with the real port."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def start(self, app: EdgeApp, *, certfile: Path | None = None, keyfile: Path | None = None) -> None:
        """Starts answering; a server that answered before ends once its requests are done."""
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
        server = Server(app, config)
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
    run.mkdir(mode=0o700, exist_ok=True)
    for left_by_a_crash in run.glob("tls-*"):
        shutil.rmtree(left_by_a_crash)
    with tempfile.TemporaryDirectory(prefix="tls-", dir=run) as directory:
        certificate, key = Path(directory) / "certificate.pem", Path(directory) / "key.pem"
        write(certificate, shown.certificate_chain)
        write_private(key, shown.private_key.reveal().decode())
        yield certificate, key
