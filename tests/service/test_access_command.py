"""`greatseal access` over a data directory, beside whoever serves it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.settings import load
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

HOME = "100000000000"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


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
    return CliRunner(env=environment).invoke(greatseal, ["access", *arguments, "--data", str(data)])


def names(rooms: Rooms, account: str = HOME) -> list[str]:
    return [record.event_name for record in rooms.storage.read(lambda tx: rooms.audit.recent(tx, account, 20))][::-1]


def test_a_first_user(data: Path, rooms: Rooms) -> None:
    done = run(data, "create-user", "alice", "--policy", ADMINISTRATOR, "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    found = rooms.access.find(made["AWS_ACCESS_KEY_ID"])
    assert found is not None
    assert found.principal_arn == made["Arn"] == f"arn:aws:iam::{HOME}:user/alice"
    assert found.secret.reveal().decode() == made["AWS_SECRET_ACCESS_KEY"]
    assert names(rooms) == ["CreateUser", "AttachUserPolicy", "CreateAccessKey"]
    again = run(data, "create-user", "Alice")
    assert again.exit_code == 1
    assert "already exists" in again.stderr
    shell = run(data, "create-user", "bob").stdout.splitlines()
    assert [line.partition("=")[0] for line in shell[1:]] == [
        "export AWS_ACCESS_KEY_ID",
        "export AWS_SECRET_ACCESS_KEY",
    ]


def test_a_role_and_why_it_may(data: Path, rooms: Rooms, tmp_path: Path) -> None:
    document = tmp_path / "issue.json"
    condition = {"StringLike": {"acm:KeyAlgorithm": "RSA*"}}
    statements = [
        {"Sid": "Reads", "Effect": "Allow", "Action": ["acm:List*", "acm:Request*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "acm:RequestCertificate", "Resource": "*", "Condition": condition},
    ]
    document.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}), encoding="utf-8")
    done = run(data, "create-role", "issuer", "--trust", HOME, "--policy", str(document))
    assert done.exit_code == 0, done.output
    arn = done.stdout.strip()
    assert arn == f"arn:aws:iam::{HOME}:role/issuer"
    allowed = run(data, "explain", arn, "acm:ListCertificates")
    assert allowed.exit_code == 0
    assert "Allow by statement 0 'Reads' of the identity-based policy issue" in allowed.stdout
    denied = run(data, "explain", arn, "acm:RequestCertificate", "--context", "acm:KeyAlgorithm=RSA_2048", "--json")
    assert denied.exit_code == 1
    told = json.loads(denied.stdout)
    assert told["sentence"].endswith("with an explicit deny in an identity-based policy")
    assert [(each["effect"], each["statement"]) for each in told["matched"]] == [("Allow", 0), ("Deny", 1)]
    nothing = run(data, "explain", arn, "acm:DeleteCertificate")
    assert nothing.exit_code == 1
    assert "no statement of any policy matches" in nothing.stdout
    managed = run(data, "create-policy", "issue", str(document))
    assert managed.stdout.strip() == f"arn:aws:iam::{HOME}:policy/issue"


def test_another_root_credential(data: Path, rooms: Rooms) -> None:
    kept = data / "root.json"
    before = next(iter(data.glob("*root*")), kept)
    old = json.loads(before.read_text(encoding="utf-8"))
    assert rooms.access.find(old["access_key_id"]) is not None
    done = run(data, "rotate-root", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert "1 older root credential revoked" in done.stderr
    # The service that runs beside forgets the old one with the next request.
    assert rooms.access.find(old["access_key_id"]) is None
    assert rooms.access.find(made["AWS_ACCESS_KEY_ID"]) is not None
    assert json.loads(before.read_text(encoding="utf-8"))["access_key_id"] == made["AWS_ACCESS_KEY_ID"]


def test_another_account(data: Path, rooms: Rooms) -> None:
    done = run(data, "create-account", "consumer", "--email", "c@example.com", "--json")
    made = json.loads(done.stdout)
    found = rooms.access.find(made["AWS_ACCESS_KEY_ID"])
    assert found is not None
    assert found.principal_arn == f"arn:aws:iam::{made['Account']}:root"
    again = run(data, "create-account", "other", "--email", "C@example.com")
    assert again.exit_code == 1
    inside = run(data, "create-user", "carol", "--account", made["Account"], "--json")
    assert json.loads(inside.stdout)["Account"] == made["Account"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("create-user", "a b"), "is not a name"),
        (("create-user", "a", "--policy", "missing.json"), "neither an ARN nor a readable file"),
        (("create-user", "a", "--policy", "arn:aws:iam::aws:policy/None"), "was not found"),
        (("create-user", "a", "--account", "999999999999"), "The account 999999999999 does not exist"),
        (("create-role", "a", "--trust", "nobody"), "no account id, ARN, service principal or file"),
        (("create-role", "a", "--trust", f"arn:aws:iam::{HOME}:user/none"), "Invalid principal in policy"),
        (("create-account", "a", "--email", "x@y", "--id", "000000000000"), "is not an account id"),
        (("explain", "nobody", "acm:X"), "is not an ARN"),
        (("explain", f"arn:aws:iam::{HOME}:user/none", "acm:X"), "There is no user"),
        (("explain", f"arn:aws:iam::{HOME}:root", "acm:X", "--context", "x"), "expected KEY=VALUE"),
    ],
)
def test_what_cannot_be(data: Path, rooms: Rooms, arguments: tuple[str, ...], text: str) -> None:
    done = run(data, *arguments)
    assert done.exit_code == 1
    assert text in done.stderr
    assert names(rooms) == []


def test_a_directory_without_a_database(tmp_path: Path) -> None:
    done = run(tmp_path / "none", "create-user", "alice")
    assert done.exit_code == 2
    assert "there is no database" in done.stderr
