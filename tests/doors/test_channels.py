"""From a rule to a receiver outside: channels of the settings, and API destinations with their connection's secrets."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from greatseal.app.bus import Carriers
from greatseal.integrations.carriers.webhook import Hook, WebhookCarrier
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation
from made_receivers import WebReceiver
from made_tls import Shown

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
CHANNEL = "arn:aws:greatseal:us-east-1:111122223333:channel/hooks"


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(tmp_path)


@pytest.fixture
def receiver(shown: Shown) -> Iterator[WebReceiver]:
    made = WebReceiver(shown.server())
    yield made
    made.close()


@pytest.fixture
def installation(storage: Storage, receiver: WebReceiver, shown: Shown) -> Installation:
    clock = FakeClock()
    made = Installation(storage, clock=clock, carriers=Carriers(channels={"hooks": "webhook"}))
    carrier = WebhookCarrier(
        clock=clock,
        secrets=made.rooms.bus.buses.connections.secrets,
        channels={"hooks": Hook(f"https://localhost:{receiver.port}/hook", Secret(b"secret"))},
        allow=["localhost"],
        ca_file=shown.certificate,
        timeout=5,
    )
    made.rooms.bus.deliveries.employ("webhook", carrier)
    made.client("events").put_rule(Name="r", EventPattern='{"source": ["my.app"]}')
    return made


def put(installation: Installation, number: int) -> str:
    entry = {"Source": "my.app", "DetailType": "t", "Detail": json.dumps({"n": number}), "Resources": ["arn:aws:x"]}
    event_id: str = installation.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    installation.work()
    return event_id


def target(installation: Installation, arn: str, **more: object) -> None:
    failed = installation.client("events").put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, **more}])
    assert failed["FailedEntries"] == []


def test_a_channel_gets_the_event_signed(installation: Installation, receiver: WebReceiver) -> None:
    target(installation, CHANNEL)
    event_id = put(installation, 1)
    ((method, path, headers, body),) = receiver.got
    assert (method, path, headers["greatseal-message-id"]) == ("POST", "/hook", event_id)
    assert "greatseal-signature" in headers
    assert (json.loads(body)["id"], json.loads(body)["detail"]) == (event_id, {"n": 1})


def test_events_of_a_resource_keep_their_order_over_a_failure(
    installation: Installation, receiver: WebReceiver
) -> None:
    target(installation, CHANNEL)
    receiver.status = 500
    first, second = put(installation, 1), put(installation, 2)
    receiver.status = 200
    installation.clock.advance(timedelta(seconds=10))
    installation.work()
    assert [each[2]["greatseal-message-id"] for each in receiver.got][-2:] == [first, second]
    assert {each[2]["greatseal-message-id"] for each in receiver.got[:-2]} == {first}


def test_an_api_destination_signs_in(installation: Installation, receiver: WebReceiver) -> None:
    events = installation.client("events")
    connection = events.create_connection(
        Name="c",
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}},
    )
    destination = events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=f"https://localhost:{receiver.port}/api",
        HttpMethod="PUT",
    )
    target(installation, destination["ApiDestinationArn"], RoleArn="arn:aws:iam::111122223333:role/r")
    put(installation, 1)
    ((method, path, headers, _),) = receiver.got
    assert (method, path, headers["x-key"]) == ("PUT", "/api", "s3cret")
    events.delete_api_destination(Name="d")
    events.delete_connection(Name="c")
    put(installation, 2)
    assert len(receiver.got) == 1


def test_what_is_refused_for_good_is_a_dead_letter(installation: Installation, receiver: WebReceiver) -> None:
    target(installation, CHANNEL)
    receiver.status = 410
    event_id = put(installation, 1)
    (letter,) = installation.rooms.bus.deliveries.dead(account="111122223333")
    assert (letter.parcel.message_id, letter.error) == (event_id, "it answered 410")
    receiver.status = 200
    assert installation.rooms.bus.deliveries.replay(letter.id)
    installation.work()
    assert [each[2]["greatseal-message-id"] for each in receiver.got] == [event_id, event_id]
