"""`greatseal dns` over a data directory, with the settings of a provider and of our own zones."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest
from click.testing import CliRunner, Result

from faults.recovery import caller
from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.app.zones import zone_server
from greatseal.cli.group import greatseal
from greatseal.domain.certificates.requests import CertificateRequest
from greatseal.settings import Settings, load
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

SETTINGS = """
[dns_providers.primary]
kind = "rfc2136"
zones = ["example.com"]
server = "127.0.0.1:1"
tsig_name = "k"
tsig_secret_file = "tsig"

[zone_server]
listen = "127.0.0.1:0"
zones = ["v.example.net"]
nameservers = ["ns1.example.net"]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "greatseal.toml").write_text(SETTINGS)
    (folder / "tsig").write_text("AAECAwQFBgcICQoLDA0ODw==\n")
    return folder


@pytest.fixture
def settings(data: Path) -> Settings:
    return load({}, {"data": data}, None)


@pytest.fixture
def rooms(settings: Settings) -> Iterator[Rooms]:
    storage = open_storage(settings.database_url)
    migrate(storage)
    yield open_rooms(settings, storage)
    storage.close()


def run(data: Path, *arguments: str) -> Result:
    environment = dict.fromkeys(("GREATSEAL_KEK_PASSPHRASE", "GREATSEAL_DATABASE", "GREATSEAL_DATA"))
    return CliRunner(env=environment).invoke(greatseal, ["dns", *arguments, "--data", str(data)])


def request(rooms: Rooms, *names: str) -> str:
    return rooms.requests.request(
        caller(), CertificateRequest(names=names, key_algorithm="EC_prime256v1", validation_method="DNS")
    )


def test_our_zones_are_kept_and_answered_for(data: Path, rooms: Rooms, settings: Settings) -> None:
    assert run(data, "zone", "add", "NS1.v.example.net", "a", "192.0.2.53").exit_code == 0
    assert run(data, "zone", "add", "x.example.org", "A", "192.0.2.53").exit_code == 1
    assert "MX" in run(data, "zone", "add", "x.v.example.net", "MX", "10 m").output
    assert run(data, "zone", "list").output == "ns1.v.example.net. 300 IN A 192.0.2.53\n"
    server = zone_server(settings, rooms.zones)
    assert server is not None
    server.start()
    try:
        host, port = server.address
        answer = dns.query.udp(dns.message.make_query("ns1.v.example.net", "A"), host, 10, port)
        assert answer.answer[0][0].to_text() == "192.0.2.53"
    finally:
        server.stop()
    assert run(data, "zone", "remove", "ns1.v.example.net", "A", "192.0.2.53").exit_code == 0
    assert "there is no such record" in run(data, "zone", "remove", "ns1.v.example.net", "A", "192.0.2.53").output


def test_records_are_exported_and_asked_for(data: Path, rooms: Rooms) -> None:
    arn = request(rooms, "www.example.com", "www.example.org")
    every = run(data, "records", "--all", "--format", "csv")
    rows = list(csv.reader(io.StringIO(every.output)))
    assert rows[0] == ["Domain Name", "Record Name", "Record Type", "Record Value"]
    assert [row[0] for row in rows[1:]] == ["www.example.com", "www.example.org"]
    asked = run(data, "create", "--certificate", arn)
    assert asked.exit_code == 1
    assert "www.example.com: asked of primary" in asked.output
    assert "www.example.org: no DNS provider has its zone" in asked.output
    told = json.loads(run(data, "records", "--certificate", arn, "--format", "json").output)["records"]
    assert [each["creation"] for each in told] == ["WAITING", None]
    zone = run(data, "records", "--certificate", arn).output
    assert zone.count(" IN CNAME _") == 2


def test_what_cannot_be_asked(data: Path, rooms: Rooms) -> None:
    assert run(data, "records").exit_code == 2
    assert run(data, "records", "--all", "--certificate", "arn:x").exit_code == 2
    assert run(data, "records", "--certificate", "nonsense").exit_code == 2
    assert run(data, "records", "--certificate", "arn:aws:acm:us-east-1:100000000000:certificate/x").exit_code == 1
