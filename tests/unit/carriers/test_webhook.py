"""What a webhook receiver gets, which answers mean what, and where a stranger's URL does not lead."""

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.carriers.webhook import Hook, WebhookCarrier
from greatseal.kernel.errors import NotFound
from greatseal.kernel.secret import Secret
from greatseal.testing import FakeClock
from made_receivers import WebReceiver, parcel
from made_tls import Shown

CLOCK = FakeClock()


@pytest.fixture
def receiver() -> Iterator[WebReceiver]:
    made = WebReceiver()
    yield made
    made.close()


def carrier(secrets: Mapping[str, str] | None = None, **more: Any) -> WebhookCarrier:
    given = {"clock": CLOCK, "secrets": lambda _: secrets or {}, "allow": ["127.0.0.1"], "timeout": 5.0}
    return WebhookCarrier(**(given | more))


def hook(receiver: WebReceiver, path: str = "/hook?a=b", **address: str) -> Parcel:
    return parcel("webhook", url=f"http://127.0.0.1:{receiver.port}{path}", **address)


def failure(made: WebhookCarrier, sent: Parcel) -> Undeliverable:
    with pytest.raises(Undeliverable) as failed:
        made.carry(sent)
    return failed.value


def test_the_request_as_documented(receiver: WebReceiver) -> None:
    sent = hook(receiver, headers='{"X-Team": "pki", "Content-Type": "text/plain", "Content-Length": "7", "Host": "x"}')
    carrier({"signing": "shared secret"}).carry(sent)
    ((method, path, headers, body),) = receiver.got
    assert (method, path, body) == ("POST", "/hook?a=b", sent.body.encode())
    assert (headers["x-team"], headers["content-type"]) == ("pki", "text/plain")
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["greatseal-message-id"] == sent.message_id
    at, _, signature = headers["greatseal-signature"].removeprefix("t=").partition(",v1=")
    assert int(at) == int(CLOCK.now().timestamp())
    assert signature == hmac.new(b"shared secret", at.encode() + b"." + body, hashlib.sha256).hexdigest()


def test_the_examples_of_the_documentation_verify(receiver: WebReceiver, tmp_path: Path) -> None:
    carrier({"signing": "shared secret"}).carry(hook(receiver))
    ((_, _, headers, body),) = receiver.got
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
    python, shell = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("python", "sh"))
    assert python
    assert shell
    names: dict[str, Any] = {}
    exec(python[1], names)
    names["time"] = SimpleNamespace(time=lambda: CLOCK.now().timestamp() + 200)
    assert names["is_genuine"](b"shared secret", headers["greatseal-signature"], body)
    assert not names["is_genuine"](b"another secret", headers["greatseal-signature"], body)
    assert not names["is_genuine"](b"shared secret", headers["greatseal-signature"], body + b" ")
    names["time"] = SimpleNamespace(time=lambda: CLOCK.now().timestamp() + 301)
    assert not names["is_genuine"](b"shared secret", headers["greatseal-signature"], body)
    if shutil.which("openssl") is None:
        return
    (tmp_path / "body").write_bytes(body)
    at, _, signature = headers["greatseal-signature"].removeprefix("t=").partition(",v1=")
    environment = {"t": at, "secret": "shared secret", "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", shell[1]], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == signature


def test_a_header_is_sent_once(receiver: WebReceiver) -> None:
    headers = '{"AUTHORIZATION": "Bearer x", "content-TYPE": "text/plain", "Greatseal-Message-Id": "y"}'
    carrier({"user": "a", "password": "b"}).carry(hook(receiver, headers=headers))
    got = receiver.got[0][2]
    assert (got["authorization"], got["content-type"]) == ("Basic YTpi", "text/plain")
    assert got["greatseal-message-id"] == hook(receiver).message_id


def test_the_secrets_of_connections(receiver: WebReceiver) -> None:
    carrier({"user": "ann", "password": "p:w", "header:X-More": "1", "query:k": "v w"}).carry(hook(receiver))
    carrier({"name": "X-Api-Key", "value": "key", "body:who": "us", "query:k": "v"}).carry(
        hook(receiver, "/plain", method="PUT")
    )
    (_, path, headers, _), (method, other_path, others, body) = receiver.got
    assert (path, headers["authorization"], headers["x-more"]) == ("/hook?a=b&k=v+w", "Basic YW5uOnA6dw==", "1")
    assert (method, other_path, others["x-api-key"]) == ("PUT", "/plain?k=v", "key")
    assert json.loads(body) == {"detail-type": "Grüße", "who": "us"}


def test_a_connection_that_is_gone_is_a_dead_letter(receiver: WebReceiver) -> None:
    def gone(_: Mapping[str, str]) -> Mapping[str, str]:
        raise NotFound("Connection x does not exist.")

    assert failure(WebhookCarrier(clock=CLOCK, secrets=gone), hook(receiver)).final


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_2xx_is_an_arrival(receiver: WebReceiver, status: int) -> None:
    receiver.status = status
    carrier().carry(hook(receiver))
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("status", "final", "down"),
    [
        *((each, True, False) for each in (300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 413, 422)),
        *((each, False, False) for each in (408, 409, 425, 500, 502, 504, 599)),
        *((each, False, True) for each in (429, 503)),
    ],
)
def test_what_other_answers_mean(receiver: WebReceiver, status: int, final: bool, down: bool) -> None:
    receiver.status = status
    receiver.headers = {"Location": "http://169.254.169.254/latest/meta-data"}
    failed = failure(carrier(), hook(receiver))
    assert (failed.final, failed.down, str(failed).startswith(f"it answered {status}")) == (final, down, True)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("120", timedelta(seconds=120)),
        ("999999999999999", timedelta(days=1)),
        ("Thu, 15 Jan 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Thu, 15 Jan 2025 12:10:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after(receiver: WebReceiver, said: str, heard: timedelta | None) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": said.encode().decode("latin-1")}
    assert failure(carrier(), hook(receiver)).retry_after == heard


INSIDE = [
    *("127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "fc00::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
]


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_address_inside_is_never_connected_to(address: str, scheme: str) -> None:
    made = carrier(allow=[], resolver=lambda host, port: [address])
    failed = failure(made, parcel("webhook", url=f"{scheme}://innocent.example.com/"))
    assert failed.final
    assert "not on the public internet" in str(failed)


def test_one_address_inside_among_public_ones_is_enough_to_refuse() -> None:
    made = carrier(allow=[], resolver=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    assert failure(made, parcel("webhook", url="https://two-faced.example.com/")).final


def test_plain_http_to_the_internet_is_refused() -> None:
    made = carrier(allow=[], resolver=lambda host, port: ["93.184.216.34"])
    assert failure(made, parcel("webhook", url="http://example.com/")).final


def test_the_name_is_asked_once_and_the_answer_is_where_it_goes(receiver: WebReceiver) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    carrier(allow=["hooks.example.com"], resolver=resolver).carry(
        parcel("webhook", url=f"http://hooks.example.com:{receiver.port}/")
    )
    assert asked == ["hooks.example.com"]
    assert receiver.got[0][2]["host"] == f"hooks.example.com:{receiver.port}"


def test_networks_can_be_allowed(receiver: WebReceiver) -> None:
    carrier(allow=["127.0.0.0/8"]).carry(hook(receiver))
    assert failure(carrier(allow=["10.0.0.0/8", "2001:db8::/32"]), hook(receiver)).final


def test_a_channel_may_be_inside_and_is_signed(receiver: WebReceiver) -> None:
    channels = {"x": Hook(f"http://127.0.0.1:{receiver.port}/", Secret(b"s"))}
    carrier(allow=[], channels=channels).carry(parcel("webhook", channel="x"))
    assert "greatseal-signature" in receiver.got[0][2]
    assert failure(carrier(channels=channels), parcel("webhook", channel="y")).final
    cloud = carrier(channels={"x": Hook("https://meta.example")}, resolver=lambda host, port: ["169.254.169.254"])
    assert failure(cloud, parcel("webhook", channel="x")).final


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://example.com/", "https://", "https://u:p@example.com/", "https://example.com:99999/"),
        *(
            "https://exa mple.com/",
            "https://example.com/\r\nX: y",
            "https://[::1",
            "file:///etc/passwd",
            "https://ex\u00e4mple.com/",
        ),
    ],
)
def test_what_is_no_url_is_a_dead_letter(url: str) -> None:
    assert failure(carrier(), parcel("webhook", url=url)).final


@pytest.mark.parametrize("headers", ['{"X": "a\\r\\nY: b"}', '{"X\\r\\nY": "b"}', '{"X": "\\u20ac"}', '{"": "b"}'])
def test_a_header_cannot_bring_another(receiver: WebReceiver, headers: str) -> None:
    failed = failure(carrier(), hook(receiver, headers=headers))
    assert failed.final
    assert receiver.got == []


def test_https_and_its_authorities(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    receiver = WebReceiver(shown.server())
    sent = parcel("webhook", url=f"https://localhost:{receiver.port}/")
    try:
        trusting = carrier(allow=["localhost"], ca_file=shown.certificate, resolver=lambda host, port: ["127.0.0.1"])
        trusting.carry(sent)
        assert len(receiver.got) == 1
        failed = failure(carrier(allow=["localhost"], resolver=lambda host, port: ["127.0.0.1"]), sent)
        assert (failed.down, failed.final, len(receiver.got)) == (True, False, 1)
        other = parcel("webhook", url=f"https://elsewhere.example:{receiver.port}/")
        wrong = carrier(
            allow=["elsewhere.example"], ca_file=shown.certificate, resolver=lambda host, port: ["127.0.0.1"]
        )
        assert failure(wrong, other).down
        assert len(receiver.got) == 1
    finally:
        receiver.close()
