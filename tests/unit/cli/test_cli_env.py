"""`greatseal env`: what a shell, a program and the AWS configuration receive."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from botocore.session import Session
from click.testing import CliRunner, Result

from greatseal.cli.group import greatseal
from unit.cli.started import HTTPS, KEY_ID, SECRET, started


def env(data: Path, *arguments: str, **variables: str | None) -> Result:
    return CliRunner(env=variables).invoke(greatseal, ["env", "--data", str(data), *arguments])


def expected(data: Path) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": HTTPS,
        "AWS_CA_BUNDLE": str(data / "ca-bundle.pem"),
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_a_shell_understands_the_exports(tmp_path: Path) -> None:
    data = started(tmp_path)
    printed = env(data).stdout
    script = f'{printed}\nprintf "%s\\n" "$AWS_CA_BUNDLE" "$AWS_SECRET_ACCESS_KEY"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(data / "ca-bundle.pem"), SECRET]


def test_what_would_spoil_the_exports_is_unset(tmp_path: Path) -> None:
    data = started(tmp_path)
    assert "unset" not in env(data, AWS_SESSION_TOKEN=None, AWS_SECURITY_TOKEN=None, AWS_REGION=None).stdout
    assert env(data, AWS_SESSION_TOKEN="x", AWS_REGION=None).stdout.startswith("unset AWS_SESSION_TOKEN\n")


def test_programs_get_one_object_with_the_same_names(tmp_path: Path) -> None:
    data = started(tmp_path)
    assert json.loads(env(data, "--json").stdout) == expected(data)


def test_a_directory_without_a_service_says_what_to_do(tmp_path: Path) -> None:
    done = env(tmp_path)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"no service was ever started on {tmp_path}" in done.stderr
    assert f"greatseal serve --data {tmp_path}" in done.stderr


def test_a_credential_that_is_not_stored_comes_from_the_environment(tmp_path: Path) -> None:
    data = started(tmp_path, credential=False)
    assert "set GREATSEAL_ROOT_ACCESS_KEY_ID" in env(data).stderr
    given = {"GREATSEAL_ROOT_ACCESS_KEY_ID": "B" * 20, "GREATSEAL_ROOT_SECRET_ACCESS_KEY": "t" * 40}
    assert json.loads(env(data, "--json", **given).stdout)["AWS_ACCESS_KEY_ID"] == "B" * 20


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    data = started(tmp_path)
    (data / "run" / "endpoint.json").write_text("{", encoding="utf-8")
    done = env(data)
    assert done.exit_code == 1
    assert "endpoint.json cannot be read" in done.stderr


@pytest.fixture
def aws_files(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    return {"AWS_CONFIG_FILE": str(home / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials")}


def as_botocore_reads(
    profile: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], str]:
    for name, value in files.items():
        monkeypatch.setenv(name, value)
    session = Session(profile=profile)
    credentials = session.get_credentials()
    assert credentials is not None
    return session.get_scoped_config(), credentials.secret_key


def test_a_profile_that_botocore_reads(
    tmp_path: Path, aws_files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = started(tmp_path)
    done = env(data, "--write-profile", **aws_files)
    assert done.exit_code == 0, done.stderr
    config, secret = as_botocore_reads("greatseal", aws_files, monkeypatch)
    assert (config["endpoint_url"], config["region"]) == (HTTPS, "eu-west-1")
    assert config["ca_bundle"] == str(data / "ca-bundle.pem")
    assert secret == SECRET
    for path in aws_files.values():
        assert os.stat(path).st_mode & 0o777 == 0o600


OTHERS = """# mine, do not touch
[default]
region = us-west-2
s3 =
    max_concurrent_requests = 20

[profile mine]
endpoint_url = https://old.example
output = json
; a comment at the end of mine

[profile prod]
role_arn = arn:aws:iam::111122223333:role/x
source_profile = default
"""


def test_other_profiles_and_comments_stay_as_they_were(tmp_path: Path, aws_files: dict[str, str]) -> None:
    data = started(tmp_path)
    config = Path(aws_files["AWS_CONFIG_FILE"])
    config.parent.mkdir()
    config.write_text(OTHERS, encoding="utf-8")
    config.chmod(0o640)
    assert env(data, "--write-profile", "mine", **aws_files).exit_code == 0
    changed = config.read_text(encoding="utf-8")
    wanted = OTHERS.replace("https://old.example", HTTPS).replace(
        "; a comment at the end of mine\n",
        f"; a comment at the end of mine\nca_bundle = {data / 'ca-bundle.pem'}\nregion = eu-west-1\n",
    )
    assert changed == wanted
    assert config.stat().st_mode & 0o777 == 0o640
    assert env(data, "--write-profile", "mine", **aws_files).exit_code == 0
    assert config.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("name", ["prod", "default"])
def test_a_profile_of_aws_itself_is_not_overwritten(tmp_path: Path, aws_files: dict[str, str], name: str) -> None:
    config = Path(aws_files["AWS_CONFIG_FILE"])
    config.parent.mkdir()
    config.write_text(OTHERS, encoding="utf-8")
    done = env(started(tmp_path), "--write-profile", name, **aws_files)
    assert done.exit_code == 1
    assert "is not Greatseal's" in done.stderr
    assert config.read_text(encoding="utf-8") == OTHERS
    assert not Path(aws_files["AWS_SHARED_CREDENTIALS_FILE"]).exists()


def test_a_name_that_would_break_the_file_is_refused(tmp_path: Path, aws_files: dict[str, str]) -> None:
    done = env(started(tmp_path), "--write-profile", "x]\n[default", **aws_files)
    assert done.exit_code == 1
    assert "is not a profile name" in done.stderr
