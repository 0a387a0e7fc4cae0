"""What one line of the audit trail says, and what can go wrong with the trail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument

# The widths of the table's columns. What a stranger sends is cut to them: a record that the database cannot
# hold would fail the call, and the calls that were to be stored together with it.
_WIDTHS = {"access_key_id": 128, "operation": 128, "request_id": 36, "region": 32, "source_ip": 64}
_LONGEST_AGENT = 1024
_LONGEST_ERROR = 1024
_READS = ("Describe", "Get", "List", "Lookup", "Search", "Simulate", "BatchGet", "Check")


class AuditFailed(Exception):
    """The record could not be written, so the act must not happen. Not a refusal: callers see an internal failure."""


class SinkFailed(AuditFailed):
    """A blocking copy of the record could not be written; nothing of the act is stored."""


class LogDamaged(AuditFailed):
    """The log was altered behind the service's back; it will not be extended or signed. `audit verify` says where."""


class InvalidLookup(InvalidArgument):
    """A lookup attribute that does not exist or cannot be asked for."""


class InvalidTimeRange(InvalidArgument):
    """The start of a lookup lies after its end."""


class AuditRecord(Struct, frozen=True):
    """One call. The names follow CloudTrail, where it has one (acm-pca.md 13.2, acm.md 12).

    A Struct for the same reason as `Caller`.
    """

    id: str
    """32 hex digits that sort by time; the order in which records enter the log."""
    at: datetime
    account: str
    region: str
    principal_arn: str
    access_key_id: str
    operation: str
    request_id: str
    resources: tuple[str, ...]
    source_ip: str
    user_agent: str
    service_principal: str | None
    request_parameters: str
    """JSON in CloudTrail's spelling; secrets are hidden before it gets here."""
    detail: dict[str, str] = {}
    """Facts that the request does not tell, for instance the serial number that was signed."""
    event_id: str = ""
    """The UUID under which people and CloudTrail's clients know the event."""
    event_source: str = ""
    event_name: str = ""
    read_only: bool = False
    error_code: str | None = None
    error_message: str | None = None
    response_elements: str | None = None
    """JSON in CloudTrail's spelling, secrets hidden; None for calls that fail, read, or answer nothing."""
    identity: str = "{}"
    """JSON: members of CloudTrail's `userIdentity` that the ARN does not tell, for instance `sessionContext`."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a caller does to resources (ARNs), as `Audit.record` takes it."""

    caller: Caller
    resources: tuple[str, ...]
    response: Mapping[str, object] | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. The response is JSON text."""

    error_code: str | None = None
    error_message: str | None = None
    response: str | None = None
    read_only: bool | None = None
    """None decides by the name of the operation."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What to look for: every attribute must hold; both ends of the time belong to it."""

    attributes: tuple[tuple[str, str], ...] = ()
    start: datetime | None = None
    end: datetime | None = None


def reads(operation: str) -> bool:
    """Whether an operation (`service:Name`) only reads, by AWS's way of naming."""
    return operation.partition(":")[2].startswith(_READS)


def source_and_name(operation: str) -> tuple[str, str]:
    """CloudTrail's `eventSource` and `eventName` of `service:Name`."""
    service, _, name = operation.partition(":")
    return f"{service or 'greatseal'}.amazonaws.com", name


def describe(
    caller: Caller,
    *,
    id: str,
    event_id: str,
    at: datetime,
    resources: tuple[str, ...],
    detail: Mapping[str, str],
    outcome: Outcome,
    identity: str,
) -> AuditRecord:
    """The record of a call. Every text fits its column and holds what every database can store."""
    operation = _fit(caller.operation, _WIDTHS["operation"])
    source, name = source_and_name(operation)
    return AuditRecord(
        id=id,
        at=at,
        account=_fit(caller.account, 12),
        region=_fit(caller.region, _WIDTHS["region"]),
        principal_arn=_clean(caller.principal_arn),
        access_key_id=_fit(caller.access_key_id, _WIDTHS["access_key_id"]),
        operation=operation,
        request_id=_fit(caller.request_id, _WIDTHS["request_id"]),
        resources=tuple(_clean(each) for each in resources),
        source_ip=_fit(caller.source_ip, _WIDTHS["source_ip"]),
        user_agent=_fit(caller.user_agent, _LONGEST_AGENT),
        service_principal=None if caller.service_principal is None else _fit(caller.service_principal, 128),
        request_parameters=_clean(caller.request_parameters),
        detail={_clean(key): _clean(value) for key, value in detail.items()},
        event_id=event_id,
        event_source=source,
        event_name=name,
        read_only=reads(operation) if outcome.read_only is None else outcome.read_only,
        error_code=None if outcome.error_code is None else _fit(outcome.error_code, 256),
        error_message=None if outcome.error_message is None else _fit(outcome.error_message, _LONGEST_ERROR),
        response_elements=None if outcome.response is None else _clean(outcome.response),
        identity=_clean(identity),
    )


def _fit(text: str, width: int) -> str:
    return _clean(text[:width])


def _clean(text: str) -> str:
    """PostgreSQL has no NUL in a text, UTF-8 no half of a surrogate pair; both become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
