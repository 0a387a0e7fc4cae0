"""`greatseal audit` over a data directory, beside whoever writes to it."""

import base64
import json
from pathlib import Path

import pytest
from audit_room import KEK, Room
from click.testing import CliRunner, Result
from sqlalchemy import text

from greatseal.cli.group import greatseal
from greatseal.crypto.wrap import key_fingerprint
from greatseal.domain.audit import newest, note
from greatseal.storage import installation, open_storage
from greatseal.storage.migrate import migrate


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory as a service leaves it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "kek").write_bytes(base64.b64encode(KEK.reveal()) + b"\n")
    (folder / "kek").chmod(0o600)
    return folder


@pytest.fixture
def room(data: Path):
    storage = open_storage(f"sqlite:///{data}/greatseal.db")
    migrate(storage)
    storage.transact(lambda tx: installation.remember(tx, "kek-fingerprint", key_fingerprint(KEK).encode()))
    made = Room(storage)
    made.act(3)
    made.sign()
    yield made
    storage.close()


def run(data: Path, *arguments: str) -> Result:
    environment = {"GREATSEAL_KEK_PASSPHRASE": None, "GREATSEAL_DATABASE": None, "GREATSEAL_DATA": None}
    return CliRunner(env=environment).invoke(greatseal, ["audit", *arguments, "--data", str(data)])


def test_a_whole_log(data, room, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text(run(data, "checkpoint").stdout, encoding="utf-8")
    done = run(data, "verify", "--checkpoint", str(kept))
    assert done.exit_code == 0, done.output
    assert "the log is whole: 3 records" in done.stdout
    assert done.stderr == ""
    told = json.loads(run(data, "verify", "--json").stdout)
    assert (told["ok"], told["size"], told["seals_checked"], told["findings"]) == (True, 3, True, [])


def test_a_log_that_was_tampered_with(data, room):
    room.storage.transact(lambda tx: tx.execute(text("UPDATE audit_record SET source_ip='x' WHERE leaf_index=1")))
    event = newest(room.storage, 2)[-1].event_id
    done = run(data, "verify")
    assert done.exit_code == 1
    assert f"changed at 1 (event {event})" in done.stdout
    assert "TAMPERED" in done.stdout
    told = json.loads(run(data, "verify", "--json").stdout)
    assert told["findings"][0]["kind"] == "changed"


def test_without_the_key_seals_are_not_checked(data, room):
    (data / "kek").unlink()
    done = run(data, "verify")
    assert done.exit_code == 0
    assert "seals are not checked" in done.stderr
    assert not (data / "kek").exists()


def test_what_cannot_be_examined(data, tmp_path):
    assert run(data, "verify").exit_code == 2
    assert not (data / "greatseal.db").exists(), "looking makes nothing"
    (data / "greatseal.db").write_bytes(b"no database at all" * 100)
    assert run(data, "verify").exit_code == 2
    assert run(data, "list").exit_code == 2
    (data / "greatseal.toml").write_text("colour = 1", encoding="utf-8")
    assert run(data, "verify").exit_code == 2


def test_nonsense_as_a_checkpoint(data, room, tmp_path):
    (tmp_path / "kept.txt").write_bytes(b"\xff nonsense")
    assert run(data, "verify", "--checkpoint", str(tmp_path / "kept.txt")).exit_code == 2
    (tmp_path / "kept.txt").write_text("nonsense", encoding="utf-8")
    assert run(data, "verify", "--checkpoint", str(tmp_path / "kept.txt")).exit_code == 2
    assert run(data, "verify", "--checkpoint", str(tmp_path / "absent")).exit_code == 2


def test_prove_list_and_checkpoint(data, room):
    listed = [json.loads(line) for line in run(data, "list", "--last", "2").stdout.splitlines()]
    assert [event["additionalEventData"]["serial"] for event in listed] == ["1", "2"]
    proof = json.loads(run(data, "prove", listed[0]["eventID"]).stdout)
    assert (proof["index"], proof["size"]) == (1, 3)
    assert note.parse(run(data, "checkpoint").stdout).checkpoint.size == 3
    done = run(data, "prove", "no-such-event")
    assert (done.exit_code, done.stdout) == (1, "")
    room.storage.transact(lambda tx: tx.execute(text("DELETE FROM audit_checkpoint")))
    assert run(data, "checkpoint").exit_code == 1
    assert run(data, "prove", listed[0]["eventID"]).exit_code == 1
