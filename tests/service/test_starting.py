"""What is read before the workers are forked, and that nothing has begun by then."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from faults.services import environment, refused

_PREPARED = """
import json, os, sys, threading, gc
before = sorted(os.listdir("/proc/self/fd"))
from greatseal.app import prepare
prepare()
after = sorted(os.listdir("/proc/self/fd"))
print(json.dumps({
    "files": [before, after], "threads": len(os.listdir("/proc/self/task")), "running": threading.active_count(),
    "frozen": gc.get_freeze_count() > 100_000, "collects": gc.isenabled(), "modules": sorted(sys.modules),
}))
"""
_FORKED = """
import os
from greatseal.app import prepare
prepare()
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.crypto.keypair import generate
from greatseal.kernel.entropy import SystemEntropy
entropy = SystemEntropy()
def draw():
    print(entropy.token_bytes(16).hex(), generate(KeyAlgorithm.EC_prime256v1).reveal().hex(), flush=True)
draw()
for _ in range(3):
    pid = os.fork()
    if not pid:
        draw()
        os._exit(0)
    os.waitpid(pid, 0)
"""


def said(program: str) -> str:
    """What a program prints in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment({}), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_nothing_has_begun_when_workers_are_forked() -> None:
    found: dict[str, Any] = json.loads(said(_PREPARED))
    before, after = found["files"]
    assert after == before
    assert (found["threads"], found["running"]) == (1, 1)
    assert found["frozen"]
    assert found["collects"]
    # What few installations or starts need is not imported.
    assert {"alembic", "botocore", "psycopg"}.isdisjoint(found["modules"])


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    message = refused(tmp_path / "data", GREATSEAL_SERVER_WORKERS="2", GREATSEAL_DATABASE="postgresql://127.0.0.1:1/x")
    assert "127.0.0.1" in message


def test_no_two_processes_draw_the_same() -> None:
    drawn = [word for line in said(_FORKED).splitlines() for word in line.split()]
    assert len(drawn) == len(set(drawn)) == 8
