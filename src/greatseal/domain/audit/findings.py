"""What an examination of the log reports."""

from dataclasses import dataclass, field
from enum import Enum

# Of each kind, so that a flood of one cannot hide another.
_MOST = 100


class Kind(Enum):
    """What happened to the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    TREE = "tree"
    """The stored tree does not belong to the records."""
    CHECKPOINT = "checkpoint"
    """A checkpoint is not what was signed, or not over this log."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written. `event_id` is what the record says now, which may be a lie."""

    kind: Kind
    text: str
    index: int | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an examination: of `size` records in the log and `pending` that have no place yet."""

    origin: str
    size: int
    root: bytes
    checkpoints: int
    keys: tuple[str, ...]
    """SHA-256 of the SubjectPublicKeyInfo of each key that signed a checkpoint."""
    pending: int
    sealed: bool
    """Whether seals were checked too, for which the key-encryption key is needed."""
    findings: tuple[Finding, ...]
    more: int
    """Findings beyond those listed."""

    @property
    def ok(self) -> bool:
        """Whether the log is whole."""
        return not self.findings


@dataclass(slots=True)
class Findings:
    """Collects findings, up to a number of each kind that a human can read."""

    listed: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, kind: Kind, text: str, *, index: int | None = None, event_id: str | None = None) -> None:
        """One more."""
        if sum(each.kind is kind for each in self.listed) < _MOST:
            self.listed.append(Finding(kind, text, index, event_id))
        else:
            self.more += 1
