"""The rounds of the watch: on a schedule, over every account and region (workflows.md 16 and 18).

1  when the schedule is due, one transaction sets its next instant and writes a job for each place
2  a job reads what ends soon, what has ended, and what a distrusted issuer has signed
3  it holds a finding for each, a few in a transaction; a finding that says the same already is left alone
4  it archives the findings that are not true any more
5  it sends one event about the place and notes the round, in one transaction, so that a repeated job sends none
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from greatseal.domain.authorities.endings import Ending, Endings
from greatseal.domain.certificates.model import Status
from greatseal.domain.certificates.notices import days_left
from greatseal.domain.certificates.watchlist import Imported, Watchlist
from greatseal.domain.events import Event, Events
from greatseal.domain.events.schedules import Schedule, compile_schedule
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.findings.model import Document
from greatseal.domain.revocation import Revocations
from greatseal.domain.watch import papers, store
from greatseal.domain.watch.model import Wishes, severity_of
from greatseal.kernel.arn import Arn, partition_of
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx, queue

ROUND_JOB = "watch-certificates"
DETAIL_TYPE = "Greatseal Certificate Expiry Report"
SOURCE = "greatseal.watch"
# An event holds 256 KB. What does not fit is counted, and is among the findings.
MAX_LISTED = 100
_NAME = "certificates"
_BATCH = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate of the report."""

    arn: str
    name: str
    not_after: datetime
    revoked: bool


class Rounds:
    """Looks at the certificates of the installation."""

    def __init__(
        self,
        *,
        storage: Storage,
        wishes: Wishes,
        endings: Endings,
        watchlist: Watchlist,
        revocations: Revocations,
        findings: Findings,
        hubs: Hubs,
        events: Events,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._wishes = wishes
        self._endings = endings
        self._watchlist = watchlist
        self._revocations = revocations
        self._findings = findings
        self._hubs = hubs
        self._events = events
        self._clock = clock

    def begin_due(self) -> int:
        """Step 1; how many places are looked at. A clock that jumped over several rounds begins one."""
        return self._storage.transact(self._begin_due)

    def begin(self) -> int:
        """Begins a round at once, beside the schedule."""
        return self._storage.transact(lambda tx: self._begin(tx, self._clock.now()))

    def look_at(self, account: str, region: str, round_at: datetime) -> None:
        """Steps 2 to 5. Repeating it changes nothing."""
        now = self._clock.now()
        window = timedelta(days=self._wishes.expiry_days)
        ahead = list(self._entries(account, region, now, now + window))
        expiring = [each for each in ahead if not each.revoked]
        distrusted = self._storage.read(lambda tx: self._distrusted(tx, account, region))
        held = [_expiring(account, region, each, now) for each in expiring]
        held += [_distrusted(account, region, each, now) for each in distrusted]
        self._hold(account, region, held)
        self._archive(account, region, {each["Id"] for each in held}, now)
        if not held:
            return
        detail: dict[str, object] = {
            "RoundAt": _iso(round_at),
            "ThresholdDays": self._wishes.expiry_days,
            **_listed("Expiring", [_told(each, now) for each in expiring]),
            **_listed("Expired", [_told(each, now) for each in self._entries(account, region, now - window, now)]),
            **_listed("Revoked", [_told(each, now) for each in ahead if each.revoked]),
            **_listed("DistrustedIssuer", [_told_issuer(each) for each in distrusted]),
        }
        self._storage.transact(lambda tx: self._report(tx, account, region, round_at, detail))

    def _begin_due(self, tx: Tx) -> int:
        now = self._clock.now()
        state = store.find(tx, _NAME)
        if state is None or state.schedule != self._wishes.schedule:
            schedule = self._schedule(now)
            store.put(tx, _NAME, store.Round(self._wishes.schedule, now, schedule.following(now)))
            return 0
        if state.next_at is None or now < state.next_at:
            return 0
        following = self._schedule(state.since).following(now)
        store.put(tx, _NAME, store.Round(state.schedule, state.since, following))
        return self._begin(tx, state.next_at)

    def _schedule(self, since: datetime) -> Schedule:
        return compile_schedule(self._wishes.schedule, since)

    def _begin(self, tx: Tx, round_at: datetime) -> int:
        now = self._clock.now()
        window = timedelta(days=self._wishes.expiry_days)
        places = self._endings.places(tx, now, now + window) | self._watchlist.places(tx, now, now + window)
        issuers = [each.name for each in self._wishes.distrusted]
        places |= {(e.certificate.account, e.certificate.region) for e in self._watchlist.imported_from(tx, issuers)}
        # Where findings may have become untrue.
        places |= self._findings.places(tx, (papers.EXPIRY, papers.DISTRUST))
        for account, region in sorted(places):
            queue.enqueue(
                tx,
                kind=ROUND_JOB,
                key=f"{account}/{region}",
                payload={"account": account, "region": region, "round_at": round_at.isoformat()},
                due=now,
            )
        return len(places)

    def _entries(self, account: str, region: str, start: datetime, end: datetime) -> Iterator[Entry]:
        """What ends in a span of time: managed certificates, and those that a CA issued to somebody directly."""
        for item in self._watchlist.ending(account, region, start, end):
            if item.not_after is not None and item.status in (Status.ISSUED, Status.REVOKED):
                yield Entry(item.arn, item.domain_name, item.not_after, item.status is Status.REVOKED)
        for run in _runs(self._endings.of(account, region, start, end), _BATCH):
            revoked = self._storage.read(lambda tx, run=run: self._revoked(tx, run))  # type: ignore[misc]
            for each in run:
                yield Entry(each.arn, each.subject, each.not_after, each.arn in revoked)

    def _revoked(self, tx: Tx, endings: Sequence[Ending]) -> set[str]:
        found = set()
        for authority in {each.authority_id for each in endings}:
            ours = {each.serial: each.arn for each in endings if each.authority_id == authority}
            found |= {ours[serial] for serial in self._revocations.among(tx, authority, list(ours))}
        return found

    def _distrusted(self, tx: Tx, account: str, region: str) -> list[Imported]:
        wanted = self._wishes.distrusted
        return [
            each
            for each in self._watchlist.imported_from(tx, [issuer.name for issuer in wanted])
            if (each.certificate.account, each.certificate.region) == (account, region)
            and any(issuer.covers(each.issuer, each.not_before) for issuer in wanted)
        ]

    def _hold(self, account: str, region: str, documents: Sequence[Document]) -> None:
        for run in _runs(documents, _BATCH):

            def work(tx: Tx, run: Sequence[Document] = run) -> None:
                if self._hubs.is_open(tx, account, region):
                    for document in run:
                        self._findings.hold(tx, account, region, document)

            self._storage.transact(work)

    def _archive(self, account: str, region: str, still_true: set[str], now: datetime) -> None:
        """Step 4: what was renewed, replaced, deleted, revoked or has ended is no longer something to do."""

        def outdated(tx: Tx) -> list[Document]:
            found = self._findings.made_by(tx, account, region, (papers.EXPIRY, papers.DISTRUST))
            return [each.document for each in found if each.identity.id not in still_true]

        for run in _runs(self._storage.read(outdated), _BATCH):

            def work(tx: Tx, run: Sequence[Document] = run) -> None:
                for document in run:
                    self._findings.archive(tx, account, region, document["ProductArn"], document["Id"], now)

            self._storage.transact(work)

    def _report(self, tx: Tx, account: str, region: str, round_at: datetime, detail: dict[str, object]) -> None:
        before = store.reported(tx, account, region)
        if before is not None and before >= round_at:
            return
        store.report(tx, account, region, round_at)
        about = str(Arn(partition_of(region), "greatseal", region, account, "watch/certificates"))
        self._events.emit(tx, Event(SOURCE, DETAIL_TYPE, account, region, (about,), detail))


def _expiring(account: str, region: str, each: Entry, now: datetime) -> Document:
    return papers.expiring(
        account=account,
        region=region,
        certificate_arn=each.arn,
        name=each.name,
        not_after=each.not_after,
        normalized=severity_of(each.not_after - now),
        at=now,
    )


def _distrusted(account: str, region: str, each: Imported, now: datetime) -> Document:
    return papers.distrusted(
        account=account,
        region=region,
        certificate_arn=each.certificate.arn,
        name=each.certificate.domain_name,
        issuer=each.issuer,
        not_before=each.not_before,
        at=now,
    )


def _told(each: Entry, now: datetime) -> dict[str, object]:
    """An entry of the event. Names are cut: an event has a bound, a subject has none."""
    told: dict[str, object] = {"CertificateArn": each.arn, "Name": each.name[:200], "NotAfter": _iso(each.not_after)}
    return told if each.not_after < now else {**told, "DaysToExpiry": days_left(each.not_after, now)}


def _told_issuer(each: Imported) -> dict[str, object]:
    return {"CertificateArn": each.certificate.arn, "Issuer": each.issuer[:200], "NotBefore": _iso(each.not_before)}


def _listed(name: str, told: list[dict[str, object]]) -> dict[str, object]:
    """A list with its whole length beside it; the ones that end first come first."""
    return {name: told[:MAX_LISTED], f"{name}Count": len(told)}


def _runs(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while run := list(islice(source, size)):
        yield run


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
