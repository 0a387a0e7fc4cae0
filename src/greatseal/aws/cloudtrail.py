"""CloudTrail: the audit trail as `aws cloudtrail lookup-events` reads it (workflows.md 22)."""

import json
from collections.abc import Mapping
from typing import Any

from greatseal.aws.door import OperationFunction
from greatseal.domain.access import Access, Question
from greatseal.domain.audit import Audit, AuditRecord, Lookup
from greatseal.domain.audit.cloudtrail import event, resource_type, username
from greatseal.domain.audit.model import InvalidLookup
from greatseal.kernel.caller import Caller

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_PAGE = 50


class CloudTrail:
    """The one operation that reads the trail. What is recorded is not a matter of trails here."""

    def __init__(self, *, access: Access, audit: Audit) -> None:
        self._access = access
        self._audit = audit

    def lookup_events(self, caller: Caller, p: Parameters) -> Result:
        """Events of the caller's account and region, newest first."""
        self._access.authorize(caller, Question("cloudtrail:LookupEvents", "*"))
        attributes = p.get("LookupAttributes", ())
        if len(attributes) > 1:
            raise InvalidLookup("You can specify only one attribute in the LookupAttributes list.")
        if "EventCategory" in p:
            # The one category of the model, insight events, is what nobody computes here.
            return {"Events": []}
        page = self._audit.lookup(
            caller.account,
            caller.region,
            Lookup(
                tuple((each["AttributeKey"], each["AttributeValue"]) for each in attributes),
                p.get("StartTime"),
                p.get("EndTime"),
            ),
            limit=p.get("MaxResults", _PAGE),
            token=p.get("NextToken"),
        )
        return {"Events": [_event(record) for record in page.items], "NextToken": page.next_token}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {"LookupEvents": self.lookup_events}


def _event(record: AuditRecord) -> dict[str, Any]:
    return {
        "EventId": record.event_id,
        "EventName": record.event_name,
        "ReadOnly": "true" if record.read_only else "false",
        "AccessKeyId": record.access_key_id or None,
        "EventTime": record.at,
        "EventSource": record.event_source,
        "Username": username(record),
        "Resources": [{"ResourceType": resource_type(arn) or None, "ResourceName": arn} for arn in record.resources],
        "CloudTrailEvent": json.dumps(event(record), ensure_ascii=False, separators=(",", ":")),
    }
