"""From settings to a service that answers: take the directory, open the database, build, listen."""

import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from h2corn import Config, Server
from prometheus_client import CollectorRegistry

from greatseal.app import identity, logs
from greatseal.app.doors import aws_door, plain_mounts, secure_mounts
from greatseal.app.identity import Identity
from greatseal.app.rooms import Rooms, build
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.edge.asgi import EdgeApp
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.reading import Limits
from greatseal.integrations import kek
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate
from greatseal.storage.owner import DataDirectory
from greatseal.work.loop import Loop
from greatseal.work.runner import Runner
from greatseal.work.schedule import Schedule

_log = structlog.get_logger("greatseal")


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the service until SIGTERM or SIGINT. `announce` receives the line that says where it answers."""
    logs.configure(settings.log.level, settings.log.format)
    if settings.server.workers != 1:
        raise OSError("this version runs exactly one worker; leave --workers out")
    with DataDirectory.open(settings.data):
        storage = open_storage(settings.database_url)
        try:
            migrate(storage)
            rooms = open_rooms(settings, storage)
            _run(settings, rooms, announce)
        finally:
            storage.close()


def open_rooms(settings: Settings, storage: Storage) -> Rooms:
    """The rooms of the installation that `settings` names, its root credential made sure of."""
    clock, entropy = SystemClock(), SystemEntropy()
    rooms = build(
        storage=storage,
        kek=_kek(settings, storage, entropy),
        clock=clock,
        entropy=entropy,
        pool={
            KeyAlgorithm.RSA_2048: settings.keys.pool_rsa_2048,
            KeyAlgorithm.RSA_3072: settings.keys.pool_rsa_3072,
            KeyAlgorithm.RSA_4096: settings.keys.pool_rsa_4096,
        },
    )
    root = settings.root
    if root.access_key_id and root.secret_access_key:
        secret = Secret(root.secret_access_key.encode())
        rooms.access.configure_root(root.access_key_id, secret, account=settings.account_id, region=settings.region)
        settings.paths.root_credential.unlink(missing_ok=True)
    else:
        credential = rooms.access.ensure_root(account=settings.account_id, region=settings.region)
        content = {
            "access_key_id": credential.access_key_id,
            "secret_access_key": credential.secret.reveal().decode(),
        }
        _write_private(settings.paths.root_credential, json.dumps(content))
    return rooms


def _kek(settings: Settings, storage: Storage, entropy: SystemEntropy) -> Secret:
    passphrase = settings.kek.passphrase
    if settings.kek.passphrase_file is not None:
        return kek.from_passphrase(Secret(settings.kek.passphrase_file.read_bytes().rstrip(b"\r\n")), storage, entropy)
    if passphrase is not None:
        return kek.from_passphrase(Secret(passphrase.encode()), storage, entropy)
    return kek.from_file(settings.kek_file, storage, entropy)


def _run(settings: Settings, rooms: Rooms, announce: Callable[[str], None]) -> None:
    # Only this process works on a SQLite database, so whatever is open was left by a crash. With other
    # nodes about, a row may be theirs, and waits for the recurring task.
    alone = rooms.storage.dialect == "sqlite"
    if alone:
        rooms.issuance.finish_open(older_than=timedelta(0), limit=10_000)
    schedule = Schedule(storage=rooms.storage, clock=rooms.clock, tasks=rooms.recurring())
    schedule.ensure(rooms.clock.now())
    runner = Runner(
        storage=rooms.storage,
        clock=rooms.clock,
        entropy=rooms.entropy,
        handlers={**rooms.handlers(), **schedule.handlers()},
        owner=f"{socket.gethostname()}/{os.getpid()}",
    )
    loop = Loop(storage=rooms.storage, runner=runner, clock=rooms.clock)
    stopping = threading.Event()
    filler = threading.Thread(target=_fill, args=(rooms, stopping), name="greatseal-keys", daemon=True)
    loop.start()
    filler.start()
    try:
        asyncio.run(_listen(settings, rooms, announce))
    finally:
        stopping.set()
        rooms.pool.wanted.set()
        loop.stop()
        filler.join()


def _fill(rooms: Rooms, stopping: threading.Event) -> None:
    while not stopping.is_set():
        if not rooms.pool.fill_one():
            rooms.pool.wanted.wait()


async def _listen(settings: Settings, rooms: Rooms, announce: Callable[[str], None]) -> None:
    registry = CollectorRegistry()
    metrics = EdgeMetrics(registry)
    limits = Limits(
        body_bytes=settings.server.max_body_bytes,
        header_bytes=settings.server.max_header_bytes,
        body_seconds=settings.server.body_timeout_seconds,
        workers=settings.server.threads,
        queued=settings.server.queue_limit,
    )
    enabled = frozenset(settings.enabled_regions)
    door = aws_door(rooms, lambda region: not enabled or region in enabled)
    secure = EdgeApp(secure_mounts(rooms, door), limits=limits, metrics=metrics, entropy=rooms.entropy)
    plain = EdgeApp(
        plain_mounts(rooms, registry, door if settings.server.insecure_http_api else None),
        limits=limits,
        metrics=metrics,
        entropy=rooms.entropy,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    names = identity.server_names(settings.server.names, settings.server.listen.host)
    shown = identity.ensure(rooms, region=settings.region, names=names)
    _write(settings.paths.ca_bundle, shown.root)
    with _tls_files(settings, shown) as (certificate, key):
        tls_server, tls_task = await _start(
            secure, _config(settings, str(settings.server.listen), certfile=certificate, keyfile=key)
        )
    http_server, http_task = await _start(plain, _config(settings, str(settings.server.http)))
    https, http = f"https://{tls_server.addresses[0]}", f"http://{http_server.addresses[0]}"
    _write_endpoint(settings, https, http)
    _log.info("ready", https=https, http=http, database=rooms.storage.dialect, keys=_protection(settings))
    announce(f"ready {https} {http}")
    await stopped.wait()
    _log.info("stopping")
    for server, task in ((tls_server, tls_task), (http_server, http_task)):
        server.shutdown()
        await task
    secure.close()
    plain.close()


async def _start(app: EdgeApp, config: Config) -> tuple[Server, "asyncio.Task[None]"]:
    server = Server(app, config)
    task = asyncio.create_task(server.serve())
    started = asyncio.create_task(server.wait_started())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        started.cancel()
        await task
        raise OSError("the listener ended before it started")
    await started
    return server, task


def _config(settings: Settings, bind: str, **more: object) -> Config:
    return Config(
        bind=(bind,),
        access_log=False,
        date_header=False,
        server_header="off",
        # The edge enforces the exact limit; the server's own keeps a client from sending without end.
        max_request_body_size=settings.server.max_body_bytes + 65536,
        **more,  # type: ignore[arg-type]
    )


@contextmanager
def _tls_files(settings: Settings, shown: Identity) -> Iterator[tuple[Path, Path]]:
    """The server takes certificate and key as files only; they exist until it has read them."""
    run = settings.paths.endpoint.parent
    run.mkdir(mode=0o700, exist_ok=True)
    for left_by_a_crash in run.glob("tls-*"):
        shutil.rmtree(left_by_a_crash)
    with tempfile.TemporaryDirectory(prefix="tls-", dir=run) as directory:
        certificate, key = Path(directory) / "certificate.pem", Path(directory) / "key.pem"
        _write(certificate, shown.certificate_chain)
        _write_private(key, shown.private_key.reveal().decode())
        yield certificate, key


def _protection(settings: Settings) -> str:
    if settings.kek.passphrase is not None or settings.kek.passphrase_file is not None:
        return "sealed under a passphrase"
    return f"sealed under the file {settings.kek_file}"


def _write_endpoint(settings: Settings, https: str, http: str) -> None:
    content = {"https": https, "http": http, "region": settings.region, "account_id": settings.account_id}
    _write(settings.paths.endpoint, json.dumps(content))


def _write_private(path: Path, content: str) -> None:
    _write(path, content, 0o600)


def _write(path: Path, content: str, mode: int = 0o644) -> None:
    """Replaces a file as a whole, so that a reader never sees half of it."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)
