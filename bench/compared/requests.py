"""Requests that are signed once and sent often, and the load that wrk makes of them."""

import json
import re
import ssl
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session

from compared.processes import Server, Unavailable
from compared.results import Figure

CLIENTS = 64
# Before it is measured: a crowd that meets a service which has just started is another question.
_FIRST_CLIENTS = 8
_TARGETS = {"acm": "CertificateManager", "acm-pca": "ACMPrivateCA", "kms": "TrentService"}
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class Refused(RuntimeError):
    """Some answers of a load were no good ones."""


@dataclass(frozen=True)
class Request:
    """A POST, ready to be sent to any connection; a signature is good for a quarter of an hour."""

    url: str
    headers: Mapping[str, str]
    body: str

    def octets(self) -> bytes:
        """As HTTP/1.1, for a connection that is kept."""
        host, path = re.fullmatch(r"https?://([^/]+)(/.*)", self.url).groups()  # type: ignore[union-attr]
        body = self.body.encode()
        lines = [f"POST {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def aws_request(server: Server, service: str, operation: str, body: Mapping[str, Any]) -> Request:
    """An AWS JSON 1.1 request, signed for the server's credentials."""
    text = json.dumps(body)
    made = AWSRequest(
        "POST",
        f"{server.url}/",
        headers={"x-amz-target": f"{_TARGETS[service]}.{operation}", "content-type": "application/x-amz-json-1.1"},
        data=text,
    )
    keys = Credentials(server.client["AWS_ACCESS_KEY_ID"], server.client["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, service, server.client["AWS_DEFAULT_REGION"]).add_auth(made)
    return Request(f"{server.url}/", dict(made.headers.items()), text)


def plain_request(server: Server, path: str, body: Mapping[str, Any]) -> Request:
    """A POST of JSON without a signature."""
    return Request(f"{server.url}{path}", {"content-type": "application/json"}, json.dumps(body))


def client(server: Server, service: str) -> Any:
    """A client of the AWS SDK for what is not measured."""
    session = Session()
    session.set_credentials(server.client["AWS_ACCESS_KEY_ID"], server.client["AWS_SECRET_ACCESS_KEY"])
    return session.create_client(
        service,
        region_name=server.client["AWS_DEFAULT_REGION"],
        endpoint_url=server.url,
        verify=server.client.get("AWS_CA_BUNDLE"),
        config=Config(retries={"max_attempts": 2}),
    )


def connection(server: Server) -> HTTPConnection:
    """A connection that stays open; its certificate is checked when it is ours."""
    parts = urlsplit(server.url)
    if parts.scheme == "http":
        return HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    context = ssl.create_default_context(cafile=server.client["AWS_CA_BUNDLE"])
    return HTTPSConnection(parts.hostname or "", parts.port, timeout=120, context=context)


def answer(to: HTTPConnection, request: Request) -> Any:
    """The answer of AWS JSON. Raises RuntimeError for a refusal."""
    to.request("POST", urlsplit(request.url).path, request.body.encode(), dict(request.headers))
    response = to.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(body.decode(errors="replace"))
    return json.loads(body or b"{}")


def milliseconds(server: Server, request: Request, seconds: float, most: int = 100) -> float:
    """The median of one request after the other; at least three are counted, and one before them is not."""
    taken: list[float] = []
    with closing(connection(server)) as to:
        answer(to, request)
        end = time.perf_counter() + seconds
        while len(taken) < 3 or (time.perf_counter() < end and len(taken) < most):
            start = time.perf_counter()
            answer(to, request)
            taken.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(taken), 2)


def loaded(
    who: str,
    server: Server,
    request: Request,
    folder: Path,
    seconds: float,
    says: str = "",
    *,
    clients: int = CLIENTS,
) -> Figure:
    """Requests a second of wrk on so many connections, after a warm-up; every answer counts, so none may be a refusal.

    A service that sheds load is asked by half as many, until it refuses nothing. Raises Refused when one is too many.
    """
    script = folder / "load.lua"
    script.write_text("\n".join(_script(request)), encoding="utf-8")
    try:
        _wrk(script, request.url, 1, min(clients, _FIRST_CLIENTS))
        worked = server.processor_seconds()
        said = _wrk(script, request.url, seconds, clients)
        worked = server.processor_seconds() - worked
    except Refused:
        if clients == 1:
            raise
        return loaded(who, server, request, folder, seconds, says, clients=clients // 2)
    many, count = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    assert many, said
    assert count, said
    if count[1] == "0":
        raise RuntimeError(f"{who} answered nothing within {seconds} s")
    details = {f"p{each} ms": _percentile(said, each) for each in (50, 99)}
    details["processor µs"] = round(worked / int(count[1]) * 1e6)
    if clients != CLIENTS:
        details["connections"] = clients
    return Figure(who, round(float(many[1]), 1), details, says)


def _script(request: Request) -> Iterator[str]:
    yield 'wrk.method = "POST"'
    yield f"wrk.body = [=[{request.body}]=]"
    for name, value in request.headers.items():
        yield f'wrk.headers["{name}"] = [=[{value}]=]'


def _wrk(script: Path, url: str, seconds: float, clients: int) -> str:
    command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "30s"]
    try:
        said = subprocess.run([*command, "-s", script, url], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as missing:
        raise Unavailable("wrk is not installed") from missing
    if wrong := re.search(r"Non-2xx.*|Socket errors.*", said):
        raise Refused(f"wrk with {clients} connections: {wrong[0]}")
    return said


def _percentile(said: str, which: int) -> float:
    found = re.search(rf"\s{which}%\s+([\d.]+)(us|ms|s|m)\b", said)
    assert found, said
    return round(float(found[1]) * _MILLISECONDS[found[2]], 2)
