"""`greatseal transparency` over a data directory, and the settings of logs."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.settings import load
from greatseal.settings.sources import SettingsError
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from made_certificates import signer

KEY = base64.b64encode(signer("outside").spki).decode()
OUTSIDE = f'[transparency_logs.outside]\nurl = "http://127.0.0.1:1/log"\nkey = "{KEY}"\noperator = "Other"\n'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    storage = open_storage(load({}, {"data": folder}, None).database_url)
    migrate(storage)
    open_rooms(load({}, {"data": folder}, None), storage)
    storage.close()
    return folder


def run(data: Path, *arguments: str, code: int = 0) -> str:
    made = CliRunner().invoke(greatseal, ["transparency", *arguments, "--data", str(data)])
    assert made.exit_code == code, made.output
    return made.output


def test_a_log_from_its_beginning_to_its_end(data):
    assert "no log has begun" in run(data, "list")
    assert run(data, "monitor") == ""
    settings = load({}, {"data": data}, None)
    storage = open_storage(settings.database_url)
    open_rooms(settings, storage).transparency.logs.records()
    storage.close()
    assert [each["id"] for each in json.loads(run(data, "list", "--json"))["own"]] == ["alder", "birch"]
    assert "alder: proven" in run(data, "monitor")
    assert "running: alder-2, birch" in run(data, "retire", "alder", "--yes")
    assert "closed" in run(data, "list")
    assert "There is no log" in run(data, "retire", "nobody", "--yes", code=1)
    (data / "x.pem").write_text("nothing")
    assert "Error" in run(data, "prove", str(data / "x.pem"), code=1)


def test_settings_of_logs(data):
    def refused(text: str) -> str:
        (data / "greatseal.toml").write_text(text)
        with pytest.raises(SettingsError) as caught:
            load({}, {"data": data}, None)
        return str(caught.value)

    assert "is not base64" in refused(OUTSIDE.replace(KEY, "*"))
    assert "has the key of outside" in refused(OUTSIDE + OUTSIDE.replace("outside", "again"))
    assert "which is too few" in refused("[transparency]\nsubmit_to_own = false\n")
    assert "two logs have one name" in refused('[transparency]\nown_logs = ["a|A", "a|B"]\n')
    assert "for the kind static" in refused(OUTSIDE + 'origin = "x"\n')
    (data / "greatseal.toml").write_text(OUTSIDE)
    assert "outside" not in run(data, "monitor")
