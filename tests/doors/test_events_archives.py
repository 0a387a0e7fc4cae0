"""Archives, replays, schedules, connections and API destinations on the wire (workflows.md 15, 16)."""

import json
from datetime import timedelta

import pytest

from doors.bus import ACCOUNT, TOPIC, Bus, refused
from greatseal.kernel.errors import NotFound

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

DEFAULT = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
ARCHIVE = f"arn:aws:events:us-east-1:{ACCOUNT}:archive/"
PATTERN = '{"source": ["my.app"]}'


@pytest.fixture
def bus(storage):
    return Bus(storage)


@pytest.fixture
def events(bus):
    return bus.events


def test_an_archive_keeps_what_it_wants_and_forgets_in_time(bus, events):
    made = events.create_archive(
        ArchiveName="a", EventSourceArn=DEFAULT, Description="d", EventPattern=PATTERN, RetentionDays=2
    )
    assert (made["ArchiveArn"], made["State"]) == (f"{ARCHIVE}a", "ENABLED")
    bus.put({"n": 1}, {"n": 2})
    bus.put({}, source="your.app")
    bus.work()
    found = events.describe_archive(ArchiveName="a")
    assert (found["EventCount"], found["RetentionDays"], found["EventPattern"]) == (2, 2, PATTERN)
    assert found["SizeBytes"] > 300
    bus.clock.advance(timedelta(days=1))
    bus.put({"n": 3})
    bus.work()
    bus.clock.advance(timedelta(days=1, seconds=1))
    bus.installation.rooms.bus.buses.archives.prune()
    found = events.list_archives(EventSourceArn=DEFAULT)["Archives"]
    assert [(each["ArchiveName"], each["EventCount"]) for each in found] == [("a", 1)]
    assert 0 < found[0]["SizeBytes"] < 300
    events.update_archive(ArchiveName="a", RetentionDays=0)
    changed = events.describe_archive(ArchiveName="a")
    assert (changed["RetentionDays"], changed["Description"]) == (0, "d")
    events.delete_archive(ArchiveName="a")
    bus.put({"n": 4})
    bus.work()
    for call in (events.describe_archive, events.delete_archive, events.update_archive):
        with refused("ResourceNotFoundException", "Archive a does not exist."):
            call(ArchiveName="a")


def test_archives_that_cannot_be(events):
    events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT)
    with refused("ResourceAlreadyExistsException", "Archive a already exists."):
        events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT)
    with refused("ResourceNotFoundException", "Event bus none does not exist."):
        events.create_archive(ArchiveName="b", EventSourceArn=DEFAULT.replace("default", "none"))
    with refused("ResourceNotFoundException", "Event bus none does not exist."):
        events.list_archives(EventSourceArn=DEFAULT.replace("default", "none"))
    with refused("InvalidEventPatternException", "Filter is not an object"):
        events.create_archive(ArchiveName="b", EventSourceArn=DEFAULT, EventPattern="[]")
    with refused("ValidationException", "must be your own"):
        events.create_archive(ArchiveName="b", EventSourceArn=DEFAULT.replace(ACCOUNT, "444455556666"))
    assert len(events.list_archives(NamePrefix="a")["Archives"]) == 1
    assert events.list_archives(State="DISABLED")["Archives"] == []


def test_a_replay_sends_a_span_again_to_the_rules_it_names(bus, events):
    events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT, EventPattern=PATTERN)
    chosen = bus.rule("chosen", pattern=PATTERN)
    bus.rule("other", {"Id": "t", "Arn": TOPIC}, pattern=PATTERN)
    begin = bus.clock.now()
    sent = []
    for number in range(3):
        sent += bus.put({"n": number, "resources": '","resources":'}, Resources=["arn:r"])
        bus.work()
        bus.clock.advance(timedelta(minutes=1))
    bus.taken(), bus.taken("topic")
    span = {"EventStartTime": begin + timedelta(seconds=30), "EventEndTime": bus.clock.now()}
    destination = {"Arn": DEFAULT, "FilterArns": [chosen]}
    order = {"ReplayName": "r", "EventSourceArn": f"{ARCHIVE}a", "Destination": destination, **span}
    started = events.start_replay(**order)
    assert (started["State"], started["ReplayArn"]) == (
        "STARTING",
        f"arn:aws:events:us-east-1:{ACCOUNT}:replay/r",
    )
    bus.work()
    again = bus.taken()
    assert [each["id"] for each in again] == sent[1:]
    assert {each["replay-name"] for each in again} == {"r"}
    assert [each["detail"]["n"] for each in again] == [1, 2]
    assert bus.taken("topic") == []
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 3, "what is replayed is not archived again"
    found = events.describe_replay(ReplayName="r")
    assert (found["State"], found["Destination"]) == ("COMPLETED", destination)
    assert found["EventLastReplayedTime"] == begin + timedelta(minutes=2)
    with refused("ResourceAlreadyExistsException", "Replay r already exists."):
        events.start_replay(**order)
    with refused("IllegalStatusException", "not in a valid state"):
        events.cancel_replay(ReplayName="r")
    order["ReplayName"] = "s"
    events.start_replay(**order)
    assert events.cancel_replay(ReplayName="s")["State"] == "CANCELLING"
    bus.work()
    assert bus.taken() == []
    states = {each["ReplayName"]: each["State"] for each in events.list_replays()["Replays"]}
    assert states == {"r": "COMPLETED", "s": "CANCELLED"}
    assert [each["ReplayName"] for each in events.list_replays(State="CANCELLED")["Replays"]] == ["s"]


def test_replays_that_cannot_be(bus, events):
    events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT)
    other = events.create_event_bus(Name="other")["EventBusArn"]
    now = bus.clock.now()
    order = {
        "ReplayName": "r",
        "EventSourceArn": f"{ARCHIVE}a",
        "EventStartTime": now - timedelta(hours=1),
        "EventEndTime": now,
        "Destination": {"Arn": DEFAULT},
    }
    for change, code, text in (
        ({"EventSourceArn": f"{ARCHIVE}b"}, "ValidationException", "Reason: Archive b does not exist."),
        ({"Destination": {"Arn": other}}, "ValidationException", "Cross event bus replay is not permitted."),
        ({"Destination": {"Arn": DEFAULT + "x"}}, "ResourceNotFoundException", "Event bus defaultx does not exist."),
        ({"Destination": {"Arn": "x"}}, "ValidationException", "Provided Arn is not in correct format."),
        (
            {"EventEndTime": now - timedelta(hours=1)},
            "ValidationException",
            "EventStartTime must be before EventEndTime.",
        ),
        (
            {"Destination": {"Arn": DEFAULT, "FilterArns": [DEFAULT]}},
            "ValidationException",
            "is not a rule of the event bus",
        ),
    ):
        with refused(code, text):
            events.start_replay(**{**order, **change})
    with refused("ResourceNotFoundException", "Replay r does not exist."):
        events.describe_replay(ReplayName="r")


# -- schedules -----------------------------------------------------------------------------------------------


def test_a_schedule_fires_once_for_each_time(bus):
    rule = bus.rule("tick", ScheduleExpression="rate(5 minutes)")
    start = bus.clock.now()
    bus.work()
    assert bus.taken() == []
    for _ in range(2):
        bus.clock.advance(timedelta(minutes=5))
        bus.work()
        bus.work()
    first, second = bus.taken()
    assert first == {
        "version": "0",
        "id": first["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": (start + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [rule],
        "detail": {},
    }
    assert second["id"] != first["id"]
    bus.events.disable_rule(Name="tick")
    bus.clock.advance(timedelta(hours=1))
    bus.work()
    assert bus.taken() == []


def test_a_clock_that_jumps_makes_no_burst_and_no_silence(bus):
    bus.rule("tick", ScheduleExpression="rate(1 minute)")
    bus.rule("night", {"Id": "n", "Arn": TOPIC}, ScheduleExpression="cron(0 21 * * ? *)")
    bus.work()
    bus.clock.advance(timedelta(days=30))
    bus.work()
    assert len(bus.taken()) == 1
    assert [each["time"] for each in bus.taken("topic")] == ["2026-01-15T21:00:00Z"]
    bus.clock.advance(timedelta(days=-20))
    bus.work()
    assert (bus.taken(), bus.taken("topic")) == ([], [])
    bus.clock.advance(timedelta(minutes=1))
    bus.work()
    assert len(bus.taken()) == 1
    bus.clock.advance(timedelta(hours=9))
    bus.work()
    assert [each["time"] for each in bus.taken("topic")] == ["2026-01-25T21:00:00Z"]


def test_two_nodes_fire_once(bus, storage):
    bus.rule("tick", ScheduleExpression="rate(1 minute)")
    theirs = bus.installation.rooms.bus
    second = theirs.buses.router(theirs.deliveries, owner="second")
    second.run()
    bus.clock.advance(timedelta(minutes=1))
    waiting = storage.read(lambda tx: second._look(tx, bus.clock.now()))
    bus.work()
    assert len(bus.taken()) == 1
    assert [second._fire(rule, bus.clock.now()) for rule in waiting.due] == [0]
    bus.work()
    assert bus.taken() == []


def test_a_schedule_with_a_pattern_fires_for_both(bus):
    bus.rule("both", pattern=PATTERN, ScheduleExpression="rate(1 day)")
    bus.rule("spy", {"Id": "t", "Arn": TOPIC}, pattern={"source": ["aws.events"], "detail-type": ["Scheduled Event"]})
    bus.put({})
    bus.clock.advance(timedelta(days=1))
    bus.work()
    assert sorted(each["source"] for each in bus.taken()) == ["aws.events", "my.app"]
    assert bus.taken("topic") == [], "a schedule is for its own targets"


# -- connections and API destinations ------------------------------------------------------------------------

BASIC = {
    "AuthorizationType": "BASIC",
    "AuthParameters": {
        "BasicAuthParameters": {"Username": "u", "Password": "hunter2"},
        "InvocationHttpParameters": {
            "HeaderParameters": [
                {"Key": "X-Open", "Value": "seen", "IsValueSecret": False},
                {"Key": "X-Hidden", "Value": "hush", "IsValueSecret": True},
            ]
        },
    },
}


def test_a_rule_calls_an_api_destination(bus, events):
    connection = events.create_connection(Name="c", Description="d", **BASIC)
    assert connection["ConnectionState"] == "AUTHORIZED"
    arn = connection["ConnectionArn"]
    destination = events.create_api_destination(
        Name="hook", ConnectionArn=arn, InvocationEndpoint="https://example.com/*/in?x=1", HttpMethod="PUT"
    )
    assert destination["ApiDestinationState"] == "ACTIVE"
    target = {
        "Id": "h",
        "Arn": destination["ApiDestinationArn"],
        "HttpParameters": {
            "PathParameterValues": ["$.detail.where"],
            "HeaderParameters": {"X-Id": "$.id"},
            "QueryStringParameters": {"q": "a b"},
        },
    }
    bus.rule("r", target, pattern=PATTERN)
    (sent,) = bus.put({"where": "a/b ü"})
    bus.work()
    (parcel,) = bus.received["webhook"].parcels
    assert parcel.address["url"] == "https://example.com/a%2Fb%20%C3%BC/in?x=1&q=a+b"
    assert parcel.address["method"] == "PUT"
    assert json.loads(parcel.address["headers"]) == {"X-Id": sent}
    assert "hunter2" not in repr(parcel)
    secrets = bus.installation.rooms.bus.buses.connections.secrets
    assert secrets(parcel.address) == {
        "user": "u",
        "password": "hunter2",
        "header:X-Open": "seen",
        "header:X-Hidden": "hush",
    }
    assert secrets({"url": "https://elsewhere"}) == {}
    found = events.describe_connection(Name="c")
    assert found["AuthParameters"] == {
        "BasicAuthParameters": {"Username": "u"},
        "InvocationHttpParameters": {
            "HeaderParameters": [
                {"Key": "X-Open", "Value": "seen", "IsValueSecret": False},
                {"Key": "X-Hidden", "IsValueSecret": True},
            ]
        },
    }
    events.deauthorize_connection(Name="c")
    assert events.describe_api_destination(Name="hook")["ApiDestinationState"] == "INACTIVE"
    with pytest.raises(NotFound):
        secrets(parcel.address)
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}
    events.update_connection(Name="c", AuthorizationType="API_KEY", AuthParameters=key)
    assert secrets(parcel.address) == {"name": "k", "value": "v"}
    assert events.describe_api_destination(Name="hook")["ApiDestinationState"] == "ACTIVE"
    events.update_api_destination(Name="hook", HttpMethod="POST")
    assert events.describe_api_destination(Name="hook")["HttpMethod"] == "POST"
    events.delete_api_destination(Name="hook")
    bus.put({"where": "x"})
    bus.work()
    assert len(bus.received["webhook"].parcels) == 1
    (letter,) = bus.installation.rooms.bus.deliveries.dead()
    assert letter.parcel.address["target_arn"] == destination["ApiDestinationArn"]
    events.delete_connection(Name="c")
    assert events.list_connections()["Connections"] == []


def test_connections_and_destinations_that_cannot_be(events):
    arn = events.create_connection(Name="c", **BASIC)["ConnectionArn"]
    with refused("ResourceAlreadyExistsException", "Connection c already exists."):
        events.create_connection(Name="c", **BASIC)
    with refused("ValidationException", "AuthParameters must have ApiKeyAuthParameters"):
        events.create_connection(Name="d", AuthorizationType="API_KEY", AuthParameters=BASIC["AuthParameters"])
    with refused("ValidationException", "OAUTH_CLIENT_CREDENTIALS is not supported"):
        events.create_connection(Name="d", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters={})
    with refused("ResourceNotFoundException", "Connection 'd' does not exist."):
        events.describe_connection(Name="d")
    hook = {"Name": "h", "ConnectionArn": arn, "InvocationEndpoint": "https://x.example/", "HttpMethod": "POST"}
    with refused("ValidationException", "the endpoint must be an HTTPS URL"):
        events.create_api_destination(**{**hook, "InvocationEndpoint": "http://x.example/"})
    with refused("ResourceNotFoundException", "Failed to create api-destination. Connection '"):
        events.create_api_destination(**{**hook, "ConnectionArn": arn[:-1] + "x"})
    events.create_api_destination(**hook)
    with refused("ResourceAlreadyExistsException", "An api-destination 'h' already exists."):
        events.create_api_destination(**hook)
    assert len(events.list_api_destinations(ConnectionArn=arn)["ApiDestinations"]) == 1
    with refused("ResourceNotFoundException", "An api-destination 'i' does not exist."):
        events.describe_api_destination(Name="i")
    assert [each["Name"] for each in events.list_connections(ConnectionState="AUTHORIZED")["Connections"]] == ["c"]
