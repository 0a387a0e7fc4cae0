"""`greatseal revoke` over a data directory, beside whoever serves it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doors.pki import csr, serial_of
from faults.recovery import caller, order
from greatseal.app import identity
from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.domain.revocation import store as revocations
from greatseal.settings import load
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate


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


@pytest.fixture
def authority(rooms: Rooms) -> str:
    """A CA that signs."""
    return identity._authority(rooms, identity._caller(rooms, "us-east-1"))


def issue(rooms: Rooms, authority: str, count: int) -> list[str]:
    return [rooms.issuance.issue(caller(), authority, order(csr(f"h{n}.example.com"))) for n in range(count)]


def run(data: Path, *arguments: str, given: str | bytes | None = None) -> Result:
    environment = dict.fromkeys(("GREATSEAL_KEK_PASSPHRASE", "GREATSEAL_DATABASE", "GREATSEAL_DATA"))
    return CliRunner(env=environment).invoke(greatseal, ["revoke", *arguments, "--data", str(data)], input=given)


def revoked(rooms: Rooms, authority: str, arns: list[str]) -> set[str]:
    serials = [serial_of(arn) for arn in arns]
    found = rooms.storage.read(lambda tx: revocations.among(tx, authority.rpartition("/")[2], serials))
    return {arn for arn in arns if serial_of(arn) in found}


def test_everything_of_a_ca_rehearsed_and_done_here(data: Path, rooms: Rooms, authority: str) -> None:
    issued = issue(rooms, authority, 3)
    rehearsed = run(data, "ca", authority, "--reason", "superseded", "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    lines = [line.split("\t") for line in rehearsed.stdout.splitlines()]
    assert {arn for outcome, arn in lines if outcome == "REVOKED"} == set(issued)
    assert "nothing was changed: 3 REVOKED, 1 SELF_SIGNED" in rehearsed.stderr
    told = json.loads(run(data, "ca", authority, "--reason", "SUPERSEDED", "--dry-run", "--json").stdout)
    assert told["outcomes"] == {"REVOKED": 3, "SELF_SIGNED": 1}
    assert {each["arn"] for each in told["certificates"] if each["outcome"] == "REVOKED"} == set(issued)
    assert revoked(rooms, authority, issued) == set()
    assert run(data, "status").stdout == ""

    done = run(data, "ca", authority, "--reason", "SUPERSEDED", "--wait", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert (made["state"], made["total"], made["done"]) == ("DONE", 4, 4)
    assert revoked(rooms, authority, issued) == set(issued)
    assert json.loads(run(data, "status", made["id"], "--json").stdout) == made
    assert "3 revoked" in run(data, "status").stdout
    again = run(data, "cancel", made["id"])
    assert (again.exit_code, "is DONE already" in again.stderr) == (1, True)


def test_the_service_does_what_was_asked_for(data: Path, rooms: Rooms, authority: str) -> None:
    issued = issue(rooms, authority, 2)
    asked = run(data, "list", "-", "--ca", authority, "--reason", "SUPERSEDED", given="\n".join(map(serial_of, issued)))
    assert asked.exit_code == 0, asked.output
    mass_id, state = asked.stdout.split()[:2]
    assert state == "WAITING"
    assert revoked(rooms, authority, issued) == set()
    rooms.mass_revocations.carry_out(mass_id)
    assert revoked(rooms, authority, issued) == set(issued)
    assert run(data, "status", mass_id).stdout.split()[1:5] == ["DONE", "2", "of", "2"]


def test_a_key_and_a_cancelled_run(data: Path, rooms: Rooms, authority: str, tmp_path: Path) -> None:
    issued = issue(rooms, authority, 1)
    file = tmp_path / "leaked.pem"
    file.write_bytes(csr())
    assert json.loads(run(data, "key", str(file), "--dry-run", "--json").stdout) == {
        "certificates": [{"arn": issued[0], "outcome": "REVOKED"}],
        "outcomes": {"REVOKED": 1},
    }
    mass_id = run(data, "key", str(file)).stdout.split()[0]
    cancelled = run(data, "cancel", mass_id)
    assert (cancelled.exit_code, cancelled.stdout.split()[1]) == (0, "CANCELLED")
    rooms.mass_revocations.carry_out(mass_id)
    assert revoked(rooms, authority, issued) == set()
    names = [r.event_name for r in rooms.storage.read(lambda tx: rooms.audit.recent(tx, "100000000000", 2))]
    assert names == ["CancelMassRevocation", "StartMassRevocation"]


@pytest.mark.parametrize(
    ("arguments", "given", "text"),
    [
        (
            ["ca", "arn:aws:acm-pca:us-east-1:1:certificate-authority/x", "--reason", "SUPERSEDED"],
            None,
            "Could not find",
        ),
        (["ca", "nonsense", "--reason", "SUPERSEDED"], None, "not the ARN of a certificate authority"),
        (["ca", "nonsense"], None, "--reason"),
        (["ca", "nonsense", "--reason", "CERTIFICATE_HOLD"], None, "CERTIFICATE_HOLD"),
        (["key", "-"], "hello", "expected one key"),
        (["list", "-", "--reason", "SUPERSEDED"], "12\n", "line 1: a serial number alone"),
        (["list", "-", "--reason", "SUPERSEDED", "--issued-before", "soon"], "", "is no time"),
        (["status", "nothing"], None, "no mass revocation nothing"),
    ],
)
def test_refusals(data: Path, rooms: Rooms, arguments: list[str], given: str | None, text: str) -> None:
    ended = run(data, *arguments, given=given)
    assert ended.exit_code in (1, 2)
    assert text in ended.stderr
    assert "Traceback" not in ended.output
    assert rooms.mass_revocations.newest() == []


def test_a_list_with_bytes_that_are_no_text(data: Path, rooms: Rooms, tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_bytes(b"\xff\xfe\x00")
    ended = run(data, "list", str(file), "--reason", "SUPERSEDED")
    assert ended.exit_code == 1
    assert "line 1: " in ended.stderr
    assert rooms.mass_revocations.newest() == []
