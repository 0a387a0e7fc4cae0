"""`greatseal notify test` against real receivers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from greatseal.cli.group import greatseal
from made_receivers import Mailbox, WebReceiver, closed_port, mail_server


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    receiver = WebReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def post() -> Iterator[tuple[int, Mailbox]]:
    with mail_server() as server:
        yield server


@pytest.fixture
def data(tmp_path: Path, web: WebReceiver, post: tuple[int, Mailbox]) -> Path:
    (tmp_path / "secret").write_text("shared secret\n", encoding="utf-8")
    (tmp_path / "greatseal.toml").write_text(
        f"""
[mail]
host = "127.0.0.1"
port = {post[0]}
tls = "none"
sender = "greatseal@example.com"

[channels.oncall]
kind = "webhook"
url = "http://127.0.0.1:{web.port}/hook"
secret_file = "secret"

[channels.people]
kind = "email"
to = ["ann@example.com", "bob@example.com"]

[channels.away]
kind = "syslog"
url = "tcp://127.0.0.1:{closed_port()}"

[channels.program]
kind = "command"
argv = ["/bin/sh", "-c", "cat > {tmp_path}/got"]
""",
        encoding="utf-8",
    )
    return tmp_path


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(greatseal, ["notify", "test", "--data", str(data), *words])


def test_a_channel_works(data: Path, web: WebReceiver) -> None:
    done = run(data, "oncall")
    assert (done.exit_code, done.stderr) == (0, "")
    ((_, path, headers, body),) = web.got
    assert path == "/hook"
    assert "greatseal-signature" in headers
    assert json.loads(body)["id"] == headers["greatseal-message-id"]
    assert headers["greatseal-message-id"] in done.stdout


def test_mail_to_a_channel_and_to_an_address(data: Path, post: tuple[int, Mailbox]) -> None:
    assert run(data, "people").exit_code == 0
    assert run(data, "mailto:carl@example.com").exit_code == 0
    assert [each.rcpt_tos for each in post[1].envelopes] == [
        ["ann@example.com", "bob@example.com"],
        ["carl@example.com"],
    ]


def test_a_command_works(data: Path) -> None:
    assert run(data, "program").exit_code == 0
    assert json.loads((data / "got").read_text(encoding="utf-8"))["source"] == "greatseal"


def test_what_did_not_arrive_has_a_reason(data: Path) -> None:
    done = run(data, "away")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "away did not take the message: syslog: ConnectionRefusedError\n"
    done = run(data, "away", "--json")
    assert (done.exit_code, json.loads(done.stdout)["delivered"]) == (1, False)


def test_a_url_inside_is_refused(data: Path, web: WebReceiver) -> None:
    done = run(data, f"http://127.0.0.1:{web.port}/")
    assert done.exit_code == 1
    assert "not on the public internet" in done.stderr
    assert web.got == []


def test_a_channel_that_is_none_is_a_mistake(data: Path) -> None:
    done = run(data, "onkall")
    assert done.exit_code == 2
    assert "there is: away, oncall, people, program" in done.stderr


def test_a_secret_that_is_gone_is_a_mistake(data: Path) -> None:
    (data / "secret").unlink()
    done = run(data, "oncall")
    assert done.exit_code == 2
    assert "secret" in done.stderr


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('kind = "webhook"', "`url` must be https://"),
        ('kind = "webhook"\nurl = "http://h/"', "needs a `secret_file`"),
        ('kind = "webhook"\nurl = "https://user:pw@h/"', "without user and password"),
        ('kind = "webhook"\nurl = "https://h/"\nargv = ["x"]', "`argv` is not for the kind webhook"),
        ('kind = "command"', "needs `argv`"),
        ('kind = "command"\nargv = ["x"]\nurl = "https://h/"', "`url` is not for the kind command"),
        ('kind = "email"', "needs `to`"),
        ('kind = "email"\nto = ["a@b"]', "mail needs a server"),
        ('kind = "kafka"\nurl = "kafka://h:1"', "needs `topic`"),
        ('kind = "amqp"\nurl = "amqp://h:1"', "needs `exchange`"),
        ('kind = "nats"\nurl = "nats://h"\nsubject = "s"', "`url` must be nats://"),
        ('kind = "nats"\nurl = "nats://h:1"\nsubject = "s"\nuser = "u"', "`user` and `password_file` go together"),
        ('kind = "syslog"\nurl = "unix://h:1"', "`url` must be udp://"),
        ('kind = "pigeon"', "pigeon"),
    ],
)
def test_a_channel_that_cannot_work_is_refused_at_once(tmp_path: Path, table: str, problem: str) -> None:
    (tmp_path / "greatseal.toml").write_text(f"[channels.x]\n{table}\n", encoding="utf-8")
    done = run(tmp_path, "x")
    assert done.exit_code == 2
    assert problem in done.stderr


def test_a_password_never_crosses_the_network_in_the_clear(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("pw", encoding="utf-8")
    (tmp_path / "greatseal.toml").write_text(
        '[mail]\nhost = "mail.example.com"\nsender = "a@b.c"\ntls = "none"\nuser = "u"\npassword_file = "pw"\n',
        encoding="utf-8",
    )
    done = run(tmp_path, "mailto:a@b.c")
    assert (done.exit_code, "in the clear" in done.stderr) == (2, True)
