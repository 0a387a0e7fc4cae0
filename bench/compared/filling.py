"""Many certificates at once: rows that are copies of real ones, put into SQLite beside the service, which is stopped.

Each copy of an ACM certificate has an id, a name, a serial number and times of its own, and each entry of a CA's
journal a serial number and a time; the DER inside is that of the pattern. The audit trail is not filled.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

_SECOND = 1_000_000
_ID = "printf('00000000-0000-4000-8000-%012d', n)"
# By table and column; every other column is as in the pattern. `n` is the number of the copy.
_OWN: Mapping[str, Mapping[str, str]] = {
    "certificate": {
        "id": _ID,
        "arn": f"substr(arn, 1, length(arn) - 36) || {_ID}",
        "domain_name": "printf('host-%d.example.com', n)",
        "common_name": "printf('host-%d.example.com', n)",
        "serial": "printf('%032x', n)",
        "created_at": f"created_at - n * {_SECOND}",
        "issued_at": f"issued_at - n * {_SECOND}",
        "not_after": f"not_after + n * {_SECOND}",
        "authority_certificate_arn": "authority_certificate_arn || n",
    },
    "certificate_name": {"certificate_id": _ID, "name": "printf('host-%d.example.com', n)"},
    "certificate_usage": {"certificate_id": _ID},
    "issued_certificate": {
        "serial": "printf('%032x', n)",
        "arn": "arn || n",
        "prepared_at": f"prepared_at - n * {_SECOND}",
        "issued_at": f"issued_at - n * {_SECOND}",
        "not_after": f"not_after + n * {_SECOND}",
        "key_fingerprint": "printf('%064x', n)",
    },
}


def fill(database: Path, certificate_id: str, authority_id: str, start: int, stop: int) -> None:
    """Copies one certificate of the inventory, and one entry of the CA's journal, under the numbers start to stop."""
    patterns = {
        "certificate": ("id", certificate_id),
        "certificate_name": ("certificate_id", certificate_id),
        "certificate_usage": ("certificate_id", certificate_id),
        "issued_certificate": ("serial", _serial(database, authority_id)),
    }
    with closing(sqlite3.connect(database)) as connection:
        # What is being filled is thrown away when the machine fails, so that it need not be durable.
        connection.execute("PRAGMA synchronous = OFF")
        for table, own in _OWN.items():
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            assert set(own) <= set(names), f"{table} has other columns than it had"
            columns = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(own.get(name, f'"{name}"') for name in names)
            key, value = patterns[table]
            connection.execute(
                f"WITH RECURSIVE numbers (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, numbers WHERE {key} = ?",
                (start, stop - 1, value),
            )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _serial(database: Path, authority_id: str) -> str:
    """Some certificate of the CA: any is as good as another for a pattern."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT serial FROM issued_certificate WHERE authority_id = ? AND state = 'ISSUED' LIMIT 1"
        found: str = connection.execute(query, (authority_id,)).fetchone()[0]
        return found
