"""The rooms of one installation, and what the clock asks of them."""

from dataclasses import dataclass
from datetime import timedelta

from greatseal.app.bus import Bus
from greatseal.app.notices import Notices
from greatseal.app.publics import Publics
from greatseal.app.renewals import Renewals
from greatseal.app.timestamping import Timestamps
from greatseal.app.transparency import Transparency
from greatseal.app.trust_services import Trusting
from greatseal.app.upstream import UpstreamRoom
from greatseal.app.watching import Watching
from greatseal.app.zones import Zones
from greatseal.domain.access import (
    Access,
    Accounts,
    Assuming,
    ResourcePolicies,
    Sessions,
)
from greatseal.domain.access.identities import Administration
from greatseal.domain.anywhere import Anywhere
from greatseal.domain.audit import Audit, AuditLog
from greatseal.domain.authorities import AuditReports, Issuance, Lifecycle, Permissions, Registry
from greatseal.domain.authorities.reports import REPORT_JOB
from greatseal.domain.certificates import Exports, Imports, Inventory, Requests
from greatseal.domain.certificates.jobs import ISSUE_JOB
from greatseal.domain.keys import KeyPool, Keys
from greatseal.domain.keys.key_encryption import KekChange
from greatseal.domain.keys.managed import ManagedKeys
from greatseal.domain.objects import ObjectRoom
from greatseal.domain.organizations import Organizations
from greatseal.domain.revocation import DistributionPoints, Publications, Revocations
from greatseal.domain.revocation.mass import MASS_JOB, MassRevocations
from greatseal.domain.revocation.ocsp import Ocsp, Responders
from greatseal.domain.revocation.points import DELTA_JOB, PUBLISH_JOB
from greatseal.domain.revocation.repository import Repository
from greatseal.domain.revocation.service import REVOKED_JOB
from greatseal.domain.sharing import Sharing
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage, Tx, idempotency, outbox
from greatseal.storage.queue import Job
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring

# Events that nobody fetches are kept this long.
OUTBOX_RETENTION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one installation."""

    storage: Storage
    clock: Clock
    entropy: Entropy
    tokens: PageTokens
    pool: KeyPool
    audit: Audit
    audit_log: AuditLog
    access: Access
    accounts: Accounts
    administration: Administration
    organizations: Organizations
    resource_policies: ResourcePolicies
    sessions: Sessions
    assuming: Assuming
    keys: Keys
    managed_keys: ManagedKeys
    kek_change: KekChange
    registry: Registry
    lifecycle: Lifecycle
    issuance: Issuance
    permissions: Permissions
    revocations: Revocations
    mass_revocations: MassRevocations
    points: DistributionPoints
    publications: Publications
    repository: Repository
    ocsp: Ocsp
    ocsp_responders: Responders
    inventory: Inventory
    requests: Requests
    renewals: Renewals
    publics: Publics
    trusting: Trusting
    timestamps: Timestamps
    transparency: Transparency
    imports: Imports
    exports: Exports
    sharing: Sharing
    anywhere: Anywhere
    objects: ObjectRoom
    reports: AuditReports
    bus: Bus
    notices: Notices
    watching: Watching
    zones: Zones
    upstream: UpstreamRoom | None

    def handlers(self) -> dict[str, Handler]:
        """What the clock's door does with jobs, by kind."""

        def revoked(job: Job) -> None:
            def work(tx: Tx) -> None:
                for arn in job.payload["certificate_arns"]:
                    self.inventory.take_revocation(tx, arn)

            self.storage.transact(work)

        return {
            ISSUE_JOB: lambda job: self.requests.carry_out(job.payload),
            REVOKED_JOB: revoked,
            PUBLISH_JOB: lambda job: self.publications.publish(job.key),
            DELTA_JOB: lambda job: self.publications.deltas.publish(job.key),
            REPORT_JOB: lambda job: self.reports.carry_out(job.key),
            MASS_JOB: lambda job: self.mass_revocations.carry_out(job.key),
            **self.renewals.handlers(),
            **self.bus.handlers(),
            **self.watching.handlers(),
        }

    def delivery_handlers(self) -> dict[str, Handler]:
        """What is done with jobs that wait for somebody else's machine: never in the loop that does all others."""
        return {
            **self.bus.delivery_handlers(),
            **self.zones.delivery_handlers(),
            **self.publics.slow_handlers(),
            **self.renewals.slow_handlers(),
            **self.trusting.slow_handlers(),
            **self.transparency.delivery_handlers(),
        }

    def last_words(self) -> dict[str, Handler]:
        """What is done about jobs that are given up, by kind."""
        return {
            ISSUE_JOB: lambda job: self.requests.give_up(job.payload),
            REPORT_JOB: lambda job: self.reports.give_up(job.key),
            **self.bus.last_words(),
            **self.publics.last_words(),
        }

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""

        def prune() -> None:
            now = self.clock.now()
            self.storage.transact(lambda tx: idempotency.prune(tx, now=now))
            self.storage.transact(lambda tx: outbox.prune(tx, before=now - OUTBOX_RETENTION))

        return [
            Recurring("finish-open-issuances", timedelta(minutes=1), lambda: _discard(self.issuance.finish_open())),
            Recurring("keep-up-managed-keys", timedelta(minutes=5), lambda: _discard(self.managed_keys.upkeep.run())),
            Recurring("purge-deleted-authorities", timedelta(hours=1), lambda: _discard(self.lifecycle.purge(100))),
            Recurring(
                "end-shares-of-gone-authorities", timedelta(hours=1), lambda: _discard(self.sharing.shares.sweep())
            ),
            Recurring("rotate-ocsp-responders", timedelta(minutes=5), self.ocsp_responders.rotate),
            Recurring("publish-overdue-lists", timedelta(minutes=10), lambda: _discard(self.publications.sweep())),
            Recurring(
                "resume-mass-revocations", timedelta(minutes=10), lambda: _discard(self.mass_revocations.sweep())
            ),
            Recurring("sweep-abandoned-files", timedelta(hours=1), lambda: _discard(self.objects.objects.sweep())),
            Recurring("destroy-unneeded-keys", timedelta(hours=1), lambda: _discard(self.keys.destroy_unneeded())),
            Recurring("change-key-encryption-key", timedelta(minutes=1), self.kek_change.carry_on),
            *self.bus.recurring(),
            *self.notices.recurring(),
            *self.watching.recurring(),
            *self.renewals.recurring(),
            *self.publics.recurring(),
            *self.trusting.recurring(),
            *self.timestamps.recurring(),
            *self.transparency.recurring(),
            Recurring("prune", timedelta(hours=1), prune),
        ]


def _discard(_: object) -> None:
    """Recurring tasks return nothing."""
