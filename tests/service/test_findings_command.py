"""`greatseal findings` and `greatseal report` over a data directory."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.x509.oid import NameOID
from msgspec import structs

from doors.acm_material import distinguished, make
from doors.hub import finding
from faults.recovery import caller
from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.settings import load
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def rooms(data: Path) -> Iterator[Rooms]:
    """What a service would have open."""
    settings = load({}, {"data": data}, None)
    storage = open_storage(settings.database_url)
    migrate(storage)
    yield open_rooms(settings, storage)
    storage.close()


def run(data: Path, *arguments: str) -> Result:
    environment = dict.fromkeys(("GREATSEAL_KEK_PASSPHRASE", "GREATSEAL_DATABASE", "GREATSEAL_DATA"))
    return CliRunner(env=environment).invoke(greatseal, [*arguments, "--data", str(data)])


def put(rooms: Rooms, *findings: dict) -> None:
    owner = structs.replace(caller(), account="111122223333", region="us-east-1")
    assert rooms.watching.findings.import_(owner, findings)[1] == []


def test_list_show_resolve_and_export(data: Path, rooms: Rooms) -> None:
    put(rooms, finding("a", Severity={"Label": "HIGH"}, Title="Grave"), finding("b", Title="Less"))
    listed = run(data, "findings", "list")
    assert listed.exit_code == 0, listed.output
    assert "Grave" in listed.output
    assert "Less" in listed.output
    shown = json.loads(run(data, "findings", "list", "--severity", "HIGH", "--json").output)
    assert [each["Id"] for each in shown["findings"]] == ["a"]
    assert json.loads(run(data, "findings", "show", "b").output)["Title"] == "Less"
    assert run(data, "findings", "show", "c").exit_code == 1
    resolved = run(data, "findings", "resolve", "a", "--note", "done")
    assert resolved.output == "resolved: a\n"
    assert "Grave" not in run(data, "findings", "list").output
    assert "Grave" in run(data, "findings", "list", "--all").output
    exported = [json.loads(line) for line in run(data, "findings", "export").output.splitlines()]
    assert {each["Id"]: each["Workflow"]["Status"] for each in exported} == {"a": "RESOLVED", "b": "NEW"}
    assert exported[0]["SchemaVersion"] == "2018-10-08"


# What OCSF 1.3 requires of the class Detection Finding and of the objects in it.
REQUIRED = {
    "": (
        "activity_id",
        "category_uid",
        "class_uid",
        "cloud",
        "finding_info",
        "metadata",
        "severity_id",
        "time",
        "type_uid",
    ),
    "finding_info": ("title", "uid"),
    "metadata": ("product", "version"),
    "metadata.product": ("vendor_name", "name"),
    "cloud": ("provider",),
}


def test_events_of_the_open_schema_have_what_it_requires(data: Path, rooms: Rooms) -> None:
    put(rooms, finding("a"), finding("b", RecordState="ARCHIVED"), finding("c", UpdatedAt="2026-01-16T00:00:00Z"))
    events = {}
    for line in run(data, "findings", "export", "--format", "ocsf").output.splitlines():
        event = json.loads(line)
        events[event["finding_info"]["uid"]] = event
        for path, names in REQUIRED.items():
            place = event
            for step in path.split(".") if path else ():
                place = place[step]
            assert set(names) <= set(place), (path, place)
        assert (event["category_uid"], event["class_uid"]) == (2, 2004)
        assert event["type_uid"] == 200400 + event["activity_id"]
        assert (event["severity_id"], event["severity"]) == (3, "Medium")
    assert {name: event["activity_id"] for name, event in events.items()} == {"a": 1, "b": 3, "c": 2}
    assert events["a"]["time"] == 1768478400000


def foreign(organization: str, begins: datetime, key: str) -> dict:
    subject = distinguished((NameOID.ORGANIZATION_NAME, organization))
    span = {"start": NOW - timedelta(days=800), "end": NOW + timedelta(days=800)}
    issuer = make(subject=subject, ca=True, number=77, **span)
    made = make("a.example.com", ["a.example.com"], issuer=issuer, key=key, start=begins, end=span["end"]).parcel()
    return {"certificate": made["Certificate"], "private_key": made["PrivateKey"], "chain": made["CertificateChain"]}


def test_imported_certificates_by_their_issuers(data: Path, rooms: Rooms) -> None:
    day = NOW - timedelta(days=100)
    for organization, begins, region, key in (
        ("Entrust, Inc.", day, "us-east-1", "EC_prime256v1"),
        ("Entrust, Inc.", day + timedelta(days=2), "eu-west-1", "RSA_4096"),
        ("Entrust", day + timedelta(days=2), "us-east-1", "EC_secp384r1"),
    ):
        rooms.imports.import_(structs.replace(caller(), region=region), **foreign(organization, begins, key))
    report = ("report", "issuers", "--flag", "Entrust, Inc.", "--not-before-after", day.date().isoformat())
    found = run(data, *report, "--output", "json")
    assert found.exit_code == 3, found.output
    rows = json.loads(found.output)
    assert len(rows) == 3
    (flagged,) = [row for row in rows if row["flagged_ca"]]
    assert (flagged["region"], flagged["cert_issuer"]) == ("eu-west-1", "Entrust, Inc.")
    assert flagged["alternate_domain_names"] == ["a.example.com"]
    listed = list(csv.DictReader(io.StringIO(run(data, *report, "--only-flagged", "--output", "csv").output)))
    assert [row["cert_issuer"] for row in listed] == ["Entrust, Inc."]
    assert "FLAGGED" in run(data, *report).output
    clean = run(data, "report", "issuers", "--flag", "Nobody", "--only-flagged", "--output", "json")
    assert (clean.exit_code, clean.output) == (0, "[]\n")
    assert run(data.parent / "absent", "report", "issuers", "--flag", "x").exit_code == 2


def test_a_round_by_hand(data: Path, rooms: Rooms) -> None:
    rooms.imports.import_(caller(), **foreign("Somebody", NOW - timedelta(days=1), "EC_prime256v1"))
    done = run(data, "findings", "look")
    assert done.output == "accounts and regions to look at: 0\n"
