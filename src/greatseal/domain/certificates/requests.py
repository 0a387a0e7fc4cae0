"""Requests for certificates: accepted at once, issued by a job that renewals share (acm.md 4.1, 9).

A public certificate waits for the validation of its names first (public.py); a private one for its CA only.

A crash between any two lines is harmless: the job is written with the request, it asks the CA under a
token of its own (`generation`), so that a second run gets the first run's certificate.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.audit import Audit
from greatseal.domain.certificates import jobs
from greatseal.domain.certificates.finishing import Finishing, check_not_revoked, waiting
from greatseal.domain.certificates.issuing import Issuing
from greatseal.domain.certificates.model import (
    FailureReason,
    ManagedCertificate,
    Status,
    Type,
    certificate_id,
    failure_reason,
)
from greatseal.domain.certificates.public import Public
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.certificates.store import requested
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.tags import Tag, Tags
from greatseal.domain.validation import Method, Validation
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import (
    InProgress,
    InvalidDomainValidationOptions,
    InvalidParameter,
    LimitExceeded,
    Refusal,
    ValidationFailed,
)
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx, idempotency

IDEMPOTENCY_WINDOW = timedelta(hours=1)
REQUESTABLE = (KeyAlgorithm.RSA_2048, KeyAlgorithm.EC_prime256v1, KeyAlgorithm.EC_secp384r1)
# A common name holds at most 64 characters (RFC 5280 appendix A, ub-common-name).
MAX_COMMON_NAME = 64
_TWO_DASHES = re.compile(r"..--")


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What RequestCertificate asks for. The names are in lower case, the first is the common name."""

    names: tuple[str, ...]
    authority_arn: str | None = None
    """The CA of a private certificate; None for a public one."""
    key_algorithm: str = "RSA_2048"
    validation_method: str | None = None
    """DNS, EMAIL or HTTP; a public certificate has one."""
    validation_domains: Mapping[str, str] = field(default_factory=dict)
    """Where mails about a name go, where it is not the usual domain."""
    managed_by: str | None = None
    transparency_logging: str = "ENABLED"
    export_option: str = "DISABLED"
    tags: tuple[Tag, ...] = ()
    idempotency_token: str | None = None


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much an account may have in a region (acm.md 15); 0 is without end."""

    names: int = 10
    """Names of one public certificate."""
    certificates: int = 2500
    """Public certificates; in a year twice as many may be requested."""


class Requests:
    """Takes requests, and carries out what they and renewals started."""

    def __init__(
        self,
        *,
        storage: Storage,
        issuing: Issuing,
        keys: Keys,
        tags: Tags,
        finishing: Finishing,
        public: Public,
        validation: Validation,
        quotas: Quotas,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._issuing = issuing
        self._finishing = finishing
        self._public = public
        self._validation = validation
        self._quotas = quotas
        self._keys = keys
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def request(self, caller: Caller, wanted: CertificateRequest) -> str:
        """Takes a request and returns the ARN; a private certificate is issued within moments."""
        algorithm = _check(caller, wanted)
        is_public = wanted.authority_arn is None
        if wanted.authority_arn is None:
            self._check_public(wanted)
        permitted = wanted.authority_arn is not None and self._issuing.permitted(caller, wanted.authority_arn)
        key = self._keys.generate(algorithm)
        now = self._clock.now()
        new_id = new_uuid(self._entropy)
        item = ManagedCertificate(
            id=new_id,
            arn=str(caller.arn("acm", f"certificate/{new_id}")),
            account=caller.account,
            region=caller.region,
            type=Type.AMAZON_ISSUED if is_public else Type.PRIVATE,
            status=Status.PENDING_VALIDATION,
            domain_name=wanted.names[0],
            names=wanted.names,
            key_algorithm=algorithm.name,
            created_at=now,
            authority_arn=wanted.authority_arn,
            validation_method=wanted.validation_method,
            managed_by=wanted.managed_by,
            transparency_logging=wanted.transparency_logging,
            export_option=wanted.export_option,
            pending_key_id=key.id,
            generation=1,
        )

        def work(tx: Tx) -> str:
            if (earlier := _claim(tx, caller, wanted, item)) is not None:
                return earlier
            if is_public:
                self._count(tx, item)
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            store.add(tx, item)
            self._tags.add(tx, item.arn, wanted.tags)
            if is_public:
                self._public.start(tx, item, caller, wanted.validation_domains)
            else:
                jobs.enqueue(tx, caller, item, permitted=permitted, due=now)
            self._audit.record(tx, caller, item.arn, response={"certificate_arn": item.arn}, key_id=key.id)
            return item.arn

        return self._storage.transact(work)

    def _check_public(self, wanted: CertificateRequest) -> None:
        """What the call refuses; what has to do with the names themselves becomes the certificate's failure later."""
        if self._quotas.names and len(wanted.names) > self._quotas.names:
            raise LimitExceeded(
                f"A certificate can have at most {self._quotas.names} names in this account; {len(wanted.names)} were "
                "requested."
            )
        for name, domain in wanted.validation_domains.items():
            self._validation.check_domain(name, domain)
        if wanted.validation_method == Method.HTTP.value:
            if wanted.managed_by is None:
                raise InvalidParameter("HTTP validation needs ManagedBy to be CLOUDFRONT.")
            if any(name.startswith("*.") for name in wanted.names):
                raise InvalidDomainValidationOptions("A wildcard name cannot be validated by HTTP.")

    def _count(self, tx: Tx, item: ManagedCertificate) -> None:
        most = self._quotas.certificates
        if not most:
            return
        made = requested.count_since(tx, item.account, item.region, item.created_at - timedelta(days=365))
        if made >= 2 * most:
            raise LimitExceeded(f"Error: you have reached your limit of {2 * most} certificates in the last year.")
        if requested.existing(tx, item.account, item.region) >= most:
            raise LimitExceeded(
                "You have reached the maximum number of certificates. Delete certificates that are not in use."
            )
        requested.add(tx, item)

    def carry_out(self, job: Mapping[str, object]) -> None:
        """Issues or renews what a job names. Raises InProgress when it has to be tried again."""
        item_id, generation = str(job["certificate_id"]), job["generation"]
        item = self._storage.read(lambda tx: waiting(tx, item_id, generation))
        if item is None:
            return
        try:
            check_not_revoked(item)
            permitted = job["permitted"] is True
            issued = self._issuing.issue(item, str(job["principal_arn"]), str(job["request_id"]), permitted=permitted)
            self._storage.transact(lambda tx: self._finishing.take(tx, item_id, generation, issued))
        except InProgress:
            raise
        except Refusal as refusal:
            reason = failure_reason(refusal)
            self._storage.transact(lambda tx: self._finishing.fail(tx, item_id, generation, reason))

    def give_up(self, job: Mapping[str, object]) -> None:
        """Ends what a job could not carry out, time after time: FAILED, and a new request or renewal may be made."""
        item_id, generation = str(job["certificate_id"]), job["generation"]
        self._storage.transact(lambda tx: self._finishing.fail(tx, item_id, generation, FailureReason.OTHER))


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
