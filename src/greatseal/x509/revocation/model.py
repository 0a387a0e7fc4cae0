"""What is known of revocation, and what it is worth (RFC 5280 section 6.3, RFC 6960)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.x509.crl import RevocationList
from greatseal.x509.ocsp.answer import OcspAnswer


class Mode(Enum):
    """How much must be known: nothing is asked, only what is revoked is refused, or every certificate must be good."""

    OFF = "off"
    SOFT_FAIL = "soft"
    HARD_FAIL = "hard"


class State(Enum):
    """What the lists and answers say of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one certificate, who says so (`CRL`, `OCSP` or nobody), and why nothing better is known.

    `revoked_at` and `reason` (the spelling of `crl.REASONS`, or None) are those of a revocation.
    """

    state: State
    source: str = ""
    why: str = ""
    revoked_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """Lists and answers, from wherever they came. `nonce` is what every answer must repeat; None for no matter."""

    lists: Sequence[RevocationList] = ()
    answers: Sequence[OcspAnswer] = ()
    nonce: bytes | None = None


def unknown(why: str, source: str = "") -> Standing:
    """Nothing is known, for this reason (the end of a sentence)."""
    return Standing(State.UNKNOWN, source, why)
