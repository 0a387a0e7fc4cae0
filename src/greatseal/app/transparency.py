"""Certificate Transparency, built as one: our logs, who is asked for timestamps, and the monitor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from greatseal.app.own_acts import INSTALLATION_ACCOUNT
from greatseal.crypto.keypair import UnusableKey, load_public
from greatseal.domain.authorities.recognition import is_issued_here
from greatseal.domain.events import Desk, Events
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.keys import Keys
from greatseal.domain.transparency import (
    FOLLOW_JOB,
    Demand,
    FollowedLog,
    KnownLog,
    Logs,
    Monitor,
    OwnLogName,
    Submission,
    Watch,
)
from greatseal.domain.transparency.chains import roots_of
from greatseal.domain.transparency.guard import ProcessKeeper
from greatseal.domain.transparency.model import ChainRefused
from greatseal.domain.transparency.own_client import OwnClient, OwnReader
from greatseal.domain.transparency.ports import Keeper
from greatseal.integrations.checkpoint_folders import CheckpointFolders
from greatseal.integrations.log_clients import Rfc6962Log, StaticLog
from greatseal.integrations.log_http import LogHttp
from greatseal.settings import Settings
from greatseal.settings.transparency import OutsideLogSettings
from greatseal.storage import Tx, queue
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate

_OWN = (OwnLogName("alder", "Greatseal Alder"), OwnLogName("birch", "Greatseal Birch"))


@dataclass(frozen=True, slots=True)
class TransparencyWishes:
    """What the settings say about Certificate Transparency."""

    own: tuple[OwnLogName, ...] = _OWN
    submit_to_own: bool = True
    demand: Demand = field(default_factory=Demand)
    roots: tuple[bytes, ...] = ()
    """Accepted roots (DER) besides those of our trust services."""
    keeper: Keeper = field(default_factory=ProcessKeeper)
    submit_to: tuple[KnownLog, ...] = ()
    follow: tuple[FollowedLog, ...] = ()
    watched_domains: tuple[str, ...] = ()
    account: str = INSTALLATION_ACCOUNT
    """Who hears of certificates that were seen."""


@dataclass(frozen=True, slots=True)
class Transparency:
    """The room of Certificate Transparency."""

    logs: Logs
    submission: Submission
    monitor: Monitor
    desk: Desk

    def delivery_handlers(self) -> Mapping[str, Handler]:
        """What is done with jobs that wait for somebody else's log, by kind."""
        return {FOLLOW_JOB: lambda job: self.monitor.look_at(job.key)}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        return [
            Recurring("refresh-tree-heads", timedelta(minutes=10), self.logs.refresh),
            Recurring("follow-logs", timedelta(minutes=1), self.follow),
        ]

    def follow(self) -> None:
        """Has every log looked at that is followed."""
        followed, now = self.monitor.logs(), self.desk.clock.now()

        def work(tx: Tx) -> None:
            for each in followed:
                queue.enqueue(tx, kind=FOLLOW_JOB, key=each.log_id, payload={}, due=now)

        self.desk.storage.transact(work)


def build_transparency(
    desk: Desk,
    *,
    keys: Keys,
    events: Events,
    findings: Findings,
    hubs: Hubs,
    roots: Callable[[], Sequence[bytes]],
    base_url: Callable[[], str],
    region: str,
    wishes: TransparencyWishes | None,
) -> Transparency:
    """Builds the room. `roots` are those of our trust services (DER), asked for whenever somebody submits."""
    wanted = wishes or TransparencyWishes()
    logs = Logs(
        storage=desk.storage,
        keys=keys,
        audit=desk.audit,
        clock=desk.clock,
        wanted=wanted.own,
        account=INSTALLATION_ACCOUNT,
        keeper=wanted.keeper,
        roots=lambda: [*roots(), *wanted.roots],
        base_url=base_url,
    )

    def asked() -> list[KnownLog]:
        own = logs.active() if wanted.submit_to_own else []
        ours = [KnownLog(each.record.id, each.record.operator, each.record.spki, OwnClient(logs, each)) for each in own]
        return [*wanted.submit_to, *ours]

    def followed() -> list[FollowedLog]:
        # Nobody needs a log before somebody has submitted something, and following would begin it.
        ours = [
            FollowedLog(each.id, each.spki, OwnReader(logs.reading(each.id)), from_start=True)
            for each in logs.begun()
            if each.retired_at is None
        ]
        return [*ours, *wanted.follow]

    def is_ours(tx: Tx, certificate: Certificate) -> bool:
        if is_issued_here(tx, certificate):
            return True
        try:
            # Whoever certified a key that only we hold, a CA upstream for instance, did it for us.
            return keys.holds(tx, certificate.spki)
        except UnusableKey:
            return False

    monitor = Monitor(
        storage=desk.storage,
        logs=followed,
        watch=Watch(wanted.watched_domains, wanted.account, region),
        is_ours=is_ours,
        findings=findings,
        hubs=hubs,
        events=events,
        clock=desk.clock,
    )
    return Transparency(logs, Submission(logs=asked, clock=desk.clock, demand=wanted.demand), monitor, desk)


def transparency_wishes(settings: Settings) -> TransparencyWishes:
    """What the settings decide. Raises OSError for a file or a key that cannot be used."""
    wanted = settings.transparency
    outside = settings.transparency_logs
    return TransparencyWishes(
        own=tuple(OwnLogName(*each.split("|", 1)) for each in wanted.own_logs),
        submit_to_own=wanted.submit_to_own,
        demand=Demand(wanted.scts, wanted.operators, wanted.patience_seconds, wanted.deadline_seconds),
        roots=tuple(root for path in wanted.roots for root in _roots(path)),
        keeper=CheckpointFolders((settings.paths.checkpoints, *wanted.checkpoint_folders)),
        submit_to=tuple(
            KnownLog(name, each.operator, _key(name, each), Rfc6962Log(_http(settings, each.url)))
            for name, each in outside.items()
            if each.submit
        ),
        follow=tuple(_followed(settings, name, each) for name, each in outside.items() if each.follow),
        watched_domains=wanted.watched_domains,
        account=settings.account_id,
    )


def _followed(settings: Settings, name: str, log: OutsideLogSettings) -> FollowedLog:
    spki = _key(name, log)
    if log.kind == "rfc6962":
        return FollowedLog(name, spki, Rfc6962Log(_http(settings, log.url)), log.from_start)
    origin = log.origin or log.url.partition("://")[2].rstrip("/")
    reader = StaticLog(_http(settings, log.monitoring_url or log.url), origin=origin, spki=spki)
    return FollowedLog(name, spki, reader, log.from_start)


def _http(settings: Settings, url: str) -> LogHttp:
    return LogHttp(url, ca_file=settings.transparency.ca_file)


def _key(name: str, log: OutsideLogSettings) -> bytes:
    try:
        load_public(log.spki)
    except UnusableKey as error:
        raise OSError(f"transparency_logs.{name}: the key cannot be used: {error}") from None
    return log.spki


def _roots(path: Path) -> list[bytes]:
    try:
        found = [block.der for block in pem.read_blocks(path.read_bytes()) if block.label == "CERTIFICATE"]
        roots_of(found)
    except (ValueError, ChainRefused) as error:
        raise OSError(f"the roots in {path} cannot be read: {error}") from None
    return found
