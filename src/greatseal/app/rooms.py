"""Every collaborator, built once: the rooms and what they stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import digest
from pathlib import Path

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.crypto.wrap import Sealer
from greatseal.domain.access import (
    Access,
    Accounts,
    Assuming,
    ResourcePolicies,
    Sessions,
    WebIdentities,
    user_identity,
)
from greatseal.domain.access.identities import Administration, Registrar
from greatseal.domain.access.ports import IssuerKeys
from greatseal.domain.anywhere import Anywhere
from greatseal.domain.anywhere.service import Collaborators
from greatseal.domain.audit import Audit, AuditLog, AuditSink, Seals
from greatseal.domain.authorities import AuditReports, Issuance, Lifecycle, Permissions, Registry
from greatseal.domain.authorities.reports import REPORT_JOB
from greatseal.domain.certificates import Exports, Imports, Inventory, Requests
from greatseal.domain.certificates.issuing import Issuing
from greatseal.domain.certificates.requests import ISSUE_JOB
from greatseal.domain.events import Events
from greatseal.domain.keys import KeyPool, Keys, Purpose
from greatseal.domain.objects import ObjectRoom
from greatseal.domain.organizations import Memberships, Organizations
from greatseal.domain.policy import KeyPolicy
from greatseal.domain.revocation import DistributionPoints, Publications, Revocations
from greatseal.domain.revocation.bucket_target import BucketTarget
from greatseal.domain.revocation.lists import Pace
from greatseal.domain.revocation.ocsp import Ocsp, Responders
from greatseal.domain.revocation.points import PUBLISH_JOB
from greatseal.domain.revocation.service import REVOKED_JOB
from greatseal.domain.sharing import Sharing
from greatseal.domain.tags import Tags
from greatseal.integrations.issuer_keys import HttpsIssuerKeys
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage, Tx, idempotency, installation, outbox
from greatseal.storage.blobs import Blobs
from greatseal.storage.queue import Job
from greatseal.work.runner import Handler
from greatseal.work.schedule import Recurring

# Events that nobody fetches are kept this long.
OUTBOX_RETENTION = timedelta(days=7)
# An account of its own: what belongs to the installation is not in anybody's lists.
INSTALLATION_ACCOUNT = "000000000000"
_AUDIT_KEY = "audit-key"


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
    registry: Registry
    lifecycle: Lifecycle
    issuance: Issuance
    permissions: Permissions
    revocations: Revocations
    points: DistributionPoints
    publications: Publications
    ocsp: Ocsp
    ocsp_responders: Responders
    inventory: Inventory
    requests: Requests
    imports: Imports
    exports: Exports
    sharing: Sharing
    anywhere: Anywhere
    objects: ObjectRoom
    reports: AuditReports

    def handlers(self) -> dict[str, Handler]:
        """What the clock's door does with jobs, by kind."""

        def issue(job: Job) -> None:
            self.requests.carry_out(job.payload)

        def revoked(job: Job) -> None:
            arn = str(job.payload["certificate_arn"])
            self.storage.transact(lambda tx: self.inventory.take_revocation(tx, arn))

        def publish(job: Job) -> None:
            self.publications.publish(job.key)

        def report(job: Job) -> None:
            self.reports.carry_out(job.key)

        return {ISSUE_JOB: issue, REVOKED_JOB: revoked, PUBLISH_JOB: publish, REPORT_JOB: report}

    def last_words(self) -> dict[str, Handler]:
        """What is done about jobs that are given up, by kind."""
        return {
            ISSUE_JOB: lambda job: self.requests.give_up(job.payload),
            REPORT_JOB: lambda job: self.reports.give_up(job.key),
        }

    def recurring(self) -> list[Recurring]:
        """What the clock's door does every so often."""

        def prune() -> None:
            now = self.clock.now()
            self.storage.transact(lambda tx: idempotency.prune(tx, now=now))
            self.storage.transact(lambda tx: outbox.prune(tx, before=now - OUTBOX_RETENTION))

        return [
            Recurring("finish-open-issuances", timedelta(minutes=1), lambda: _discard(self.issuance.finish_open())),
            Recurring("purge-deleted-authorities", timedelta(hours=1), lambda: _discard(self.lifecycle.purge(100))),
            Recurring(
                "end-shares-of-gone-authorities", timedelta(hours=1), lambda: _discard(self.sharing.shares.sweep())
            ),
            Recurring("rotate-ocsp-responders", timedelta(minutes=5), self.ocsp_responders.rotate),
            Recurring("publish-overdue-lists", timedelta(minutes=10), lambda: _discard(self.publications.sweep())),
            Recurring("sweep-abandoned-files", timedelta(hours=1), lambda: _discard(self.objects.objects.sweep())),
            Recurring("prune", timedelta(hours=1), prune),
        ]


def build(
    *,
    storage: Storage,
    kek: Secret,
    clock: Clock,
    entropy: Entropy,
    pool: Mapping[KeyAlgorithm, int],
    key_policy: KeyPolicy | None = None,
    audit_sinks: Sequence[AuditSink] = (),
    region: str = "us-east-1",
    issuer_keys: IssuerKeys | None = None,
    base_url: str = "http://127.0.0.1:8080",
    pace: Pace | None = None,
    objects_folder: Path | None = None,
) -> Rooms:
    """Builds the rooms over a migrated database. `region` is the installation's own.

    `base_url` is where the plain listener is reached from outside; `pace` says how soon revocation lists follow.
    Without `objects_folder` the contents of objects go with the process.
    """
    sealer = Sealer(kek, entropy)
    tokens = PageTokens(Secret(digest(kek.reveal(), b"pagination tokens", sha256)))
    key_pool = KeyPool(pool)
    seals = Seals.under(kek)
    audit = Audit(
        clock=clock,
        entropy=entropy,
        storage=storage,
        seals=seals,
        sinks=audit_sinks,
        tokens=tokens,
        identity=user_identity.members,
    )
    tags = Tags()
    events = Events(clock=clock, entropy=entropy)
    access = Access(
        storage=storage,
        sealer=sealer,
        clock=clock,
        entropy=entropy,
        tags=tags,
        organizations=Memberships(),
        region=region,
    )
    accounts = Accounts(sealer=sealer, clock=clock, entropy=entropy)
    organizations = Organizations.over(
        storage=storage, accounts=accounts, tags=tags, audit=audit, clock=clock, entropy=entropy, tokens=tokens
    )
    resource_policies = ResourcePolicies(clock=clock)
    sessions = Sessions(sealer=sealer, clock=clock, entropy=entropy)
    web_identities = WebIdentities(storage=storage, keys=issuer_keys or HttpsIssuerKeys(clock=clock), clock=clock)
    assuming = Assuming(
        storage=storage, access=access, sessions=sessions, web_identities=web_identities, audit=audit, clock=clock
    )
    registrar = Registrar(storage=storage, tags=tags, audit=audit, clock=clock, entropy=entropy, tokens=tokens)
    keys = Keys(storage=storage, sealer=sealer, clock=clock, entropy=entropy, pool=key_pool)
    audit_log = AuditLog(
        storage=storage, clock=clock, entropy=entropy, seals=seals, signer=lambda: _audit_signer(storage, keys)
    )
    objects = ObjectRoom.over(
        storage=storage,
        blobs=(
            Blobs.temporary(clock=clock, entropy=entropy)
            if objects_folder is None
            else Blobs(objects_folder, clock=clock, entropy=entropy)
        ),
        access=access,
        resource_policies=resource_policies,
        tags=tags,
        audit=audit,
        clock=clock,
        entropy=entropy,
        tokens=tokens,
    )
    registry = Registry(storage=storage, tags=tags, audit=audit, clock=clock, tokens=tokens)
    crl_target = BucketTarget(objects.deliveries)
    points = DistributionPoints(clock=clock, entropy=entropy, base_url=base_url, pace=pace)
    lifecycle = Lifecycle(
        storage=storage,
        registry=registry,
        keys=keys,
        tags=tags,
        events=events,
        audit=audit,
        points=points,
        check_bucket=crl_target.check,
        clock=clock,
        entropy=entropy,
    )
    issuance = Issuance(
        storage=storage,
        registry=registry,
        keys=keys,
        key_policy=key_policy or KeyPolicy(),
        events=events,
        audit=audit,
        points=points,
        clock=clock,
        entropy=entropy,
    )
    permissions = Permissions(storage=storage, registry=registry, audit=audit, clock=clock, tokens=tokens)
    revocations = Revocations(
        storage=storage, registry=registry, keys=keys, events=events, audit=audit, points=points, clock=clock
    )
    reports = AuditReports(
        storage=storage,
        registry=registry,
        deliveries=objects.deliveries,
        revocations_of=revocations.among,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    publications = Publications(
        storage=storage,
        keys=keys,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
        target=crl_target,
        pace=pace,
    )
    ocsp_responders = Responders(
        storage=storage, keys=keys, issuance=issuance, audit=audit, clock=clock, entropy=entropy
    )
    ocsp = Ocsp(storage=storage, keys=keys, responders=ocsp_responders, clock=clock)
    inventory = Inventory(
        storage=storage,
        keys=keys,
        tags=tags,
        events=events,
        revocations=revocations,
        audit=audit,
        clock=clock,
        tokens=tokens,
    )
    issuing = Issuing(
        storage=storage,
        access=access,
        registry=registry,
        permissions=permissions,
        issuance=issuance,
        keys=keys,
        clock=clock,
    )
    requests = Requests(
        storage=storage,
        inventory=inventory,
        issuing=issuing,
        keys=keys,
        tags=tags,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    imports = Imports(
        storage=storage,
        inventory=inventory,
        keys=keys,
        tags=tags,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    exports = Exports(
        storage=storage, inventory=inventory, keys=keys, revocations=revocations, audit=audit, clock=clock
    )
    sharing = Sharing.over(
        storage=storage,
        registry=registry,
        resource_policies=resource_policies,
        organizations=Memberships(),
        tags=tags,
        audit=audit,
        clock=clock,
        entropy=entropy,
        tokens=tokens,
    )
    anywhere = Anywhere(
        Collaborators(
            storage=storage,
            registry=registry,
            access=access,
            sessions=sessions,
            tags=tags,
            audit=audit,
            clock=clock,
            entropy=entropy,
            tokens=tokens,
        )
    )
    return Rooms(
        storage=storage,
        clock=clock,
        entropy=entropy,
        tokens=tokens,
        pool=key_pool,
        audit=audit,
        audit_log=audit_log,
        access=access,
        accounts=accounts,
        administration=Administration.build(registrar, sealer=sealer, access=access),
        organizations=organizations,
        resource_policies=resource_policies,
        sessions=sessions,
        assuming=assuming,
        keys=keys,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        permissions=permissions,
        revocations=revocations,
        points=points,
        publications=publications,
        ocsp=ocsp,
        ocsp_responders=ocsp_responders,
        inventory=inventory,
        requests=requests,
        imports=imports,
        exports=exports,
        sharing=sharing,
        anywhere=anywhere,
        objects=objects,
        reports=reports,
    )


def _audit_signer(storage: Storage, keys: Keys) -> Signer:
    """The key that signs checkpoints; made when the first one is due."""
    stored = storage.read(lambda tx: installation.recall(tx, _AUDIT_KEY))
    if stored is None:
        new = keys.generate(KeyAlgorithm.EC_prime256v1)

        def work(tx: Tx) -> bytes:
            decided = installation.remember(tx, _AUDIT_KEY, new.id.encode())
            if decided == new.id.encode():
                keys.add(tx, new, account=INSTALLATION_ACCOUNT, purpose=Purpose.AUDIT)
            return decided

        stored = storage.transact(work)
    return keys.signer(stored.decode())


def _discard(_: object) -> None:
    """Recurring tasks return nothing."""
