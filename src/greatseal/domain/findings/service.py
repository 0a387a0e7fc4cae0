"""The verbs on findings."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from greatseal.domain.audit import Audit
from greatseal.domain.events import Event, Events
from greatseal.domain.findings import asff, filters
from greatseal.domain.findings.hub import Hubs
from greatseal.domain.findings.model import Document, Finding, Identity, changed, imported, instant, written
from greatseal.domain.findings.store import findings as store
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidArgument
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

INVALID = "InvalidInput"
NOT_FOUND = "FindingNotFound"
DEFAULT_PAGE = 100
# UpdateFindings touches whatever a filter finds; more in one call would hold up all other writers.
MAX_UPDATED = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one finding of a batch was not taken."""

    id: str
    code: str
    message: str


class Findings:
    """Takes, finds and changes findings."""

    def __init__(
        self, *, storage: Storage, hubs: Hubs, events: Events, audit: Audit, clock: Clock, tokens: PageTokens
    ) -> None:
        self._storage = storage
        self._hubs = hubs
        self._events = events
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def import_(self, caller: Caller, documents: Sequence[Document]) -> tuple[int, list[Failure]]:
        """Takes findings of one account: how many, and why the others were not taken. Raises NotSubscribed.

        A finding that is there already is updated, unless what is there was updated later.
        """
        failures, good = [], []
        for document in documents:
            problem = asff.refusal(document, account=caller.account, region=caller.region)
            if problem is None:
                good.append(document)
            else:
                failures.append(Failure(document["Id"], INVALID, problem))

        def work(tx: Tx) -> None:
            self._hubs.require(tx, caller.account, caller.region)
            for document in good:
                self.take(tx, caller.account, caller.region, document)
            if good:
                # As many ids as fit a record; the events have every finding.
                self._audit.record(
                    tx,
                    caller,
                    *dict.fromkeys(document["ProductArn"] for document in good),
                    response={"success_count": len(good), "failed_count": len(failures)},
                )

        self._storage.transact(work)
        return len(good), failures

    def take(self, tx: Tx, account: str, region: str, document: Document) -> bool:
        """Stores one finding that adheres to the format, with its event; False if a later word is there already."""
        identity = Identity(account, region, document["ProductArn"], document["Id"])
        before = store.find(tx, identity)
        if before is not None and instant(document["UpdatedAt"]) < before.updated_at:
            return False
        found = imported(identity, document, before, self._clock.now())
        self._put(tx, found, new=before is None)
        return True

    def find(
        self,
        caller: Caller,
        wanted: filters.Filters,
        criteria: Sequence[Mapping[str, Any]],
        *,
        scope: str,
        limit: int | None,
        token: str | None,
    ) -> Page[Document]:
        """The findings of an account and region that pass the filters, the last updated first unless sorted.

        `scope` is filters and order as text, so that a token is good for them only. Raises NotSubscribed.
        """
        now = self._clock.now()
        passes = filters.predicate(wanted, now)
        size = limit or DEFAULT_PAGE
        bound = (caller.account, caller.region, "GetFindings", scope)
        after = self._tokens.open(bound, token) if token is not None else None
        run = _sorted(criteria) if criteria else _newest_first

        def work(tx: Tx) -> list[Finding]:
            self._hubs.require(tx, caller.account, caller.region)
            narrowed = filters.equalities(wanted, store.NARROWED)
            return run(tx, caller, narrowed, passes, after, size + 1)

        found = self._storage.read(work)
        items = tuple(each.document for each in found[:size])
        if len(found) <= size:
            return Page(items)
        return Page(items, self._tokens.issue(bound, _position(found[size - 1], criteria)))

    def change(
        self, caller: Caller, identifiers: Sequence[tuple[str, str]], change: Mapping[str, Any]
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What a person says about findings, by (ProductArn, Id): those changed, and those that are not there."""

        def work(tx: Tx) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
            self._hubs.require(tx, caller.account, caller.region)
            done, missing = [], []
            for product, finding_id in identifiers:
                found = store.find(tx, Identity(caller.account, caller.region, product, finding_id))
                if found is None:
                    missing.append((product, finding_id))
                else:
                    self._put(tx, changed(found, change, self._clock.now()), new=False)
                    done.append((product, finding_id))
            if done:
                self._audit.record(tx, caller, *dict.fromkeys(product for product, _ in done))
            return done, missing

        return self._storage.transact(work)

    def change_all(self, caller: Caller, wanted: filters.Filters, change: Mapping[str, Any]) -> None:
        """As `change`, for the findings that pass filters. Raises InvalidArgument when these are too many."""
        now = self._clock.now()
        passes = filters.predicate(wanted, now)

        def work(tx: Tx) -> None:
            self._hubs.require(tx, caller.account, caller.region)
            narrowed = filters.equalities(wanted, store.NARROWED)
            found = _newest_first(tx, caller, narrowed, passes, None, MAX_UPDATED + 1)
            if len(found) > MAX_UPDATED:
                raise InvalidArgument(f"The filters match more than {MAX_UPDATED} findings. Narrow them down.")
            for each in found:
                self._put(tx, changed(each, change, now), new=False)
            self._audit.record(tx, caller, *dict.fromkeys(each.identity.product_arn for each in found))

        self._storage.transact(work)

    def made_by(self, tx: Tx, account: str, region: str, generators: Sequence[str]) -> list[Finding]:
        """The active findings of some generators."""
        narrowed = {"GeneratorId": frozenset(generators), "RecordState": frozenset({"ACTIVE"})}
        return list(store.newest_first(tx, account, region, narrowed=narrowed))

    def hold(self, tx: Tx, account: str, region: str, document: Document) -> None:
        """As `take`, for a watcher that says the same again and again: what is said already is not said anew."""
        identity = Identity(account, region, document["ProductArn"], document["Id"])
        before = store.find(tx, identity)
        if before is not None:
            document = {**document, "CreatedAt": before.document["CreatedAt"]}
            fresh = imported(identity, document, before, self._clock.now())
            said = ("Title", "Description", "RecordState", "FindingProviderFields", "Resources")
            if all(before.document.get(name) == fresh.document.get(name) for name in said):
                return
        self.take(tx, account, region, document)

    def places(self, tx: Tx, generators: Sequence[str]) -> set[tuple[str, str]]:
        """The accounts and regions with active findings of some generators."""
        return store.places(tx, generators)

    def archive(self, tx: Tx, account: str, region: str, product_arn: str, finding_id: str, at: datetime) -> None:
        """Marks a finding as no longer true, as its product would. Nothing happens when it is gone or archived."""
        found = store.find(tx, Identity(account, region, product_arn, finding_id))
        if found is None or found.document["RecordState"] == "ARCHIVED":
            return
        when = max(at, found.updated_at)
        document = {**found.document, "RecordState": "ARCHIVED", "UpdatedAt": written(when)}
        self._put(tx, Finding(found.identity, document, found.overruled, when), new=False)

    def _put(self, tx: Tx, found: Finding, *, new: bool) -> None:
        store.put(tx, found, new=new)
        who = found.identity
        self._events.emit(
            tx,
            Event(
                "aws.securityhub",
                "Security Hub Findings - Imported",
                who.account,
                who.region,
                (f"{who.product_arn}/{who.id}",),
                {"findings": [found.document]},
            ),
        )


Narrowed = Mapping[str, frozenset[str]]


def _newest_first(
    tx: Tx,
    caller: Caller,
    narrowed: Narrowed,
    passes: filters.Predicate,
    after: Sequence[str | int] | None,
    limit: int,
) -> list[Finding]:
    behind = None if after is None else (datetime.fromisoformat(str(after[0])), *after[1:])
    found = store.newest_first(tx, caller.account, caller.region, narrowed=narrowed, after=behind)
    return list(islice((each for each in found if passes(each.document)), limit))


def _sorted(
    criteria: Sequence[Mapping[str, Any]],
) -> Callable[[Tx, Caller, Narrowed, filters.Predicate, Sequence[str | int] | None, int], list[Finding]]:
    """As `_newest_first`, in an order that no index has: everything is looked at, a page of it is held."""
    key = filters.sort_key(criteria)
    directions = [each.get("SortOrder") == "desc" for each in criteria]

    def rank(found: Finding) -> filters.Ranked:
        return filters.Ranked([*key(found.document), found.identity.product_arn, found.identity.id], directions)

    def run(
        tx: Tx,
        caller: Caller,
        narrowed: Narrowed,
        passes: filters.Predicate,
        after: Sequence[str | int] | None,
        limit: int,
    ) -> list[Finding]:
        behind = None if after is None else filters.Ranked(after, directions)
        found = store.newest_first(tx, caller.account, caller.region, narrowed=narrowed)
        wanted = (each for each in found if passes(each.document) and (behind is None or rank(each) > behind))
        return heapq.nsmallest(limit, wanted, key=rank)

    return run


def _position(last: Finding, criteria: Sequence[Mapping[str, Any]]) -> list[str | int]:
    who = last.identity
    if criteria:
        return [*filters.sort_key(criteria)(last.document), who.product_arn, who.id]
    return [last.updated_at.isoformat(), who.product_arn, who.id]
