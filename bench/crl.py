"""What revocation lists cost: `PYTHONPATH=src:tests python bench/crl.py [ENTRIES]`.

50 000 entries unless told otherwise; the goal is set for 1 000 000. A complete list is published from the database
(SQLite, P-256): entries read, joined, signed, verified and stored. Beside it `cryptography`'s builder makes the same
list from values in memory, each in a process of its own. Then full parts of a partitioned list are published one after
the other while certificates are issued. Prints lines for people and one JSON object for programs.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from doors.lists import ENABLED, PARTITIONED, bucket
from doors.pki import Pki, name
from greatseal.domain.revocation.lists import ListState
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.points import PART_SIZE
from greatseal.domain.revocation.store import lists as list_store
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.storage import Tx, open_storage
from greatseal.storage.migrate import migrate

GOAL_ENTRIES, GOAL_SECONDS, GOAL_MEGABYTES = 1_000_000, 3.0, 500
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
PARTS = 10
_RUN = 20_000
_ISSUED = 50


def ours(count: int) -> dict[str, Any]:
    """Seconds of work, megabytes at the highest, and octets of the list."""
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        pki = Pki(storage)
        bucket(pki)
        authority = pki.root(RevocationConfiguration=ENABLED).rpartition("/")[2]
        pki.issue(pki.pca.list_certificate_authorities()["CertificateAuthorities"][0]["Arn"])
        for start in range(0, count, _RUN):
            rows = [_row(authority, number) for number in range(start, min(start + _RUN, count))]
            storage.transact(lambda tx, rows=rows: tx.execute(insert(revocation), rows))  # type: ignore[misc]
        mine = pki.installation.rooms.publications
        started, worked = time.perf_counter(), time.process_time()
        reserved = mine.reserve(authority)
        assert reserved is not None
        der = mine.make(reserved)
        mine.store(reserved, der)
        return _measured(started, worked, der)


def parts(count: int) -> dict[str, Any]:
    """Seconds of each part of so many full ones, and how long an issuance takes meanwhile and without them."""
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        pki = Pki(storage)
        bucket(pki)
        arn = pki.root(RevocationConfiguration=PARTITIONED)
        authority = arn.rpartition("/")[2]
        ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(count)]
        for number, part in enumerate(ids):
            url = f"http://crl.example.com/{part}.crl"
            state = ListState(part, authority, f"http://crl.example.com/{part}/", url, f"{part}.crl")
            first = number * PART_SIZE
            rows = [_row(authority, each, part) for each in range(first, first + PART_SIZE)]
            storage.transact(lambda tx, state=state, rows=rows: _fill(tx, state, rows))  # type: ignore[misc]
        alone = _issuing(pki, arn, lambda issued: issued >= _ISSUED)
        started = time.perf_counter()
        with ThreadPoolExecutor(1) as pool:
            published = pool.submit(lambda: [pki.installation.rooms.publications.publish(part) for part in ids])
            meanwhile = _issuing(pki, arn, lambda _: published.done())
            published.result()
        return {
            "entries": count * PART_SIZE,
            "seconds_a_part": round((time.perf_counter() - started) / count, 3),
            "issuing_alone_ms": alone,
            "issuing_meanwhile_ms": meanwhile,
        }


def _fill(tx: Tx, state: ListState, rows: list[dict[str, Any]]) -> None:
    list_store.add(tx, state, due=AT)
    tx.execute(insert(revocation), rows)


def _issuing(pki: Pki, arn: str, enough: Callable[[int], bool]) -> dict[str, float]:
    """Milliseconds of the middle and of the slowest of some issuances, one after the other."""
    took: list[float] = []
    while not took or not enough(len(took)):
        started = time.perf_counter()
        pki.issue(arn)
        took.append((time.perf_counter() - started) * 1000)
    return {"count": len(took), "median": round(statistics.median(took), 1), "slowest": round(max(took), 1)}


def _row(authority: str, number: int, part: str | None = None) -> dict[str, Any]:
    reason = RevocationReason.KEY_COMPROMISE if number % 2 else RevocationReason.UNSPECIFIED
    new = Revocation(authority, f"{_serial(number):032x}", AT, reason, AT + timedelta(days=300))
    return {
        "authority_id": new.authority_id,
        "serial": new.serial,
        "revoked_at": new.revoked_at,
        "reason": new.reason.name,
        "not_after": new.not_after,
        "partition": part,
        "entry": new.entry,
    }


def _serial(number: int) -> int:
    return (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) % (1 << 128)


def theirs(count: int) -> dict[str, Any]:
    """The same of `cryptography`."""
    key = ec.derive_private_key(2**200 + 7, ec.SECP256R1())
    started, worked = time.perf_counter(), time.process_time()
    builder = x509.CertificateRevocationListBuilder(issuer_name=name("Root"), last_update=AT, next_update=AT)
    entries = []
    for number in range(count):
        entry = x509.RevokedCertificateBuilder(_serial(number), AT)
        if number % 2:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        entries.append(entry.build())
    # Adding one by one copies the whole list each time.
    builder._revoked_certificates = entries
    signed = builder.add_extension(x509.CRLNumber(1), critical=False).sign(key, hashes.SHA256())
    return _measured(started, worked, signed.public_bytes(serialization.Encoding.DER))


def _measured(started: float, worked: float, der: bytes) -> dict[str, Any]:
    return {
        "seconds": round(time.perf_counter() - started, 3),
        "work": round(time.process_time() - worked, 3),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "octets": len(der),
    }


def main() -> None:
    """Runs both in processes of their own, because memory is measured at its highest."""
    if len(sys.argv) == 3:
        print(json.dumps({"ours": ours, "theirs": theirs, "parts": parts}[sys.argv[1]](int(sys.argv[2]))))
        return
    count = int(sys.argv[1]) if len(sys.argv) == 2 else 50_000
    found = {
        who: json.loads(subprocess.check_output([sys.executable, __file__, who, str(size)], text=True))
        for who, size in (("ours", count), ("theirs", count), ("parts", PARTS))
    }
    mine, other = found["ours"], found["theirs"]
    print(
        f"{count} entries: {mine['work']} s of work, {mine['megabytes']} MB, {mine['octets']} octets; "
        f"cryptography's builder: {other['work']} s, {other['megabytes']} MB"
    )
    part = found["parts"]
    print(
        f"{part['entries']} entries in parts: {part['seconds_a_part']} s a part; issuing takes "
        f"{part['issuing_meanwhile_ms']} ms meanwhile, {part['issuing_alone_ms']} ms otherwise"
    )
    reached = mine["work"] < GOAL_SECONDS and mine["megabytes"] < GOAL_MEGABYTES
    print(json.dumps({"entries": count, **found, "goal_reached": reached if count >= GOAL_ENTRIES else None}))


if __name__ == "__main__":
    main()
