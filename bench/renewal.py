"""What the round of managed renewal costs: `PYTHONPATH=src:tests python bench/renewal.py [CERTIFICATES]`.

100 000 certificates unless told otherwise; the goal is set for 1 000 000: the due ones are found in under a second, and
no other is touched. Rows are inserted in bulk (SQLite), all of them in use, their ends spread over two hundred days
behind the window. Then a round finds nothing, finds a hundred that are due for their first attempt and starts them;
beside it the same question asked by a full scan, which is what a round without the index would cost.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

from msgspec import structs
from sqlalchemy import func, insert, select, text

from doors.acm_material import Acm
from faults.recovery import caller
from greatseal.domain.certificates.store import renewals
from greatseal.domain.certificates.store.associations import certificate_association
from greatseal.domain.certificates.store.certificates import certificate
from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate

GOAL = 1_000_000
DUE = 100
SPAN = timedelta(days=200)
_RUN = 10_000
_LISTENER = "arn:aws:custom:::web-1"


def fill(acm: Acm, storage: Storage, count: int) -> None:
    """Issues one certificate for its row, and copies that."""
    authority = acm.root()
    acm.permit(authority)
    arn = acm.issued(authority)
    associations = acm.installation.rooms.renewals.associations
    associations.associate(
        structs.replace(caller(), operation="greatseal:AssociateCertificate", at=acm.now), arn, _LISTENER
    )
    pattern = dict(storage.read(lambda tx: tx.one(select(certificate)))._mapping)
    acm.clock.at = pattern["not_after"] - timedelta(days=50)
    associations.dissociate(
        structs.replace(caller(), operation="greatseal:DissociateCertificate", at=acm.now), arn, _LISTENER
    )
    first = acm.now + timedelta(days=2)
    for start in range(0, count, _RUN):
        rows, uses = [], []
        for number in range(start, min(start + _RUN, count)):
            new_id = f"00000000-0000-4000-8000-{number:012d}"
            new_arn = arn.rpartition("/")[0] + "/" + new_id
            due = first + number * SPAN / count
            rows.append({**pattern, "id": new_id, "arn": new_arn, "renewal_at": due})
            uses.append({"certificate_id": new_id, "resource_arn": _LISTENER, "associated_at": acm.now})

        def work(tx, rows=rows, uses=uses) -> None:  # type: ignore[no-untyped-def]
            tx.execute(insert(certificate), rows)
            tx.execute(insert(certificate_association), uses)

        storage.transact(work)
    storage.transact(lambda tx: tx.execute(text("ANALYZE")))


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds and the result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> int:
    """Prints a table, and the same as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else GOAL // 10
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/bench.db")
        migrate(storage)
        acm = Acm(storage)
        fill(acm, storage, count)
        managed = acm.installation.rooms.renewals.managed
        idle, nothing = timed(managed.look)
        assert nothing.looked_at == 0, nothing  # type: ignore[attr-defined]
        # The first so many are due a little later; the window of their pattern is open.
        acm.advance(days=2, seconds=(DUE - 0.5) * SPAN.total_seconds() / count)
        found, _ = timed(lambda: storage.read(lambda tx: renewals.due(tx, acm.now, DUE)))
        busy, done = timed(lambda: [managed.look() for _ in range(DUE // 50)])
        started = sum(each.started for each in done)  # type: ignore[attr-defined]
        query = select(func.count()).select_from(certificate).where(certificate.c.generation > 1)
        others = storage.read(lambda tx: tx.scalar(query)) - DUE
        scan, _ = timed(
            lambda: storage.read(
                lambda tx: tx.all(
                    text("SELECT id FROM certificate NOT INDEXED WHERE renewal_at < 0 AND der IS NOT NULL")
                )
            )
        )
        storage.close()
    rows = {
        "certificates": count,
        "round, none due (s)": round(idle, 4),
        f"{DUE} due ones found (s)": round(found, 4),
        f"round, {started} renewals started (s)": round(busy, 4),
        "others touched": others,
        "peer: full scan (s)": round(scan, 4),
    }
    for name, value in rows.items():
        print(f"{name:<36} {value}")
    good = busy < 1.0 and others == 0 and started == DUE
    print(json.dumps({**rows, "goal_reached": good if count >= GOAL else None}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
