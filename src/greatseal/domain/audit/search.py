"""Looking events up as CloudTrail's LookupEvents does: one account and region, newest first, page by page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from greatseal.domain.audit import cloudtrail
from greatseal.domain.audit.model import AuditRecord, InvalidLookup, InvalidTimeRange, Lookup
from greatseal.domain.audit.store import records
from greatseal.kernel.errors import InvalidToken
from greatseal.kernel.pages import Page, PageTokens
from greatseal.storage import Storage, Tx

LARGEST_PAGE = 50
# A page is cut short after so many records that did not match, and its token says where to go on.
_LONGEST_SEARCH = 20_000
_STEP = 500

_MATCHES: dict[str, Callable[[AuditRecord, str], bool]] = {
    "EventId": lambda record, value: record.event_id == value,
    "EventName": lambda record, value: record.event_name == value,
    "EventSource": lambda record, value: record.event_source == value,
    "AccessKeyId": lambda record, value: record.access_key_id == value,
    "ReadOnly": lambda record, value: str(record.read_only).lower() == value.lower(),
    "Username": lambda record, value: cloudtrail.username(record) == value,
    "ResourceName": lambda record, value: any(value in (arn, arn.rpartition("/")[2]) for arn in record.resources),
    "ResourceType": lambda record, value: any(cloudtrail.resource_type(arn) == value for arn in record.resources),
}
_COLUMNS = {
    "EventId": "event_id",
    "EventName": "event_name",
    "EventSource": "event_source",
    "AccessKeyId": "access_key_id",
}
_PARTS = {"Username": "principal_arn", "ResourceName": "resources"}


def run(
    storage: Storage, tokens: PageTokens, account: str, region: str, wanted: Lookup, *, limit: int, token: str | None
) -> Page[AuditRecord]:
    """Raises InvalidLookup, InvalidTimeRange, InvalidToken."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidLookup(f"MaxResults must be between 1 and {LARGEST_PAGE}.")
    for key, _ in wanted.attributes:
        if key not in _MATCHES:
            raise InvalidLookup(f"{key} is not a lookup attribute.")
    if wanted.start is not None and wanted.end is not None and wanted.start > wanted.end:
        raise InvalidTimeRange("The start of the time range is after its end.")
    scope = (account, region, "LookupEvents", repr(wanted.attributes), _iso(wanted.start), _iso(wanted.end))
    before = None if token is None else _position(tokens.open(scope, token))
    found, last = storage.read(lambda tx: _scan(tx, account, region, wanted, before, limit))
    return Page(tuple(found), None if last is None else tokens.issue(scope, [last]))


def _scan(
    tx: Tx, account: str, region: str, wanted: Lookup, before: str | None, limit: int
) -> tuple[list[AuditRecord], str | None]:
    """The matches, and the id after which the next page begins; None at the end."""
    equal: list[tuple[str, Any]] = [(_COLUMNS[key], value) for key, value in wanted.attributes if key in _COLUMNS]
    equal += [("read_only", value.lower() == "true") for key, value in wanted.attributes if key == "ReadOnly"]
    containing = [(_PARTS[key], value) for key, value in wanted.attributes if key in _PARTS]
    found: list[AuditRecord] = []
    looked_at = 0
    step = limit + 1
    while looked_at < _LONGEST_SEARCH:
        rows = records.candidates(
            tx,
            account,
            region,
            equal=equal,
            containing=containing,
            start=wanted.start,
            end=wanted.end,
            before=before,
            limit=step,
        )
        for record in rows:
            if all(_MATCHES[key](record, value) for key, value in wanted.attributes):
                if len(found) == limit:
                    return found, found[-1].id
                found.append(record)
        if len(rows) < step:
            return found, None
        before, looked_at, step = rows[-1].id, looked_at + len(rows), _STEP
    return found, before


def _position(position: list[str | int]) -> str:
    if len(position) != 1 or not isinstance(position[0], str):
        raise InvalidToken("The pagination token is not valid.")
    return position[0]


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
