"""What a check receives and what it reports."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from greatseal.settings import Settings


class Level(Enum):
    """How bad a finding is; the value is the exit code that it asks for."""

    OK = 0
    NOTE = 0.5
    """True and worth knowing; nothing is wrong."""
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. Warnings and failures say how to mend what they found."""

    check: str
    level: Level
    text: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What every check may look at."""

    settings: Settings
    environment: Mapping[str, str]
    now: datetime


Check = Callable[[Patient], Iterable[Finding]]
