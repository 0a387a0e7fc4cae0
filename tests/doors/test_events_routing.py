"""From PutEvents to the targets (workflows.md 5, 15)."""

import json
from datetime import timedelta

import pytest

from doors.bus import CHANNEL, QUEUE, TOPIC, Bus, refused
from greatseal.testing import FakeEntropy, Installation

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def bus(storage):
    return Bus(storage)


def test_an_event_that_matches_arrives_as_it_was_sent(bus):
    bus.rule(pattern={"source": ["my.app"], "detail": {"n": [{"numeric": [">", 1]}]}})
    detail = '{"n": 2.50, "z": [1e2, true, null], "a": "\\u00e9"}'
    first, _ = bus.put(detail, {"n": 1}, Resources=["arn:x"])
    bus.work()
    (parcel,) = bus.received["queue"].parcels
    assert parcel.body == (
        f'{{"version":"0","id":"{first}","detail-type":"order","source":"my.app","account":"111122223333",'
        f'"time":"{bus.clock.now():%Y-%m-%dT%H:%M:%SZ}","region":"us-east-1","resources":["arn:x"],"detail":{detail}}}'
    )
    assert parcel.message_id == first
    assert parcel.order_key == "arn:x"
    assert parcel.address["queue_arn"] == QUEUE
    assert json.loads(parcel.body)["detail"]["z"][0] == 100


def test_what_does_not_match_or_is_disabled_gets_nothing(bus):
    bus.rule("other", pattern={"source": ["your.app"]})
    bus.rule("off", pattern={"source": ["my.app"]}, State="DISABLED")
    bus.rule("elsewhere", pattern={"account": ["444455556666"]})
    bus.put({})
    bus.work()
    assert bus.taken() == []
    bus.events.enable_rule(Name="off")
    bus.put({"n": 1})
    bus.events.disable_rule(Name="off")
    bus.put({"n": 2})
    bus.events.enable_rule(Name="off")
    bus.work()
    # Rules are what they are when an event is routed, which is moments after it was put.
    assert [each["detail"] for each in bus.taken()] == [{"n": 1}, {"n": 2}]
    bus.events.disable_rule(Name="off")
    bus.put({"n": 3})
    bus.work()
    assert bus.taken() == []


def test_targets_of_every_kind(bus):
    targets = [
        {"Id": "q", "Arn": QUEUE + ".fifo", "SqsParameters": {"MessageGroupId": "g"}},
        {"Id": "t", "Arn": TOPIC},
        {"Id": "c", "Arn": CHANNEL},
    ]
    bus.rule("all", *targets, pattern={"source": [{"prefix": "my."}]})
    (event_id,) = bus.put({})
    bus.work()
    parcels = {kind: receiver.parcels for kind, receiver in bus.received.items()}
    assert {kind: len(found) for kind, found in parcels.items()} == {"queue": 1, "topic": 1, "syslog": 1, "webhook": 0}
    rule = "arn:aws:events:us-east-1:111122223333:rule/all"
    assert parcels["queue"][0].address == {
        "queue_arn": QUEUE + ".fifo",
        "group_id": "g",
        "rule_arn": rule,
        "target_arn": QUEUE + ".fifo",
    }
    assert parcels["topic"][0].address["topic_arn"] == TOPIC
    assert parcels["syslog"][0].address["channel"] == "ops"
    assert parcels["syslog"][0].lane == "syslog:ops"
    assert {found[0].message_id for found in parcels.values() if found} == {event_id}


def test_inputs(bus):
    transformed = {
        "InputPathsMap": {"who": "$.detail.user.name", "all": "$.detail.list[*].n", "none": "$.detail.absent"},
        "InputTemplate": '"<who> did <none><all> at <aws.events.rule-name>"\n{"u": <who>, "x": <none>, "a": <all>}',
    }
    bus.rule(
        "all",
        {"Id": "constant", "Arn": QUEUE, "Input": '{"fixed": 1.0}'},
        {"Id": "part", "Arn": TOPIC, "InputPath": "$.detail.user"},
        {"Id": "template", "Arn": CHANNEL, "InputTransformer": transformed},
        pattern={"source": ["my.app"]},
    )
    bus.put({"user": {"name": 'A "B" \\ <who>'}, "list": [{"n": 1}, {"n": 2.5}, {}]})
    bus.work()
    assert bus.received["queue"].parcels[0].body == '{"fixed": 1.0}'
    assert bus.received["topic"].parcels[0].body == '{"name":"A \\"B\\" \\\\ <who>"}'
    first, second = bus.received["syslog"].parcels[0].body.split("\n")
    assert json.loads(first) == 'A "B" \\ <who> did [1,2.5] at all'
    assert json.loads(second) == {"u": 'A "B" \\ <who>', "x": "", "a": [1, 2.5]}


def test_events_of_services_come_as_members_in_the_usual_order(bus):
    bus.rule(pattern={"source": ["aws.acm-pca"], "detail-type": ["ACM Private CA Creation"]})
    pca = bus.installation.client("acm-pca")
    made = pca.create_certificate_authority(
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CommonName": "R"},
        },
        CertificateAuthorityType="ROOT",
    )
    bus.work()
    (event,) = bus.taken()
    assert event["resources"] == [made["CertificateAuthorityArn"]]
    assert event["detail"] == {"result": "success"}
    assert list(event) == [
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    ]


def test_from_bus_to_bus_once_and_no_rule_makes_a_circle(bus):
    arns = {name: bus.events.create_event_bus(Name=name)["EventBusArn"] for name in ("one", "two", "three")}
    everything = {"source": [{"prefix": "my."}]}
    for here, there in (("one", "two"), ("two", "three"), ("three", "one")):
        bus.rule(
            "on", {"Id": "b", "Arn": arns[there]}, {"Id": here, "Arn": QUEUE}, pattern=everything, EventBusName=here
        )
    default = "arn:aws:events:us-east-1:111122223333:event-bus/default"
    bus.rule("self", {"Id": "me", "Arn": default}, {"Id": "q", "Arn": TOPIC}, pattern=everything)
    (sent,) = bus.put({}, EventBusName="one")
    bus.work()
    assert [each["id"] for each in bus.taken()] == [sent, sent]
    (sent,) = bus.put({})
    bus.work()
    assert [each["id"] for each in bus.taken("topic")] == [sent, sent]


def test_another_account_lets_in_whom_its_policy_names(bus, storage):
    other = Installation(storage, account="444455556666", entropy=FakeEntropy("other")).client("events")
    theirs = other.create_event_bus(Name="theirs")["EventBusArn"]
    put = {"Source": "my.app", "DetailType": "d", "Detail": "{}", "EventBusName": theirs}
    with refused("AccessDeniedException", "no resource-based policy allows the events:PutEvents action"):
        bus.events.put_events(Entries=[put])
    other.put_rule(Name="in", EventPattern='{"source": ["my.app"]}', EventBusName="theirs")
    other.put_targets(Rule="in", EventBusName="theirs", Targets=[{"Id": "q", "Arn": QUEUE}])
    bus.rule("out", {"Id": "b", "Arn": theirs}, pattern={"source": ["my.app"]})
    (lost,) = bus.put({})
    bus.work()
    assert bus.taken() == []
    (letter,) = bus.installation.rooms.bus.deliveries.dead()
    assert "does not let account 111122223333 in" in letter.error
    assert letter.parcel.message_id == lost
    other.put_permission(EventBusName="theirs", Action="events:PutEvents", Principal="111122223333", StatementId="us")
    assert bus.events.put_events(Entries=[put])["FailedEntryCount"] == 0
    (sent,) = bus.put({})
    bus.work()
    found = bus.taken()
    assert [each["account"] for each in found] == ["111122223333"] * 2
    assert found[1]["id"] == sent


def test_what_is_given_up_goes_to_the_queue_for_dead_letters(bus):
    graveyard = QUEUE.replace("inbox", "graveyard")
    bus.rule("all", {"Id": "t", "Arn": TOPIC, "DeadLetterConfig": {"Arn": graveyard}}, pattern={"source": ["my.app"]})
    bus.received["topic"].broken = "no such topic"
    (sent,) = bus.put({}, Resources=["arn:r"])
    bus.work()
    (parcel,) = bus.received["queue"].parcels
    assert json.loads(parcel.body)["id"] == sent
    assert parcel.address["queue_arn"] == graveyard
    assert parcel.attributes["RULE_ARN"] == "arn:aws:events:us-east-1:111122223333:rule/all"
    assert parcel.attributes["TARGET_ARN"] == TOPIC
    assert parcel.attributes["ERROR_MESSAGE"] == "no such topic"


def test_put_events_says_what_is_wrong_with_each(bus):
    good = {"Source": "my.app", "DetailType": "d", "Detail": "{}"}
    entries = [
        good,
        {"DetailType": "d", "Detail": "{}"},
        {"Source": "my.app", "Detail": "{}"},
        {"Source": "my.app", "DetailType": "d"},
        {**good, "Source": "aws.acm"},
        {**good, "Detail": "[]"},
        {**good, "Detail": '{"a": NaN}'},
        {**good, "Detail": "[" * 100_000},
        {**good, "EventBusName": "nowhere"},
    ]
    answer = bus.events.put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 7
    errors = [(each.get("ErrorCode"), each.get("ErrorMessage")) for each in answer["Entries"]]
    required = "Parameter {0} is not valid. Reason: {0} is a required argument."
    assert errors == [
        (None, None),
        ("InvalidArgument", required.format("Source")),
        ("InvalidArgument", required.format("DetailType")),
        ("InvalidArgument", required.format("Detail")),
        ("NotAuthorizedForSourceException", "Not authorized for the source."),
        ("MalformedDetail", "Detail is malformed."),
        ("MalformedDetail", "Detail is malformed."),
        ("MalformedDetail", "Detail is malformed."),
        (None, None),
    ]
    with refused("ValidationException", "Total size of the entries in the request is over the limit."):
        bus.events.put_events(Entries=[{**good, "Detail": json.dumps({"x": "y" * 262_144})}])
    with refused("ValidationException", "less than or equal to 10"):
        bus.events.put_events(Entries=[good] * 11)


@pytest.mark.parametrize(
    "detail",
    [
        '{"a": "\\ud800", "b": 1e999, "c": 123456789012345678901234567890, "d": 0.1000}',
        '{"a": 1, "a": 2}',
        '{"a.b": {"c": 1}, "a": {"b.c": 2}}',
        '{"x": ' + '{"y": ' * 60 + "1" + "}" * 61,
        '{\n  "lines": "of\\ntext"\n}\n',
    ],
)
def test_strange_details_arrive_as_they_are(bus, detail):
    bus.rule(pattern={"source": ["my.app"]})
    bus.put(detail, kind="\u2603")
    bus.work()
    (parcel,) = bus.received["queue"].parcels
    assert json.loads(parcel.body)["detail"] == json.loads(detail)
    assert "\n" not in parcel.body


def test_calls_of_the_audit_trail_come_while_a_rule_wants_them(bus):
    acm = bus.installation.client("acm")
    acm.list_certificates()
    bus.work()
    bus.rule(
        "calls", pattern={"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": [{"prefix": "L"}]}}
    )
    bus.rule(
        "more",
        {"Id": "t", "Arn": TOPIC},
        pattern={"detail-type": ["AWS API Call via CloudTrail"], "source": ["aws.acm"]},
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )
    bus.work()
    acm.list_certificates()
    with refused("ResourceNotFoundException"):
        acm.describe_certificate(CertificateArn="arn:aws:acm:us-east-1:111122223333:certificate/" + "0" * 8)
    bus.work()
    assert bus.taken() == [], "reading calls are for rules that ask for all management events"
    listed, described = sorted(bus.taken("topic"), key=lambda event: event["detail"]["eventName"], reverse=True)
    assert listed["detail"]["eventName"] == "ListCertificates"
    assert listed["id"] == listed["detail"]["eventID"]
    assert listed["source"] == "aws.acm"
    assert described["detail"]["errorCode"] == "ResourceNotFoundException"
    for name, id_ in (("calls", "inbox"), ("more", "t")):
        bus.events.remove_targets(Rule=name, Ids=[id_])
        bus.events.delete_rule(Name=name)
    bus.work()
    acm.list_certificates()
    bus.work()
    assert bus.taken("topic") == []


def test_two_nodes_route_each_event_once(bus, storage):
    bus.rule(pattern={"source": ["my.app"]})
    second = Bus(storage, entropy=FakeEntropy("second"))
    sent = [bus.put({"n": number})[0] for number in range(20)]
    theirs = second.installation.rooms.bus
    routers = [bus.installation.rooms.bus.router, theirs.buses.router(theirs.deliveries, owner="second node")]
    assert routers[0].run() == 20
    assert routers[1].run() == 0
    bus.put({"n": 99})
    assert routers[1].run() == 0, "it is the first one's turn"
    bus.clock.advance(timedelta(seconds=10))
    second.clock.advance(timedelta(seconds=10))
    assert routers[1].run() == 1
    bus.installation.work()
    arrived = [each["id"] for each in bus.taken()]
    # Without resources they have no order among each other; those of a later transaction come later.
    assert sorted(arrived[:20]) == sorted(sent)
    assert len(arrived) == 21
