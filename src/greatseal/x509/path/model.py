"""What is asked of a path, and the answer: the path with its policies, or one exact reason (RFC 5280 section 6.1)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID

Path = tuple[Certificate, ...]
"""The certificate that is asked about first, each one's issuer next, a trust anchor last."""

MAX_LENGTH = 32
"""Certificates in the longest path that is looked at; the service itself builds five levels (acm-pca.md 4)."""


class Code(Enum):
    """Why there is no valid path: a word for programs. docs/verify.md explains each."""

    NO_ISSUER = "no-issuer"
    SEARCH_LIMIT = "search-limit"
    PATH_TOO_LONG = "path-too-long"
    UNREADABLE = "unreadable-extension"
    SIGNATURE = "signature"
    SIGNATURE_ALGORITHM = "signature-algorithm"
    WEAK_KEY = "weak-key"
    ISSUER_NAME = "issuer-name"
    NOT_A_CA = "not-a-ca"
    KEY_USAGE = "key-usage"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REPEATED = "repeated-certificate"
    PATH_LENGTH = "path-length"
    NAME_CONSTRAINTS = "name-constraints"
    POLICY = "policy"
    UNKNOWN_CRITICAL = "unknown-critical-extension"
    PURPOSE = "purpose"
    SERVER_NAME = "server-name"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation-unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason. `index` counts from the certificate that was asked about, which is 0; `subject` is its name."""

    code: Code
    index: int
    subject: str
    what: str
    """The rest of a sentence whose subject is the certificate."""

    @property
    def sentence(self) -> str:
        """`certificate 1 (CN=…) expired …`, without a full stop."""
        return f"certificate {self.index} ({self.subject or 'no subject'}) {self.what}"

    def __str__(self) -> str:
        return self.sentence


class Purpose(Enum):
    """What the certificate is to be used for: the key purpose it must allow, or None for any."""

    ANY = None
    SERVER_AUTH = OID.SERVER_AUTH
    CLIENT_AUTH = OID.CLIENT_AUTH
    CODE_SIGNING = OID.CODE_SIGNING
    TIME_STAMPING = OID.TIME_STAMPING


@dataclass(frozen=True, slots=True)
class Strength:
    """The weakest keys that may be in a path. Signatures with SHA-1, MD5 or unknown algorithms never count."""

    rsa_bits: int = 2048
    curve_bits: int = 256


UNDERSTOOD = frozenset(
    {
        OID.AUTHORITY_KEY_IDENTIFIER,
        OID.BASIC_CONSTRAINTS,
        OID.CERTIFICATE_POLICIES,
        OID.CRL_DISTRIBUTION_POINTS,
        OID.EXTENDED_KEY_USAGE,
        OID.INHIBIT_ANY_POLICY,
        OID.ISSUER_ALTERNATIVE_NAME,
        OID.KEY_USAGE,
        OID.NAME_CONSTRAINTS,
        OID.POLICY_CONSTRAINTS,
        OID.POLICY_MAPPINGS,
        OID.SUBJECT_ALTERNATIVE_NAME,
        OID.SUBJECT_KEY_IDENTIFIER,
    }
)
"""Extensions that are acted upon, or that say nothing a path depends on."""

ANY_POLICY = frozenset({OID.ANY_POLICY})


@dataclass(frozen=True, slots=True)
class Rules:
    """The inputs of RFC 5280 section 6.1.1, and what a relying party asks beyond. `at` is an aware instant.

    `server_name` is a DNS name or an address in text. `understood` are the extensions that may be critical.
    """

    at: datetime
    purpose: Purpose = Purpose.ANY
    server_name: str | None = None
    policies: frozenset[str] = ANY_POLICY
    require_explicit_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False
    strength: Strength = field(default_factory=Strength)
    understood: frozenset[str] = UNDERSTOOD


@dataclass(frozen=True, slots=True)
class Valid:
    """A path that holds, and the policies it is valid for; anyPolicy in them means every policy."""

    path: Path
    policies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Invalid:
    """The reason, and as much of a path as there was when it showed."""

    problem: Problem
    path: Path


Verdict = Valid | Invalid


def problem_of(path: Path, index: int, code: Code, what: str) -> Problem:
    """The problem of one certificate of a path."""
    return Problem(code, index, path[index].subject.display(), what)
