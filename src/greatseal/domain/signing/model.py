"""What is asked of signatures, and the answer for each signer (docs/signing.md)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greatseal.domain.trust import Fetcher, Report
from greatseal.x509.certificate import Certificate
from greatseal.x509.path import Purpose
from greatseal.x509.revocation import Material, Mode


class Needed(Enum):
    """Which signers must be good. Those of one kind: all of it, at least one, and no matter what the others are.

    A signer that was taken out of a file is not missed, except where its kind is named: BOTH is ALL, with at least one
    of each kind.
    """

    ALL = "all"
    ANY = "any"
    CLASSICAL = "classical"
    POST_QUANTUM = "post-quantum"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to trust, when, and for what. `stamp_anchors` are those of timestamp authorities."""

    anchors: tuple[Certificate, ...]
    at: datetime
    stamp_anchors: tuple[Certificate, ...] = ()
    intermediates: tuple[Certificate, ...] = ()
    purpose: Purpose = Purpose.CODE_SIGNING
    needed: Needed = Needed.ALL
    needs_stamp: bool = False
    mode: Mode = Mode.OFF
    material: Material = field(default_factory=Material)
    fetcher: Fetcher | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is refused: a word for programs (docs/signing.md) and the rest of a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp: when, by whom, and what is wrong with it if something is."""

    at: datetime | None
    authority: str
    problem: Reason | None
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class SignerReport:
    """One signer. `name` is the subject of its certificate, empty when there is none.

    `says` is its own word on when it signed. `judged_at` is the time at which its path had to hold.
    """

    name: str
    algorithm: str
    digest: str
    problem: Reason | None
    says: datetime | None = None
    stamp: Stamp | None = None
    judged_at: datetime | None = None
    report: Report | None = None
    post_quantum: bool = False


@dataclass(frozen=True, slots=True)
class SignedReport:
    """The verdict over one signed content: `problem` is None when it is good."""

    problem: Reason | None
    signers: tuple[SignerReport, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the signatures that are needed hold, by signers that are trusted."""
        return self.problem is None
