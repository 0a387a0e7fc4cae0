"""`make bench`, one part of it: what is measured is kept, and whoever ends it leaves no process behind."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from house.tree import ROOT
from interop.programs import environment

pytestmark = pytest.mark.interop
PATIENCE = 120.0


def start(result: Path) -> "subprocess.Popen[str]":
    """Measures calls of KMS."""
    return subprocess.Popen(
        [sys.executable, ROOT / "bench" / "run.py", "--only", "keys", "--json", result],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def below(pid: int) -> list[int]:
    """Every process that this one has started, and those that they have."""
    found = [pid]
    for each in found:
        for path in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in path.read_text().split()]
    return found[1:]


def until(holds: Callable[[], bool], what: str) -> None:
    """Looks until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        threading.Event().wait(0.1)


def test_a_part_runs_and_is_kept(tmp_path: Path) -> None:
    with start(tmp_path / "results.json") as running:
        said, _ = running.communicate(timeout=2 * PATIENCE)
    assert running.returncode == 0, said
    told = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    names = [row["name"] for row in told["rows"]]
    assert names == ["KMS Sign P-256", "KMS Sign ML-DSA-65", "KMS GenerateDataKey"]
    row = told["rows"][0]
    assert row["ours"]["value"] > 0
    assert row["ours"]["details"]["processor µs"] > 0
    assert 0 < row["ratios"]["signature alone"] < 1
    assert any(line.startswith("KMS Sign P-256 ") for line in said.splitlines())


def test_nothing_is_left_when_it_is_ended(tmp_path: Path) -> None:
    with start(tmp_path / "results.json") as running:
        until(lambda: len(below(running.pid)) >= 2, "no service starts")
        family = below(running.pid)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=PATIENCE)
    assert running.returncode == 128 + signal.SIGTERM
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "a process is left behind")
    assert not (tmp_path / "results.json").exists()
