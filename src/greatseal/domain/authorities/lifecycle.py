"""The verbs that change a private CA: made, given its certificate, disabled, deleted, restored (acm-pca.md 2, 4)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.domain.audit import Audit
from greatseal.domain.authorities import revocation_settings
from greatseal.domain.authorities.importing import parse_import
from greatseal.domain.authorities.model import (
    Authority,
    CaCertificate,
    Kind,
    Status,
    SubjectSpec,
    UsageMode,
    check_algorithms,
    require,
)
from greatseal.domain.authorities.ports import BucketCheck, RevocationPoints
from greatseal.domain.authorities.registry import Registry
from greatseal.domain.authorities.revocation_settings import RevocationChange, RevocationSettings
from greatseal.domain.authorities.store import authorities as store
from greatseal.domain.authorities.subject import csr_of
from greatseal.domain.events import Event, Events
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidArgument, LimitExceeded
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, idempotency
from greatseal.x509 import chain
from greatseal.x509.csr import parse_csr
from greatseal.x509.extensions import Extension

IDEMPOTENCY_WINDOW = timedelta(minutes=5)
MAX_AUTHORITIES = 200


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """What CreateCertificateAuthority asks for."""

    kind: Kind
    key_algorithm: KeyAlgorithm
    signing_algorithm: SignatureAlgorithm
    subject: SubjectSpec
    csr_extensions: tuple[Extension, ...] = ()
    usage_mode: UsageMode = UsageMode.GENERAL_PURPOSE
    key_storage: str = "FIPS_140_2_LEVEL_3_OR_HIGHER"
    revocation: RevocationChange = field(default_factory=RevocationChange)
    tags: tuple[Tag, ...] = ()
    idempotency_token: str | None = None
    own_revocation: RevocationSettings | None = None
    """In place of `revocation`, for the installation's own CAs, whose lists need no bucket."""


class Lifecycle:
    """Makes CAs and moves them through their states; `Issuance` has the verbs on their certificates."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        keys: Keys,
        tags: Tags,
        events: Events,
        audit: Audit,
        points: RevocationPoints,
        check_bucket: BucketCheck,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._keys = keys
        self._tags = tags
        self._events = events
        self._audit = audit
        self._points = points
        self._check_bucket = check_bucket
        self._clock = clock
        self._entropy = entropy

    def create(self, caller: Caller, new: NewAuthority, made: Callable[[Tx, str], None] = lambda tx, arn: None) -> str:
        """Makes a CA with its key and its CSR and returns its ARN; it then waits for a certificate.

        `made` is called with the ARN in the transaction that stores the CA; what it raises leaves nothing.
        """
        check_algorithms(new.key_algorithm, new.signing_algorithm)
        # For its rules, before anything is made; with the bucket once there is a name that its policy may ask for.
        revocation = new.own_revocation or revocation_settings.changed(RevocationSettings(), new.revocation)
        # The key is made outside of the transaction, because that may be slow; it is stored inside.
        key = self._keys.generate(new.key_algorithm, Purpose.AUTHORITY)
        now = self._clock.now()
        new_id = new_uuid(self._entropy)
        arn = str(caller.arn("acm-pca", f"certificate-authority/{new_id}"))
        self._check_lists(caller.account, arn, revocation)
        authority = Authority(
            id=new_id,
            arn=arn,
            account=caller.account,
            region=caller.region,
            kind=new.kind,
            status=Status.PENDING_CERTIFICATE,
            key_id=key.id,
            key_algorithm=new.key_algorithm,
            signing_algorithm=new.signing_algorithm,
            subject=new.subject,
            csr=csr_of(new.subject, new.csr_extensions, self._keys.signer_of(key), new.signing_algorithm),
            csr_extensions=new.csr_extensions,
            usage_mode=new.usage_mode,
            key_storage=new.key_storage,
            created_at=now,
            changed_at=now,
            revocation=revocation,
        )

        def work(tx: Tx) -> str:
            if new.idempotency_token is not None:
                earlier = idempotency.claim(
                    tx,
                    scope=f"{caller.account}/{caller.region}/CreateCertificateAuthority",
                    token=new.idempotency_token,
                    fingerprint="",
                    result=arn,
                    now=now,
                    ttl=IDEMPOTENCY_WINDOW,
                )
                if earlier is not None:
                    return earlier.result
            if store.count(tx, account=caller.account, region=caller.region) >= MAX_AUTHORITIES:
                raise LimitExceeded(f"You have reached the limit of {MAX_AUTHORITIES} certificate authorities.")
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.AUTHORITY)
            store.add(tx, authority)
            self._tags.add(tx, arn, new.tags)
            made(tx, arn)
            self._events.emit(tx, _event(authority, "ACM Private CA Creation"))
            self._audit.record(tx, caller, arn, response={"certificate_authority_arn": arn}, key_id=key.id)
            return arn

        return self._storage.transact(work)

    def import_certificate(self, caller: Caller, arn: str, certificate: bytes, chain_pem: bytes | None) -> None:
        """Installs a signed CA certificate (PEM) and its chain; a CA that waited or was active is then ACTIVE."""
        leaf, above = parse_import(certificate, chain_pem)

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "import", now)
            request = parse_csr(authority.csr)
            chain.check_ca_import(
                leaf,
                above,
                ca_spki=request.spki,
                csr_subject=request.subject,
                kind=authority.kind.value,
                now=now,
            )
            installed = CaCertificate(new_uuid(self._entropy), leaf.der, tuple(item.der for item in above), now)
            store.add_certificate(tx, authority.id, installed)
            # EXPIRED hides a DISABLED that outlives the new certificate (acm-pca.md 2.5).
            keeps_disabled = authority.status is Status.DISABLED
            status = Status.DISABLED if keeps_disabled else Status.ACTIVE
            self._save(tx, replace(authority, certificate=installed, status=status, changed_at=now))
            self._audit.record(tx, caller, arn, fingerprint=leaf.fingerprint_sha256.hex())

        self._storage.transact(work)

    def update(self, caller: Caller, arn: str, *, status: Status | None, revocation: RevocationChange) -> None:
        """Enables or disables a CA, or changes its revocation configuration; asking for what is, is no error."""
        if status is not None and status not in (Status.ACTIVE, Status.DISABLED):
            raise InvalidArgument(f"The status {status.value} cannot be set. Valid values are ACTIVE and DISABLED.")
        # Before the transaction: a bucket may be looked at from its own.
        if revocation.crl is not None:
            wanted = revocation_settings.changed(RevocationSettings(), revocation)
            owner = self._storage.read(lambda tx: self._registry.load(tx, arn)).account
            self._check_lists(owner, arn, wanted)

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "update", now)
            settings = revocation_settings.changed(authority.revocation, revocation)
            self._save(tx, replace(authority, status=status or authority.status, revocation=settings, changed_at=now))
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def delete(self, caller: Caller, arn: str, *, window_days: int) -> None:
        """Deletes a CA that is not active; it can be restored for `window_days` (7 to 30) days."""

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "delete", now)
            # What never came to be cannot be restored: its window closes at once (acm-pca.md 2.11).
            unborn = authority.status in (Status.CREATING, Status.FAILED)
            store.save(
                tx,
                replace(
                    authority,
                    status=Status.DELETED,
                    status_before_deletion=authority.status,
                    restorable_until=now + timedelta(days=0 if unborn else window_days),
                    changed_at=now,
                ),
            )
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def restore(self, caller: Caller, arn: str) -> None:
        """Brings a deleted CA back, disabled if it had a certificate, otherwise waiting for one."""

        def work(tx: Tx) -> None:
            now = self._clock.now()
            authority = self._registry.load(tx, arn)
            require(authority, "restore", now)
            # A CA never comes back active by itself: what was ACTIVE when it expired returns DISABLED.
            back = Status.PENDING_CERTIFICATE if authority.certificate is None else Status.DISABLED
            self._save(
                tx,
                replace(authority, status=back, status_before_deletion=None, restorable_until=None, changed_at=now),
            )
            self._audit.record(tx, caller, arn)

        self._storage.transact(work)

    def _save(self, tx: Tx, authority: Authority) -> None:
        """Stores a CA whose lists may have to be published from now on, or not any more."""
        store.save(tx, authority)
        self._points.changed(tx, authority)

    def _check_lists(self, account: str, arn: str, settings: RevocationSettings) -> None:
        """Looks at the bucket that the settings name, if they name one. Raises ValidationFailed."""
        crl = settings.crl
        if crl.bucket is not None and crl.object_acl is not None:
            self._check_bucket(account, arn, crl.bucket, crl.object_acl.value)

    def purge(self, limit: int) -> int:
        """Ends CAs whose restore window has closed: their key is destroyed, their journal stays. Returns how many."""

        def work(tx: Tx) -> int:
            ended = [store.find(tx, ended_id) for ended_id in store.gone(tx, self._clock.now(), limit)]
            for authority in ended:
                assert authority is not None
                self._keys.destroy(tx, authority.key_id)
                self._tags.remove_all(tx, authority.arn)
                store.save(tx, replace(authority, key_id=""))
            return len(ended)

        return self._storage.transact(work)


def _event(authority: Authority, detail_type: str) -> Event:
    """Of a success; a CA that cannot be made is refused and leaves nothing to tell of."""
    return Event(
        "aws.acm-pca",
        detail_type,
        authority.account,
        authority.region,
        (authority.arn,),
        {"result": "success"},
    )
