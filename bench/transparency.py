"""What our log takes: `PYTHONPATH=src:tests python bench/transparency.py [ENTRIES]`.

Chains are submitted from several threads, as requests come: each is parsed, its signatures are verified, its entry
is stored with tiles, head and checkpoint on the disk (SQLite, and a checkpoint file with fsync), and only then its SCT
counts. Prints a line for people and one JSON object for programs.
"""

import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from greatseal.app.transparency import TransparencyWishes
from greatseal.integrations.checkpoint_folders import CheckpointFolders
from greatseal.kernel.clock import SystemClock
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import Installation
from greatseal.x509 import sct
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.general_names import dns
from made_certificates import LEAF, ROOT, SUBORDINATE

GOAL = 1000
_ABOVE = (SUBORDINATE.sign().der, ROOT.sign().der)
_THREADS = 64


def chain(number: int) -> tuple[bytes, ...]:
    """A chain of three whose precertificate is the number's own."""
    san = subject_alternative_name([dns(f"h{number}.example.com")])
    return (LEAF.but(serial=2**100 + number, add=(san, sct.POISON)).sign().der, *_ABOVE)


def measure(count: int) -> dict[str, object]:
    """Entries a second, and how long the slowest of a hundred waited, in milliseconds."""
    chains = [chain(number) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        keeper = CheckpointFolders((Path(folder) / "checkpoints",))
        wishes = replace(TransparencyWishes(), roots=(ROOT.sign().der,), keeper=keeper)
        logs = Installation(storage, clock=SystemClock(), logged=wishes).rooms.transparency.logs  # type: ignore[arg-type]
        log = logs.active()[0]
        waits: list[float] = []
        lock = threading.Lock()

        def submit(sent: tuple[bytes, ...]) -> None:
            started = time.perf_counter()
            log.add(logs.candidate(sent, precertificate=True))
            with lock:
                waits.append(time.perf_counter() - started)

        started, worked = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(_THREADS) as crew:
            for _ in crew.map(submit, chains):
                pass
        seconds, busy = time.perf_counter() - started, time.process_time() - worked
        size = logs.reading(log.record.id).signed_head().head.size
        assert size == count
        storage.close()
    waits.sort()
    return {
        "entries": count,
        "per_second": round(count / seconds),
        "cpu_microseconds": round(busy / count * 1e6),
        "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
    }


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    found = measure(count)
    print(
        f"{count} entries, {_THREADS} at a time: {found['per_second']} a second (goal: {GOAL}), durable before the SCT "
        f"leaves; {found['cpu_microseconds']} µs of work for each, half wait {found['p50_ms']} ms, "
        f"p99 {found['p99_ms']} ms"
    )
    print(json.dumps({"name": "transparency", "goal": GOAL, **found}))


if __name__ == "__main__":
    sys.exit(main())
