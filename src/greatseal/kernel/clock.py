"""Time as an argument: whole service code asks a `Clock`, never the operating system."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Implementations return aware datetimes in UTC."""

    def now(self) -> datetime:
        """The current instant, in UTC, with microseconds."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return datetime.now(UTC)
