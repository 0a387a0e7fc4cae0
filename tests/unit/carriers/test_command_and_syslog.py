"""Commands that hang, fork and fail; syslog over each of its transports."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.command import Command, CommandCarrier
from greatseal.integrations.carriers.syslog import SyslogCarrier
from greatseal.integrations.syslog_wire import SyslogLine
from greatseal.testing import FakeClock
from made_receivers import parcel
from made_tls import Shown

SENT = parcel("command", channel="x")


def sh(script: str, timeout: float = 5.0) -> CommandCarrier:
    return CommandCarrier({"x": Command(("/bin/sh", "-c", script), timeout)})


def failure(carry: Callable[[], None]) -> Undeliverable:
    with pytest.raises(Undeliverable) as failed:
        carry()
    return failed.value


def test_a_command_sees_no_more_than_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREATSEAL_KEK_PASSPHRASE", "a secret of the service")
    sh(f"env > {tmp_path}/env; pwd >> {tmp_path}/env").carry(SENT)
    seen = (tmp_path / "env").read_text(encoding="utf-8")
    names = {line.partition("=")[0] for line in seen.splitlines() if "=" in line}
    assert names - {"_", "PWD", "SHLVL", "OLDPWD"} == {"PATH", "LANG", "GREATSEAL_MESSAGE_ID"}
    assert seen.splitlines()[-1] == "/"


def test_nothing_of_a_message_is_run(tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/pwned) `touch {tmp_path}/pwned`; touch {tmp_path}/pwned\n"
    sent = Parcel("l", "command", {"channel": "x"}, evil, "id\n;touch x")
    sh(f'cat > {tmp_path}/got; printf %s "$GREATSEAL_MESSAGE_ID" > {tmp_path}/id').carry(sent)
    assert (tmp_path / "got").read_text(encoding="utf-8") == evil
    assert (tmp_path / "id").read_text(encoding="utf-8") == "id;touch x"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(("script", "final"), [("exit 1", False), ("exit 65", True), ("kill -9 $$", False)])
def test_how_a_command_ends(script: str, final: bool) -> None:
    assert failure(lambda: sh(script).carry(SENT)).final is final


@pytest.mark.parametrize("script", ["sleep 60", "sleep 60 & wait", "trap '' TERM; while :; do sleep 1; done"])
def test_a_command_that_hangs_is_killed_with_its_children(script: str) -> None:
    began = time.monotonic()
    failed = failure(lambda: sh(script, 0.3).carry(SENT))
    assert time.monotonic() - began < 3
    assert (failed.down, failed.final) == (True, False)


def test_a_command_may_ignore_its_input_and_babble() -> None:
    large = Parcel("l", "command", {"channel": "x"}, "x" * 1_000_000, "id")
    sh("exec 0<&-; head -c 1000000 /dev/zero").carry(large)


def test_a_command_that_is_not_there() -> None:
    carrier = CommandCarrier({"x": Command(("/no/such/program",))})
    failed = failure(lambda: carrier.carry(SENT))
    assert (failed.down, failed.final) == (True, False)
    assert failure(lambda: carrier.carry(parcel("command", channel="y"))).final


def syslog(line: SyslogLine) -> SyslogCarrier:
    return SyslogCarrier({"x": line}, clock=FakeClock(), hostname="host")


def test_syslog_over_tls_and_again_after_the_receiver_hung_up(tmp_path: Path) -> None:
    shown, got, context = Shown(tmp_path), list[bytes](), None
    context = shown.server()
    arrived = threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                raw, _ = server.accept()
                with context.wrap_socket(raw, server_side=True) as connection:
                    got.append(connection.recv(65536))
                arrived.release()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        line = SyslogLine("tls", ("localhost", server.getsockname()[1]), timeout=5, context=shown.client())
        carrier = syslog(line)
        for _ in range(2):
            carrier.carry(parcel("syslog", channel="x"))
            assert arrived.acquire(timeout=10)
            time.monotonic()
        thread.join(10)
        carrier.close()
    assert len(got) == 2
    size, _, message = got[0].partition(b" ")
    assert int(size) == len(message)
    assert message.startswith(b"<133>1 2026-01-15T12:00:00.000000Z host greatseal ")
    assert b" 0d1f7a526a0e4b628a0e0d6f0b1c2d3e - {" in message


def test_syslog_trusts_nobody_else(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            raw, _ = server.accept()
            with pytest.raises(OSError), shown.server().wrap_socket(raw, server_side=True):  # noqa: PT011
                raise OSError

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        line = SyslogLine(
            "tls", ("localhost", server.getsockname()[1]), timeout=5, context=ssl.create_default_context()
        )
        failed = failure(lambda: syslog(line).carry(parcel("syslog", channel="x")))
        thread.join(10)
    assert (failed.down, failed.final) == (True, False)


def test_a_datagram_that_is_too_large_is_a_dead_letter() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        carrier = syslog(SyslogLine("udp", server.getsockname(), timeout=5))
        large = Parcel("l", "syslog", {"channel": "x"}, "x" * 100_000, "id")
        assert failure(lambda: carrier.carry(large)).final
        carrier.close()


def test_a_local_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        carrier = syslog(SyslogLine("unix", str(tmp_path / "log"), timeout=5))
        carrier.carry(parcel("syslog", channel="x"))
        assert server.recv(65536).startswith(b"<133>1 ")
        carrier.close()
