"""Requests for private certificates: accepted at once, issued by a job, renewed by another (acm.md 4.1, 9).

A crash between any two lines is harmless: the job is written with the request, it asks the CA under a
token of its own (`generation`), so that a second run gets the first run's certificate.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.audit import Audit
from greatseal.domain.certificates import happenings
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.issuing import Issuing
from greatseal.domain.certificates.model import (
    FailureReason,
    ManagedCertificate,
    Material,
    Renewal,
    RenewalStatus,
    Status,
    Type,
    failure_reason,
)
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import (
    InProgress,
    InvalidDomainValidationOptions,
    Refusal,
    ValidationFailed,
)
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, idempotency, queue

ISSUE_JOB = "certificate-issue"
IDEMPOTENCY_WINDOW = timedelta(hours=1)
REQUESTABLE = (KeyAlgorithm.RSA_2048, KeyAlgorithm.EC_prime256v1, KeyAlgorithm.EC_secp384r1)
# A common name holds at most 64 characters (RFC 5280 appendix A, ub-common-name).
MAX_COMMON_NAME = 64
_TWO_DASHES = re.compile(r"..--")


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What RequestCertificate asks for. The names are in lower case, the first is the common name."""

    names: tuple[str, ...]
    authority_arn: str
    key_algorithm: str = "RSA_2048"
    validation_method: str | None = None
    transparency_logging: str = "ENABLED"
    tags: tuple[Tag, ...] = ()
    idempotency_token: str | None = None


class Requests:
    """Takes requests and renewals, and carries them out."""

    def __init__(
        self,
        *,
        storage: Storage,
        inventory: Inventory,
        issuing: Issuing,
        keys: Keys,
        tags: Tags,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._inventory = inventory
        self._issuing = issuing
        self._keys = keys
        self._tags = tags
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def request(self, caller: Caller, wanted: CertificateRequest) -> str:
        """Takes a request for a private certificate and returns its ARN; issuing follows within moments."""
        algorithm = _check(caller, wanted)
        key = self._keys.generate(algorithm)
        now = self._clock.now()
        new_id = new_uuid(self._entropy)
        item = ManagedCertificate(
            id=new_id,
            arn=str(caller.arn("acm", f"certificate/{new_id}")),
            account=caller.account,
            region=caller.region,
            type=Type.PRIVATE,
            status=Status.PENDING_VALIDATION,
            domain_name=wanted.names[0],
            names=wanted.names,
            key_algorithm=algorithm.name,
            created_at=now,
            authority_arn=wanted.authority_arn,
            validation_method=wanted.validation_method,
            transparency_logging=wanted.transparency_logging,
            pending_key_id=key.id,
            generation=1,
        )

        def work(tx: Tx) -> str:
            if wanted.idempotency_token is not None:
                digest = hashlib.sha256("\n".join([wanted.names[0], *sorted(wanted.names)]).encode()).hexdigest()
                earlier = idempotency.claim(
                    tx,
                    scope=f"{caller.account}/{caller.region}/RequestCertificate/{digest}",
                    token=wanted.idempotency_token,
                    fingerprint="",
                    result=item.arn,
                    now=now,
                    ttl=IDEMPOTENCY_WINDOW,
                )
                if earlier is not None:
                    return earlier.result
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            store.add(tx, item)
            self._tags.add(tx, item.arn, wanted.tags)
            self._enqueue(tx, caller, item)
            self._audit.record(tx, caller, item.arn, key_id=key.id)
            return item.arn

        return self._storage.transact(work)

    def renew(self, caller: Caller, arn: str) -> None:
        """Starts a renewal with a new key; the certificate stays as it is until the new one exists (acm.md 9.6)."""
        found = self._inventory.describe(caller, arn)
        self._check_renewable(found)
        key = self._keys.generate(KeyAlgorithm[found.key_algorithm])

        def work(tx: Tx) -> None:
            now = self._clock.now()
            item = self._inventory.load(tx, caller, arn)
            self._check_renewable(item)
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            changed = replace(
                item,
                pending_key_id=key.id,
                generation=item.generation + 1,
                renewal=Renewal(RenewalStatus.PENDING_AUTO_RENEWAL, now),
            )
            store.save(tx, changed)
            self._enqueue(tx, caller, changed)
            self._audit.record(tx, caller, arn, key_id=key.id)

        self._storage.transact(work)

    def _check_renewable(self, item: ManagedCertificate) -> None:
        if item.type is not Type.PRIVATE or item.status_at(self._clock.now()) is not Status.ISSUED:
            raise ValidationFailed(f"Certificate ARN {item.arn} is not eligible for the Renew Certificate API.")
        if not item.ever_exported:
            raise ValidationFailed(
                f"Certificate ARN {item.arn} has not been exported so it is not eligible for the Renew Certificate API."
            )
        if item.pending_key_id is not None:
            raise InProgress(f"A renewal of certificate {item.arn} is in progress.")

    def _enqueue(self, tx: Tx, caller: Caller, item: ManagedCertificate) -> None:
        # The generation is part of the key: were it not, a renewal requested while the earlier job is
        # about to finish would be mistaken for it.
        queue.enqueue(
            tx,
            kind=ISSUE_JOB,
            key=f"{item.id}/{item.generation}",
            payload={
                "certificate_id": item.id,
                "generation": item.generation,
                "principal_arn": caller.principal_arn,
                "request_id": caller.request_id,
            },
            due=self._clock.now(),
        )

    def carry_out(self, job: Mapping[str, object]) -> None:
        """Issues or renews what a job names. Raises InProgress when it has to be tried again."""
        certificate_id, generation = str(job["certificate_id"]), job["generation"]
        item = self._storage.read(lambda tx: store.find(tx, certificate_id))
        if item is None or item.pending_key_id is None or item.generation != generation:
            return  # deleted meanwhile, or an earlier run of this job came this far
        try:
            issued = self._issuing.issue(item, str(job["principal_arn"]), str(job["request_id"]))
        except InProgress:
            raise
        except Refusal as refusal:
            reason = failure_reason(refusal)
            self._storage.transact(lambda tx: self._fail(tx, certificate_id, generation, reason))
            return
        self._storage.transact(
            lambda tx: self._take(tx, certificate_id, generation, issued.certificate, issued.chain, issued.arn)
        )

    def _take(
        self,
        tx: Tx,
        certificate_id: str,
        generation: object,
        certificate: bytes,
        chain: tuple[bytes, ...] | None,
        authority_certificate_arn: str,
    ) -> None:
        """The certificate, its key and its status change together, so that nobody sees a pair that does not fit."""
        item = store.find(tx, certificate_id)
        if item is None or item.pending_key_id is None or item.generation != generation:
            return
        now = self._clock.now()
        is_renewal = item.material is not None
        changed = replace(
            item,
            status=Status.ISSUED,
            material=Material(certificate, chain or (), item.pending_key_id),
            issued_at=now,
            pending_key_id=None,
            exported_at=None,
            renewal=Renewal(RenewalStatus.SUCCESS, now) if is_renewal else None,
        )
        store.save(tx, changed, authority_certificate_arn)
        if item.material is not None:
            self._keys.destroy(tx, item.material.key_id)
        saved = store.find(tx, certificate_id)
        assert saved is not None
        self._events.emit(tx, happenings.available(saved, "RENEWAL" if is_renewal else "ISSUANCE", now))

    def _fail(self, tx: Tx, certificate_id: str, generation: object, reason: FailureReason) -> None:
        item = store.find(tx, certificate_id)
        if item is None or item.pending_key_id is None or item.generation != generation:
            return
        self._keys.destroy(tx, item.pending_key_id)
        if item.material is None:
            changed = replace(item, status=Status.FAILED, failure_reason=reason, pending_key_id=None)
        else:
            renewal = Renewal(RenewalStatus.FAILED, self._clock.now(), reason)
            changed = replace(item, renewal=renewal, pending_key_id=None)
        store.save(tx, changed)


def _check(caller: Caller, wanted: CertificateRequest) -> KeyAlgorithm:
    """What the call itself refuses; what needs a look at the CA fails later, as a state of the certificate."""
    if len(wanted.names[0]) > MAX_COMMON_NAME:
        raise InvalidDomainValidationOptions("The first domain name can be no longer than 64 characters.")
    for name in wanted.names:
        for label in name.split("."):
            if _TWO_DASHES.match(label) and not _is_a_label(label):
                raise InvalidDomainValidationOptions(
                    f"The domain name {name} has a label that is not a valid internationalized label."
                )
    algorithm = KeyAlgorithm.__members__.get(wanted.key_algorithm)
    if algorithm not in REQUESTABLE:
        raise ValidationFailed(
            f"Encryption Algorithm {wanted.key_algorithm} is not supported in {caller.region} region"
        )
    return algorithm


def _is_a_label(label: str) -> bool:
    """Whether the label is the Punycode of something (RFC 5890 section 2.3.2.1; acm.md 7.1)."""
    if not label.startswith("xn--"):
        return False
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return False
    return bool(decoded) and not decoded.isascii()
