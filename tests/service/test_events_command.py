"""`greatseal events` over a data directory, beside whoever serves it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.domain.delivery import Parcel
from greatseal.domain.events import Event
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


def run(data: Path, *arguments: str) -> Result:
    environment = dict.fromkeys(("GREATSEAL_KEK_PASSPHRASE", "GREATSEAL_DATABASE", "GREATSEAL_DATA"))
    return CliRunner(env=environment).invoke(greatseal, ["events", *arguments, "--data", str(data)])


def emit(rooms: Rooms, source: str, kind: str, result: str) -> None:
    event = Event(source, kind, "000000000000", "us-east-1", ("arn:x",), {"result": result})
    rooms.storage.transact(lambda tx: rooms.lifecycle._events.emit(tx, event))


def test_tail_prints_what_is_wanted(data: Path, rooms: Rooms) -> None:
    emit(rooms, "aws.acm-pca", "Made", "success")
    emit(rooms, "aws.acm-pca", "Bad\x1b[2J", "failure")
    emit(rooms, "aws.acm", "Else", "failure")
    found = run(data, "tail", "--since", "5", "--count", "3")
    assert found.exit_code == 0, found.output
    assert "aws.acm-pca  Made  arn:x" in found.output
    assert "\x1b" not in found.output
    wanted = ("--source", "aws.acm-pca", "--pattern", '{"detail": {"result": ["failure"]}}', "--output", "json")
    found = run(data, "tail", "--since", "5", "--count", "1", *wanted)
    (line,) = found.output.splitlines()
    assert json.loads(line)["detail"] == {"result": "failure"}
    found = run(data, "tail", "--pattern", '{"source": "x"}')
    assert found.exit_code == 2
    assert '"source" must be an object or an array' in found.output


def test_ctrl_c_ends_the_tail_well(data: Path, rooms: Rooms) -> None:
    emit(rooms, "aws.acm", "First", "success")
    command = [sys.executable, "-m", "greatseal", "events", "tail", "--since", "5", "--data", str(data)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert "First" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_dead_letters_are_listed_and_tried_again(data: Path, rooms: Rooms) -> None:
    assert run(data, "dead").output == "nothing is dead\n"
    deliveries = rooms.bus.deliveries
    for number in range(3):
        parcel = Parcel(lane="none:x", kind="none", address={}, body="{}", message_id=f"m{number}")
        rooms.storage.transact(lambda tx, each=parcel: deliveries.post(tx, [each]))  # type: ignore[misc]
    deliveries.run("none:x")
    assert "none:x" in run(data, "dead").output
    letters = json.loads(run(data, "dead", "--json").output)["dead_letters"]
    assert {each["message_id"] for each in letters} == {"m0", "m1", "m2"}
    assert run(data, "dead", "--replay", str(letters[0]["id"])).exit_code == 0
    assert run(data, "dead", "--replay", "999").exit_code == 1
    assert run(data, "dead", "--replay", "1", "--all").exit_code == 2
    assert "2 dead letters" in run(data, "dead", "--all").output
    assert run(data, "dead").output == "nothing is dead\n"
