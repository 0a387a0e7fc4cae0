"""What a revocation list costs: `PYTHONPATH=src:tests python bench/crl.py [ENTRIES]`.

50 000 entries unless told otherwise; the goal is set for 1 000 000. A complete list is published from the database
(SQLite, P-256): entries read, joined, signed, verified and stored. Beside it `cryptography`'s builder makes the same
list from values in memory, each in a process of its own. Prints a line for people and one JSON object for programs.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from doors.lists import ENABLED, bucket
from doors.pki import Pki, name
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

GOAL_ENTRIES, GOAL_SECONDS, GOAL_MEGABYTES = 1_000_000, 3.0, 500
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
_RUN = 20_000


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


def _row(authority: str, number: int) -> dict[str, Any]:
    reason = RevocationReason.KEY_COMPROMISE if number % 2 else RevocationReason.UNSPECIFIED
    new = Revocation(authority, f"{_serial(number):032x}", AT, reason, AT + timedelta(days=300))
    return {
        "authority_id": new.authority_id,
        "serial": new.serial,
        "revoked_at": new.revoked_at,
        "reason": new.reason.name,
        "not_after": new.not_after,
        "partition": None,
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
        print(json.dumps({"ours": ours, "theirs": theirs}[sys.argv[1]](int(sys.argv[2]))))
        return
    count = int(sys.argv[1]) if len(sys.argv) == 2 else 50_000
    found = {
        who: json.loads(subprocess.check_output([sys.executable, __file__, who, str(count)], text=True))
        for who in ("ours", "theirs")
    }
    mine, other = found["ours"], found["theirs"]
    print(
        f"{count} entries: {mine['work']} s of work, {mine['megabytes']} MB, {mine['octets']} octets; "
        f"cryptography's builder: {other['work']} s, {other['megabytes']} MB"
    )
    reached = mine["work"] < GOAL_SECONDS and mine["megabytes"] < GOAL_MEGABYTES
    print(json.dumps({"entries": count, **found, "goal_reached": reached if count >= GOAL_ENTRIES else None}))


if __name__ == "__main__":
    main()
