"""Notifications to real brokers: NATS with JetStream, and RabbitMQ."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator

import amqp
import nats
import pytest

from greatseal.domain.delivery import Undeliverable
from greatseal.integrations.carriers.amqp import AmqpCarrier, AmqpRoute
from greatseal.integrations.carriers.nats import NatsCarrier, NatsRoute
from greatseal.kernel.secret import Secret
from interop.programs import environment
from made_receivers import closed_port, parcel

pytestmark = pytest.mark.interop
PATIENCE = 60


def answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Waits until somebody listens."""
    tick = threading.Event()
    for _ in range(PATIENCE * 10):
        assert process.poll() is None, "the broker ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            tick.wait(0.1)
        else:
            return
    raise AssertionError("the broker does not answer")


@pytest.fixture(scope="module")
def nats_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("nats"), closed_port()
    (folder / "nats.conf").write_text(
        f"""host: 127.0.0.1\nport: {port}\nmax_payload: 4096\njetstream {{ store_dir: "{folder}" }}
authorization {{ user: ann, password: pw }}\n""",
        encoding="utf-8",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["nats-server", "-c", str(folder / "nats.conf")], stdout=log, stderr=log)
        try:
            answers(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def route(port: int, subject: str = "pki.events", **more: object) -> NatsRoute:
    given = {"user": "ann", "password": Secret(b"pw"), "timeout": 5.0}
    return NatsRoute(servers=(("127.0.0.1", port),), subject=subject, **(given | more))  # type: ignore[arg-type]


def test_jetstream_keeps_a_message_once(nats_port: int) -> None:
    async def prepare() -> None:
        client = await nats.connect(f"nats://ann:pw@127.0.0.1:{nats_port}")
        await client.jetstream().add_stream(name="pki", subjects=["pki.>"])
        await client.close()

    async def stored() -> tuple[int, bytes, dict[str, str]]:
        client = await nats.connect(f"nats://ann:pw@127.0.0.1:{nats_port}")
        stream = client.jetstream()
        count = (await stream.stream_info("pki")).state.messages
        found = await stream.get_msg("pki", 1)
        await client.close()
        return count, found.data or b"", dict(found.headers or {})

    asyncio.run(prepare())
    carrier, sent = NatsCarrier({"x": route(nats_port)}), parcel("nats", channel="x")
    for _ in range(2):
        carrier.carry(sent)
    count, body, headers = asyncio.run(stored())
    assert (count, body.decode()) == (1, sent.body)
    assert headers["greatseal-message-id"] == sent.message_id


def test_what_nats_refuses(nats_port: int) -> None:
    sent = parcel("nats", channel="x")
    for wrong in (route(nats_port, "nobody.keeps.this"), route(nats_port, password=Secret(b"wrong"))):
        with pytest.raises(Undeliverable) as failed:
            NatsCarrier({"x": wrong}).carry(sent)
        assert not failed.value.final
    NatsCarrier({"x": route(nats_port, "nobody.keeps.this", jetstream=False)}).carry(sent)
    large = type(sent)(**{**{f: getattr(sent, f) for f in sent.__slots__}, "body": "x" * 5000})
    with pytest.raises(Undeliverable) as failed:
        NatsCarrier({"x": route(nats_port)}).carry(large)
    assert failed.value.final


@pytest.fixture(scope="module")
def rabbit_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    # The broker is a script that runs Erlang; it works in the given folder and under a name of its own.
    folder, port = tmp_path_factory.mktemp("rabbit"), closed_port()
    folder.chmod(0o755)
    script = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin") or "rabbitmq-server"
    variables = {
        **environment(),
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"greatseal{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(closed_port()),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "ERL_EPMD_PORT": str(closed_port()),
    }
    (folder / "plugins").write_text("[].", encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([script], stdout=log, stderr=log, env=variables, cwd=folder, start_new_session=True)
        try:
            answers(port, process)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                subprocess.run(["epmd", "-kill"], env=variables, capture_output=True, check=False, timeout=20)


def amqp_route(port: int, **more: str) -> AmqpRoute:
    return AmqpRoute(servers=(("127.0.0.1", port),), timeout=10.0, **more)


def test_rabbitmq_confirms_a_message(rabbit_port: int) -> None:
    connection = amqp.Connection(f"127.0.0.1:{rabbit_port}", connect_timeout=20)
    connection.connect()
    channel = connection.channel()
    channel.queue_declare("pki", durable=True, auto_delete=False)
    carrier, sent = AmqpCarrier({"x": amqp_route(rabbit_port, routing_key="pki")}), parcel("amqp", channel="x")
    for _ in range(2):
        carrier.carry(sent)
    for _ in range(2):
        got = channel.basic_get("pki", no_ack=True)
        assert got.body == sent.body
        assert got.properties["message_id"] == sent.message_id
        assert got.properties["delivery_mode"] == 2
    connection.close()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"routing_key": "no such queue"}, "no queue takes"),
        ({"exchange": "no-such-exchange", "routing_key": "x"}, "no exchange"),
        ({"routing_key": "pki", "virtual_host": "/other"}, "AMQP"),
    ],
)
def test_what_rabbitmq_refuses(rabbit_port: int, more: dict[str, str], reason: str) -> None:
    with pytest.raises(Undeliverable) as failed:
        AmqpCarrier({"x": amqp_route(rabbit_port, **more)}).carry(parcel("amqp", channel="x"))
    assert reason in str(failed.value)
    assert not failed.value.final
