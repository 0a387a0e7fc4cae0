"""The envelope of an event, and the nouns of the bus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from greatseal.domain.events.transform import Transformer
from greatseal.kernel.arn import Arn

DEFAULT_BUS = "default"
"""The bus that every account has in every region; the events of the services go there."""

MEMBERS = ("version", "id", "detail-type", "source", "account", "time", "region", "replay-name", "resources", "detail")
"""The members of an envelope, in the order in which they are sent."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `detail` is JSON in the spelling of its source."""

    source: str
    detail_type: str
    account: str
    region: str
    resources: tuple[str, ...]
    detail: Mapping[str, object]

    def envelope(self, event_id: str, at: datetime) -> dict[str, object]:
        """The whole event as the bus carries it (envelope version 0)."""
        return {
            "version": "0",
            "id": event_id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": list(self.resources),
            "detail": dict(self.detail),
        }


@dataclass(frozen=True, slots=True)
class BusKey:
    """Which bus: buses, rules, archives and what else there is belong to one account and region."""

    partition: str
    region: str
    account: str
    name: str

    @property
    def arn(self) -> str:
        """The ARN of the bus."""
        return str(Arn(self.partition, "events", self.region, self.account, f"event-bus/{self.name}"))

    def rule_arn(self, rule: str) -> str:
        """The ARN of a rule; the name of the default bus is left out."""
        middle = "" if self.name == DEFAULT_BUS else f"{self.name}/"
        return str(Arn(self.partition, "events", self.region, self.account, f"rule/{middle}{rule}"))


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus. That of the services is there without ever having been made, and then has no times."""

    arn: str
    name: str
    description: str | None = None
    dead_letter_arn: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


class RuleState(StrEnum):
    """Whether a rule works, as the wire spells it."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    """Enabled, and matches API calls that only read too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a bus: a pattern, a schedule, or both."""

    arn: str
    name: str
    bus_arn: str
    bus_name: str
    state: RuleState
    pattern: str | None = None
    schedule: str | None = None
    description: str | None = None
    role_arn: str | None = None
    created_by: str = ""
    schedule_from: datetime | None = None
    """From when a rate counts."""
    next_at: datetime | None = None
    """When the schedule is due."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How long a target is tried; None leaves it at the longest."""

    attempts: int | None = None
    age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where the events of a rule go, and what is sent: the event unless one of the three says otherwise."""

    id: str
    arn: str
    role_arn: str | None = None
    input: str | None = None
    input_path: str | None = None
    transformer: Transformer | None = None
    dead_letter_arn: str | None = None
    retries: Retries = Retries()
    group_id: str | None = None
    """The message group of a FIFO queue."""
    path_values: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    """What an API destination is called with besides; values may be JSON paths."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A copy of the events of a bus."""

    arn: str
    name: str
    bus_arn: str
    created_at: datetime
    description: str | None = None
    pattern: str | None = None
    retention_days: int = 0
    """0 keeps events for ever."""
    events: int = 0
    size: int = 0
    """Octets."""


class ReplayState(StrEnum):
    """How far a replay is, as the wire spells it."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Replay:
    """Events of an archive, sent to its bus once more."""

    arn: str
    name: str
    archive_arn: str
    bus_arn: str
    start: datetime
    end: datetime
    state: ReplayState
    started_at: datetime
    filter_arns: tuple[str, ...] = ()
    """The rules that take part; empty for all."""
    description: str | None = None
    reason: str | None = None
    last_event_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """How API destinations are authorized; what is secret in it is kept sealed, elsewhere."""

    arn: str
    name: str
    authorization: str
    """BASIC or API_KEY."""
    public: Mapping[str, object]
    """The parameters without their secrets, in our own words."""
    created_at: datetime
    modified_at: datetime
    description: str | None = None
    authorized: bool = True
    authorized_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """An HTTPS endpoint that rules can call."""

    arn: str
    name: str
    connection_arn: str
    endpoint: str
    method: str
    created_at: datetime
    modified_at: datetime
    description: str | None = None
    rate: int | None = None
    """Invocations a second, as it was asked for."""
