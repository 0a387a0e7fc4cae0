"""The other benchmarks of this directory as parts of the full mode: each in a process of its own, as it is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from compared.processes import ROOT, child_environment
from compared.results import Results

PART = "scripts"
BENCH = ROOT / "bench"
_PATIENCE = 1800
# Sizes between what they do alone, which is quick, and what their goals are set for, which is long.
ARGUMENTS = {"crl": ["200000"], "renewals": ["200"], "signing": ["--files", "300"]}


def names() -> list[str]:
    """Every script but the program itself."""
    return sorted(path.stem for path in BENCH.glob("*.py") if path.stem != "run")


def measure(results: Results, say: Callable[[str], None], only: Sequence[str] = ()) -> None:
    """Runs them one after the other and keeps what they print."""
    for name in only or names():
        say(f"  bench/{name}.py")
        results.scripts[name] = one(BENCH / f"{name}.py", *ARGUMENTS.get(name, []))


def one(script: Path, *arguments: str) -> dict[str, object]:
    """What a script prints: lines for people, and JSON objects. Its failure is told, and stops nothing."""
    environment = child_environment() | {"PYTHONPATH": _path()}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, wrong = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        said, wrong = "", f"not done after {_PATIENCE} s"
    finally:
        _end(process)
    lines = said.splitlines()
    objects = [line for line in lines if line.startswith("{")]
    found: dict[str, object] = {
        "seconds": round(time.perf_counter() - start, 1),
        "lines": [line for line in lines if not line.startswith("{")],
        "results": [json.loads(line) for line in objects],
    }
    if process.returncode:
        found["failed"] = (wrong.splitlines() or ["a goal was not reached"])[-1]
    return found


def _end(process: "subprocess.Popen[str]") -> None:
    """Interrupted as by Ctrl-C, it ends what it has started; whatever is left of its group ends after a while."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _path() -> str:
    """The packages of `src` (or of whoever was put before it) and of `tests`, which make what is measured."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*([given] if given else []), str(ROOT / "src"), str(ROOT / "tests")])
