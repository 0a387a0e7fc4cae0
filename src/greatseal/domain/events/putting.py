"""PutEvents: events of the callers' own, checked one by one (workflows.md 15)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from greatseal.domain.access import Access, Question
from greatseal.domain.events.desk import Desk, bus_key
from greatseal.domain.events.posting import Posted, post
from greatseal.domain.events.store import buses
from greatseal.domain.events.tokens import DEEPEST, NotJson, depth_of, read_event
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Tx

LARGEST_REQUEST = 262_144
"""Octets of all entries together."""

_SIZE_OF_TIME = 14


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that somebody wants to put on a bus."""

    source: str | None
    detail_type: str | None
    detail: str | None
    bus: str | None = None
    """Name or ARN; None is the default bus."""
    resources: tuple[str, ...] = ()
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry: an event id, or an error."""

    event_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class Putting:
    """Puts events on buses."""

    def __init__(self, desk: Desk, access: Access) -> None:
        self._desk = desk
        self._access = access

    def put(self, caller: Caller, entries: Sequence[Entry]) -> list[Outcome]:
        """One outcome for each entry. What is put on a bus that is not there is lost, as with the real service.

        Raises ValidationFailed when all are too large together, and AccessDenied.
        """
        if sum(map(_size, entries)) > LARGEST_REQUEST:
            raise ValidationFailed("Total size of the entries in the request is over the limit.")
        self._authorize(caller, entries)
        now = self._desk.clock.now()
        outcomes = [_checked(entry) or Outcome(event_id=new_uuid(self._desk.entropy)) for entry in entries]
        good = [(entry, str(done.event_id)) for entry, done in zip(entries, outcomes, strict=True) if done.event_id]

        def work(tx: Tx) -> None:
            for entry, event_id in good:
                bus = bus_key(caller, entry.bus)
                if buses.find(tx, bus) is not None:
                    text = _envelope(caller, entry, event_id, now)
                    post(tx, Posted(text, bus.arn), entry.resources[0] if entry.resources else event_id, now)
            concerned = dict.fromkeys(bus_key(caller, entry.bus).arn for entry in entries)
            self._desk.audit.record(tx, caller, *concerned)

        self._desk.storage.transact(work)
        return outcomes

    def _authorize(self, caller: Caller, entries: Sequence[Entry]) -> None:
        asked = {(bus_key(caller, entry.bus).arn, entry.source or "", entry.detail_type or "") for entry in entries}
        questions = [
            Question(
                "events:PutEvents",
                arn,
                {"events:source": source, "events:detail-type": kind, "events:eventBusInvocation": "false"},
            )
            for arn, source, kind in sorted(asked)
        ]
        self._access.authorize(caller, *questions)


def _size(entry: Entry) -> int:
    texts = (entry.source or "", entry.detail_type or "", entry.detail or "", *entry.resources)
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) + (_SIZE_OF_TIME if entry.time else 0)


def _checked(entry: Entry) -> Outcome | None:
    """What is wrong with an entry."""
    for name, value in (("Source", entry.source), ("DetailType", entry.detail_type), ("Detail", entry.detail)):
        if not value:
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return Outcome(error_code="InvalidArgument", error_message=reason)
    if str(entry.source).startswith("aws."):
        return Outcome(error_code="NotAuthorizedForSourceException", error_message="Not authorized for the source.")
    try:
        detail = read_event(str(entry.detail))
    except NotJson:
        detail = None
    # The event is one deeper than its detail, and must still be readable for the router.
    if not isinstance(detail, dict) or depth_of(detail, limit=DEEPEST - 1) >= DEEPEST - 1:
        return Outcome(error_code="MalformedDetail", error_message="Detail is malformed.")
    return None


def _envelope(caller: Caller, entry: Entry, event_id: str, now: datetime) -> str:
    head = {
        "version": "0",
        "id": event_id,
        "detail-type": entry.detail_type,
        "source": entry.source,
        "account": caller.account,
        "time": (entry.time or now).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": caller.region,
        "resources": list(entry.resources),
    }
    written = json.dumps(head, separators=(",", ":"))
    return f'{written[:-1]},"detail":{_one_line(str(entry.detail))}}}'


def _one_line(detail: str) -> str:
    """JSON has line breaks between its tokens only: a space does as well there, and lines stay lines."""
    return detail.translate({10: 32, 13: 32, 9: 32}).strip()
