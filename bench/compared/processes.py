"""Our service and its peers as child processes on 127.0.0.1. They end with the block, whatever happens."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".venv" / "bench" / "bin"
_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
# Programs of Python start as installed ones do, with their modules compiled, whatever the caller's environment says.
_COMPILED = ROOT / "bench" / "results" / "compiled"
# Filling the pool of RSA keys takes a core for the first seconds, and is not what is measured.
SETTINGS = {f"GREATSEAL_KEYS_POOL_RSA_{size}": "0" for size in (2048, 3072, 4096)}


class Unavailable(Exception):
    """A peer or a tool that is not there; the row is left out, and the reason is told."""


@dataclass(frozen=True)
class Server:
    """A running server: where it is, and how long it took to answer."""

    url: str
    process: "subprocess.Popen[str]"
    start_seconds: float
    client: Mapping[str, str] = field(default_factory=dict)
    """Of ours: the names that the AWS SDKs read, as `greatseal env --json` tells them."""

    def family(self) -> list[int]:
        """The process and all below it."""
        found = [self.process.pid]
        for pid in found:
            with suppress(OSError):
                for path in Path(f"/proc/{pid}/task").glob("*/children"):
                    found += [int(child) for child in path.read_text().split()]
        return found

    def processor_seconds(self) -> float:
        """Processor time of all of its processes so far: what the same work costs on a busy machine, too."""
        ticks = 0
        for pid in self.family():
            with suppress(OSError):
                values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(values[11]) + int(values[12])
        return ticks / _TICKS

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of all of its processes; `pss` counts what they share once."""
        kilobytes = {"rss": 0, "pss": 0}
        for pid in self.family():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    name, _, value = line.partition(":")
                    if name.lower() in kilobytes:
                        kilobytes[name.lower()] += int(value.split()[0])
        return {name: round(value / 1024, 1) for name, value in kilobytes.items()}


@contextmanager
def greatseal(data: Path, workers: int) -> Iterator[Server]:
    """Our service as a user runs it, with its own certificate, on SQLite in `data`."""
    environment = child_environment() | SETTINGS
    program = [sys.executable, "-m", "greatseal"]
    addresses = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--workers", str(workers)]
    with _child([*program, "serve", "--data", str(data), *addresses], data.parent, environment) as (process, began):
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - began
        if not line.startswith("ready "):
            raise RuntimeError(f"the service did not start: {(data.parent / 'errors.log').read_text()[-2000:]}")
        told = subprocess.run(
            [*program, "env", "--json", "--data", str(data)],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        client = json.loads(told.stdout)
        yield Server(client["AWS_ENDPOINT_URL"], process, taken, client)


@contextmanager
def cfssl(folder: Path, certificate: str, key: str) -> Iterator[Server]:
    """`cfssl serve` over TLS with the certificate and key (files of the folder) of its CA. It has no database here."""
    (folder / "cfssl.json").write_text(
        json.dumps({"signing": {"default": {"expiry": "720h", "usages": ["digital signature", "server auth"]}}})
    )
    port = free_port()
    command = ["cfssl", "serve", "-address", "127.0.0.1", "-port", str(port), "-config", "cfssl.json", "-loglevel", "3"]
    files = ["-ca", certificate, "-ca-key", key, "-tls-cert", "tls.pem", "-tls-key", "tls.key"]
    with _child([*command, *files], folder, child_environment()) as (process, began):
        yield Server(f"https://127.0.0.1:{port}", process, _listening(process, port, began))


@contextmanager
def moto(folder: Path) -> Iterator[Server]:
    """`moto_server` as it starts by default: plain HTTP, threads, everything in memory. Signatures are not checked."""
    port = free_port()
    if not (PEERS / "moto_server").exists():
        raise Unavailable("moto_server is not installed: make bench")
    command = [str(PEERS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    client = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
    with _child(command, folder, child_environment() | client) as (process, began):
        yield Server(f"http://127.0.0.1:{port}", process, _listening(process, port, began), client)


@contextmanager
def skipped(missing: dict[str, str], what: str) -> Iterator[None]:
    """The block is left when a peer is not installed, and the reason is kept."""
    try:
        yield
    except Unavailable as reason:
        missing[what] = str(reason)


def peer_versions() -> dict[str, str]:
    """Of those that are installed."""
    found = {}
    with suppress(FileNotFoundError):
        told = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "golang-cfssl"], capture_output=True, text=True)
        found["cfssl (Debian)"] = told.stdout or "missing"
    with suppress(FileNotFoundError):
        words = "import importlib.metadata as m; print(m.version('moto'))"
        told = subprocess.run([str(PEERS / "python"), "-c", words], capture_output=True, text=True)
        found["moto"] = told.stdout.strip() or "missing"
    return found


def child_environment() -> dict[str, str]:
    """Ours, without what would lead a program to another service or configuration."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS", "GREATSEAL", "PYTHONDONTWRITE"))}
    return kept | {"PYTHONPYCACHEPREFIX": str(_COMPILED)}


def free_port() -> int:
    """A port that nobody listened on a moment ago, for programs that cannot pick one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _listening(process: "subprocess.Popen[str]", port: int, began: float) -> float:
    """Seconds until somebody accepts connections there. Raises RuntimeError when the process ends instead."""
    while time.perf_counter() - began < _PATIENCE:
        if process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return time.perf_counter() - began
        time.sleep(0.01)
    raise RuntimeError(f"port {port}: nobody listens")


@contextmanager
def _child(
    command: list[str], folder: Path, environment: dict[str, str]
) -> "Iterator[tuple[subprocess.Popen[str], float]]":
    """A process in a group of its own, so that Ctrl-C reaches it through us alone; asked to end, then made to."""
    began = time.perf_counter()
    with (folder / "errors.log").open("w") as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        except FileNotFoundError as missing:
            raise Unavailable(f"{command[0]} is not installed") from missing
    try:
        yield process, began
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Whatever is left of its group, for instance after a second Ctrl-C.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
