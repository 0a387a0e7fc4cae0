"""From settings to a service that answers: take the directory, open the database, build, listen."""

import asyncio
import gc
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry

from greatseal.app import identity, logs, places, protection
from greatseal.app.backup.settling import refuse_unfinished, settle
from greatseal.app.building import build
from greatseal.app.bus import Carriers
from greatseal.app.carriers import channels
from greatseal.app.delivering import delivery_crew, employ
from greatseal.app.doors import aws_door, plain_mounts, secure_mounts
from greatseal.app.identity import Identity
from greatseal.app.listeners import Listener, tls_files
from greatseal.app.observing import Observed
from greatseal.app.outside import outside_buckets
from greatseal.app.public_settings import public_wishes
from greatseal.app.rooms import Rooms
from greatseal.app.seats import Seat, Sockets, bind
from greatseal.app.throttling import throttle
from greatseal.app.timestamping import stamp_wishes
from greatseal.app.tracing import Tracing, to_collector
from greatseal.app.transparency import transparency_wishes
from greatseal.app.trust_services import endpoint_listener, plan_of
from greatseal.app.upstream import upstream_wishes
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.app.zones import employ_zones, zone_server
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.blocklist import DEFAULT_BLOCKLIST, Blocklist
from greatseal.crypto.wrap import CannotOpen
from greatseal.domain.access import Credential
from greatseal.domain.audit import AuditSink
from greatseal.domain.events.schedules import compile_schedule
from greatseal.domain.policy import KeyPolicy
from greatseal.domain.revocation.lists import Pace
from greatseal.domain.revocation.repository import Visibility
from greatseal.domain.watch import Distrusted, Wishes
from greatseal.edge.asgi import EdgeApp
from greatseal.edge.metrics import DeliveryMetrics, EdgeMetrics
from greatseal.edge.mounts import Mounts
from greatseal.edge.reading import Limits
from greatseal.integrations import kek
from greatseal.integrations.audit_sinks import sink_at
from greatseal.integrations.issuer_keys import HttpsIssuerKeys
from greatseal.integrations.xks import XksProxies
from greatseal.integrations.xks_connections import ProxyConnections
from greatseal.kernel.clock import Clock, SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.kernel.secret import Secret
from greatseal.settings import Settings
from greatseal.storage import Storage, open_storage, queue
from greatseal.storage.migrate import migrate
from greatseal.storage.owner import DataDirectory
from greatseal.work.loop import Loop
from greatseal.work.runner import Runner
from greatseal.work.schedule import Schedule

_log = structlog.get_logger("greatseal")

_CERTIFICATE_CHECK_SECONDS = 3600.0
_TICK_SECONDS = 1.0
_WILDCARDS = ("0.0.0.0", "[::]")  # noqa: S104 - compared, not bound


def run_alone(settings: Settings, announce: Callable[[str], None]) -> None:
    """Runs the service in this process until SIGTERM or SIGINT."""
    with DataDirectory.open(settings.data):
        sockets = Sockets(bind(settings.server.listen), bind(settings.server.http))
        as_worker(settings, Seat(), sockets, announce)


def as_worker(settings: Settings, seat: Seat, sockets: Sockets, announce: Callable[[str], None]) -> None:
    """Runs the service on sockets that are there, over a data directory that somebody holds."""
    storage = open_storage(settings.database_url)
    try:
        migrate(storage)
        rooms = open_rooms(settings, storage, seat)
        _run(settings, rooms, seat, sockets, announce)
    except CannotOpen as error:
        raise kek.KekError(
            "the key-encryption key is the right one, but a secret in the database does not open with it: the "
            "database was altered or damaged. Put the database back from its backup."
        ) from error
    finally:
        sockets.close()
        storage.close()


def rooms_over(settings: Settings, storage: Storage, seat: Seat = Seat()) -> Rooms:  # noqa: B008 - frozen
    """The rooms of the installation that `settings` names."""
    refuse_unfinished(storage)
    clock, entropy = SystemClock(), SystemEntropy()
    stores = protection.key_stores(settings)
    rooms = build(
        storage=storage,
        kek=protection.open_keyring(settings, storage, entropy, stores),
        key_stores=stores,
        store_for=protection.stores_by_purpose(settings),
        configured_kek=protection.configured(settings, storage, entropy, stores),
        clock=clock,
        entropy=entropy,
        pool={
            KeyAlgorithm.RSA_2048: seat.share(settings.keys.pool_rsa_2048),
            KeyAlgorithm.RSA_3072: seat.share(settings.keys.pool_rsa_3072),
            KeyAlgorithm.RSA_4096: seat.share(settings.keys.pool_rsa_4096),
        },
        key_policy=KeyPolicy(_blocklist(settings)),
        audit_sinks=[_sink(settings, url, clock) for url in settings.audit.sinks],
        region=settings.region,
        is_region=_served(settings),
        objects_folder=settings.paths.objects,
        objects_in_database=settings.objects.in_database(storage.dialect),
        base_url=_base_url(settings, str(settings.server.http)),
        api_url=_api_url(settings, str(settings.server.listen)),
        # The other threads are for everybody else.
        long_polls=settings.server.threads // 4,
        pace=Pace(
            delay=timedelta(seconds=settings.publication.crl_delay_seconds),
            retry=timedelta(seconds=settings.publication.crl_retry_seconds),
            deltas=settings.publication.delta_crls,
            complete=timedelta(seconds=settings.publication.complete_crl_delay_seconds),
        ),
        outside_buckets=outside_buckets(settings.objects),
        issuers_in_certificates=settings.publication.ca_issuers,
        repository_visibility=Visibility(settings.publication.repository),
        issuer_keys=HttpsIssuerKeys(clock=clock, ca_file=settings.access.oidc_ca_file),
        key_proxies=_key_proxies(settings, clock),
        watch=_wishes(settings),
        public=public_wishes(settings, clock, entropy),
        trust=plan_of(settings),
        logged=transparency_wishes(settings),
        stamps=stamp_wishes(settings),
        carriers=Carriers(channels=channels(settings)),
        upstream=upstream_wishes(settings.upstream, clock),
    )
    employ(settings, rooms)
    employ_zones(settings, rooms.zones)
    return rooms


def _wishes(settings: Settings) -> Wishes:
    """What is watched for. Raises OSError for a schedule or an issuer that cannot be read."""
    wanted = settings.watch
    try:
        compile_schedule(wanted.expiry_schedule, datetime.fromtimestamp(0, UTC))
        distrusted = tuple(map(Distrusted.parse, wanted.distrusted_issuers))
    except ValueError as error:
        raise OSError(f"the settings of the watch cannot be used: {error}") from None
    return Wishes(wanted.root_issuance, wanted.expiry_days, wanted.expiry_schedule, distrusted)


def _key_proxies(settings: Settings, clock: Clock) -> XksProxies:
    """What reaches the proxies of external key stores."""
    wanted = settings.external_key_stores
    routes = {each.host: (each.to.host, each.to.port) for each in wanted.routes}
    connections = ProxyConnections(timeout=wanted.timeout_seconds, ca_file=wanted.ca_file, routes=routes)
    return XksProxies(connections=connections, clock=clock)


def open_rooms(settings: Settings, storage: Storage, seat: Seat = Seat()) -> Rooms:  # noqa: B008 - frozen
    """As `rooms_over`, with the root credential made sure of."""
    rooms = rooms_over(settings, storage, seat)
    if settle(rooms, settings.region):
        _log.warning("restored_from_backup", see="docs/backup.md")
    root = settings.root
    if root.access_key_id and root.secret_access_key:
        secret = Secret(root.secret_access_key.encode())
        rooms.access.configure_root(root.access_key_id, secret, account=settings.account_id)
        settings.paths.root_credential.unlink(missing_ok=True)
    else:
        write_root(settings, rooms.access.ensure_root(account=settings.account_id))
    return rooms


def write_root(settings: Settings, credential: Credential) -> None:
    """Keeps the root credential where `greatseal env` finds it."""
    content = {
        "access_key_id": credential.access_key_id,
        "secret_access_key": credential.secret.reveal().decode(),
    }
    places.write_private(settings.paths.root_credential, json.dumps(content))


def _served(settings: Settings) -> Callable[[str], bool]:
    """Which regions are: all, unless the settings name some."""
    enabled = frozenset(settings.enabled_regions)
    return lambda region: not enabled or region in enabled


def _base_url(settings: Settings, address: str) -> str:
    """Where the plain listener, bound to `address`, is reached from outside."""
    if settings.publication.base_url is not None:
        return settings.publication.base_url
    host, _, port = address.rpartition(":")
    return f"http://{socket.gethostname().lower() if host in _WILDCARDS else host}:{port}"


def _api_url(settings: Settings, address: str) -> str:
    """Where the HTTPS listener, bound to `address`, is reached: by the first name of the settings, if there is one."""
    host, _, port = address.rpartition(":")
    known = settings.server.names[0] if settings.server.names else None
    return f"https://{known or (socket.gethostname().lower() if host in _WILDCARDS else host)}:{port}"


def _blocklist(settings: Settings) -> Blocklist:
    blocklist = DEFAULT_BLOCKLIST
    for path in settings.keys.blocklists:
        try:
            blocklist = blocklist.with_openssl_blacklist(path.read_text(encoding="ascii"))
        except ValueError as error:
            raise OSError(f"the blocklist {path} cannot be read: {error}") from None
    return blocklist


def _sink(settings: Settings, url: str, clock: SystemClock) -> AuditSink:
    token = settings.audit.webhook_token
    try:
        return sink_at(
            url,
            clock=clock,
            hostname=socket.gethostname(),
            token=Secret(token.encode()) if token is not None else None,
            timeout=settings.audit.sink_timeout_seconds,
        )
    except ValueError as error:
        raise OSError(f"the audit sink cannot be used: {error}") from None


def _run(settings: Settings, rooms: Rooms, seat: Seat, sockets: Sockets, announce: Callable[[str], None]) -> None:
    # Only this machine works on a SQLite database, so whatever is open was left by a crash. With other
    # nodes about, a row may be theirs, and waits for the recurring task.
    if seat.recovers and rooms.storage.dialect == "sqlite":
        rooms.issuance.finish_open(older_than=None, limit=10_000)
        rooms.storage.transact(queue.free_all)
    # A directory has one process at a time, and a seat one: what that name holds was left by one that is dead.
    owner = f"{places.name_of(settings.paths.endpoint.parent, rooms.entropy)}/{seat.number}"
    rooms.storage.transact(lambda tx: queue.free_of(tx, owner))
    schedule = Schedule(storage=rooms.storage, clock=rooms.clock, tasks=rooms.recurring())
    schedule.ensure(rooms.clock.now())
    runner = Runner(
        storage=rooms.storage,
        clock=rooms.clock,
        entropy=rooms.entropy,
        handlers={**rooms.handlers(), **schedule.handlers()},
        owner=owner,
        last_words=rooms.last_words(),
    )
    loop = Loop(storage=rooms.storage, runner=runner, clock=rooms.clock)
    registry = CollectorRegistry()
    crew = delivery_crew(settings, rooms, DeliveryMetrics(registry), owner)
    observed = _observed(settings, rooms, seat, registry)
    # What has a port of its own is the first one's.
    names = zone_server(settings, rooms.zones) if seat.first else None
    tests = endpoint_listener(settings, rooms.trusting) if seat.first else None
    stopping = threading.Event()
    filler = threading.Thread(target=_fill, args=(rooms, stopping), name="greatseal-keys", daemon=True)
    every_second = threading.Thread(
        target=_every_second, args=(rooms, seat, observed.counted, stopping), name="greatseal-audit", daemon=True
    )
    router = threading.Thread(target=rooms.bus.route, args=(stopping,), name="greatseal-events", daemon=True)
    loop.start()
    crew.start()
    filler.start()
    every_second.start()
    if seat.first:
        router.start()
    if names is not None:
        names.start()
        _log.info("name_server_ready", address=names.address, zones=rooms.zones.own.zones)
    if tests is not None:
        tests.start()
    try:
        asyncio.run(_listen(settings, rooms, seat, sockets, observed, EdgeMetrics(registry), announce))
    finally:
        observed.stop()
        if names is not None:
            names.stop()
        if tests is not None:
            tests.stop()
        stopping.set()
        rooms.pool.wanted.set()
        rooms.bus.deliveries.stop()
        crew.stop()
        loop.stop()
        filler.join()
        every_second.join()
        if seat.first:
            router.join()


def _observed(settings: Settings, rooms: Rooms, seat: Seat, registry: CollectorRegistry) -> Observed:
    counted = WorkerMetrics(registry, settings.paths.endpoint.parent, seat.number)
    return Observed.over(rooms, counted, workers=seat.of, tracing=_tracing(settings))


def _tracing(settings: Settings) -> Tracing | None:
    """What traces, if the settings name a collector. Raises OSError without the extra."""
    wanted = settings.tracing
    if wanted.endpoint is None:
        return None
    return to_collector(wanted.endpoint, share=wanted.share, node=f"{socket.gethostname()}/{os.getpid()}")


def _fill(rooms: Rooms, stopping: threading.Event) -> None:
    while not stopping.is_set():
        if not rooms.pool.fill_one():
            # With a limit: the pool may clear the event just after the stop has set it.
            rooms.pool.wanted.wait(_TICK_SECONDS)


def _every_second(rooms: Rooms, seat: Seat, counted: WorkerMetrics, stopping: threading.Event) -> None:
    """Extends the log of the audit trail, at the end once more. Any node may: the log compares and swaps.

    Also hears of a new key-encryption key, so that every process seals under it within moments, and tells the other
    workers of this machine what it has counted.
    """
    last = False
    while not last:
        last = stopping.wait(_TICK_SECONDS)
        try:
            rooms.kek_change.refresh()
            if seat.first:
                rooms.audit_log.catch_up()
            if seat.of > 1:
                counted.write()
        except Exception:  # noqa: BLE001 - the thread outlives every failure
            _log.exception("audit_trail_not_sequenced")


def _limits(settings: Settings) -> Limits:
    server = settings.server
    return Limits(
        body_bytes=server.max_body_bytes,
        header_bytes=server.max_header_bytes,
        body_seconds=server.body_timeout_seconds,
        workers=server.threads,
        queued=server.queue_limit,
        queue_seconds=server.queue_seconds,
    )


async def _listen(
    settings: Settings,
    rooms: Rooms,
    seat: Seat,
    sockets: Sockets,
    observed: Observed,
    metrics: EdgeMetrics,
    announce: Callable[[str], None],
) -> None:
    server = settings.server
    limits = _limits(settings)
    weighed = throttle(settings, workers=seat.of, refused=metrics.too_often)
    door = aws_door(rooms, _served(settings), observed.tracing, weighed)
    log, write_log = logs.access_log(settings.log.format, rooms.clock)

    def edge(mounts: Mounts) -> EdgeApp:
        return EdgeApp(mounts, limits=limits, metrics=metrics, entropy=rooms.entropy, access_log=log)

    secure = edge(secure_mounts(rooms, door, observed))
    plain = edge(plain_mounts(rooms, observed.counted, door if server.insecure_http_api else None, observed))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    https = Listener(sockets.https, max_body_bytes=server.max_body_bytes)
    http = Listener(sockets.http, max_body_bytes=server.max_body_bytes, max_header_bytes=server.max_header_bytes)
    # A port that the system picked is known from here on; nobody could have a certificate issued before.
    rooms.points.base_url = _base_url(settings, http.address)
    rooms.notices.addresses.plain = rooms.points.base_url
    rooms.notices.addresses.api = _api_url(settings, https.address)
    shown = await _show(settings, rooms, seat, https, secure, None)
    await asyncio.to_thread(observed.start)
    await http.start(plain)
    where = {"https": f"https://{https.address}", "http": f"http://{http.address}"}
    if seat.first:
        told = {**where, "region": settings.region, "account_id": settings.account_id}
        places.write(settings.paths.endpoint, json.dumps(told))
    _spare_the_collector()
    _log.info("ready", **where, database=rooms.storage.dialect, keys=protection.described(settings))
    announce(f"ready {where['https']} {where['http']}")
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _CERTIFICATE_CHECK_SECONDS)
        if stopped.is_set():
            break
        try:
            shown = await _show(settings, rooms, seat, https, secure, shown)
        except Exception:  # noqa: BLE001 - the certificate that is shown is good for weeks, the next look comes in an hour
            _log.exception("https_certificate_not_renewed")
    _log.info("stopping")
    await https.stop()
    await http.stop()
    rooms.notices.queues.polls.stop()
    secure.close()
    plain.close()
    write_log()


def _spare_the_collector() -> None:
    """Lets it pass over what was loaded, and look less often for rings in what requests leave, where they are rare.

    Six percent of the processor time of small requests went there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


async def _show(
    settings: Settings, rooms: Rooms, seat: Seat, listener: Listener, app: EdgeApp, shown: Identity | None
) -> Identity:
    """Makes sure that the HTTPS listener shows the current certificate, which is renewed long before it ends."""
    names = identity.server_names(settings.server.names, settings.server.listen.host)
    wanted = await asyncio.to_thread(identity.ensure, rooms, region=settings.region, names=names)
    if shown is not None and wanted.certificate == shown.certificate:
        return shown
    if seat.first:
        places.write(settings.paths.ca_bundle, wanted.root)
    with tls_files(settings.paths.endpoint.parent / f"worker-{seat.number}", wanted) as (certificate, key):
        await listener.start(app, certfile=certificate, keyfile=key)
    if shown is not None:
        _log.info("https_certificate_renewed", not_after=wanted.certificate.not_after.isoformat())
    return wanted
