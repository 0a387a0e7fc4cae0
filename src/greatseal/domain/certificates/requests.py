"""Requests for private certificates: accepted at once, issued by a job, renewed by another (acm.md 4.1, 9).

A crash between any two lines is harmless: the job is written with the request, it asks the CA under a
token of its own (`generation`), so that a second run gets the first run's certificate.
"""

import hashlib
import re
import unicodedata
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
    certificate_id,
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
    InvalidRequest,
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
        permitted = self._issuing.permitted(caller, wanted.authority_arn)
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
            if (earlier := _claim(tx, caller, wanted, item)) is not None:
                return earlier
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            store.add(tx, item)
            self._tags.add(tx, item.arn, wanted.tags)
            self._enqueue(tx, caller, item, permitted=permitted)
            self._audit.record(tx, caller, item.arn, response={"certificate_arn": item.arn}, key_id=key.id)
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
            self._enqueue(tx, caller, changed, permitted=False)
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

    def _enqueue(self, tx: Tx, caller: Caller, item: ManagedCertificate, *, permitted: bool) -> None:
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
                "permitted": permitted,
            },
            due=self._clock.now(),
        )

    def carry_out(self, job: Mapping[str, object]) -> None:
        """Issues or renews what a job names. Raises InProgress when it has to be tried again."""
        item_id, generation = str(job["certificate_id"]), job["generation"]
        item = self._storage.read(lambda tx: _waiting(tx, item_id, generation))
        if item is None:
            return
        try:
            _check_not_revoked(item)
            permitted = job["permitted"] is True
            issued = self._issuing.issue(item, str(job["principal_arn"]), str(job["request_id"]), permitted=permitted)
            self._storage.transact(
                lambda tx: self._take(tx, item_id, generation, issued.certificate, issued.chain, issued.arn)
            )
        except InProgress:
            raise
        except Refusal as refusal:
            reason = failure_reason(refusal)
            self._storage.transact(lambda tx: self._fail(tx, item_id, generation, reason))

    def give_up(self, job: Mapping[str, object]) -> None:
        """Ends what a job could not carry out, time after time: FAILED, and a new request or renewal may be made."""
        item_id, generation = str(job["certificate_id"]), job["generation"]
        self._storage.transact(lambda tx: self._fail(tx, item_id, generation, FailureReason.OTHER))

    def _take(
        self,
        tx: Tx,
        item_id: str,
        generation: object,
        certificate: bytes,
        chain: tuple[bytes, ...] | None,
        authority_certificate_arn: str,
    ) -> None:
        """The certificate, its key and its status change together, so that nobody sees a pair that does not fit."""
        item = _waiting(tx, item_id, generation)
        if item is None:
            return
        assert item.pending_key_id is not None
        _check_not_revoked(item)
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
        saved = store.find(tx, item_id)
        assert saved is not None
        self._events.emit(tx, happenings.available(saved, "RENEWAL" if is_renewal else "ISSUANCE", now))
        # Its CA may have revoked it before it became known here.
        self._inventory.take_revocation(tx, authority_certificate_arn)

    def _fail(self, tx: Tx, item_id: str, generation: object, reason: FailureReason) -> None:
        item = _waiting(tx, item_id, generation)
        if item is None:
            return
        assert item.pending_key_id is not None
        self._keys.destroy(tx, item.pending_key_id)
        if item.material is None:
            changed = replace(item, status=Status.FAILED, failure_reason=reason, pending_key_id=None)
        else:
            renewal = Renewal(RenewalStatus.FAILED, self._clock.now(), reason)
            changed = replace(item, renewal=renewal, pending_key_id=None)
        store.save(tx, changed)


def _waiting(tx: Tx, item_id: str, generation: object) -> ManagedCertificate | None:
    """The certificate while it waits for this issuance; None once it was deleted or an earlier run came this far."""
    item = store.find(tx, item_id)
    if item is None or item.pending_key_id is None or item.generation != generation:
        return None
    return item


def _check_not_revoked(item: ManagedCertificate) -> None:
    """REVOKED is final (acm.md 6.1): a renewal that was under way does not bring the certificate back."""
    if item.status is Status.REVOKED:
        raise InvalidRequest(f"Certificate {item.arn} was revoked, so it is not renewed.")


def _claim(tx: Tx, caller: Caller, wanted: CertificateRequest, item: ManagedCertificate) -> str | None:
    """The ARN of the certificate that the token stands for already; None when it now stands for `item`."""
    digest = hashlib.sha256("\n".join([wanted.names[0], *sorted(wanted.names)]).encode()).hexdigest()
    token = wanted.idempotency_token
    while token is not None:
        earlier = idempotency.claim(
            tx,
            scope=f"{caller.account}/{caller.region}/RequestCertificate/{digest}",
            token=token,
            fingerprint="",
            result=item.arn,
            now=item.created_at,
            ttl=IDEMPOTENCY_WINDOW,
        )
        if earlier is None:
            return None
        if store.find(tx, certificate_id(earlier.result) or "") is not None:
            return earlier.result
        # That one was deleted: its place, which no token can be mistaken for, is taken by its successor.
        token = earlier.result
    return None


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
    if not decoded or decoded.isascii():
        return False
    # Nearly every text decodes to something; what a label may hold is lower case, composed and visible, but for the
    # two joiners (RFC 5891 section 4.2, RFC 5892 appendix A).
    visible = decoded.replace("\u200c", "").replace("\u200d", "")
    return visible.isprintable() and decoded == unicodedata.normalize("NFC", decoded).lower()
