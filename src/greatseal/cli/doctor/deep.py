"""`greatseal doctor --deep`: every invariant of docs/invariants.md, over the whole database."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli.database import opened
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.app.invariants import Report
    from greatseal.crypto.wrap import Keyring
    from greatseal.storage import Storage

_EVERY_SECONDS = 1.0


def run(data: Path | None, config: Path | None, *, as_json: bool) -> int:
    """Examines an installation and prints the report; the exit code."""
    with opened(data, config) as (settings, storage):
        ring, reason = _keyring(settings, storage)
        if reason:
            click.echo(f"secrets are not opened: {reason}", err=True)
        stores = frozenset(settings.key_stores)
        report = examined(storage, ring, settings.paths.objects, quiet=False, stores=stores)
    print_json(report) if as_json else print_report(report)
    return report.exit_code


def examined(
    storage: "Storage",
    ring: "Keyring | None",
    objects: Path,
    *,
    quiet: bool,
    stores: frozenset[str] = frozenset(),
) -> "Report":
    """The report, with progress on standard error. Raises StorageError."""
    from greatseal.app.invariants import Case, examine
    from greatseal.kernel.clock import SystemClock

    told = -_EVERY_SECONDS

    def progress(name: str, looked: int) -> None:
        nonlocal told
        now = time.monotonic()
        if not quiet and (looked == 0 or now - told >= _EVERY_SECONDS):
            told = now
            click.echo(f"  {name}{f': {looked}' if looked else ''}", err=True)

    return examine(Case(storage, ring, objects, SystemClock().now(), stores), progress)


def print_json(report: "Report", **more: Any) -> None:
    """One object for programs."""
    invariants = [
        {
            "name": one.invariant.name,
            "looked_at": one.looked_at,
            "skipped": one.skipped or None,
            "violations": [{"subject": v.subject, "text": v.text, "broken": v.broken} for v in one.violations],
            "more_violations": one.more,
        }
        for one in report.examined
    ]
    click.echo(json.dumps({"exit_code": report.exit_code, "invariants": invariants, **more}))


def print_report(report: "Report") -> None:
    """Lines for people."""
    for one in report.examined:
        broken = any(each.broken for each in one.violations)
        sign, colour = ("✗", "red") if broken else ("!", "yellow") if one.violations or one.skipped else ("✓", "green")
        told = f"not examined: {one.skipped}" if one.skipped else f"{one.looked_at} looked at"
        click.echo(f"{click.style(sign, fg=colour)} {one.invariant.name:<20} {told}")
        for each in one.violations:
            click.echo(f"    {each.subject}: {each.text}")
        if one.more:
            click.echo(f"    and {one.more} more")
    verdict = {0: "every invariant holds", 1: "nothing is broken; see above", 2: "SOMETHING IS BROKEN"}
    click.echo(f"\n{verdict[report.exit_code]}: docs/invariants.md")


def _keyring(settings: Settings, storage: "Storage") -> tuple["Keyring | None", str]:
    from greatseal.app import protection
    from greatseal.domain.keys.key_encryption import FINGERPRINT
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.storage import installation

    if storage.read(lambda tx: installation.recall(tx, FINGERPRINT)) is None:
        # Asking for the key would make one.
        return None, "this installation has no key-encryption key"
    try:
        return protection.open_keyring(settings, storage, SystemEntropy(), protection.key_stores(settings)), ""
    except OSError as error:
        return None, str(error)
