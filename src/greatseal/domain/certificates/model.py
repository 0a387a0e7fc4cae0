"""What ACM's idea of a certificate is: its values, its states, its failures (acm.md sections 3, 5 and 6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.kernel import errors
from greatseal.kernel.arn import Arn


class Status(Enum):
    """EXPIRED is never stored: it follows from the certificate and the time."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    ISSUED = "ISSUED"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    VALIDATION_TIMED_OUT = "VALIDATION_TIMED_OUT"
    REVOKED = "REVOKED"
    FAILED = "FAILED"


class Type(Enum):
    """Where a certificate comes from."""

    IMPORTED = "IMPORTED"
    AMAZON_ISSUED = "AMAZON_ISSUED"
    PRIVATE = "PRIVATE"


class RenewalStatus(Enum):
    """The state of the latest managed renewal."""

    PENDING_AUTO_RENEWAL = "PENDING_AUTO_RENEWAL"
    PENDING_VALIDATION = "PENDING_VALIDATION"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class FailureReason(Enum):
    """Why a request or renewal failed (acm.md 6.2)."""

    NO_AVAILABLE_CONTACTS = "NO_AVAILABLE_CONTACTS"
    ADDITIONAL_VERIFICATION_REQUIRED = "ADDITIONAL_VERIFICATION_REQUIRED"
    DOMAIN_NOT_ALLOWED = "DOMAIN_NOT_ALLOWED"
    INVALID_PUBLIC_DOMAIN = "INVALID_PUBLIC_DOMAIN"
    DOMAIN_VALIDATION_DENIED = "DOMAIN_VALIDATION_DENIED"
    CAA_ERROR = "CAA_ERROR"
    PCA_LIMIT_EXCEEDED = "PCA_LIMIT_EXCEEDED"
    PCA_INVALID_ARN = "PCA_INVALID_ARN"
    PCA_INVALID_STATE = "PCA_INVALID_STATE"
    PCA_REQUEST_FAILED = "PCA_REQUEST_FAILED"
    PCA_NAME_CONSTRAINTS_VALIDATION = "PCA_NAME_CONSTRAINTS_VALIDATION"
    PCA_RESOURCE_NOT_FOUND = "PCA_RESOURCE_NOT_FOUND"
    PCA_INVALID_ARGS = "PCA_INVALID_ARGS"
    PCA_INVALID_DURATION = "PCA_INVALID_DURATION"
    PCA_ACCESS_DENIED = "PCA_ACCESS_DENIED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Renewal:
    """The latest managed renewal."""

    status: RenewalStatus
    updated_at: datetime
    reason: FailureReason | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """How far the renewal of one certificate body is; empty again with the next body."""

    attempted_at: datetime | None = None
    """When the latest attempt was started."""
    notified_days: int | None = None
    """Of which step before the end the owner was last told."""


@dataclass(frozen=True, slots=True)
class Material:
    """What exists once a certificate was issued or imported. DER; the chain is nearest issuer first."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key_id: str


@dataclass(frozen=True, slots=True)
class ManagedCertificate:
    """A certificate in the inventory. `status` is the stored one; readers want `status_at`."""

    id: str
    arn: str
    account: str
    region: str
    type: Type
    status: Status
    domain_name: str
    names: tuple[str, ...]
    key_algorithm: str
    """In the model's spelling, for instance RSA_2048."""
    created_at: datetime
    authority_arn: str | None = None
    validation_method: str | None = None
    managed_by: str | None = None
    transparency_logging: str = "ENABLED"
    export_option: str = "DISABLED"
    failure_reason: FailureReason | None = None
    material: Material | None = None
    issued_at: datetime | None = None
    imported_at: datetime | None = None
    exported_at: datetime | None = None
    """The first export since the certificate was issued or last renewed."""
    ever_exported: bool = False
    revoked_at: datetime | None = None
    revocation_reason: str | None = None
    renewal: Renewal | None = None
    pending_key_id: str | None = None
    """The key of an issuance or renewal that is under way."""
    generation: int = 0
    """How often issuance was started: names the attempt towards the CA, so that a crash never doubles it."""
    not_after: datetime | None = None
    in_use_by: tuple[str, ...] = ()
    """The resources (ARNs) that use it; written by `associations` only."""

    def status_at(self, now: datetime) -> Status:
        """The state that callers see."""
        if self.status is Status.ISSUED and self.not_after is not None and now > self.not_after:
            return Status.EXPIRED
        return self.status

    def is_eligible_for_renewal(self, now: datetime) -> bool:
        """Issued here, and in use or exported since it was issued or last renewed (acm.md 9.1)."""
        return self.status_at(now) is Status.ISSUED and self.is_wanted

    @property
    def is_wanted(self) -> bool:
        """As `is_eligible_for_renewal`, whatever its state."""
        return self.type is not Type.IMPORTED and (bool(self.in_use_by) or self.exported_at is not None)

    @property
    def is_exportable(self) -> bool:
        """Whether its private key may be handed out (acm.md 10.1)."""
        return self.type is Type.PRIVATE or (self.type is Type.AMAZON_ISSUED and self.export_option == "ENABLED")


_REASONS: tuple[tuple[type[errors.Refusal], FailureReason], ...] = (
    (errors.NameConstraintViolation, FailureReason.PCA_NAME_CONSTRAINTS_VALIDATION),
    (errors.DurationExceeded, FailureReason.PCA_INVALID_DURATION),
    (errors.InvalidState, FailureReason.PCA_INVALID_STATE),
    (errors.NotFound, FailureReason.PCA_RESOURCE_NOT_FOUND),
    (errors.InvalidArn, FailureReason.PCA_INVALID_ARN),
    (errors.LimitExceeded, FailureReason.PCA_LIMIT_EXCEEDED),
    (errors.AccessDenied, FailureReason.PCA_ACCESS_DENIED),
    (errors.InvalidArgument, FailureReason.PCA_INVALID_ARGS),
    (errors.ValidationFailed, FailureReason.PCA_INVALID_ARGS),
    (errors.MalformedCsr, FailureReason.PCA_INVALID_ARGS),
)


def failure_reason(refusal: errors.Refusal) -> FailureReason:
    """What a CA's refusal looks like to somebody who asked ACM."""
    for kind, reason in _REASONS:
        if isinstance(refusal, kind):
            return reason
    return FailureReason.PCA_REQUEST_FAILED


def certificate_id(arn_text: str) -> str | None:
    """The id in the ARN of an ACM certificate; None for any other ARN."""
    try:
        arn = Arn.parse(arn_text)
    except ValueError:
        return None
    kind, _, rest = arn.resource.partition("/")
    return rest if arn.service == "acm" and kind == "certificate" and rest else None
