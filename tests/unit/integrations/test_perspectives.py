"""Remote perspectives: the quorum, and agents that lie, hang, are down or are somebody else's."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn

from greatseal.domain.validation.ports import ControlFailure as Failure
from greatseal.domain.validation.ports import Finding
from greatseal.integrations.domain_control.agent import PerspectiveApp
from greatseal.integrations.domain_control.perspectives import Corroborated, Place, RemotePerspective, client_context
from greatseal.integrations.domain_control.questions import CnameQuestion
from greatseal.integrations.domain_control.quorum import Vote, dissent_allowed, weigh
from made_authorities import Authority

GOOD, BAD = Finding(True), Finding(False, Failure.WRONG_VALUE, "it leads elsewhere")


class Told:
    """A control that says what a test tells it to."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.asked: list[tuple] = []

    def cname(self, name, value):
        self.asked.append(("cname", name, value))
        return self.finding

    def http(self, url, content):
        self.asked.append(("http", url, content))
        return self.finding

    def caa_for(self, issuers, domain, **more):
        self.asked.append(("caa", tuple(issuers), domain, more))
        return self.finding


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("foreign"), "foreign")


@contextmanager
def agent(control: Told, shown: Authority, trusted: Authority) -> Iterator[int]:
    """A real agent; its port."""
    certificate, key = shown.issue("agent")
    config = uvicorn.Config(
        PerspectiveApp(control),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(trusted.certificate),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


@contextmanager
def stranger(shown: Authority, answer: bytes | None) -> Iterator[int]:
    """A TLS server that answers anything with these octets, or is silent."""
    certificate, key = shown.issue("stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[ssl.SSLSocket] = []

        def run() -> None:
            while True:
                try:
                    raw, _ = listening.accept()
                    stream = context.wrap_socket(raw, server_side=True)
                    asked = b""
                    while b"}" not in asked:  # what is not read ends the connection with a reset
                        asked += stream.recv(65536)
                    if answer is None:
                        held.append(stream)
                    else:
                        stream.sendall(answer)
                        stream.close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for each in held:
            each.close()


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def remote(port: int, ours: Authority, *, seconds: float = 5, name: str = "far", region: str = "ARIN"):
    certificate, key = ours.issue("client")
    context = client_context(ours.certificate, certificate, key)
    return RemotePerspective(Place(name, "127.0.0.1", port, region), context, seconds)


def test_the_three_questions(ours):
    control = Told(GOOD)
    here = Told(GOOD)
    with agent(control, ours, ours) as port:
        joined = Corroborated(
            here, [remote(port, ours)], regions=1, alone=lambda name: name.endswith(".inside"), issuers=("ca.example",)
        )
        assert joined.cname("_a.example.com", "_b.example").perspectives == (("far", True, ""),)
        assert joined.http("http://example.com/x", "y").ok
        assert joined.caa("example.com", wildcard=True, method="dns", account_uri="acct:1").ok
        assert joined.cname("_a.host.inside", "_b.example").perspectives == ()
        assert joined.http("http://host.inside/x", "y").perspectives == ()
        here.finding = BAD
        assert joined.cname("_a.example.com", "_b.example") == BAD
        joined.close()
    assert control.asked == [
        ("cname", "_a.example.com", "_b.example"),
        ("http", "http://example.com/x", "y"),
        ("caa", ("ca.example",), "example.com", {"wildcard": True, "method": "dns", "account_uri": "acct:1"}),
    ]


def test_one_of_three_may_see_something_else(ours):
    controls = [Told(GOOD), Told(GOOD), Told(BAD)]
    with ExitStack() as stack:
        ports = [stack.enter_context(agent(each, ours, ours)) for each in controls]
        remotes = [
            remote(port, ours, name=f"at-{region}", region=region)
            for port, region in zip(ports, ("ARIN", "RIPE", "APNIC"), strict=True)
        ]
        joined = Corroborated(Told(GOOD), remotes, regions=2, alone=lambda _: False)
        found = joined.cname("_a.example.com", "_b.example")
        assert found.ok
        assert found.perspectives[2] == ("at-APNIC", False, "it leads elsewhere")
        controls[0].finding = BAD
        found = joined.cname("_a.example.com", "_b.example")
        assert (found.ok, found.failure) == (False, Failure.DISAGREEMENT)
        assert "2 of 3" in found.detail
        joined.close()


def _answer(**content):
    return http(json.dumps(content).encode())


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"SSH-2.0-x\r\n",
        http(b"{}"),
        http(b"\xff\xfe"),
        http(b'{"ok": true}', "500 x"),
        _answer(ok=True, failure="caa"),
        _answer(ok=False),
        _answer(ok="yes"),
        _answer(ok=False, failure="no-such"),
        _answer(ok=True, more=1),
        http(b'{"ok": true, "detail": "' + b"x" * 100_000 + b'"}'),
    ],
)
def test_agents_that_talk_nonsense(ours, answer):
    with stranger(ours, answer) as port:
        found = remote(port, ours, seconds=0.5).ask(_question())
    assert not found.ok
    assert found.failure == Failure.NO_ANSWER


def test_an_agent_that_lies_is_one_voice(ours):
    with stranger(ours, _answer(ok=False, failure="not-found", detail="\x1b[2J gone")) as port:
        found = remote(port, ours).ask(_question())
    assert found == Finding(False, Failure.NOT_FOUND, "?[2J gone")


def test_certificates_of_a_foreign_ca_with_the_same_name(ours, foreign):
    with stranger(foreign, _answer(ok=True)) as port:
        assert not remote(port, ours).ask(_question()).ok
    with agent(Told(GOOD), ours, foreign) as port:
        assert not remote(port, ours).ask(_question()).ok


def test_an_agent_that_is_down(ours):
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    assert "no answer" in remote(port, ours).ask(_question()).detail


@pytest.mark.parametrize("body", [b"", b"{}", b'{"check": "other"}', b'{"check": "cname", "name": 1}', b"[" * 5000])
def test_the_agent_refuses_nonsense(ours, body):
    with agent(Told(GOOD), ours, ours) as port:
        context = remote(port, ours)._context
        raw = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
        with raw:
            raw.settimeout(5)
            raw.sendall(b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert raw.recv(100).startswith(b"HTTP/1.1 400 ")


def _question():
    return CnameQuestion("_a.example.com", "_b.example")


@pytest.mark.parametrize(("asked", "allowed"), [(0, 0), (1, 0), (2, 1), (3, 1), (5, 1), (6, 2), (9, 2)])
def test_the_table_of_the_baseline_requirements(asked, allowed):
    assert dissent_allowed(asked) == allowed


def test_regions():
    votes = [Vote("a", "ARIN", GOOD), Vote("b", "ARIN", GOOD), Vote("c", "RIPE", BAD)]
    assert "fewer than 2 regions" in weigh(votes, 2).detail
    assert weigh(votes, 1).ok
    assert weigh([*votes, Vote("d", "APNIC", GOOD)], 2).ok
    assert weigh([*votes, Vote("d", "APNIC", BAD)], 1).failure == Failure.DISAGREEMENT
