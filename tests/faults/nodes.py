"""Real `greatseal serve` processes that are killed and started again, and a client that speaks to several of them."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from faults.services import PATIENCE, environment, serve

REGION = "us-east-1"
# What each service calls itself in X-Amz-Target, and the version of its JSON protocol.
_TARGETS = {
    "acm": ("CertificateManager", "1.1"),
    "acm-pca": ("ACMPrivateCA", "1.1"),
    "kms": ("TrentService", "1.1"),
}


class Node:
    """One installation directory and the process on it, which keeps its ports over restarts."""

    def __init__(self, data: Path, *options: str, **settings: str) -> None:
        self.data = data
        self._options = options
        self._settings = settings
        self._ports = ("127.0.0.1:0", "127.0.0.1:0")
        self._log = data.with_name(f"{data.name}.log")
        self.process: subprocess.Popen[str] | None = None
        self.secure = ""
        self.plain = ""

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        command = [*serve(self.data, *self._ports), *self._options]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(self._settings)
            )

    def await_ready(self) -> None:
        """Returns once it says that it answers."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready https://"), self._log.read_text()[-5000:]
        _, self.secure, self.plain = line.split()
        self._ports = (urlsplit(self.secure).netloc, urlsplit(self.plain).netloc)

    def start(self) -> "Node":
        """`launch` and `await_ready`."""
        self.launch()
        self.await_ready()
        return self

    def kill(self) -> None:
        """As `kill -9`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> int:
        """As `systemctl stop`; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self._ended()
        finally:
            self.process.kill()

    def log(self) -> str:
        """All that it has written on standard error."""
        return self._log.read_text()

    def family(self) -> dict[int, list[int]]:
        """The process and what it has started: the children of each."""
        assert self.process is not None
        found: dict[int, list[int]] = {}
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            try:
                # Threads start processes, too, and each has a list of its own.
                text = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children"))
            except OSError:
                continue
            found[pid] = sorted(map(int, text.split()))
            waiting += found[pid]
        return found

    def _ended(self) -> int:
        assert self.process is not None
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def gone(pid: int) -> bool:
    """Whether a process is no more, or only waits for its parent to look."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return True
    return state == "Z"


class Unanswered(Exception):
    """Nobody knows what came of the request: there was no answer, or one that asks for another try."""


class Refused(Exception):
    """The answer is a refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """Signed requests to nodes of one installation, over connections that each thread keeps. Safe between threads."""

    def __init__(self, *nodes: Node, timeout: float = 30.0) -> None:
        self._nodes = nodes
        self._timeout = timeout
        self._thread = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []
        folder = nodes[0].data
        self._tls = ssl.create_default_context(cafile=str(folder / "ca-bundle.pem"))
        root = json.loads((folder / "root-credential.json").read_text())
        self._keys = Credentials(root["access_key_id"], root["secret_access_key"])

    def call(self, at: int, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One request to the node number `at`, without a second try. Raises Unanswered or Refused."""
        prefix, version = _TARGETS[service]
        headers = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": f"application/x-amz-json-{version}"}
        status, body = self.send(at, service, "POST", "/", json.dumps(parameters).encode(), headers)
        answer: dict[str, Any] = json.loads(body) if body else {}
        if status == 200:
            return answer
        raise Refused(answer.get("__type", "").rpartition("#")[2], str(answer))

    def send(
        self, at: int, service: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of a signed request. Raises Unanswered, also for every 5xx."""
        node = self._nodes[at % len(self._nodes)]
        request = AWSRequest(method=method, url=node.secure + path, data=body, headers=headers or {})
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(self._keys, service, REGION).add_auth(request)
        try:
            connection = self._connection(node)
            connection.request(method, path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._hang_up(node)
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        if answer.will_close:
            self._hang_up(node)
        if answer.status >= 500:
            raise Unanswered(f"{answer.status}: {text[:500]!r}")
        return answer.status, text

    def fetch(self, at: int, path: str) -> bytes:
        """What the plain listener of a node has there. Raises Unanswered when it is not 200."""
        node = self._nodes[at % len(self._nodes)]
        connection = http.client.HTTPConnection(urlsplit(node.plain).netloc, timeout=self._timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(str(error)) from error
        finally:
            connection.close()
        if answer.status != 200:
            raise Unanswered(str(answer.status))
        return body

    def _connections(self) -> dict[Node, http.client.HTTPSConnection]:
        if not hasattr(self._thread, "connections"):
            self._thread.connections = {}
        found: dict[Node, http.client.HTTPSConnection] = self._thread.connections
        return found

    def _connection(self, node: Node) -> http.client.HTTPSConnection:
        kept = self._connections()
        if node not in kept:
            address = urlsplit(node.secure).netloc
            kept[node] = http.client.HTTPSConnection(address, timeout=self._timeout, context=self._tls)
            self._opened.append(kept[node])
        return kept[node]

    def _hang_up(self, node: Node) -> None:
        connection = self._connections().pop(node, None)
        if connection is not None:
            self._opened.remove(connection)
            connection.close()

    def close(self) -> None:
        """Closes the connections of all threads, none of which may ask any more."""
        while self._opened:
            self._opened.pop().close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def children_of(node: Node) -> list[int]:
    """The workers of a service."""
    assert node.process is not None
    return node.family().get(node.process.pid, [])


def is_alive(pid: int) -> bool:
    """Whether a signal would reach it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not gone(pid)
