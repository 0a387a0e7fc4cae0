"""The benchmarks beside the peers: `python bench/run.py [--short | --full] [--only NAME …] [--json FILE] [--docs]`.

The short mode takes under three minutes on two quiet cores; the full mode goes to a million certificates and runs the
other programs of this directory, too. One table is printed, one JSON file written (bench/results/latest.json).
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType

from botocore.exceptions import ClientError
from compared import (
    certificates,
    handshakes,
    issuing,
    keys,
    machine,
    page,
    plan,
    processes,
    scripts,
    shares,
    sizes,
    table,
)
from compared.plan import DURABLE, Plan
from compared.requests import CLIENTS
from compared.results import Results

RESULTS = processes.ROOT / "bench" / "results"
PARTS: dict[str, Callable[[Plan, Results], None]] = {
    each.PART: each.measure for each in (issuing, certificates, keys, handshakes, sizes, shares)
}
# Percentiles of handshakes want 500 samples, which is half an hour; a fifth of it is told as what it is.
SAMPLES = 100


def main() -> int:
    """Measures, prints and writes. Ctrl-C ends it, and everything that it has started."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, _leave)
    plan_ = plan.full(RESULTS, chosen.samples or SAMPLES) if chosen.full else plan.short(RESULTS)
    RESULTS.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    results = _blank(plan_)
    wanted = chosen.only or [*PARTS, *([scripts.PART] if chosen.full else [])]
    failed = []
    for name in wanted:
        _say(f"measuring {name} ({time.perf_counter() - start:.0f} s so far)")
        try:
            _measure(name, plan_, results)
        except (processes.Unavailable, RuntimeError, OSError, AssertionError, ClientError) as error:
            failed.append(name)
            results.missing[name] = (str(error).splitlines() or ["failed"])[-1].replace(f"{processes.ROOT}/", "")
            _say(f"{name} failed: {error}")
    results.seconds = round(time.perf_counter() - start, 1)
    results.write(chosen.json)
    print("\n".join(table.lines(results)))
    print(f"{results.seconds:.0f} s; results: {chosen.json}")
    if chosen.docs and not failed:
        page.write(chosen.json, processes.ROOT / "docs")
        print("docs/benchmarks.md is written from them")
    return 1 if failed or any("failed" in told for told in results.scripts.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--short", action="store_true", help="the default")
    mode.add_argument("--full", action="store_true", help="longer, larger, and the other programs of this directory")
    known = [*PARTS, scripts.PART, *scripts.names()]
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=known, help=", ".join(known))
    parser.add_argument("--samples", type=int, help=f"seconds for each kind of handshake in the full mode ({SAMPLES})")
    parser.add_argument("--json", type=Path, default=RESULTS / "latest.json", metavar="FILE")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and its plots from this run")
    return parser.parse_args()


def _blank(plan_: Plan) -> Results:
    service = {
        "storage": "SQLite, one file in the data directory",
        "durability": "WAL with synchronous=FULL: a commit is on the disk before its answer leaves",
        "workers": plan_.workers,
        "load": f"wrk on the same machine, {CLIENTS} connections, {plan_.seconds:g} s each",
        "commits": DURABLE,
    }
    began = datetime.now().astimezone().isoformat(timespec="minutes")
    versions = machine.versions(processes.peer_versions())
    return Results(plan_.mode, machine.describe(RESULTS), versions, service, began=began)


def _measure(name: str, plan_: Plan, results: Results) -> None:
    if name in PARTS:
        PARTS[name](plan_, results)
    elif name == scripts.PART:
        scripts.measure(results, _say)
    else:
        scripts.measure(results, _say, [name])


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
