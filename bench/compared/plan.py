"""How much a run measures."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

DURABLE = "committed to SQLite (WAL, synchronous FULL)"


@dataclass(frozen=True)
class Plan:
    """What `--short` and `--full` mean. `folder` is where databases are made: on a disk, not in memory."""

    mode: str
    folder: Path
    seconds: float
    """How long one load lasts."""
    samples: int
    """Samples of a second for each kind of handshake."""
    sizes: tuple[int, ...]
    """Numbers of certificates that growth is measured at."""
    workers: int = os.cpu_count() or 1

    @contextmanager
    def room(self) -> Iterator[Path]:
        """An empty directory that is gone afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="bench-", dir=self.folder) as made:
            yield Path(made)


def short(folder: Path) -> Plan:
    """Under three minutes."""
    return Plan("short", folder, seconds=3, samples=4, sizes=(0, 1_000, 20_000))


def full(folder: Path, samples: int) -> Plan:
    """As long as it takes."""
    return Plan("full", folder, seconds=20, samples=samples, sizes=(0, 1_000, 100_000, 1_000_000))


def rate(call: Callable[[], object], seconds: float = 0.5) -> float:
    """Calls of one thread in a second of processor time: what one core can do, however busy the machine is."""
    count, start = 0, time.process_time()
    while (passed := time.process_time() - start) < seconds:
        call()
        count += 1
    return round(count / passed, 1)
