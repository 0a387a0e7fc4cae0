"""Checks of the key-encryption key and of the database behind it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from greatseal.cli.doctor.findings import Finding, Level, Patient


def kek(patient: Patient) -> Iterator[Finding]:
    """Says what protects the private keys."""
    settings = patient.settings
    if settings.kek.passphrase or settings.kek.passphrase_file:
        yield Finding("key protection", Level.OK, "private keys are sealed under a passphrase that is not stored here")
        return
    path = settings.kek_file
    if not path.is_file():
        if settings.paths.database.exists() or settings.database:
            yield Finding(
                "key protection",
                Level.FAILURE,
                f"the key-encryption key {path} is missing",
                "put it back from its backup; without it no private key can be opened",
            )
        return
    if path.parent == settings.paths.path:
        yield Finding(
            "key protection",
            Level.NOTE,
            f"private keys are sealed under {path}, which lies beside them: a copy of the directory opens them",
            "keep the two apart: set kek.file to another place, or GREATSEAL_KEK_PASSPHRASE before the first start",
        )
    else:
        yield Finding(
            "key protection", Level.OK, f"private keys are sealed under {path}, apart from the data directory"
        )


def database(patient: Patient) -> Iterator[Finding]:
    """A SQLite database opens and its pages are sound. Another database is the service's own health check."""
    path = patient.settings.paths.database
    if patient.settings.database or not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        answer = str(error)
    if answer == "ok":
        yield Finding("database", Level.OK, f"{path} opens and is sound")
    else:
        yield Finding("database", Level.FAILURE, f"{path}: {answer}", "stop the service and restore it from a backup")
