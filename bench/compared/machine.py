"""What numbers depend on: the processor, the disk, how busy the machine was, and the versions of everybody."""

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from cryptography.hazmat.backends.openssl import backend


def describe(folder: Path) -> dict[str, Any]:
    """The machine as it is now; `folder` is where databases will be."""
    return {
        "processor": _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": int(_first(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)") or 0) // 1024,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "file_system": _file_system(folder),
        "fsync_us": _fsync(folder),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions(peers: dict[str, str]) -> dict[str, str]:
    """Our own, and those that the peers told."""
    return {
        "greatseal": metadata.version("greatseal"),
        "commit": _told("git", "describe", "--always", "--dirty"),
        "python": platform.python_version(),
        "cryptography": f"{metadata.version('cryptography')} ({backend.openssl_version_text()})",
        "h2corn": metadata.version("h2corn"),
        "SQLite": sqlite3.sqlite_version,
        "wrk": _told("wrk", "--version").partition("[")[0].replace("wrk", "").strip(),
        **peers,
    }


def _told(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except FileNotFoundError:
        return "missing"
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0] if lines else "unknown"


def _first(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1].strip() if found else None


def _file_system(folder: Path) -> str:
    """The type of the file system that the folder is on: durable commits on tmpfs would be none."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    over = [(at, kind) for at, kind in mounts if folder.resolve().is_relative_to(at)]
    return max(over, key=lambda each: len(each[0]))[1] if over else "unknown"


def _fsync(folder: Path, rounds: int = 30) -> int:
    """Microseconds that the disk takes to keep 4 KiB, the median: what a commit waits for at the least."""
    taken = []
    path = folder / "fsync"
    with path.open("wb") as file:
        for _ in range(rounds):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter_ns()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter_ns() - start)
    path.unlink()
    return round(statistics.median(taken) / 1000)
