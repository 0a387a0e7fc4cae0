"""Buses, rules, targets, permissions and tags on the wire (workflows.md 15)."""

import json

import pytest

from doors.bus import ACCOUNT, QUEUE, TOPIC, Bus, refused
from greatseal.testing import FakeEntropy, Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

PATTERN = '{"source": ["my.app"]}'
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/"


@pytest.fixture
def bus(storage):
    return Bus(storage)


@pytest.fixture
def events(bus):
    return bus.events


# -- buses ---------------------------------------------------------------------------------------------------


def test_the_default_bus_is_always_there(events):
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    found = events.describe_event_bus()
    assert (found["Name"], found["Arn"]) == ("default", arn)
    assert [each["Name"] for each in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.describe_event_bus(Name=arn)["Arn"] == arn
    with refused("ValidationException", "Cannot delete event bus default."):
        events.delete_event_bus(Name="default")
    with refused("ResourceAlreadyExistsException", "Event bus default already exists."):
        events.create_event_bus(Name="default")


def test_a_bus_is_made_changed_and_deleted(bus, events):
    made = events.create_event_bus(
        Name="mine", Description="d", DeadLetterConfig={"Arn": QUEUE}, Tags=[{"Key": "a", "Value": "b"}]
    )
    assert made["EventBusArn"].endswith(":event-bus/mine")
    with refused("ResourceAlreadyExistsException", "Event bus mine already exists."):
        events.create_event_bus(Name="mine")
    assert events.describe_event_bus(Name="mine")["CreationTime"] == bus.clock.now()
    changed = events.update_event_bus(Name="mine", Description="new")
    assert changed["Description"] == "new"
    assert "DeadLetterConfig" not in events.describe_event_bus(Name="mine")
    events.update_event_bus(Name="default", Description="ours")
    assert events.describe_event_bus()["Description"] == "ours"
    bus.rule("r", pattern=PATTERN, EventBusName="mine")
    with refused("ValidationException", "since it has rules"):
        events.delete_event_bus(Name="mine")
    events.remove_targets(Rule="r", EventBusName="mine", Ids=["inbox"])
    events.delete_rule(Name="r", EventBusName="mine")
    events.delete_event_bus(Name="mine")
    events.delete_event_bus(Name="mine")
    with refused("ResourceNotFoundException", "Event bus mine does not exist."):
        events.describe_event_bus(Name="mine")
    with refused("ResourceNotFoundException", "Event bus mine does not exist."):
        events.put_rule(Name="r", EventPattern=PATTERN, EventBusName="mine")
    for more in ({"KmsKeyIdentifier": "alias/x"}, {"LogConfig": {"Level": "INFO"}}):
        with refused("ValidationException", "not supported"):
            events.create_event_bus(Name="other", **more)
    with refused("ValidationException", "slash"):
        events.create_event_bus(Name="a/b")


def test_buses_page_by_page(events):
    names = [f"bus-{number}" for number in range(5)] + ["zulu"]
    for name in names:
        events.create_event_bus(Name=name)
    listed, token = [], {}
    while True:
        page = events.list_event_buses(Limit=3, **token)
        listed += [each["Name"] for each in page["EventBuses"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert listed == sorted([*names, "default"])
    found = events.list_event_buses(NamePrefix="bus-")["EventBuses"]
    assert [each["Name"] for each in found] == names[:5]
    assert events.list_event_buses(NamePrefix="BUS")["EventBuses"] == []
    with refused("ValidationException", "token"):
        events.list_event_buses(NextToken="abc")


def test_permissions(events):
    grant = {"Action": "events:PutEvents", "Principal": "444455556666", "StatementId": "one"}
    events.put_permission(**grant)
    events.put_permission(**{**grant, "StatementId": "two", "Principal": "*"})
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    statements = json.loads(events.describe_event_bus()["Policy"])["Statement"]
    assert statements[0] == {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "events:PutEvents",
        "Resource": arn,
    }
    assert statements[1]["Principal"] == "*"
    events.put_permission(
        StatementId="two",
        Principal="*",
        Action="events:PutEvents",
        Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1234567890"},
    )
    statements = json.loads(events.describe_event_bus()["Policy"])["Statement"]
    assert [each.get("Condition") for each in statements] == [
        None,
        {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
    ]
    with refused("ResourceNotFoundException", "Statement with the provided id does not exist."):
        events.remove_permission(StatementId="three")
    events.remove_permission(StatementId="one")
    events.remove_permission(RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus()
    with refused("ValidationException", "StatementId"):
        events.put_permission(Action="events:PutEvents", Principal="*")
    with refused("ResourceNotFoundException", "Event bus nowhere does not exist."):
        events.put_permission(EventBusName="nowhere", **grant)
    with refused("ValidationException"):
        events.put_permission(Policy="{}")
    with refused("ValidationException", "together"):
        events.put_permission(Policy="{}", **grant)
    long = {"Version": "2012-10-17", "Statement": [{"Sid": "x" * 11_000}]}
    with refused("PolicyLengthExceededException"):
        events.put_permission(Policy=json.dumps(long))


# -- rules ---------------------------------------------------------------------------------------------------


def test_a_rule_is_set_shown_and_deleted(events):
    events.create_event_bus(Name="mine")
    for more, arn in (({}, f"{RULE}r"), ({"EventBusName": "mine"}, f"{RULE}mine/r")):
        made = events.put_rule(Name="r", EventPattern=PATTERN, Description="d", RoleArn="arn:aws:iam::1:role/x", **more)
        assert made["RuleArn"] == arn
        found = {k: v for k, v in events.describe_rule(Name="r", **more).items() if k != "ResponseMetadata"}
        assert found == {
            "Name": "r",
            "Arn": arn,
            "EventPattern": PATTERN,
            "State": "ENABLED",
            "Description": "d",
            "RoleArn": "arn:aws:iam::1:role/x",
            "EventBusName": more.get("EventBusName", "default"),
            "CreatedBy": ACCOUNT,
        }
        events.put_rule(Name="r", EventPattern=PATTERN, State="DISABLED", **more)
        changed = events.describe_rule(Name="r", **more)
        assert changed["State"] == "DISABLED"
        assert "Description" not in changed
        events.delete_rule(Name="r", **more)
        events.delete_rule(Name="r", **more)
        bus = more.get("EventBusName", "default")
        with refused("ResourceNotFoundException", f"Rule r does not exist on EventBus {bus}."):
            events.describe_rule(Name="r", **more)
        with refused("ResourceNotFoundException", f"Rule r does not exist on EventBus {bus}."):
            events.enable_rule(Name="r", **more)


@pytest.mark.parametrize(
    ("rule", "code", "text"),
    [
        ({}, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."),
        (
            {"EventPattern": '{"source": "x"}'},
            "InvalidEventPatternException",
            'Event pattern is not valid. Reason: "source" must be an object or an array',
        ),
        (
            {"EventPattern": '{"source": [{"like": "x"}]}'},
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: Unrecognized match type like",
        ),
        ({"EventPattern": "{"}, "InvalidEventPatternException", "Event pattern is not valid. Reason: "),
        ({"EventPattern": "[" * 4000}, "InvalidEventPatternException", "Event pattern is not valid. Reason: "),
        (
            {"EventPattern": '{"a": ' * 400 + "[1]" + "}" * 400},
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: ",
        ),
        (
            {"ScheduleExpression": "rate(1 minutes)"},
            "ValidationException",
            "Parameter ScheduleExpression is not valid.",
        ),
        (
            {"ScheduleExpression": "cron(0 0 * * *)"},
            "ValidationException",
            "Parameter ScheduleExpression is not valid.",
        ),
        (
            {"ScheduleExpression": "rate(1 hour)", "EventBusName": "mine"},
            "ValidationException",
            "ScheduleExpression is supported only on the default event bus.",
        ),
        ({"EventPattern": "{" + " " * 4096 + "}"}, "ValidationException", "less than or equal to 4096"),
        ({"EventPattern": PATTERN, "State": "ON"}, "ValidationException", "enum value set"),
    ],
)
def test_rules_that_cannot_be(events, rule, code, text):
    events.create_event_bus(Name="mine")
    with refused(code, text):
        events.put_rule(Name="r", **rule)
    assert events.list_rules()["Rules"] == []


def test_rules_and_targets_page_by_page(bus, events):
    for number in range(5):
        bus.rule(f"rule-{number}", pattern=PATTERN)
    bus.rule("other", {"Id": "t", "Arn": TOPIC}, pattern=PATTERN)
    first = events.list_rules(NamePrefix="rule-", Limit=3)
    second = events.list_rules(NamePrefix="rule-", Limit=3, NextToken=first["NextToken"])
    names = [rule["Name"] for rule in first["Rules"] + second["Rules"]]
    assert names == [f"rule-{number}" for number in range(5)]
    assert "NextToken" not in second
    with refused("ValidationException", "token"):
        events.list_rules(NamePrefix="rule", NextToken=first["NextToken"])
    assert events.list_rule_names_by_target(TargetArn=TOPIC)["RuleNames"] == ["other"]
    page = events.list_rule_names_by_target(TargetArn=QUEUE, Limit=4)
    rest = events.list_rule_names_by_target(TargetArn=QUEUE, NextToken=page["NextToken"])
    assert page["RuleNames"] + rest["RuleNames"] == names
    targets = [{"Id": f"t{number}", "Arn": QUEUE} for number in range(4)]
    events.put_targets(Rule="other", Targets=targets)
    page = events.list_targets_by_rule(Rule="other", Limit=2)
    rest = events.list_targets_by_rule(Rule="other", NextToken=page["NextToken"])
    assert [each["Id"] for each in page["Targets"] + rest["Targets"]] == ["t", "t0", "t1", "t2", "t3"]


# -- targets -------------------------------------------------------------------------------------------------


def test_targets_are_kept_as_they_are_given(bus, events):
    target = {
        "Id": "x",
        "Arn": QUEUE,
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "InputTransformer": {"InputPathsMap": {"a": "$.detail.a"}, "InputTemplate": '{"a": <a>}'},
        "DeadLetterConfig": {"Arn": QUEUE + "-dead"},
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
        "HttpParameters": {"PathParameterValues": ["a"], "HeaderParameters": {"H": "v"}},
    }
    bus.rule("r", target, pattern=PATTERN)
    assert events.list_targets_by_rule(Rule="r")["Targets"] == [target]
    events.put_rule(Name="r", EventPattern='{"source": ["else"]}')
    assert events.list_targets_by_rule(Rule="r")["Targets"] == [target]
    with refused("ValidationException", "Rule can't be deleted since it has targets."):
        events.delete_rule(Name="r")
    answer = events.remove_targets(Rule="r", Ids=["x", "y"])
    assert answer["FailedEntryCount"] == 1
    assert answer["FailedEntries"][0]["TargetId"] == "y"
    assert answer["FailedEntries"][0]["ErrorCode"] == "ResourceNotFoundException"
    with refused("ResourceNotFoundException", "Rule none does not exist on EventBus default."):
        events.put_targets(Rule="none", Targets=[target])


def test_at_most_five_targets(bus, events):
    bus.rule("r", *({"Id": f"t{number}", "Arn": QUEUE} for number in range(5)), pattern=PATTERN)
    events.put_targets(Rule="r", Targets=[{"Id": "t0", "Arn": TOPIC}])
    with refused("LimitExceededException", "The requested resource exceeds the maximum number allowed."):
        events.put_targets(Rule="r", Targets=[{"Id": "t5", "Arn": QUEUE}])


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Arn": "queue"}, "Parameter queue is not valid. Reason: Provided Arn is not in correct format."),
        ({"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}, "targets here are queues"),
        ({"Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/x"}, "targets here are queues"),
        ({"Arn": QUEUE, "EcsParameters": {"TaskDefinitionArn": "x"}}, "EcsParameters is not supported"),
        ({"Arn": QUEUE, "Input": "{}", "InputPath": "$.detail"}, "Only one of Input, InputPath, or InputTransformer"),
        ({"Arn": QUEUE, "Input": "{"}, "JSON syntax error in input for target x"),
        ({"Arn": QUEUE, "InputPath": "detail"}, "Invalid JSON path for target x"),
        (
            {"Arn": QUEUE, "InputTransformer": {"InputTemplate": '"<who>"'}},
            "InputTemplate for target x contains invalid placeholder who.",
        ),
        ({"Arn": QUEUE, "InputTransformer": {"InputTemplate": "no quotes"}}, "Invalid InputTemplate for target x"),
        (
            {"Arn": QUEUE, "InputTransformer": {"InputTemplate": "{}", "InputPathsMap": {"a": "b"}}},
            "Invalid JSON path for target x",
        ),
        ({"Arn": QUEUE, "DeadLetterConfig": {"Arn": TOPIC}}, "Provided Arn is not in correct format."),
        ({"Arn": QUEUE, "RetryPolicy": {"MaximumRetryAttempts": 186}}, "less than or equal to 185"),
        (
            {"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/b", "Input": "{}"},
            "An event bus gets events as they are",
        ),
    ],
)
def test_targets_that_cannot_be(events, target, text):
    events.put_rule(Name="r", EventPattern=PATTERN)
    with refused("ValidationException", text):
        events.put_targets(Rule="r", Targets=[{"Id": "x", **target}])
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []


def test_targets_that_cannot_be_reached_fail_alone(events):
    events.put_rule(Name="r", EventPattern=PATTERN)
    answer = events.put_targets(
        Rule="r",
        Targets=[
            {"Id": "ok", "Arn": QUEUE},
            {"Id": "fifo", "Arn": QUEUE + ".fifo"},
            {"Id": "channel", "Arn": f"arn:aws:greatseal:us-east-1:{ACCOUNT}:channel/none"},
            {"Id": "hook", "Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:api-destination/none/1"},
        ],
    )
    assert answer["FailedEntryCount"] == 3
    assert {each["TargetId"]: each["ErrorMessage"] for each in answer["FailedEntries"]} == {
        "fifo": "Parameter(s) SqsParameters must be specified for target: fifo.",
        "channel": "There is no channel none in the settings of this installation.",
        "hook": "An api-destination 'none' does not exist.",
    }
    assert [each["Id"] for each in events.list_targets_by_rule(Rule="r")["Targets"]] == ["ok"]


# -- patterns, tags, rights ----------------------------------------------------------------------------------

EVENT = {
    "id": "1",
    "account": ACCOUNT,
    "source": "my.app",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail-type": "t",
    "detail": {"Exportable": True},
}


def test_patterns_can_be_tried(events):
    def test(pattern, event=EVENT):
        return events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))["Result"]

    assert test({"source": ["my.app"]})
    assert not test({"source": ["your.app"]})
    assert test({"detail": {"Exportable": [True]}})
    assert not test({"detail": {"Exportable": ["true"]}})
    with refused("InvalidEventPatternException", "Event pattern is not valid. Reason: Empty arrays are not allowed"):
        test({"source": []})
    for event in ("text", {key: value for key, value in EVENT.items() if key != "time"}):
        with refused("ValidationException", "Parameter Event is not valid."):
            test({"source": ["my.app"]}, event)


def test_tags_of_buses_and_rules(events):
    bus = events.create_event_bus(Name="mine", Tags=[{"Key": "a", "Value": "1"}])["EventBusArn"]
    rule = events.put_rule(Name="r", EventPattern=PATTERN, Tags=[{"Key": "b", "Value": "2"}])["RuleArn"]
    events.put_rule(Name="r", EventPattern=PATTERN, Tags=[{"Key": "ignored", "Value": "x"}])
    for arn, tags in ((bus, {"a": "1"}), (rule, {"b": "2"})):
        events.tag_resource(ResourceARN=arn, Tags=[{"Key": "c", "Value": "3"}])
        found = {tag["Key"]: tag["Value"] for tag in events.list_tags_for_resource(ResourceARN=arn)["Tags"]}
        assert found == {**tags, "c": "3"}
        events.untag_resource(ResourceARN=arn, TagKeys=["c", "none"])
        found = {tag["Key"]: tag["Value"] for tag in events.list_tags_for_resource(ResourceARN=arn)["Tags"]}
        assert found == tags
    with refused("ResourceNotFoundException", "Rule none does not exist on EventBus default."):
        events.list_tags_for_resource(ResourceARN=f"{RULE}none")
    with refused("ResourceNotFoundException", "Rule r does not exist on EventBus other."):
        events.list_tags_for_resource(ResourceARN=f"{RULE}other/r")
    for arn in ("nonsense", QUEUE, f"arn:aws:events:us-east-1:{ACCOUNT}:archive/x"):
        with refused("ValidationException", "Provided Arn is not in correct format."):
            events.list_tags_for_resource(ResourceARN=arn)


def test_strangers_see_and_change_nothing(bus, events, storage):
    bus.rule("r", pattern=PATTERN)
    stranger = Installation(storage, account="444455556666", entropy=FakeEntropy("x")).client("events")
    theirs = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    assert stranger.list_rules()["Rules"] == []
    for call in (
        lambda: stranger.list_rules(EventBusName=theirs),
        lambda: stranger.describe_rule(Name="r", EventBusName=theirs),
        lambda: stranger.put_rule(Name="r", EventPattern=PATTERN, EventBusName=theirs),
        lambda: stranger.delete_rule(Name="r", EventBusName=theirs),
        lambda: stranger.put_targets(Rule="r", EventBusName=theirs, Targets=[{"Id": "x", "Arn": QUEUE}]),
        lambda: stranger.describe_event_bus(Name=theirs),
        lambda: stranger.list_tags_for_resource(ResourceARN=f"{RULE}r"),
    ):
        with refused("AccessDeniedException", "not authorized to perform: events:"):
            call()
    abroad = bus.installation.client("events", region="eu-central-1")
    assert abroad.list_rules()["Rules"] == []


def test_operations_that_are_not_offered_say_why(events):
    with refused("UnsupportedOperation", "partner"):
        events.list_event_sources()
