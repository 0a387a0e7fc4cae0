"""Checks of the data directory: it is ours, nobody else reads its secrets, the disk has room, time moves on."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greatseal.cli.doctor.findings import Finding, Level, Patient

# Below this, SQLite's log of a busy hour may not fit and every request would fail.
_LEAST_FREE_BYTES = 256 * 1024 * 1024
_CLOCK_TOLERANCE = timedelta(minutes=1)


def ownership(patient: Patient) -> Iterator[Finding]:
    """The directory and its secrets belong to this user and to nobody else."""
    directory = patient.settings.paths
    if not directory.path.is_dir():
        yield Finding(
            "data directory",
            Level.FAILURE,
            f"{directory.path} does not exist",
            f"start a service there: greatseal serve --data {directory.path}",
        )
        return
    looked_at = [directory.path, directory.root_credential, directory.database, patient.settings.kek_file]
    open_to_others = [problem for path in looked_at if (problem := _exposure(path))]
    yield from open_to_others
    if not open_to_others:
        yield Finding("data directory", Level.OK, f"{directory.path} is readable by its owner only")


def _exposure(path: Path) -> Finding | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_uid != os.geteuid():
        return Finding(
            "data directory",
            Level.FAILURE,
            f"{path} belongs to user {status.st_uid}, not to user {os.geteuid()} who runs this",
            f"run as its owner, or: chown {os.geteuid()} {path}",
        )
    if status.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        return Finding(
            "data directory",
            Level.FAILURE,
            f"{path} can be read by other users (mode {stat.S_IMODE(status.st_mode):o})",
            f"chmod {mode} {path}",
        )
    return None


def disk(patient: Patient) -> Iterator[Finding]:
    """There is room to write."""
    path = patient.settings.paths.path
    if not path.is_dir():
        return
    free = shutil.disk_usage(path).free
    text = f"{free / 1024**3:.1f} GiB free at {path}"
    if free < _LEAST_FREE_BYTES:
        yield Finding("disk", Level.FAILURE, text, "free some space: without it no certificate can be issued")
    else:
        yield Finding("disk", Level.OK, text)


def clock(patient: Patient) -> Iterator[Finding]:
    """The time is not before what was written already; a clock that went back issues certificates of the past."""
    directory = patient.settings.paths
    written = [path for path in (directory.database, directory.endpoint, directory.ca_bundle) if path.exists()]
    latest = max((datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in written), default=patient.now)
    if latest > patient.now + _CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            Level.FAILURE,
            f"it is {patient.now:%F %T} UTC, but the data directory was written at {latest:%F %T}",
            "set the clock: timedatectl set-ntp true",
        )
    else:
        yield Finding("clock", Level.OK, f"{patient.now:%F %T} UTC, not before the last write")
