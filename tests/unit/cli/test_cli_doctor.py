"""`greatseal doctor`: findings, fixes and exit codes."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from greatseal.cli.doctor import clients, command, database, directory, protection
from greatseal.cli.doctor.command import examine
from greatseal.cli.doctor.findings import Finding, Level, Patient
from greatseal.cli.group import greatseal
from greatseal.integrations import kek
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import load
from greatseal.storage import open_storage
from greatseal.storage.installation import recall
from greatseal.storage.migrate import migrate
from unit.cli.started import started

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def patient(data: Path, **environment: str) -> Patient:
    return Patient(load(environment, {"data": data}), environment, NOW)


def doctor(data: Path, **environment: str) -> dict[str, Any]:
    done = CliRunner(env={"PATH": "", **environment}).invoke(greatseal, ["doctor", "--data", str(data), "--json"])
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["exit_code"] == done.exit_code
    return report


def test_a_directory_that_does_not_exist_is_broken(tmp_path: Path) -> None:
    report = doctor(tmp_path / "nowhere")
    assert report["exit_code"] == 2
    finding = next(each for each in report["findings"] if each["check"] == "data directory")
    assert (finding["level"], "greatseal serve --data" in finding["fix"]) == ("failure", True)


def test_a_stopped_service_is_worth_a_look(tmp_path: Path) -> None:
    report = doctor(started(tmp_path))
    assert report["exit_code"] == 2  # the empty bundle cannot be used
    assert any("ca-bundle.pem cannot be used" in each["text"] for each in report["findings"])


def test_settings_that_cannot_be_used_are_a_finding(tmp_path: Path) -> None:
    report = doctor(tmp_path, GREATSEAL_REGOIN="x")
    assert report["exit_code"] == 2
    assert "did you mean GREATSEAL_REGION?" in report["findings"][0]["text"]


def test_every_failure_has_a_fix_and_people_read_it(tmp_path: Path) -> None:
    assert all(each["fix"] for each in doctor(tmp_path / "x")["findings"] if each["level"] in ("warning", "failure"))
    text = CliRunner(env={"PATH": ""}).invoke(greatseal, ["doctor", "--data", str(tmp_path / "x")]).stdout
    assert "fix: " in text
    assert "broken" in text.splitlines()[-1]


def test_a_check_that_breaks_does_not_stop_the_others(tmp_path: Path) -> None:
    def broken(patient: Patient) -> Iterator[Finding]:
        raise RuntimeError("oops")
        yield

    (finding,) = examine(broken, patient(tmp_path))
    assert (finding.level, "RuntimeError: oops" in finding.text) == (Level.WARNING, True)
    assert command.name == "doctor"


def test_secrets_that_others_can_read(tmp_path: Path) -> None:
    data = started(tmp_path)
    assert [finding.level for finding in directory.ownership(patient(data))] == [Level.OK]
    (data / "root-credential.json").chmod(0o644)
    (finding,) = directory.ownership(patient(data))
    assert finding.fix == f"chmod 600 {data / 'root-credential.json'}"


def test_a_clock_that_went_back(tmp_path: Path) -> None:
    data = started(tmp_path)
    for path in (data / "run" / "endpoint.json", data / "ca-bundle.pem"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert [finding.level for finding in directory.clock(patient(data))] == [Level.OK]
    later = (NOW + timedelta(hours=1)).timestamp()
    os.utime(data / "ca-bundle.pem", (later, later))
    assert [finding.level for finding in directory.clock(patient(data))] == [Level.FAILURE]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.level for finding in directory.disk(patient(tmp_path))] == [Level.OK]
    monkeypatch.setattr(directory, "_LEAST_FREE_BYTES", 1 << 80)
    assert [finding.level for finding in directory.disk(patient(tmp_path))] == [Level.FAILURE]


def test_what_protects_the_keys(tmp_path: Path) -> None:
    data, elsewhere = started(tmp_path), tmp_path / "elsewhere"
    assert list(protection.kek(patient(data))) == []  # never started: nothing to protect
    (data / "greatseal.db").touch()
    assert [finding.level for finding in protection.kek(patient(data))] == [Level.FAILURE]
    (data / "kek").touch()
    assert [finding.level for finding in protection.kek(patient(data))] == [Level.NOTE]
    elsewhere.touch()
    assert [f.level for f in protection.kek(patient(data, GREATSEAL_KEK_FILE=str(elsewhere)))] == [Level.OK]
    assert [f.level for f in protection.kek(patient(data, GREATSEAL_KEK_PASSPHRASE="x"))] == [Level.OK]


def test_a_damaged_database(tmp_path: Path) -> None:
    data = started(tmp_path)
    assert list(database.database(patient(data))) == []
    (data / "greatseal.db").write_bytes(b"not a database, but as long as the header of one would be" * 20)
    (finding,) = database.database(patient(data))
    assert (finding.level, "not a database" in finding.text) == (Level.FAILURE, True)


def test_a_sound_database_takes_writes_and_keeps_nothing(database_url: str, tmp_path: Path) -> None:
    storage = open_storage(database_url)
    who = patient(tmp_path, GREATSEAL_DATABASE=database_url)
    try:
        (before,) = database.database(who)
        assert before.level is Level.FAILURE  # nobody made the tables
        migrate(storage)
        (after,) = database.database(who)
        assert (after.level, "takes writes" in after.text) == (Level.OK, True)
        assert storage.read(lambda tx: recall(tx, "doctor")) is None
    finally:
        storage.close()


def test_another_key_encryption_key_is_found(tmp_path: Path) -> None:
    data = started(tmp_path)
    storage = open_storage(f"sqlite:///{data}/greatseal.db")
    try:
        migrate(storage)
        who, other = patient(data), patient(data, GREATSEAL_KEK_PASSPHRASE="another")
        assert list(protection.opens(storage, who.settings)) == []
        assert not (data / "kek").exists()
        kek.from_file(data / "kek", storage, SystemEntropy())
        assert [finding.level for finding in protection.opens(storage, who.settings)] == [Level.OK]
        (finding,) = protection.opens(storage, other.settings)
        assert (finding.level, "not the key-encryption key" in finding.text) == (Level.FAILURE, True)
    finally:
        storage.close()


@pytest.mark.parametrize(
    ("output", "level"),
    [
        ("aws-cli/1.46.2 Python/3.11.7 Linux/6", Level.OK),
        ("aws-cli/1.29.0 Python/3.11.7", Level.OK),
        ("aws-cli/1.28.9 Python/3.11.7", Level.WARNING),
        ("aws-cli/2.13.0 Python/3.11", Level.OK),
        ("aws-cli/2.9.19 Python/3.11.2 Linux/6 source/x86_64.debian.12 prompt/off", Level.WARNING),
        ("command not understood", Level.WARNING),
    ],
)
def test_versions_of_the_aws_cli(output: str, level: Level) -> None:
    finding = clients.judge("/usr/bin/aws", output)
    assert finding.level is level
    assert (finding.fix is None) == (level is Level.OK)
