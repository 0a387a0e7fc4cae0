"""What the sweep for expiry costs: `PYTHONPATH=src:tests python bench/expiry.py [CERTIFICATES]`.

100 000 certificates unless told otherwise; the goal is set for 1 000 000: under a second, without touching those that
are not due. Rows are inserted in bulk (SQLite), their ends spread over thirteen months behind the window. Then a sweep
finds nothing, finds a hundred due ones, and a round of the watch begins; beside it the same question asked by a full
scan of the ends, which is what a sweep without the index would cost.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import insert, select, text

from doors.acm_material import make
from greatseal.domain.certificates.notices import MOST_DAYS, notice_at
from greatseal.domain.certificates.store.certificates import certificate
from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeClock, Installation

GOAL = 1_000_000
DUE = 100
_RUN = 10_000


def fill(storage: Storage, clock: FakeClock, count: int) -> None:
    """Imports one certificate for its row, and copies that."""
    installation = Installation(storage, clock=clock)
    arn = installation.client("acm").import_certificate(**make().parcel())["CertificateArn"]
    pattern = dict(storage.read(lambda tx: tx.one(select(certificate)))._mapping)
    now = clock.now()
    for start in range(0, count, _RUN):
        rows = []
        for number in range(start, min(start + _RUN, count)):
            new_id = f"00000000-0000-4000-8000-{number:012d}"
            end = now + timedelta(days=MOST_DAYS + 2) + number * timedelta(days=350) / count
            new_arn = arn.rpartition("/")[0] + "/" + new_id
            changes = {"id": new_id, "arn": new_arn, "not_after": end, "notice_at": notice_at(new_id, end, MOST_DAYS)}
            rows.append({**pattern, **changes})
        storage.transact(lambda tx, rows=rows: tx.execute(insert(certificate), rows))
    storage.transact(lambda tx: tx.execute(text("ANALYZE")))


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> int:
    """Prints a table, and the same as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else GOAL // 10
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/bench.db")
        migrate(storage)
        fill(storage, clock, count)
        watching = Installation(storage, clock=clock).rooms.watching
        idle, found = timed(watching.expiry.sweep)
        assert found == 0, found
        # The first so many have their notice in the first part of the span.
        clock.advance(timedelta(days=2) + DUE * timedelta(days=350) / count)
        busy, found = timed(watching.expiry.sweep)
        begun, _ = timed(watching.rounds.begin)
        census, _ = timed(lambda: watching.expiry.census(200))
        scan, _ = timed(
            lambda: storage.read(
                lambda tx: tx.all(
                    text("SELECT id FROM certificate NOT INDEXED WHERE not_after < 0 AND der IS NOT NULL")
                )
            )
        )
        storage.close()
    rows = {
        "certificates": count,
        "sweep, none due (s)": round(idle, 4),
        f"sweep, {found} due (s)": round(busy, 4),
        "round of the watch begun (s)": round(begun, 4),
        "census for the metrics (s)": round(census, 4),
        "peer: full scan (s)": round(scan, 4),
    }
    for name, value in rows.items():
        print(f"{name:<32} {value}")
    print(json.dumps({**rows, "goal_reached": busy < 1.0 if count >= GOAL else None}))
    return 0 if busy < 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
