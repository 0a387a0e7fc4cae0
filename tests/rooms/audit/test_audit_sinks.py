"""The contract of blocking copies, kept by each sink over real sockets and files; and what a failing one does."""

import http.server
import os
import re
import socket
import socketserver
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from audit_room import Room, caller

from greatseal.crypto.merkle import leaf_hash
from greatseal.domain.audit import AuditFailed, AuditSink, SinkFailed, leaf, newest
from greatseal.integrations.audit_sinks import FileSink, SyslogSink, WebhookSink, sink_at
from greatseal.kernel.secret import Secret
from greatseal.storage.errors import StorageError
from greatseal.testing import FakeClock


class Receiver:
    """The other end of a sink: what it got, and the way to break and mend it."""

    def __init__(self, sink: AuditSink, got: Callable[[int], list[bytes]], break_it: Callable[[], None]) -> None:
        self.sink = sink
        self.got = got
        """The lines, once there are that many."""
        self.break_it = break_it


def file_receiver(tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "copies"
    folder.mkdir()
    path = folder / "audit.jsonl"
    sink = sink_at(f"file://{path}", clock=FakeClock(), hostname="h")

    def break_it() -> None:
        path.unlink(missing_ok=True)
        folder.rmdir()

    def got(count: int) -> list[bytes]:
        tick = threading.Event()
        while count and path.read_bytes().count(b"\n") < count if path.exists() else count:
            tick.wait(0.001)
        return path.read_bytes().splitlines() if count else []

    yield Receiver(sink, got, break_it)
    sink.close()


class Lines:
    """Lines that arrive on other threads."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._changed = threading.Condition()

    def add(self, lines: list[bytes]) -> None:
        with self._changed:
            self._lines += lines
            self._changed.notify_all()

    def wait(self, count: int) -> list[bytes]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._lines) >= count, timeout=30)
            return list(self._lines)


_SYSLOG = re.compile(rb"<109>1 2026-01-15T12:00:00\.000000Z host greatseal [0-9]+ audit - (.*)", re.DOTALL)


def message(data: bytes) -> bytes:
    found = _SYSLOG.fullmatch(data)
    assert found, data
    return found[1]


def unix_receiver(tmp_path: Path) -> Iterator[Receiver]:
    path = tmp_path / "log"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(path))
    server.settimeout(30)
    sink = sink_at(f"unix://{path}", clock=FakeClock(), hostname="host")

    def break_it() -> None:
        server.close()
        path.unlink()

    yield Receiver(sink, lambda count: [message(server.recv(1 << 20)) for _ in range(count)], break_it)
    sink.close()
    server.close()


def udp_receiver(tmp_path: Path) -> Iterator[Receiver]:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(30)
    sink = sink_at(f"udp://127.0.0.1:{server.getsockname()[1]}", clock=FakeClock(), hostname="host")
    yield Receiver(sink, lambda count: [message(server.recv(1 << 16)) for _ in range(count)], server.close)
    sink.close()
    server.close()


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def tcp_receiver(tmp_path: Path) -> Iterator[Receiver]:
    lines = Lines()
    connections: list[socket.socket] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            connections.append(self.connection)
            size = b""
            with suppress(OSError, ValueError):
                while byte := self.rfile.read(1):
                    if byte != b" ":
                        size += byte
                        continue
                    lines.add([message(self.rfile.read(int(size)))])
                    size = b""

    server = TcpServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    sink = sink_at(f"tcp://127.0.0.1:{server.server_address[1]}", clock=FakeClock(), hostname="host")

    def break_it() -> None:
        server.shutdown()
        server.server_close()
        for each in connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    yield Receiver(sink, lines.wait, break_it)
    sink.close()
    break_it()
    thread.join()


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 204
    lines: Lines
    seen: list[str | None]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.headers["content-type"] == "application/x-ndjson"
        self.seen.append(self.headers["authorization"])
        if self.status == 204:
            self.lines.add(body.splitlines())
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def hook_receiver(tmp_path: Path) -> Iterator[Receiver]:
    handler = type("Handler", (Hook,), {"lines": Lines(), "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/audit?x=1"
    sink = sink_at(url, clock=FakeClock(), hostname="host", token=Secret(b"t0ken"))

    def break_it() -> None:
        handler.status = 503

    yield Receiver(sink, handler.lines.wait, break_it)
    assert set(handler.seen) <= {"Bearer t0ken"}
    sink.close()
    server.shutdown()
    server.server_close()
    thread.join()


RECEIVERS = {
    "file": file_receiver,
    "unix": unix_receiver,
    "udp": udp_receiver,
    "tcp": tcp_receiver,
    "webhook": hook_receiver,
}


@pytest.fixture(params=RECEIVERS)
def receiver(request, tmp_path) -> Iterator[Receiver]:
    yield from RECEIVERS[request.param](tmp_path)


class TestTheContract:
    """What every sink does."""

    def test_lines_arrive_whole_and_in_order(self, receiver):
        receiver.sink.write([b'{"n":1}', '{"n":"é"}'.encode()])
        receiver.sink.write([b'{"n":3}'])
        assert receiver.got(3) == [b'{"n":1}', '{"n":"é"}'.encode(), b'{"n":3}']

    def test_long_lines_arrive_whole(self, receiver):
        line = b"x" * 60_000
        receiver.sink.write([line])
        assert receiver.got(1) == [line]

    def test_lines_of_many_threads_do_not_mix(self, receiver):
        def write(number: int) -> None:
            for each in range(10):
                receiver.sink.write([b"%d-%d-%s" % (number, each, b"x" * 500)] * 2)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        lines = receiver.got(80)
        for thread in threads:
            thread.join()
        assert len(lines) == 80
        assert len(set(lines)) == 40
        assert all(re.fullmatch(rb"[0-9]-[0-9]-x{500}", line) for line in lines)

    @pytest.mark.parametrize("before", [0, 1])
    def test_a_broken_receiver_is_an_os_error(self, receiver, before):
        receiver.sink.write([b"before"] * before)
        receiver.got(before)
        receiver.break_it()
        assert fails(receiver.sink)


def fails(sink: AuditSink) -> bool:
    """Whether a write fails; UDP hears of a closed port only with the datagram after the first lost one."""
    for _ in range(3):
        try:
            sink.write([b"after"])
        except OSError:
            return True
    return False


class TestFile:
    """Files in particular."""

    def test_only_the_owner_reads_it(self, tmp_path):
        FileSink(tmp_path / "f").write([b"x"])
        assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600

    def test_a_file_that_was_moved_away_is_made_again(self, tmp_path):
        sink = FileSink(tmp_path / "f")
        sink.write([b"1"])
        (tmp_path / "f").rename(tmp_path / "f.1")
        sink.write([b"2"])
        assert ((tmp_path / "f.1").read_bytes(), (tmp_path / "f").read_bytes()) == (b"1\n", b"2\n")

    def test_a_line_that_was_cut_short_spoils_no_other(self, tmp_path, monkeypatch):
        sink = FileSink(tmp_path / "f")
        real = os.write

        def half(descriptor: int, data: bytes) -> int:
            if len(data) > 4:
                return real(descriptor, data[:4])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            sink.write([b"1234567"])
        monkeypatch.undo()
        sink.write([b"whole"])
        assert (tmp_path / "f").read_bytes() == b"1234\nwhole\n"
        (tmp_path / "g").write_bytes(b"left by a crash")
        FileSink(tmp_path / "g").write([b"whole"])
        assert (tmp_path / "g").read_bytes() == b"left by a crash\nwhole\n"

    def test_a_link_is_not_followed(self, tmp_path):
        (tmp_path / "target").touch()
        (tmp_path / "f").symlink_to(tmp_path / "target")
        with pytest.raises(OSError, match="f"):
            FileSink(tmp_path / "f").write([b"x"])


def test_a_receiver_that_hung_up_is_noticed_and_called_again():
    """Otherwise the kernel would take the first line after the hang-up and throw it away."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(30)
    sink = SyslogSink("tcp", server.getsockname(), clock=FakeClock(), hostname="host")
    sink.write([b"one"])
    first, _ = server.accept()
    assert b"one" in first.recv(1000)
    first.close()
    sink.write([b"two"])
    second, _ = server.accept()
    assert b"two" in second.recv(1000)
    second.close()
    server.close()
    sink.close()


def test_a_datagram_that_is_too_long_is_refused():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    sink = SyslogSink("udp", server.getsockname(), clock=FakeClock(), hostname="host")
    with pytest.raises(OSError, match="long"):
        sink.write([b"x" * 70_000])
    sink.close()
    server.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "audit.log",
        "file://host/x",
        "file:x",
        "udp://host",
        "tcp://:1",
        "ftp://x/y",
        "http://example.com/",
        "https://",
    ],
)
def test_urls_that_name_no_sink(url):
    with pytest.raises(ValueError, match=r"expected|https"):
        sink_at(url, clock=FakeClock(), hostname="h")


def test_a_webhook_keeps_no_password_in_its_url():
    with pytest.raises(ValueError, match="without user"):
        WebhookSink("https://user:secret@example.com/")


class Failing:
    """A sink that fails when told to."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.broken = False

    def write(self, lines) -> None:
        if self.broken:
            raise OSError("the disk of the copy is full")
        self.lines += lines


def test_copies_are_the_very_bytes_of_the_leaves(storage):
    sink = Failing()
    room = Room(storage, sinks=[sink])
    room.act(2)
    room.clock.advance(timedelta(seconds=1))
    room.audit.record_call(caller("acm:ListCertificates"))
    records = list(reversed(newest(storage, 5)))
    assert sink.lines == [leaf.encode(record) for record in records]
    assert [leaf.decode(line) for line in sink.lines] == records
    assert len(leaf_hash(sink.lines[0])) == 32


def test_when_a_copy_fails_the_act_fails_and_nothing_is_stored(storage):
    good, bad = Failing(), Failing()
    room = Room(storage, sinks=[good, bad])
    bad.broken = True
    with pytest.raises(SinkFailed):
        room.act()
    with pytest.raises(AuditFailed):
        room.audit.record_call(caller())
    assert newest(storage, 5) == []
    assert not issubclass(SinkFailed, StorageError)
    assert len(good.lines) == 2, "a line may tell of an act that failed afterwards"
    bad.broken = False
    room.act()
    assert len(newest(storage, 5)) == 1
    room.sign()
    assert room.verify().ok
