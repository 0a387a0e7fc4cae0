"""The HTTPS listener: a certificate that changes under running clients, and what TLS offers."""

import asyncio
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from OpenSSL import SSL
from prometheus_client import CollectorRegistry

from greatseal.app import identity
from greatseal.app.identity import Identity
from greatseal.app.listeners import Listener, tls_files
from greatseal.app.seats import bind
from greatseal.edge.asgi import EdgeApp
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.mounts import Mount, Mounts
from greatseal.edge.reading import Limits
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Address
from greatseal.storage import Storage
from greatseal.testing import Installation

X25519MLKEM768 = "X25519MLKEM768"


@pytest.fixture
def installation(storage: Storage) -> Installation:
    return Installation(storage)


@pytest.fixture
def app() -> EdgeApp:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, (), b"here")

    made = EdgeApp(
        Mounts([Mount("/", "test", answer, inline=True)]),
        limits=Limits(),
        metrics=EdgeMetrics(CollectorRegistry()),
        entropy=SystemEntropy(),
    )
    yield made
    made.close()


sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def identities(installation: Installation) -> tuple[Identity, Identity]:
    names = ("localhost", "127.0.0.1")
    first = identity.ensure(installation.rooms, region="us-east-1", names=names)
    again = identity.ensure(installation.rooms, region="us-east-1", names=names)
    assert again.certificate == first.certificate
    installation.clock.advance(timedelta(days=61))
    second = identity.ensure(installation.rooms, region="us-east-1", names=names)
    assert second.certificate != first.certificate
    assert second.root == first.root
    return first, second


def connected(raw: socket.socket, version: int | None = None) -> SSL.Connection:
    """A TLS connection over a connected socket, handshake done, nothing verified."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if version is not None:
        context.set_max_proto_version(version)
    raw.setblocking(True)
    connection = SSL.Connection(context, raw)
    connection.set_connect_state()
    connection.do_handshake()
    return connection


def serial_shown(address: str) -> int:
    """The serial number of the certificate that a fresh connection is shown."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        certificate = connected(raw).get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        return certificate.serial_number


@sqlite_only
def test_a_new_certificate_is_shown_without_a_restart(installation: Installation, app: EdgeApp, tmp_path: Path) -> None:
    first, second = identities(installation)

    async def walk() -> None:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1000)
        for shown in (first, second):
            with tls_files(tmp_path, shown) as (certificate, key):
                await listener.start(app, certfile=certificate, keyfile=key)
            serial = await asyncio.to_thread(serial_shown, listener.address)
            assert serial == shown.certificate.serial
        await listener.stop()

    asyncio.run(walk())
    assert list(tmp_path.glob("tls-*")) == []


@sqlite_only
def test_post_quantum_key_exchange_is_preferred_and_tls_1_2_possible(
    installation: Installation, app: EdgeApp, tmp_path: Path
) -> None:
    shown, _ = identities(installation)

    def handshake(address: str, version: int | None) -> tuple[str, str | None]:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            connection = connected(raw, version)
            return connection.get_protocol_version_name(), connection.get_group_name()

    async def walk() -> None:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1000)
        with tls_files(tmp_path, shown) as (certificate, key):
            await listener.start(app, certfile=certificate, keyfile=key)
        assert await asyncio.to_thread(handshake, listener.address, None) == ("TLSv1.3", X25519MLKEM768)
        version, _ = await asyncio.to_thread(handshake, listener.address, SSL.TLS1_2_VERSION)
        assert version == "TLSv1.2"
        with pytest.raises(SSL.Error):
            await asyncio.to_thread(handshake, listener.address, SSL.TLS1_1_VERSION)
        await listener.stop()

    asyncio.run(walk())


@sqlite_only
def test_http_2_is_negotiated(installation: Installation, app: EdgeApp, tmp_path: Path) -> None:
    shown, _ = identities(installation)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(shown.root)

    def negotiated(address: str) -> str | None:
        host, port = address.split(":")
        context = ssl.create_default_context(cafile=str(bundle))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the installation's clock stands in another year
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection((host, int(port)), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as tls,
        ):
            return tls.selected_alpn_protocol()

    async def walk() -> None:
        listener = Listener(bind(Address("127.0.0.1:0")), max_body_bytes=1000)
        with tls_files(tmp_path / "run", shown) as (certificate, key):
            await listener.start(app, certfile=certificate, keyfile=key)
        assert await asyncio.to_thread(negotiated, listener.address) == "h2"
        await listener.stop()

    asyncio.run(walk())
