"""The wire to a CA upstream when the CA, or what stands in front of it, misbehaves."""

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.keypair import encode_public, generate, load_private
from greatseal.crypto.signature import SoftwareSigner
from greatseal.domain.upstream.ports import Account, Problem
from greatseal.integrations.upstream import AcmeClient
from greatseal.integrations.upstream.transport import Reply, Transport
from greatseal.testing import FakeClock

BASE = "https://ca.test"
DIRECTORY = {name: f"{BASE}/{name}" for name in ("newNonce", "newAccount", "newOrder")}


class Wire:
    """Stands for the transport: what was sent, and what is answered next."""

    def __init__(self, *replies: Reply, directory: dict[str, Any] = DIRECTORY) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self._replies = list(replies)
        self._directory = directory

    def send(self, method: str, url: str, body: bytes | None = None, accept: str = "") -> Reply:
        if url == f"{BASE}/directory":
            return reply(200, self._directory)
        self.sent.append((method, url, None if body is None else msgspec.json.decode(body)))
        if method == "HEAD":
            return Reply(200, {"replay-nonce": f"nonce{len(self.sent)}"}, b"")
        return self._replies.pop(0)


def reply(status: int, content: object, **headers: str) -> Reply:
    kind = "application/problem+json" if status >= 400 else "application/json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"content-type": kind, **named}, msgspec.json.encode(content))


def problem(kind: str, status: int = 400, **headers: str) -> Reply:
    return reply(status, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "told"}, **headers)


def client(wire: Wire) -> AcmeClient:
    return AcmeClient(f"{BASE}/directory", transport=wire, clock=FakeClock())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def account() -> Account:
    key = load_private(generate(KeyAlgorithm.EC_prime256v1))
    spki = encode_public(key.public_key())
    return Account(SoftwareSigner(key, KeyAlgorithm.EC_prime256v1, spki), f"{BASE}/account/1")


def test_a_nonce_that_was_rejected_is_replaced_and_a_fresh_one_kept(account: Account) -> None:
    wire = Wire(problem("badNonce", replay_nonce="two"), reply(200, {"status": "pending"}, replay_nonce="three"))
    assert client(wire).look(account, f"{BASE}/order/1").members == {"status": "pending"}
    assert [method for method, _, _ in wire.sent] == ["HEAD", "POST", "POST"]


def test_a_ca_that_rejects_every_nonce_is_left_alone(account: Account) -> None:
    wire = Wire(*(problem("badNonce", replay_nonce="again") for _ in range(9)))
    with pytest.raises(Problem) as refused:
        client(wire).look(account, f"{BASE}/order/1")
    assert refused.value.is_passing
    assert len(wire.sent) == 4


@pytest.mark.parametrize(
    ("answer", "passing"),
    [
        (Reply(502, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>"), True),
        (Reply(404, {"content-type": "text/html"}, b"gone"), True),
        (Reply(200, {}, b"[1]"), True),
        (Reply(200, {}, b"\xff"), True),
        (Reply(301, {"location": "https://elsewhere.test/"}, b""), True),
        (problem("rateLimited", 429), True),
        (problem("malformed"), False),
        (reply(403, {"type": 7, "detail": None, "subproblems": [3, {"type": "x:caa"}]}), False),
        (reply(503, {"type": "about:blank"}), True),
    ],
)
def test_answers_that_are_none(account: Account, answer: Reply, passing: bool) -> None:
    with pytest.raises(Problem) as refused:
        client(Wire(answer)).look(account, f"{BASE}/order/1")
    assert refused.value.is_passing is passing


@pytest.mark.parametrize("text", ["1800", format_datetime(FakeClock().now() + timedelta(minutes=30), usegmt=True)])
def test_when_to_ask_again(account: Account, text: str) -> None:
    with pytest.raises(Problem) as refused:
        client(Wire(problem("rateLimited", 429, retry_after=text))).look(account, f"{BASE}/order/1")
    assert refused.value.retry_after == timedelta(minutes=30)


def test_a_profile_that_the_ca_does_not_have_is_not_left_out(account: Account) -> None:
    wire = Wire()
    with pytest.raises(Problem, match="no profile 'tlsserver'"):
        client(wire).new_order(account, ["example.com"], profile="tlsserver", replaces=None)
    assert wire.sent == []


@pytest.mark.parametrize("window", [None, [], {"start": "x", "end": "y"}, {"start": "2026-01-02T00:00:00Z"}])
def test_a_window_that_cannot_be_read(window: object) -> None:
    with pytest.raises(Problem, match="no window"):
        client(Wire(reply(200, {"suggestedWindow": window}))).renewal_window(f"{BASE}/ari/x")


@pytest.mark.parametrize("url", ["http://ca.test/x", "file:///etc/passwd", "https://u:p@ca.test/", "https:///x", ""])
def test_nothing_but_https_is_asked(url: str) -> None:
    with pytest.raises(Problem, match="not at https"):
        Transport(ca_file=None, timeout=1).send("GET", url)
