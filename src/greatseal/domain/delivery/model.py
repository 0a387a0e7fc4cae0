"""What is delivered, and what a carrier says when it could not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way to one receiver."""

    lane: str
    """The receiver: parcels of one lane wait for each other only."""
    kind: str
    """Which carrier takes it: `email`, `webhook`, `queue`, …"""
    address: Mapping[str, str]
    """What the carrier needs to find the receiver; never a secret.

    `retry_attempts` (retries after the first attempt) and `retry_seconds` (since it was posted) shorten the patience.
    """
    body: str
    message_id: str
    """Stays the same however often the parcel is carried, so that receivers can tell a repetition."""
    order_key: str = ""
    """Parcels of a lane with one key arrive in order; those with none in any."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What goes along: a subject, message attributes, headers."""
    account: str = ""
    """Whose dead letter it would be."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A parcel with its place in the lane."""

    id: int
    parcel: Parcel
    posted_at: datetime
    attempts: int
    due: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A parcel that was given up, and why."""

    id: int
    parcel: Parcel
    posted_at: datetime
    attempts: int
    error: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class Census:
    """What is in the table: for metrics."""

    waiting: int
    oldest: datetime | None
    """When the oldest parcel that waits was posted."""
    dead: int


class Undeliverable(Exception):
    """A carrier could not deliver.

    `final` says that trying again is pointless. `down` says that the receiver could not be reached or kept silent:
    nothing else of its lane would fare better now. `retry_after` is how long the receiver asked to be left alone.
    """

    def __init__(
        self, reason: str, *, final: bool = False, down: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(reason)
        self.final = final
        self.down = down
        self.retry_after = retry_after
