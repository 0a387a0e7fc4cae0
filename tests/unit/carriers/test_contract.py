"""What every carrier keeps to, whatever its receiver does: it ends in time, and says what happened in one way only."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from greatseal.domain.delivery import Carrier, Parcel, Undeliverable
from greatseal.integrations.carriers.amqp import AmqpCarrier, AmqpRoute
from greatseal.integrations.carriers.command import Command, CommandCarrier
from greatseal.integrations.carriers.kafka import KafkaCarrier, KafkaRoute
from greatseal.integrations.carriers.mail import MailCarrier, MailServer
from greatseal.integrations.carriers.nats import NatsCarrier, NatsRoute
from greatseal.integrations.carriers.syslog import SyslogCarrier
from greatseal.integrations.carriers.webhook import WebhookCarrier
from greatseal.integrations.syslog_wire import SyslogLine
from greatseal.testing import FakeClock
from made_receivers import (
    DEEDS,
    WebReceiver,
    babbles,
    closed_port,
    drips,
    floods,
    hangs,
    mail_server,
    misbehaving,
    parcel,
    vanishes,
)

LIMIT = 1.0
# Threads of the machine, and clients that round to seconds.
LEEWAY = 2.0
CLOCK = FakeClock()

Made = tuple[Carrier, Parcel]


def webhook(port: int) -> Made:
    carrier = WebhookCarrier(clock=CLOCK, allow=["127.0.0.1"], timeout=LIMIT)
    return carrier, parcel("webhook", url=f"http://127.0.0.1:{port}/hook")


def mail(port: int) -> Made:
    server = MailServer("127.0.0.1", port, "greatseal@example.com", tls="none", timeout=LIMIT)
    return MailCarrier(server, clock=CLOCK), parcel("email", to="ann@example.com")


def syslog_tls(port: int) -> Made:
    line = SyslogLine("tls", ("127.0.0.1", port), timeout=LIMIT)
    return SyslogCarrier({"x": line}, clock=CLOCK, hostname="h"), parcel("syslog", channel="x")


def nats(port: int) -> Made:
    route = NatsRoute(servers=(("127.0.0.1", port),), subject="s", timeout=LIMIT)
    return NatsCarrier({"x": route}), parcel("nats", channel="x")


def amqp(port: int) -> Made:
    route = AmqpRoute(servers=(("127.0.0.1", port),), routing_key="q", timeout=LIMIT)
    return AmqpCarrier({"x": route}), parcel("amqp", channel="x")


def kafka(port: int) -> Made:
    route = KafkaRoute(servers=(("127.0.0.1", port),), topic="t", timeout=LIMIT)
    return KafkaCarrier({"x": route}), parcel("kafka", channel="x")


CARRIERS = [webhook, mail, syslog_tls, nats, amqp, kafka]


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("make", CARRIERS)
def test_a_receiver_that_misbehaves_is_a_failure_in_time(
    make: Callable[[int], Made], deed: Callable[..., None]
) -> None:
    with misbehaving(deed) as port:
        carrier, sent = make(port)
        began = time.monotonic()
        with pytest.raises(Undeliverable) as failure:
            carrier.carry(sent)
        assert time.monotonic() - began < LIMIT + LEEWAY
    assert not failure.value.final
    if deed is hangs:
        assert failure.value.down


@pytest.mark.parametrize("make", CARRIERS)
def test_a_receiver_that_is_away_is_down(make: Callable[[int], Made]) -> None:
    carrier, sent = make(closed_port())
    with pytest.raises(Undeliverable) as failure:
        carrier.carry(sent)
    assert failure.value.down
    assert not failure.value.final


@pytest.mark.parametrize("make", [nats, amqp, kafka, syslog_tls])
def test_a_channel_that_is_not_in_the_settings_is_a_dead_letter(make: Callable[[int], Made]) -> None:
    carrier, _ = make(1)
    with pytest.raises(Undeliverable) as failure:
        carrier.carry(parcel("kafka", channel="gone"))
    assert failure.value.final


def test_no_reason_tells_what_a_receiver_said() -> None:
    for deed in (babbles, vanishes, floods, drips):
        with misbehaving(deed) as port:
            carrier, sent = webhook(port)
            with pytest.raises(Undeliverable) as failure:
                carrier.carry(sent)
            assert "garbage" not in str(failure.value)
            assert re.fullmatch(r"[ -~]{3,200}", str(failure.value))


class Success:
    """A receiver that works, and the message ids and bodies that it has got so far."""

    def __init__(self, made: Made, got: Callable[[], list[tuple[str, str]]]) -> None:
        self.made = made
        self.got = got


def web_success(folder: Path) -> Iterator[Success]:
    receiver = WebReceiver()
    yield Success(
        webhook(receiver.port),
        lambda: [(head["greatseal-message-id"], body.decode()) for *_, head, body in receiver.got],
    )
    receiver.close()


def mail_success(folder: Path) -> Iterator[Success]:
    with mail_server() as (port, box):

        def got() -> list[tuple[str, str]]:
            return [
                (str(each["Message-ID"]), each.get_body(("plain",)).get_content().strip())  # type: ignore[union-attr]
                for each in box.mails
            ]

        yield Success(mail(port), got)


def udp_success(folder: Path) -> Iterator[Success]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        line = SyslogLine("udp", server.getsockname(), timeout=LIMIT)
        carrier = SyslogCarrier({"x": line}, clock=CLOCK, hostname="host")
        seen: list[tuple[str, str]] = []

        def got() -> list[tuple[str, str]]:
            found = re.fullmatch(rb"<133>1 \S+ host greatseal \d+ (\S{32}) - (.*)", server.recv(65536), re.DOTALL)
            assert found
            seen.append((found[1].decode(), found[2].decode()))
            return seen

        yield Success((carrier, parcel("syslog", channel="x")), got)
        carrier.close()


def command_success(folder: Path) -> Iterator[Success]:
    notes = folder / "notes"
    script = 'cat >> "$1"; printf "\\t%s\\n" "$GREATSEAL_MESSAGE_ID" >> "$1"'
    carrier = CommandCarrier({"x": Command(("/bin/sh", "-c", script, "sh", str(notes)), LIMIT)})

    def got() -> list[tuple[str, str]]:
        lines = [each.split("\t") for each in notes.read_text(encoding="utf-8").splitlines()]
        return [(number, body) for body, number in lines]

    yield Success((carrier, parcel("command", channel="x")), got)


def kafka_success(folder: Path) -> Iterator[Success]:
    # The client's own cluster: the broker's half of the protocol, in this process.
    cluster = AdminClient({"test.mock.num.brokers": "1", "bootstrap.servers": "none:1", "log_level": 0})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    route = KafkaRoute(servers=((broker.host, broker.port),), topic="events", timeout=10)
    consumer = Consumer(
        {
            "bootstrap.servers": f"{broker.host}:{broker.port}",
            "group.id": "test",
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    consumer.subscribe(["events"])
    seen: list[tuple[str, str]] = []

    def got() -> list[tuple[str, str]]:
        wanted = len(seen) + 1
        until = time.monotonic() + 30
        while len(seen) < wanted and time.monotonic() < until:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                assert message.key() == b"key"
                seen.append((dict(message.headers())["greatseal-message-id"].decode(), message.value().decode()))
        return seen

    yield Success((KafkaCarrier({"x": route}), parcel("kafka", channel="x")), got)
    consumer.close()


SUCCESSES = [web_success, mail_success, udp_success, command_success, kafka_success]


@pytest.fixture(params=SUCCESSES, ids=lambda each: each.__name__)
def success(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Success]:
    yield from request.param(tmp_path)


def test_a_parcel_arrives_and_its_repetition_has_the_same_id(success: Success) -> None:
    carrier, sent = success.made
    carrier.carry(sent)
    assert [body for _, body in success.got()] == [sent.body]
    carrier.carry(sent)
    first, second = success.got()
    assert first == second


def test_many_threads_share_a_carrier(success: Success) -> None:
    carrier, sent = success.made
    failures: list[BaseException] = []

    def work() -> None:
        try:
            carrier.carry(sent)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert failures == []
