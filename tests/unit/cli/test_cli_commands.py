"""The command line as a whole: help, versions, completion, and how `serve` reaches the application."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from greatseal import __version__
from greatseal.cli.group import COMMANDS, greatseal
from greatseal.kernel.errors import InvalidState
from greatseal.settings import Settings


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from greatseal.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('greatseal.cli.', 'greatseal.settings', 'cryptography', 'sqlalchemy', 'botocore')\n"
        "print(sorted(name for name in sys.modules if name.startswith(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['greatseal.cli.group']"
    for name, entry in COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert entry.summary in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_with_examples(name: str) -> None:
    done = CliRunner().invoke(greatseal, [name, "--help"])
    assert done.exit_code == 0
    assert "Examples:" in done.output
    assert f"greatseal {name}" in done.output


def test_python_dash_m_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "greatseal", "--version"], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout == f"greatseal, version {__version__}\n"


def test_version_names_what_signs() -> None:
    versions = json.loads(CliRunner().invoke(greatseal, ["version", "--json"]).output)
    assert versions["greatseal"] == __version__
    assert versions["openssl"].startswith("OpenSSL ")
    assert {"python", "cryptography", "sqlite", "platform"} <= set(versions)
    assert __version__ in CliRunner().invoke(greatseal, ["version"]).output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = CliRunner().invoke(greatseal, ["completion", shell])
    assert done.exit_code == 0
    assert "_GREATSEAL_COMPLETE" in done.output


def test_completion_knows_the_commands() -> None:
    environment = {"_GREATSEAL_COMPLETE": "bash_complete", "COMP_WORDS": "greatseal ", "COMP_CWORD": "1"}
    done = CliRunner().invoke(greatseal, prog_name="greatseal", env=environment)
    assert [line.partition(",")[2] for line in done.output.splitlines()] == list(COMMANDS)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the application was started with; the application itself is not this layer's matter."""
    received: list[Settings] = []

    def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
        received.append(settings)
        if settings.account_id == "999999999999":
            raise InvalidState("the key-encryption key is not the one of this data")
        announce("ready https://127.0.0.1:1 http://127.0.0.1:2")

    app = ModuleType("greatseal.app")
    app.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "greatseal.app", app)
    return received


def test_serve_passes_every_option_on(tmp_path: Path, served: list[Settings]) -> None:
    options = [
        *("--data", str(tmp_path), "--listen", "127.0.0.1:0", "--http", "[::1]:0", "--insecure-http-api"),
        *("--account-id", "222222222222", "--region", "eu-west-1", "--database", "postgresql://db/x", "--workers", "1"),
        *("--log-level", "debug", "--log-format", "json"),
    ]
    done = CliRunner().invoke(greatseal, ["serve", *options])
    assert done.exit_code == 0, done.output
    assert done.stdout == "ready https://127.0.0.1:1 http://127.0.0.1:2\n"
    (settings,) = served
    assert settings.data == tmp_path
    assert (settings.server.listen, settings.server.http, settings.server.insecure_http_api) == (
        "127.0.0.1:0",
        "[::1]:0",
        True,
    )
    assert (settings.account_id, settings.region) == ("222222222222", "eu-west-1")
    assert settings.database_url == "postgresql://db/x"
    assert (settings.log.level, settings.log.format) == ("debug", "json")


def test_serve_leaves_what_was_not_given_to_the_file(tmp_path: Path, served: list[Settings]) -> None:
    (tmp_path / "greatseal.toml").write_text("[server]\ninsecure_http_api = true\n", encoding="utf-8")
    assert CliRunner().invoke(greatseal, ["serve", "--data", str(tmp_path)]).exit_code == 0
    assert served[0].server.insecure_http_api


def test_serve_refuses_in_one_readable_message(tmp_path: Path, served: list[Settings]) -> None:
    done = CliRunner().invoke(greatseal, ["serve", "--data", str(tmp_path), "--workers", "2", "--listen", "nowhere"])
    assert done.exit_code == 1
    assert "option --listen: expected HOST:PORT" in done.stderr
    assert not served
    done = CliRunner().invoke(greatseal, ["serve", "--data", str(tmp_path), "--account-id", "999999999999"])
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: the service did not start: the key-encryption key is not the one of this data\n"
    )  # fmt: skip
