"""Findings and those who make them, built as one: the hub, expiry events, the watchers and their rounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from greatseal.domain.authorities import Issuance, Registry
from greatseal.domain.authorities.endings import Endings
from greatseal.domain.authorities.signing import ROOT_ISSUED_JOB
from greatseal.domain.certificates.expiry import Expiry
from greatseal.domain.certificates.watchlist import Watchlist
from greatseal.domain.events import Desk, Events
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.revocation import Revocations
from greatseal.domain.watch import ROUND_JOB, RootWatch, Rounds, Wishes
from greatseal.storage.queue import Job
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring


@dataclass(frozen=True, slots=True)
class Watching:
    """The rooms of findings and of the watch."""

    findings: Findings
    hubs: Hubs
    expiry: Expiry
    watchlist: Watchlist
    roots: RootWatch
    rounds: Rounds
    wishes: Wishes | None

    def handlers(self) -> Mapping[str, Handler]:
        """What the clock's door does with jobs, by kind."""

        def root_issued(job: Job) -> None:
            if self.wishes is not None and self.wishes.root_issuance:
                self.roots.look_at(job.key)

        def look_at(job: Job) -> None:
            told = job.payload
            self.rounds.look_at(told["account"], told["region"], datetime.fromisoformat(told["round_at"]))

        return {ROOT_ISSUED_JOB: root_issued, ROUND_JOB: look_at}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        tasks = [Recurring("send-expiry-events", timedelta(minutes=5), lambda: _discard(self.expiry.sweep()))]
        if self.wishes is not None:
            tasks.append(
                Recurring("begin-watch-rounds", timedelta(minutes=1), lambda: _discard(self.rounds.begin_due()))
            )
        return tasks


def build_watching(
    desk: Desk,
    *,
    events: Events,
    registry: Registry,
    issuance: Issuance,
    revocations: Revocations,
    wishes: Wishes | None,
) -> Watching:
    """Builds the rooms. Without `wishes` nothing is watched; findings are taken all the same."""
    storage, clock, audit = desk.storage, desk.clock, desk.audit
    hubs = Hubs(storage=storage, tags=desk.tags, audit=audit, clock=clock)
    findings = Findings(storage=storage, hubs=hubs, events=events, audit=audit, clock=clock, tokens=desk.tokens)
    watchlist = Watchlist(storage=storage, clock=clock)
    rounds = Rounds(
        storage=storage,
        wishes=wishes or Wishes(),
        endings=Endings(storage),
        watchlist=watchlist,
        revocations=revocations,
        findings=findings,
        hubs=hubs,
        events=events,
        clock=clock,
    )
    return Watching(
        findings=findings,
        hubs=hubs,
        expiry=Expiry(storage=storage, events=events, clock=clock),
        watchlist=watchlist,
        roots=RootWatch(storage=storage, registry=registry, issuance=issuance, findings=findings, hubs=hubs),
        rounds=rounds,
        wishes=wishes,
    )


def _discard(_: object) -> None:
    """Recurring tasks return nothing."""
