"""The verbs of mass revocation. The numbers are the steps of docs/revocation.md, which is the law."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from greatseal.domain.audit import Audit
from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.model import Authority, require
from greatseal.domain.authorities.store import authorities, journal
from greatseal.domain.keys import Keys
from greatseal.domain.revocation.mass import store
from greatseal.domain.revocation.mass.covering import (
    HeldPages,
    JournalPages,
    KeptPages,
    Page,
    Pages,
    judged,
    scope,
    wanted,
)
from greatseal.domain.revocation.mass.model import Judged, Kind, MassRevocation, Outcome, Selection, State
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.revocation.service import Revocations
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import Conflict, NotFound
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, queue

MASS_JOB = "mass-revocation"
"""The job that carries one on; its key is the id."""

# Revoked in one transaction: few enough that other writers hardly wait, many enough that a commit does not count.
BATCH = 100
# Of one job, so that other jobs have their turn.
_BATCHES = 10
_LOADED = 1000
_READ = 1000
_LISTED = 100
_WAIT = timedelta(seconds=15)
_OPEN = (State.WAITING, State.RUNNING)


class MassRevocations:
    """Asks for mass revocations, rehearses them, and carries them out."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        revocations: Revocations,
        keys: Keys,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        batch: int = BATCH,
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._revocations = revocations
        self._keys = keys
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._batch = batch

    def ask(self, caller: Caller, selection: Selection) -> str:
        """Step 1, of a CA or a key: its id. Raises NotFound and InvalidState for the CA."""
        mass = self._new(caller, selection, State.WAITING)

        def work(tx: Tx) -> None:
            store.add(tx, mass)
            store.cover(tx, mass.id, scope(tx, selection, self._authority(tx, selection)))
            if selection.kind is Kind.KEY and selection.reason is RevocationReason.KEY_COMPROMISE:
                # From here on nobody is given another certificate for it.
                self._keys.report_compromise(tx, selection.target)
            self._begin(tx, caller, mass)

        self._storage.transact(work)
        return mass.id

    def ask_listed(self, caller: Caller, selection: Selection, items: Iterable[tuple[str, str]]) -> str:
        """Step 1, of a list of CA ids and serial numbers: its id. What `items` raises leaves nothing behind."""
        mass = self._new(caller, selection, State.LOADING)
        self._storage.transact(lambda tx: store.add(tx, mass))
        source = iter(items)
        try:
            while part := list(islice(source, _LOADED)):
                self._storage.transact(lambda tx, part=part: store.add_items(tx, mass.id, part))  # type: ignore[misc]
        except Exception:
            self._storage.transact(lambda tx: store.remove(tx, mass.id))
            raise

        def work(tx: Tx) -> None:
            store.cover(tx, mass.id, store.authorities_of_items(tx, mass.id))
            if store.change_state(tx, mass.id, [State.LOADING], State.WAITING):
                self._begin(tx, caller, mass)

        self._storage.transact(work)
        return mass.id

    def rehearse(self, selection: Selection, items: Iterable[tuple[str, str]] = ()) -> Iterator[Judged]:
        """What a run would do with each certificate if it started now. Changes nothing. Raises as `ask`.

        A list is held in memory, about 100 octets a certificate.
        """
        if selection.kind is Kind.LIST:
            held: dict[str, set[str]] = {}
            for authority_id, serial in items:
                held.setdefault(authority_id, set()).add(serial)
            ids = sorted(held)
            pages: Pages = HeldPages({each: sorted(held[each]) for each in ids})
        else:
            ids = self._storage.read(lambda tx: scope(tx, selection, self._authority(tx, selection)))
            pages = JournalPages(selection)
        for authority_id in ids:
            after, full = "", True
            while full:

                def work(tx: Tx, authority_id: str = authority_id, after: str = after) -> tuple[Page, list[Judged]]:
                    page = pages.page(tx, authority_id, after=after, limit=_READ)
                    return page, judged(tx, selection, authority_id, page, self._clock)

                page, told = self._storage.read(work)
                yield from told
                full = len(page) == _READ
                after = page[-1][0] if page else after

    def carry_out(self, mass_id: str) -> None:
        """Steps 2 to 4, some batches of them. Repeating it is harmless, on any number of nodes."""
        for _ in range(_BATCHES):
            if not self.step(mass_id):
                return

    def step(self, mass_id: str) -> bool:
        """One batch. False when there is nothing to do now: it is over, or it waits."""
        mass = self._storage.read(lambda tx: store.find(tx, mass_id))
        if mass is None or mass.state not in _OPEN:
            return False
        if mass.state is State.WAITING:
            return self._start(mass)
        ids = self._storage.read(lambda tx: store.covered(tx, mass_id))
        if mass.position >= len(ids):
            return self._finish(mass)
        authority_id = ids[mass.position]
        listed = mass.selection.kind is Kind.LIST
        pages: Pages = KeptPages(mass.id) if listed else JournalPages(mass.selection)
        page = self._storage.read(
            lambda tx: pages.page(tx, authority_id, after=mass.serial, limit=self._batch)  # 3: outside of the writing
        )
        # The same one whenever the transaction is repeated, as the audit room wants it.
        callers: dict[str, Caller] = {}
        return self._storage.transact(lambda tx: self._revoke(tx, mass, authority_id, page, callers))

    def find(self, mass_id: str) -> MassRevocation:
        """A mass revocation. Raises NotFound."""
        found = self._storage.read(lambda tx: store.find(tx, mass_id))
        if found is None:
            raise NotFound(f"there is no mass revocation {mass_id}")
        return found

    def newest(self, limit: int = _LISTED) -> list[MassRevocation]:
        """The newest ones first."""
        return self._storage.read(lambda tx: store.listing(tx, limit))

    def cancel(self, caller: Caller, mass_id: str) -> None:
        """Ends it before its end; what is revoked stays revoked. Raises NotFound, and Conflict when it is over."""

        def work(tx: Tx) -> None:
            found = store.find(tx, mass_id)
            if found is None:
                raise NotFound(f"there is no mass revocation {mass_id}")
            if found.state.is_over:
                raise Conflict(f"the mass revocation {mass_id} is {found.state.value} already")
            store.change_state(tx, mass_id, [found.state], State.CANCELLED, finished_at=self._clock.now())
            store.remove_all_items(tx, mass_id)
            self._audit.record(tx, caller, mass_revocation=mass_id)

        self._storage.transact(work)

    def sweep(self) -> int:
        """Puts jobs back for those that lost theirs, and returns how many; for jobs that were given up."""

        def work(tx: Tx) -> int:
            now = self._clock.now()
            open_ids = store.unfinished(tx)
            return sum(queue.ensure(tx, kind=MASS_JOB, key=each, payload={}, due=now) for each in open_ids)

        return self._storage.transact(work)

    def _new(self, caller: Caller, selection: Selection, state: State) -> MassRevocation:
        return MassRevocation(
            id=new_uuid(self._entropy),
            selection=selection,
            state=state,
            account=caller.account,
            region=caller.region,
            principal_arn=caller.principal_arn,
            asked_at=self._clock.now(),
        )

    def _authority(self, tx: Tx, selection: Selection) -> Authority | None:
        if selection.kind is not Kind.AUTHORITY:
            return None
        authority = self._registry.load(tx, selection.target)
        require(authority, "revoke", self._clock.now())
        return authority

    def _begin(self, tx: Tx, caller: Caller, mass: MassRevocation) -> None:
        chosen = mass.selection
        self._audit.record(
            tx,
            caller,
            *((chosen.target,) if chosen.kind is Kind.AUTHORITY else ()),
            mass_revocation=mass.id,
            target=chosen.target,
            reason=chosen.reason.name,
        )
        queue.enqueue(tx, kind=MASS_JOB, key=mass.id, payload={}, due=self._clock.now())

    def _start(self, mass: MassRevocation) -> bool:
        """Step 2. False while certificates are being issued that were begun before it was asked for."""

        def look(tx: Tx) -> tuple[bool, int]:
            ids = store.covered(tx, mass.id)
            if not journal.authorities_with_open(tx, mass.asked_at).isdisjoint(ids):
                return False, 0
            if mass.selection.kind is Kind.LIST:
                return True, store.count_items(tx, mass.id)
            return True, journal.count_issued(tx, ids, wanted(mass.selection))

        ready, total = self._storage.read(look)

        def work(tx: Tx) -> bool:
            now = self._clock.now()
            if ready:
                store.change_state(tx, mass.id, [State.WAITING], State.RUNNING, total=total)
            queue.enqueue(tx, kind=MASS_JOB, key=mass.id, payload={}, due=now if ready else now + _WAIT)
            return ready

        return self._storage.transact(work)

    def _revoke(self, tx: Tx, mass: MassRevocation, authority_id: str, page: Page, callers: dict[str, Caller]) -> bool:
        """Step 3: one batch with everything that belongs to it, and the place behind it."""
        told = judged(tx, mass.selection, authority_id, page, self._clock)
        outcomes = Counter(mass.outcomes)
        outcomes.update(each.outcome for each in told)
        last = len(page) < self._batch
        position, serial = (mass.position + 1, "") if last else (mass.position, page[-1][0])
        if not store.advance(tx, mass, position=position, serial=serial, outcomes=outcomes):
            # Another node was faster, or it was cancelled: the next look tells.
            return True
        entries = [
            entry
            for (_, entry), each in zip(page, told, strict=True)
            if entry is not None and each.outcome is Outcome.REVOKED
        ]
        if entries:
            authority = authorities.find(tx, authority_id)
            assert authority is not None
            caller = callers.setdefault(authority_id, self._caller(mass, authority))
            for entry in entries:
                entered = self._revocations.enter(
                    tx, caller, authority, entry, mass.selection.reason, mass_revocation=mass.id
                )
                assert entered, "judged in this very transaction"
            self._revocations.tell(tx, authority, entries)
        if mass.selection.kind is Kind.LIST:
            store.remove_items(tx, mass.id, authority_id, [serial for serial, _ in page])
        queue.enqueue(tx, kind=MASS_JOB, key=mass.id, payload={}, due=self._clock.now())
        return True

    def _finish(self, mass: MassRevocation) -> bool:
        """Step 4."""
        caller = self._caller(mass, None)

        def work(tx: Tx) -> bool:
            if store.change_state(tx, mass.id, [State.RUNNING], State.DONE, finished_at=self._clock.now()):
                told = {each.name.lower(): str(count) for each, count in mass.outcomes.items()}
                self._audit.record(tx, caller, response=None, mass_revocation=mass.id, **told)
            return False

        return self._storage.transact(work)

    def _caller(self, mass: MassRevocation, authority: Authority | None) -> Caller:
        """Who asked, in the trail of the CA's owner; without a CA in the trail of who asked."""
        account = mass.account if authority is None else authority.account
        region = mass.region if authority is None else authority.region
        return Caller(
            account=account,
            region=region,
            principal_arn=mass.principal_arn,
            access_key_id="",
            request_id=mass.id,
            operation="greatseal:FinishMassRevocation" if authority is None else "acm-pca:RevokeCertificate",
            at=self._clock.now(),
            service_principal="greatseal",
        )
