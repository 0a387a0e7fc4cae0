"""EventBridge: buses, rules, targets, patterns and events (workflows.md 5, 15)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import events_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.events_archives import EventArchives
from greatseal.aws.events_asking import Asking
from greatseal.aws.events_connections import EventConnections
from greatseal.aws.events_shapes import Parameters, present, refuse
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.aws.tags import to_wire as tags_to_wire
from greatseal.domain.access import Access
from greatseal.domain.events.buses import Statement
from greatseal.domain.events.desk import bus_key, check_pattern, own
from greatseal.domain.events.model import RuleState
from greatseal.domain.events.patterns import compile_pattern, nested
from greatseal.domain.events.putting import Entry
from greatseal.domain.events.room import EventBuses
from greatseal.domain.events.rules import Failed, NewRule
from greatseal.domain.events.tokens import NotJson, read_event
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed

Result = Mapping[str, Any] | None

_REQUIRED_IN_EVENTS = ("id", "account", "source", "time", "region", "resources", "detail-type")


class EventBridge:
    """The operations on buses, rules, targets and events."""

    def __init__(self, *, access: Access, room: EventBuses) -> None:
        self._ask = Asking(access)
        self._room = room

    def create_event_bus(self, caller: Caller, p: Parameters) -> Result:
        """CreateEventBus"""
        refuse(p, "EventSourceName", "KmsKeyIdentifier")
        _refuse_logs(p)
        tags = tags_from_wire(p.get("Tags"))
        key = own(caller, p["Name"])
        self._ask(caller, key.arn, tag_conditions(tags))
        self._ask.tagging(caller, key.arn, tags)
        made = self._room.buses.create(
            caller, p["Name"], description=p.get("Description"), dead_letter_arn=_dead_letter(p), tags=tags
        )
        return {"EventBusArn": made.arn, **shapes.bus_settings(made)}

    def update_event_bus(self, caller: Caller, p: Parameters) -> Result:
        """UpdateEventBus"""
        refuse(p, "KmsKeyIdentifier")
        _refuse_logs(p)
        key = bus_key(caller, p.get("Name"))
        self._ask(caller, key.arn)
        bus = self._room.buses.update(caller, key, description=p.get("Description"), dead_letter_arn=_dead_letter(p))
        return {"Arn": bus.arn, "Name": bus.name, **shapes.bus_settings(bus)}

    def describe_event_bus(self, caller: Caller, p: Parameters) -> Result:
        """DescribeEventBus"""
        key = bus_key(caller, p.get("Name"))
        self._ask(caller, key.arn)
        bus, policy = self._room.buses.find(key)
        return {**shapes.bus_wire(bus, policy), **shapes.bus_settings(bus)}

    def list_event_buses(self, caller: Caller, p: Parameters) -> Result:
        """ListEventBuses"""
        self._ask(caller, "*")
        page = self._room.buses.page(caller, shapes.wanted(p))
        return shapes.listed("EventBuses", page, [shapes.bus_wire(*each) for each in page.items])

    def delete_event_bus(self, caller: Caller, p: Parameters) -> Result:
        """DeleteEventBus"""
        self._ask(caller, own(caller, p["Name"]).arn)
        self._room.buses.delete(caller, p["Name"])
        return None

    def put_permission(self, caller: Caller, p: Parameters) -> Result:
        """PutPermission"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.arn)
        if p.get("Policy") is not None:
            if any(p.get(name) is not None for name in ("Action", "Principal", "StatementId", "Condition")):
                raise ValidationFailed(
                    "Policy cannot be given together with Action, Principal, StatementId, Condition."
                )
            self._room.buses.put_policy(caller, key, p["Policy"])
            return None
        missing = [name for name in ("Action", "Principal", "StatementId") if p.get(name) is None]
        if missing:
            raise ValidationFailed(f"Parameter {missing[0]} must not be null.")
        condition = p.get("Condition")
        if condition and p["Principal"] != "*":
            raise ValidationFailed("A Condition is for the Principal * only.")
        limit = (condition["Type"], condition["Key"], condition["Value"]) if condition else None
        self._room.buses.permit(caller, key, Statement(p["StatementId"], p["Principal"], p["Action"], limit))
        return None

    def remove_permission(self, caller: Caller, p: Parameters) -> Result:
        """RemovePermission"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.arn)
        every = p.get("RemoveAllPermissions", False)
        if not every and p.get("StatementId") is None:
            raise ValidationFailed("Parameter StatementId must not be null.")
        self._room.buses.forbid(caller, key, None if every else p["StatementId"])
        return None

    def put_rule(self, caller: Caller, p: Parameters) -> Result:
        """PutRule"""
        key, tags = bus_key(caller, p.get("EventBusName")), tags_from_wire(p.get("Tags"))
        arn = key.rule_arn(p["Name"])
        self._ask(caller, arn, {**tag_conditions(tags), **self._ask.pattern_keys(caller, p.get("EventPattern"))})
        self._ask.tagging(caller, arn, tags)
        new = NewRule(
            name=p["Name"],
            # An empty text is what clients send for none.
            pattern=p.get("EventPattern") or None,
            schedule=p.get("ScheduleExpression") or None,
            state=RuleState(p.get("State", RuleState.ENABLED.value)),
            description=p.get("Description"),
            role_arn=p.get("RoleArn"),
            tags=tags,
        )
        return {"RuleArn": self._room.rules.put(caller, key, new).arn}

    def describe_rule(self, caller: Caller, p: Parameters) -> Result:
        """DescribeRule"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn(p["Name"]))
        rule = self._room.rules.find(key, p["Name"])
        return {**shapes.rule_wire(rule), "CreatedBy": rule.created_by}

    def list_rules(self, caller: Caller, p: Parameters) -> Result:
        """ListRules"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn("*"))
        page = self._room.rules.page(key, shapes.wanted(p))
        return shapes.listed("Rules", page, [shapes.rule_wire(each) for each in page.items])

    def list_rule_names_by_target(self, caller: Caller, p: Parameters) -> Result:
        """ListRuleNamesByTarget"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn("*"))
        page = self._room.rules.names_by_target(key, p["TargetArn"], shapes.wanted(p))
        return shapes.listed("RuleNames", page, list(page.items))

    def enable_rule(self, caller: Caller, p: Parameters) -> Result:
        """EnableRule"""
        self._set_state(caller, p, RuleState.ENABLED)
        return None

    def disable_rule(self, caller: Caller, p: Parameters) -> Result:
        """DisableRule"""
        self._set_state(caller, p, RuleState.DISABLED)
        return None

    def delete_rule(self, caller: Caller, p: Parameters) -> Result:
        """DeleteRule"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn(p["Name"]))
        self._room.rules.delete(caller, key, p["Name"])
        return None

    def put_targets(self, caller: Caller, p: Parameters) -> Result:
        """PutTargets"""
        key = bus_key(caller, p.get("EventBusName"))
        targets = [shapes.target_from_wire(each) for each in p["Targets"]]
        self._ask(caller, key.rule_arn(p["Rule"]), {"events:TargetArn": tuple(target.arn for target in targets)})
        return _failures(self._room.rules.put_targets(caller, key, p["Rule"], targets))

    def remove_targets(self, caller: Caller, p: Parameters) -> Result:
        """RemoveTargets"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn(p["Rule"]))
        return _failures(self._room.rules.remove_targets(caller, key, p["Rule"], p["Ids"]))

    def list_targets_by_rule(self, caller: Caller, p: Parameters) -> Result:
        """ListTargetsByRule"""
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn(p["Rule"]))
        page = self._room.rules.page_of_targets(key, p["Rule"], shapes.wanted(p))
        return shapes.listed("Targets", page, [shapes.target_wire(each) for each in page.items])

    def test_event_pattern(self, caller: Caller, p: Parameters) -> Result:
        """TestEventPattern"""
        self._ask(caller, "*")
        check_pattern(p["EventPattern"])
        try:
            event = read_event(p["Event"])
        except NotJson:
            event = None
        if not isinstance(event, dict):
            raise ValidationFailed("Parameter Event is not valid.")
        missing = [name for name in _REQUIRED_IN_EVENTS if name not in event]
        if missing:
            raise ValidationFailed(f"Parameter Event is not valid. Reason: {missing[0]} is a required member.")
        return {"Result": compile_pattern(p["EventPattern"])(nested(event))}

    def put_events(self, caller: Caller, p: Parameters) -> Result:
        """PutEvents"""
        refuse(p, "EndpointId")
        entries = [
            Entry(
                source=each.get("Source"),
                detail_type=each.get("DetailType"),
                detail=each.get("Detail"),
                bus=each.get("EventBusName"),
                resources=tuple(each.get("Resources") or ()),
                time=each.get("Time"),
            )
            for each in p["Entries"]
        ]
        outcomes = self._room.putting.put(caller, entries)
        return {
            "FailedEntryCount": sum(each.error_code is not None for each in outcomes),
            "Entries": [
                present({"EventId": each.event_id, "ErrorCode": each.error_code, "ErrorMessage": each.error_message})
                for each in outcomes
            ],
        }

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """TagResource"""
        tags = tags_from_wire(p["Tags"])
        self._ask(caller, p["ResourceARN"], tag_conditions(tags))
        self._room.tagging.tag(caller, p["ResourceARN"], tags)
        return {}

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """UntagResource"""
        self._ask(caller, p["ResourceARN"], {"aws:TagKeys": tuple(p["TagKeys"])})
        self._room.tagging.untag(caller, p["ResourceARN"], p["TagKeys"])
        return {}

    def list_tags_for_resource(self, caller: Caller, p: Parameters) -> Result:
        """ListTagsForResource"""
        self._ask(caller, p["ResourceARN"])
        return {"Tags": tags_to_wire(self._room.tagging.of(p["ResourceARN"]))}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateEventBus": self.create_event_bus,
            "UpdateEventBus": self.update_event_bus,
            "DescribeEventBus": self.describe_event_bus,
            "ListEventBuses": self.list_event_buses,
            "DeleteEventBus": self.delete_event_bus,
            "PutPermission": self.put_permission,
            "RemovePermission": self.remove_permission,
            "PutRule": self.put_rule,
            "DescribeRule": self.describe_rule,
            "ListRules": self.list_rules,
            "ListRuleNamesByTarget": self.list_rule_names_by_target,
            "EnableRule": self.enable_rule,
            "DisableRule": self.disable_rule,
            "DeleteRule": self.delete_rule,
            "PutTargets": self.put_targets,
            "RemoveTargets": self.remove_targets,
            "ListTargetsByRule": self.list_targets_by_rule,
            "TestEventPattern": self.test_event_pattern,
            "PutEvents": self.put_events,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    def _set_state(self, caller: Caller, p: Parameters, state: RuleState) -> None:
        key = bus_key(caller, p.get("EventBusName"))
        self._ask(caller, key.rule_arn(p["Name"]))
        self._room.rules.set_state(caller, key, p["Name"], state)


def operations(*, access: Access, room: EventBuses) -> dict[str, OperationFunction]:
    """Every operation of the service that is offered."""
    return {
        **EventBridge(access=access, room=room).operations(),
        **EventArchives(access=access, room=room).operations(),
        **EventConnections(access=access, room=room).operations(),
    }


def _failures(failed: list[Failed]) -> dict[str, Any]:
    return {
        "FailedEntryCount": len(failed),
        "FailedEntries": [
            {"TargetId": each.target_id, "ErrorCode": each.code, "ErrorMessage": each.message} for each in failed
        ],
    }


def _dead_letter(p: Parameters) -> str | None:
    arn: str | None = (p.get("DeadLetterConfig") or {}).get("Arn")
    return arn


def _refuse_logs(p: Parameters) -> None:
    if (p.get("LogConfig") or {}).get("Level", "OFF") != "OFF":
        raise ValidationFailed("Parameter LogConfig is not supported by this installation.")
