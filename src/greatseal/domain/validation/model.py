"""What is validated, and how far it has come (acm.md 6.2, 8)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Method(Enum):
    """How control of a domain is shown."""

    DNS = "DNS"
    EMAIL = "EMAIL"
    HTTP = "HTTP"


class NameState(Enum):
    """The state of one name of an attempt."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class AttemptState(Enum):
    """OPEN until every name is valid, one has failed for good, or the time is over."""

    OPEN = "OPEN"
    VALID = "VALID"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


class Reason(Enum):
    """Why a name cannot be validated, however long anybody waits (acm.md 6.2)."""

    NO_AVAILABLE_CONTACTS = "NO_AVAILABLE_CONTACTS"
    ADDITIONAL_VERIFICATION_REQUIRED = "ADDITIONAL_VERIFICATION_REQUIRED"
    DOMAIN_NOT_ALLOWED = "DOMAIN_NOT_ALLOWED"
    INVALID_PUBLIC_DOMAIN = "INVALID_PUBLIC_DOMAIN"
    DOMAIN_VALIDATION_DENIED = "DOMAIN_VALIDATION_DENIED"
    CAA_ERROR = "CAA_ERROR"


@dataclass(frozen=True, slots=True)
class Subject:
    """What names are validated for: a certificate, and who asked for it."""

    id: str
    arn: str
    account: str
    region: str
    principal_arn: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an attempt."""

    position: int
    name: str
    """In lower case, with its `*.`."""
    domain: str
    """Where control is shown: for EMAIL what follows the @, else the name without `*.`."""
    state: NameState
    reason: Reason | None = None
    validated_at: datetime | None = None
    detail: str = ""
    """What the last look has found, one sentence for people."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The validation of all names of one certificate, for one issuance, renewal or change of the method."""

    reference: str
    """`<id of the certificate>/<what for>`."""
    subject: Subject
    method: Method
    renewal: bool
    """Whether a certificate exists already, whose renewal this is for."""
    state: AttemptState
    reason: Reason | None
    troubled: bool
    """A look has failed, or somebody has to act: the customer should know (acm.md 9.3)."""
    started_at: datetime
    deadline: datetime
    ended_at: datetime | None
    names: tuple[Name, ...]

    @property
    def purpose(self) -> str:
        """What stands behind the certificate's id in the reference."""
        return self.reference.partition("/")[2]

    @property
    def was_mailed(self) -> bool:
        """Whether mails were sent: not when a name was refused at once."""
        refused = self.state is AttemptState.FAILED and self.reason is not Reason.DOMAIN_VALIDATION_DENIED
        return self.method is Method.EMAIL and not refused


@dataclass(frozen=True, slots=True)
class Question:
    """What an approval mail asks, as its page shows it."""

    name: str
    account: str
    region: str
    arn: str
    renewal: bool
    mailbox: str


def without_wildcard(name: str) -> str:
    """The domain that a name is looked up as."""
    return name.removeprefix("*.")
