"""The monitor: follows logs, ours and those of others, and believes nothing that is not proven (RFC 6962 section 5.3).

1  the newest tree head, verified with the log's key
2  the proof that it continues the head that was seen last; a log that forks or shrinks is a finding
3  entries from where the last look ended, and the proof that they are those of the signed tree
4  certificates with watched names that this installation did not issue: an event and a finding, in the transaction
   that notes how far was read, so that a crash reports none twice and none never
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from greatseal.crypto import merkle
from greatseal.crypto.merkle import Frontier, leaf_hash
from greatseal.crypto.tiles import split
from greatseal.domain.events import Event, Events
from greatseal.domain.findings import Findings, Hubs
from greatseal.domain.findings.writing import default_product
from greatseal.domain.transparency import papers
from greatseal.domain.transparency.heads import SignedHead, TreeHead
from greatseal.domain.transparency.model import MERGE_DELAY
from greatseal.domain.transparency.ports import IsOurs, LogFailed, LogReader, SeenEntry
from greatseal.domain.transparency.sightings import Sighting, sighting
from greatseal.domain.transparency.store import followed as store
from greatseal.domain.transparency.store.followed import Followed
from greatseal.kernel.clock import Clock
from greatseal.storage import Storage, Tx
from greatseal.x509.sct import log_id_of
from greatseal.x509.tls_encoding import EncodingError

FOLLOW_JOB = "follow-log"
SILENT = "silent"
_BATCH = 256
_SECONDS = 60.0
"""How long one look may read entries; the next one goes on from there."""
_log = logging.getLogger(__name__)


class Misbehaved(Exception):
    """A log broke its promise: `kind` says which, the message how, and the tree heads that it signed prove it."""

    def __init__(self, kind: str, message: str, *evidence: SignedHead) -> None:
        super().__init__(message)
        self.kind = kind
        self.evidence = tuple(papers.evidence_of(each) for each in evidence)


@dataclass(frozen=True, slots=True)
class FollowedLog:
    """A log to follow: what it is called, its key (DER), and whether its old entries are looked at as well."""

    name: str
    spki: bytes
    reader: LogReader
    from_start: bool = False

    @property
    def log_id(self) -> str:
        """SHA-256 of the key in hexadecimal."""
        return log_id_of(self.spki).hex()


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched for, and the account and region that hear of it."""

    domains: tuple[str, ...]
    account: str
    region: str


class Monitor:
    """Follows logs."""

    def __init__(
        self,
        *,
        storage: Storage,
        logs: Callable[[], Sequence[FollowedLog]],
        watch: Watch,
        is_ours: IsOurs,
        findings: Findings,
        hubs: Hubs,
        events: Events,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._logs = logs
        self._watch = watch
        self._is_ours = is_ours
        self._findings = findings
        self._hubs = hubs
        self._events = events
        self._clock = clock
        self._monotonic = monotonic

    def logs(self) -> Sequence[FollowedLog]:
        """What is followed."""
        return self._logs()

    def states(self) -> list[Followed]:
        """What is known of each log that was ever followed."""
        return self._storage.read(store.everything)

    def look_at(self, log_id: str) -> None:
        """One look at a log, by its id in hexadecimal. Repeating it is harmless; nobody looks at one not followed."""
        for each in self._logs():
            if each.log_id == log_id:
                self._follow(each)

    def _follow(self, log: FollowedLog) -> None:
        state = self._storage.read(lambda tx: store.find(tx, log.log_id))
        try:
            signed = log.reader.head()
            self._check_signature(log, signed)
            self._read(log, self._begun(log, signed) if state is None else self._continued(log, state, signed))
        except LogFailed as problem:
            self._in_trouble(log, str(problem))
        except Misbehaved as problem:
            _log.error("the log %s broke its promise: %s", log.name, problem)
            self._accuse(log, problem)

    def _check_signature(self, log: FollowedLog, signed: SignedHead) -> None:
        if not signed.signed_by(log.spki):
            raise LogFailed("the signature of its tree head does not verify")
        if signed.head.size == 0 and signed.head.root != merkle.EMPTY_ROOT:
            raise LogFailed("it signed an empty tree with the root of another one")
        age = self._clock.now() - datetime.fromtimestamp(signed.head.timestamp / 1000, UTC)
        if age > MERGE_DELAY:
            raise LogFailed(f"its newest tree head is {age // timedelta(hours=1)} hours old")

    def _begun(self, log: FollowedLog, signed: SignedHead) -> Followed:
        now, roots, head = self._clock.now(), b"", signed.head
        read_size = 0 if log.from_start else head.size
        if read_size:
            frontier = Frontier(read_size, tuple(log.reader.frontier(read_size)))
            if len(frontier.roots) != read_size.bit_count() or frontier.root != head.root:
                raise LogFailed("the tree that it shows is not the one that it signed")
            roots = b"".join(frontier.roots)
        state = Followed(
            log_id=log.log_id,
            name=log.name,
            size=head.size,
            root=head.root,
            timestamp=head.timestamp,
            signature=signed.digitally_signed,
            read_size=read_size,
            frontier=roots,
            checked_at=now,
            good_at=now,
        )
        if not self._storage.transact(lambda tx: store.begin(tx, state)):
            raise LogFailed("another node began to follow it in this moment")
        return state

    def _continued(self, log: FollowedLog, state: Followed, signed: SignedHead) -> Followed:
        """The state with the newer head. Raises Misbehaved."""
        seen, head = _seen(state), signed.head
        if head.size < state.size:
            if head.timestamp > state.timestamp:
                raise Misbehaved("rollback", f"it signed {state.size} entries, and later {head.size}", seen, signed)
            self._prove(log, signed, seen)
            return state  # one of its servers is behind: nothing to complain of, nothing new
        self._prove(log, seen, signed)
        newer = head.timestamp >= state.timestamp
        now = self._clock.now()
        new = replace(
            state,
            name=log.name,
            size=head.size,
            root=head.root,
            timestamp=head.timestamp if newer else state.timestamp,
            signature=signed.digitally_signed if newer else state.signature,
            checked_at=now,
            good_at=now,
            trouble="",
        )
        return self._swapped(state, new)

    def _prove(self, log: FollowedLog, first: SignedHead, second: SignedHead) -> None:
        """That one tree begins with the other. Raises Misbehaved: a log that cannot prove it has two."""
        begun, grown = first.head, second.head
        if begun.size == 0:
            return
        proof = log.reader.consistency(begun.size, grown.size) if begun.size != grown.size else ()
        if not merkle.verify_consistency(begun.size, grown.size, proof, begun.root, grown.root):
            reason = f"its tree of {grown.size} entries does not begin with that of {begun.size}, which it signed, too"
            raise Misbehaved("fork", reason, first, second)

    def _read(self, log: FollowedLog, state: Followed) -> None:
        """Steps 3 and 4, a batch a transaction."""
        until = self._monotonic() + _SECONDS
        while state.read_size < state.size and self._monotonic() < until:
            entries = log.reader.entries(state.read_size, min(state.size, state.read_size + _BATCH))
            state = self._take(log, state, entries)

    def _take(self, log: FollowedLog, state: Followed, entries: Sequence[SeenEntry]) -> Followed:
        wanted = range(state.read_size, state.size)
        if not entries or [each.index for each in entries] != list(wanted[: len(entries)]):
            raise LogFailed("it hands out other entries than it was asked for")
        frontier = Frontier(state.read_size, tuple(split(state.frontier)))
        for each in entries:
            frontier = frontier.grown(leaf_hash(each.leaf_input))
        if frontier.size == state.size:
            honest = frontier.root == state.root
        else:
            proof = log.reader.consistency(frontier.size, state.size)
            honest = merkle.verify_consistency(frontier.size, state.size, proof, frontier.root, state.root)
        if not honest:
            reason = "the entries that it hands out are not those of the tree that it signed"
            raise Misbehaved("entries", reason, _seen(state))
        found = [seen for each in entries if (seen := self._sighting(each)) is not None]
        new = replace(state, read_size=frontier.size, frontier=b"".join(frontier.roots), checked_at=self._clock.now())
        return self._swapped(state, new, found)

    def _sighting(self, entry: SeenEntry) -> Sighting | None:
        try:
            return sighting(entry.index, entry.leaf_input, self._watch.domains)
        except EncodingError:
            return None  # an entry of a later kind

    def _swapped(self, old: Followed, new: Followed, found: Sequence[Sighting] = ()) -> Followed:
        def work(tx: Tx) -> Followed | None:
            foreign = [each for each in found if each.certificate is None or not self._is_ours(tx, each.certificate)]
            made = replace(new, seen=old.seen + len(foreign))
            if not store.advance(tx, old, made):
                return None
            for each in foreign:
                self._report(tx, made, each)
            if old.trouble and not made.trouble:
                self._answers_again(tx, made)
            return made

        stored = self._storage.transact(work)
        if stored is None:
            raise LogFailed("another node looks at it in this moment")
        return stored

    def _answers_again(self, tx: Tx, state: Followed) -> None:
        """That a log was silent is over; what it signed twice is not."""
        where = (self._watch.account, self._watch.region)
        about = papers.accusation_id(*where, state.log_id, SILENT)
        self._findings.archive(tx, *where, default_product(*where), about, self._clock.now())

    def _report(self, tx: Tx, state: Followed, found: Sighting) -> None:
        watch = self._watch
        arn = papers.log_arn(watch.account, watch.region, state.log_id)
        detail = papers.details_of(state.name, state.log_id, found)
        self._events.emit(tx, Event(papers.SOURCE, papers.SEEN, watch.account, watch.region, (arn,), detail))
        if self._hubs.is_open(tx, watch.account, watch.region):
            document = papers.unknown_certificate(
                account=watch.account,
                region=watch.region,
                log_name=state.name,
                log_id=state.log_id,
                found=found,
                at=self._clock.now(),
            )
            self._findings.hold(tx, watch.account, watch.region, document)

    def _accuse(self, log: FollowedLog, problem: Misbehaved) -> None:
        """An event and a finding, once for each reason."""
        watch, reason = self._watch, str(problem)
        detail = {"LogName": log.name, "LogId": log.log_id, "Kind": problem.kind, "Reason": reason}
        detail |= {f"TreeHead{number}": each for number, each in enumerate(problem.evidence, 1)}
        arn = papers.log_arn(watch.account, watch.region, log.log_id)

        def work(tx: Tx) -> None:
            now, known = self._clock.now(), store.find(tx, log.log_id)
            if known is None or known.trouble == reason:
                return
            store.advance(tx, known, replace(known, trouble=reason, checked_at=now))
            self._events.emit(tx, Event(papers.SOURCE, papers.MISBEHAVED, watch.account, watch.region, (arn,), detail))
            if self._hubs.is_open(tx, watch.account, watch.region):
                document = papers.misbehaved(
                    account=watch.account,
                    region=watch.region,
                    log_name=log.name,
                    log_id=log.log_id,
                    kind=problem.kind,
                    reason=reason,
                    evidence=problem.evidence,
                    at=now,
                )
                self._findings.hold(tx, watch.account, watch.region, document)

        self._storage.transact(work)

    def _in_trouble(self, log: FollowedLog, reason: str) -> None:
        """A log that does not answer says nothing about itself; one that is silent for a day does."""
        _log.warning("the log %s could not be followed: %s", log.name, reason)
        state = self._storage.read(lambda tx: store.find(tx, log.log_id))
        if state is None:
            return
        if self._clock.now() - state.good_at > MERGE_DELAY:
            since = state.good_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            self._accuse(log, Misbehaved(SILENT, f"it cannot be followed since {since}"))
            return
        noted = replace(state, trouble=reason, checked_at=self._clock.now())
        self._storage.transact(lambda tx: store.advance(tx, state, noted))


def _seen(state: Followed) -> SignedHead:
    """The head that was seen last."""
    return SignedHead.of(TreeHead(state.size, state.root, state.timestamp), state.signature)
