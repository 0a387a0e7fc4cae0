"""Every collaborator, built once: the rooms and what they stand on."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from hmac import digest
from pathlib import Path

from greatseal.app.bus import Carriers, build_bus
from greatseal.app.notices import Addresses, Elsewhere, build_notices
from greatseal.app.own_acts import INSTALLATION_ACCOUNT, audit_signer, recorder
from greatseal.app.protection import SEALED_COLUMNS
from greatseal.app.publics import PublicWishes, build_publics, build_validating
from greatseal.app.renewals import build_renewals
from greatseal.app.rooms import Rooms
from greatseal.app.timestamping import build_timestamps
from greatseal.app.transparency import TransparencyWishes, build_transparency
from greatseal.app.trust_services import build_trust_services
from greatseal.app.upstream import UpstreamWishes, build_upstream, issuing_for
from greatseal.app.watching import build_watching
from greatseal.app.zones import build_zones
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.wrap import Keyring, Sealer
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
from greatseal.domain.certificates import Exports, Imports, Inventory, Requests
from greatseal.domain.certificates.finishing import Finishing
from greatseal.domain.certificates.issuing import Issuing
from greatseal.domain.events import Desk, Events
from greatseal.domain.keys import KeyPool, Keys, KeyStore, Purpose
from greatseal.domain.keys.key_encryption import KekChange, installation_secret
from greatseal.domain.keys.managed import GrantPolicies, KeyProxies, ManagedKeys
from greatseal.domain.objects import Deliverer, ObjectRoom
from greatseal.domain.organizations import Memberships, Organizations
from greatseal.domain.policy import KeyPolicy
from greatseal.domain.revocation import DistributionPoints, Publications, Revocations
from greatseal.domain.revocation.bucket_target import BucketTarget
from greatseal.domain.revocation.lists import Pace
from greatseal.domain.revocation.mass import MassRevocations
from greatseal.domain.revocation.ocsp import Ocsp, Responders
from greatseal.domain.revocation.press import Press
from greatseal.domain.revocation.repository import Repository, Visibility
from greatseal.domain.sharing import Sharing
from greatseal.domain.tags import Tags
from greatseal.domain.timestamping import StampWishes
from greatseal.domain.trust_services import Plan
from greatseal.domain.watch import Wishes
from greatseal.integrations.issuer_keys import HttpsIssuerKeys
from greatseal.integrations.xks import XksProxies
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.storage.blob_rows import BlobRows, Contents
from greatseal.storage.blobs import Blobs


def build(
    *,
    storage: Storage,
    kek: Secret | Keyring,
    clock: Clock,
    entropy: Entropy,
    pool: Mapping[KeyAlgorithm, int],
    key_stores: Mapping[str, KeyStore] | None = None,
    store_for: Mapping[Purpose, str] | None = None,
    configured_kek: Callable[[], str] | None = None,
    carriers: Carriers | None = None,
    api_url: str = "https://localhost:8443",
    long_polls: int = 0,
    key_policy: KeyPolicy | None = None,
    audit_sinks: Sequence[AuditSink] = (),
    region: str = "us-east-1",
    is_region: Callable[[str], bool] = lambda region: True,
    issuer_keys: IssuerKeys | None = None,
    key_proxies: KeyProxies | None = None,
    base_url: str = "http://127.0.0.1:8080",
    pace: Pace | None = None,
    objects_folder: Path | None = None,
    objects_in_database: bool = False,
    outside_buckets: Deliverer | None = None,
    issuers_in_certificates: bool = False,
    repository_visibility: Visibility = Visibility.UNLISTED,
    watch: Wishes | None = None,
    public: PublicWishes | None = None,
    upstream: UpstreamWishes | None = None,
    trust: Plan | None = None,
    logged: TransparencyWishes | None = None,
    stamps: StampWishes | None = StampWishes(),  # noqa: B008 - a frozen value
) -> Rooms:
    """Builds the rooms over a migrated database. `region` is the installation's own, `is_region` says which are served.

    `base_url` is where the plain listener is reached from outside; `pace` says how soon revocation lists follow.
    New contents of objects are files of `objects_folder`, without which they go with the process, or else rows.
    Services deliver into `outside_buckets` instead of our own; `issuers_in_certificates` writes into certificates where
    that of their CA is.
    `carriers` bring what the bus delivers. `api_url` is where the AWS wire is reached; so many `long_polls` may wait.
    """
    sealer = Sealer(kek, entropy)
    secret = installation_secret(storage, sealer.keyring)
    tokens = PageTokens(Secret(digest(secret.reveal(), b"pagination tokens", sha256)))
    key_pool = KeyPool(pool)
    seals = Seals.under(secret)
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
    zones = build_zones(storage, audit, clock=clock, entropy=entropy, region=region)
    events = Events(clock=clock, entropy=entropy)
    access = Access(
        storage=storage,
        sealer=sealer,
        clock=clock,
        entropy=entropy,
        tags=tags,
        organizations=Memberships(),
        grants=GrantPolicies(),
        region=region,
    )
    accounts = Accounts(sealer=sealer, clock=clock, entropy=entropy)
    organizations = Organizations.over(
        storage=storage, accounts=accounts, tags=tags, audit=audit, clock=clock, entropy=entropy, tokens=tokens
    )
    resource_policies = ResourcePolicies(clock=clock)
    desk = Desk(storage, clock, entropy, audit, tags, resource_policies, tokens)
    notices = build_notices(
        desk,
        Elsewhere(lambda: keys, lambda: bus.deliveries),
        access=access,
        account=INSTALLATION_ACCOUNT,
        addresses=Addresses(api_url, base_url),
        waiting=long_polls,
    )
    bus = build_bus(desk, access=access, sealer=sealer, carriers=notices.joined(carriers))
    sessions = Sessions(sealer=sealer, clock=clock, entropy=entropy)
    web_identities = WebIdentities(storage=storage, keys=issuer_keys or HttpsIssuerKeys(clock=clock), clock=clock)
    assuming = Assuming(
        storage=storage, access=access, sessions=sessions, web_identities=web_identities, audit=audit, clock=clock
    )
    registrar = Registrar(storage=storage, tags=tags, audit=audit, clock=clock, entropy=entropy, tokens=tokens)
    keys = Keys(
        storage=storage,
        sealer=sealer,
        clock=clock,
        entropy=entropy,
        pool=key_pool,
        stores=key_stores,
        store_for=store_for,
    )
    kek_change = KekChange(
        storage=storage,
        sealer=sealer,
        clock=clock,
        columns=SEALED_COLUMNS,
        record=recorder(audit, clock=clock, entropy=entropy, region=region),
        configured=configured_kek or (lambda: sealer.keyring.current),
    )
    managed_keys = ManagedKeys.over(
        storage=storage,
        keys=keys,
        access=access,
        resource_policies=resource_policies,
        tags=tags,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
        tokens=tokens,
        is_region=is_region,
        proxies=key_proxies or XksProxies(clock=clock),
    )
    audit_log = AuditLog(
        storage=storage, clock=clock, entropy=entropy, seals=seals, signer=lambda: audit_signer(storage, keys)
    )
    objects = ObjectRoom.over(
        storage=storage,
        blobs=Contents(
            files=(
                Blobs.temporary(clock=clock, entropy=entropy)
                if objects_folder is None
                else Blobs(objects_folder, clock=clock, entropy=entropy)
            ),
            rows=BlobRows(storage, clock=clock, entropy=entropy),
            new_in_rows=objects_in_database,
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
    deliverer = outside_buckets or objects.deliveries
    crl_target = BucketTarget(deliverer)
    points = DistributionPoints(
        clock=clock, entropy=entropy, base_url=base_url, pace=pace, issuers_in_certificates=issuers_in_certificates
    )
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
        roots_are_watched=watch is not None and watch.root_issuance,
    )
    permissions = Permissions(storage=storage, registry=registry, audit=audit, clock=clock, tokens=tokens)
    revocations = Revocations(
        storage=storage, registry=registry, keys=keys, events=events, audit=audit, points=points, clock=clock
    )
    mass_revocations = MassRevocations(
        storage=storage,
        registry=registry,
        revocations=revocations,
        keys=keys,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    reports = AuditReports(
        storage=storage,
        registry=registry,
        deliveries=deliverer,
        revocations_of=revocations.among,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    press = Press(keys=keys, events=events, audit=audit, clock=clock, entropy=entropy, target=crl_target)
    publications = Publications(storage=storage, press=press, points=points, clock=clock, pace=pace)
    ocsp_responders = Responders(
        storage=storage, keys=keys, issuance=issuance, audit=audit, clock=clock, entropy=entropy
    )
    ocsp = Ocsp(storage=storage, keys=keys, responders=ocsp_responders, clock=clock)
    watching = build_watching(
        desk, events=events, registry=registry, issuance=issuance, revocations=revocations, wishes=watch
    )
    transparency = build_transparency(
        desk,
        keys=keys,
        events=events,
        findings=watching.findings,
        hubs=watching.hubs,
        roots=lambda: [root.der for root in trusting.hierarchy.roots()],
        base_url=lambda: points.base_url,
        region=region,
        wishes=logged,
    )
    trusting = build_trust_services(
        desk,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        revocations=revocations,
        keys=keys,
        submission=transparency.submission,
        plan=trust,
        region=region,
    )
    timestamps = build_timestamps(
        desk,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        keys=keys,
        points=points,
        wishes=stamps,
        region=region,
    )
    upstream_room = build_upstream(upstream, storage=storage, zones=zones, keys=keys, clock=clock)
    public_wishes = trusting.issuing_for(issuing_for(upstream_room, public or PublicWishes()))
    validating = build_validating(
        desk, secret=secret, bus=bus, addresses=notices.addresses, zones=zones.hosted, wishes=public_wishes
    )
    inventory = Inventory(
        storage=storage,
        keys=keys,
        tags=tags,
        events=events,
        revocations=revocations,
        validation=validating.validation,
        audit=audit,
        clock=clock,
        tokens=tokens,
        served_chain=trusting.services.chain,
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
    finishing = Finishing(inventory=inventory, keys=keys, events=events, clock=clock)
    publics = build_publics(
        validating,
        inventory=inventory,
        finishing=finishing,
        keys=keys,
        addresses=notices.addresses,
        wishes=public_wishes,
    )
    requests = Requests(
        storage=storage,
        issuing=issuing,
        finishing=finishing,
        public=publics.public,
        validation=validating.validation,
        quotas=public_wishes.quotas,
        keys=keys,
        tags=tags,
        audit=audit,
        clock=clock,
        entropy=entropy,
    )
    renewals = build_renewals(
        storage=storage,
        inventory=inventory,
        keys=keys,
        events=events,
        audit=audit,
        clock=clock,
        entropy=entropy,
        public=publics.public,
        public_job_kinds=tuple(publics.slow_handlers()),
        issuer=publics.issuer,
        upstream=upstream_room.issuer if upstream_room else None,
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
        storage=storage,
        inventory=inventory,
        keys=keys,
        revocations=revocations,
        issuer=publics.issuer,
        audit=audit,
        clock=clock,
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
        kek_change=kek_change,
        managed_keys=managed_keys,
        registry=registry,
        lifecycle=lifecycle,
        issuance=issuance,
        permissions=permissions,
        revocations=revocations,
        mass_revocations=mass_revocations,
        points=points,
        publications=publications,
        repository=Repository(storage=storage, points=points, tags=tags, clock=clock, visibility=repository_visibility),
        ocsp=ocsp,
        ocsp_responders=ocsp_responders,
        inventory=inventory,
        requests=requests,
        renewals=renewals,
        publics=publics,
        trusting=trusting,
        timestamps=timestamps,
        transparency=transparency,
        imports=imports,
        exports=exports,
        sharing=sharing,
        anywhere=anywhere,
        objects=objects,
        reports=reports,
        bus=bus,
        notices=notices,
        watching=watching,
        zones=zones,
        upstream=upstream_room,
    )
