"""What is known of an installation at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """The durable jobs: due and not taken (by kind), being worked on, since when the oldest waits, given up."""

    due: Mapping[str, int]
    running: int
    oldest_due: datetime | None
    buried: int


@dataclass(frozen=True, slots=True)
class Trail:
    """The audit trail: records with a place in the log, records that wait for one, and since when."""

    size: int
    waiting: int
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class Lists:
    """The revocation lists that somebody relies on.

    `oldest` is when the one was made that is oldest, `next_update` when the first of them ends; `overdue` are those
    that should have been made anew by now.
    """

    published: int
    overdue: int
    oldest: datetime | None
    next_update: datetime | None


@dataclass(frozen=True, slots=True)
class Delegates:
    """The OCSP responders that are good now. `end` is when the first CA is without one."""

    number: int
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Renewals:
    """Managed renewals that are not done, by their status, and certificates whose look at renewal is late."""

    unfinished: Mapping[str, int]
    overdue: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """The numbers of one snapshot."""

    at: datetime
    queue: Queue
    trail: Trail
    lists: Lists
    delegates: Delegates
    renewals: Renewals
    authorities: Mapping[str, int]
    """CAs by status."""
    logs: Mapping[str, int]
    """Entries of our own transparency logs."""
