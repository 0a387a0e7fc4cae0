"""Renewal, built as one: what starts renewals, what says which certificates are in use, and the managed rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from greatseal.domain.audit import Audit
from greatseal.domain.certificates import Associations, Inventory, Renewing
from greatseal.domain.certificates.jobs import ISSUE_JOB
from greatseal.domain.certificates.ports import PublicIssuer
from greatseal.domain.certificates.renewing import StartsValidation
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys
from greatseal.domain.renewal import ASK_JOB, SWEEP_JOB, Asking, ManagedRenewal
from greatseal.domain.renewal.asking import EVERY
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.storage import Storage
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring


@dataclass(frozen=True, slots=True)
class Renewals:
    """The rooms of renewal."""

    renewing: Renewing
    associations: Associations
    managed: ManagedRenewal
    asking: Asking | None
    """With a CA upstream."""

    def handlers(self) -> Mapping[str, Handler]:
        """What the clock's door does with jobs, by kind."""
        return {SWEEP_JOB: lambda job: _discard(self.managed.carry_on())}

    def slow_handlers(self) -> dict[str, Handler]:
        """Jobs that wait for the CA upstream."""
        asking = self.asking
        return {} if asking is None else {ASK_JOB: lambda job: _discard(asking.carry_on(job.key))}

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""
        tasks = [Recurring("renew-due-certificates", timedelta(minutes=1), lambda: _discard(self.managed.carry_on()))]
        if self.asking is not None:
            tasks.append(Recurring("ask-when-to-renew", EVERY, self.asking.begin))
        return tasks


def build_renewals(
    *,
    storage: Storage,
    inventory: Inventory,
    keys: Keys,
    events: Events,
    audit: Audit,
    clock: Clock,
    entropy: Entropy,
    public: StartsValidation | None = None,
    public_job_kinds: Sequence[str] = (),
    issuer: PublicIssuer | None = None,
    upstream: PublicIssuer | None = None,
) -> Renewals:
    """Builds the rooms. `public`, the kinds of its jobs and `issuer` come with public certificates.

    `upstream` is the issuer again when it is a CA upstream, which may change its mind.
    """
    renewing = Renewing(storage=storage, inventory=inventory, keys=keys, audit=audit, clock=clock, public=public)
    managed = ManagedRenewal(
        storage=storage,
        renewing=renewing,
        keys=keys,
        events=events,
        clock=clock,
        entropy=entropy,
        job_kinds=(ISSUE_JOB, *public_job_kinds),
        issuer=issuer,
    )
    associations = Associations(storage=storage, inventory=inventory, audit=audit, clock=clock)
    asking = None if upstream is None else Asking(storage=storage, issuer=upstream, clock=clock)
    return Renewals(renewing, associations, managed, asking)


def _discard(_: object) -> None:
    """Recurring tasks and jobs return nothing."""
