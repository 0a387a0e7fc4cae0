"""Real `greatseal serve` processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Keys made ahead would only keep the processor busy.
_NO_POOL = {f"GREATSEAL_KEYS_POOL_RSA_{size}": "0" for size in (2048, 3072, 4096)}
PATIENCE = 120


def serve(data: Path, listen: str = "127.0.0.1:0", http: str = "127.0.0.1:0") -> list[str]:
    """The command that serves a directory."""
    return [sys.executable, "-m", "greatseal", "serve", "--listen", listen, "--http", http, "--data", str(data)]


def environment(more: dict[str, str]) -> dict[str, str]:
    """That of the tests, without settings that somebody has made, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GREATSEAL_")}
    return {**kept, **_NO_POOL, **more}


@contextmanager
def running(data: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service that has said `ready`, and its plain URL; ended by SIGTERM unless the block killed it."""
    log = data.with_name(data.name + ".log").open("w")
    process = subprocess.Popen(serve(data), stdout=subprocess.PIPE, stderr=log, text=True, env=environment(settings))
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready https://"), data.with_name(data.name + ".log").read_text()
        yield process, line.split()[2]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            log.close()


def refused(data: Path, **settings: str) -> str:
    """Starts a service that must refuse to start; what it says on standard error."""
    ended = subprocess.run(
        serve(data),
        capture_output=True,
        text=True,
        env=environment(settings),
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "the service did not start" in ended.stderr
    return " ".join(ended.stderr.split())
