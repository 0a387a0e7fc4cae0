"""What a private CA is: its values, its states, and which act each state allows (acm-pca.md section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm, signature_algorithms_for
from greatseal.domain.authorities.revocation_settings import RevocationSettings
from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InProgress, InvalidArgument, InvalidArn, InvalidState
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import Extension


class Kind(Enum):
    """Whether the CA's certificate is self-signed."""

    ROOT = "ROOT"
    SUBORDINATE = "SUBORDINATE"


class Status(Enum):
    """The states of acm-pca.md section 4. EXPIRED is never stored: it follows from the certificate and the time."""

    CREATING = "CREATING"
    PENDING_CERTIFICATE = "PENDING_CERTIFICATE"
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    DELETED = "DELETED"


class UsageMode(Enum):
    """SHORT_LIVED_CERTIFICATE limits what the CA issues to seven days."""

    GENERAL_PURPOSE = "GENERAL_PURPOSE"
    SHORT_LIVED_CERTIFICATE = "SHORT_LIVED_CERTIFICATE"


@dataclass(frozen=True, slots=True)
class SubjectSpec:
    """The subject of a CA as its owner gave it: standard attributes by name, or custom ones by OID, never both."""

    standard: tuple[tuple[str, str], ...] = ()
    custom: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CaCertificate:
    """An installed CA certificate and the chain above it (nearest issuer first, root last; DER)."""

    id: str
    der: bytes
    chain: tuple[bytes, ...]
    installed_at: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """A private CA. `status` is the stored one; readers want `status_at`."""

    id: str
    arn: str
    account: str
    region: str
    kind: Kind
    status: Status
    key_id: str
    key_algorithm: KeyAlgorithm
    signing_algorithm: SignatureAlgorithm
    subject: SubjectSpec
    csr: bytes
    csr_extensions: tuple[Extension, ...]
    usage_mode: UsageMode
    key_storage: str
    created_at: datetime
    changed_at: datetime
    certificate: CaCertificate | None = None
    not_after: datetime | None = None
    restorable_until: datetime | None = None
    status_before_deletion: Status | None = None
    revocation: RevocationSettings = field(default_factory=RevocationSettings)

    def status_at(self, now: datetime) -> Status:
        """The state that callers see: EXPIRED hides ACTIVE and DISABLED, DELETED hides EXPIRED."""
        if self.status in (Status.ACTIVE, Status.DISABLED) and self.not_after is not None and now > self.not_after:
            return Status.EXPIRED
        return self.status

    def is_gone(self, now: datetime) -> bool:
        """Whether the restore window of a deleted CA has closed."""
        return self.status is Status.DELETED and (self.restorable_until is None or now >= self.restorable_until)


_EXISTING = frozenset(Status) - {Status.CREATING, Status.FAILED, Status.DELETED}
_INSTALLED = frozenset({Status.ACTIVE, Status.DISABLED, Status.EXPIRED})

# Which states allow which act, and the sentence that other states answer with. Terraform and other
# clients match parts of these sentences, typographic slips included (acm-pca.md 17.1b).
_RULES: Mapping[str, tuple[frozenset[Status], str]] = {
    "csr": (
        _EXISTING,
        "The certificate authority {arn} is not in the correct state to have a certificate signing request",
    ),
    "certificate": (
        _INSTALLED,
        "The certificate authority {arn} is not in the correct state to have a certificate signing request",
    ),
    "import": (
        frozenset({Status.PENDING_CERTIFICATE, Status.ACTIVE, Status.EXPIRED}),
        "The certificate authority {arn} is not in the correct state to import a certificate.",
    ),
    "issue": (
        frozenset({Status.ACTIVE}),
        "The certificate authority is not in a valid state for issuing certificates",
    ),
    "issue_root": (
        frozenset({Status.ACTIVE, Status.PENDING_CERTIFICATE}),
        "The certificate authority is not in a valid state for issuing certificates",
    ),
    "read_issued": (
        _EXISTING,
        "The certificate authority {arn} is not in the correct state to have issued certificates.",
    ),
    "revoke": (
        frozenset({Status.ACTIVE, Status.DISABLED}),
        "The certificate authority {arn} is not in the correct state to revoke certificates.",
    ),
    "report": (
        frozenset({Status.ACTIVE, Status.DISABLED}),
        "The certificate authority {arn} is not in a valid state for audit reports.",
    ),
    "update": (
        frozenset({Status.ACTIVE, Status.DISABLED}),
        "The certificate authority {arn} is not in a valid state for updates.",
    ),
    "delete": (
        frozenset(Status) - {Status.ACTIVE, Status.DELETED},
        "The certificate authority is not in a valid state for deletion.",
    ),
    "restore": (
        frozenset({Status.DELETED}),
        "The certificate authority is not in a valid state for restoration.",
    ),
    "permit": (
        _EXISTING,
        "The certificate authority {arn} is not in a valid state for permissions.",
    ),
    "tag": (
        frozenset(Status) - {Status.DELETED},
        "The certificate authority {arn} is not in a valid state for tagging.",
    ),
}


def require(authority: Authority, act: str, now: datetime) -> None:
    """Raises InvalidState, or InProgress while the CA is still being made, unless the state allows `act`."""
    allowed, sentence = _RULES[act]
    status = authority.status_at(now)
    if status in allowed:
        return
    if act == "csr" and status is Status.CREATING:
        raise InProgress("The certificate authority is still being created.")
    raise InvalidState(sentence.format(arn=authority.arn))


@lru_cache(1024)
def authority_id(arn_text: str) -> str:
    """The id in a CA's ARN. Raises InvalidArn for the ARN of anything else."""
    try:
        arn = Arn.parse(arn_text)
    except ValueError:
        arn = None
    kind, _, rest = arn.resource.partition("/") if arn else ("", "", "")
    if arn is None or arn.service != "acm-pca" or kind != "certificate-authority" or not rest or "/" in rest:
        raise InvalidArn(f"The ARN {arn_text} is not the ARN of a certificate authority.")
    return rest


_valid_for = lru_cache(signature_algorithms_for)


def check_algorithms(key: KeyAlgorithm, signing: SignatureAlgorithm) -> None:
    """Raises InvalidArgument unless a key of this kind can sign this way (acm-pca.md 2.7, 5)."""
    valid = _valid_for(key)
    if signing not in valid:
        names = ", ".join(row.name for row in valid)
        raise InvalidArgument(
            f"Signing algorithm {signing.name} cannot be used with key type {key.name}. "
            f"Valid signing algorithms are: {names}."
        )


def parsed_chain(certificate: CaCertificate) -> tuple[Certificate, ...]:
    """The CA certificate and every certificate above it, parsed; nearest first."""
    return tuple(Certificate.parse(der) for der in (certificate.der, *certificate.chain))
