"""`greatseal status`: how the running service is, as it says itself."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.client import NotStarted, read_endpoint
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.cli.scrape import Scraped


@click.command("status")
@options.data
@options.config
@click.option("--url", metavar="URL", help="The plain listener of another node.  [default: of the data directory]")
@options.as_json
def command(data: Path | None, config: Path | None, url: str | None, as_json: bool) -> None:
    """Say how the running service is: queues, revocation lists, certificates, the key-encryption key.

    It reads `/readyz` and `/metrics` of the plain listener, so it needs no credential, and works for any node that
    can be reached. Numbers of the database are up to 15 seconds old, those of certificates a minute.
    Exit code 1: the service is not ready; 2: it does not answer.

    \b
    Examples:
      greatseal status
      greatseal status --json
      greatseal status --url http://node-b.example.com:8080
    """
    from greatseal.cli.scrape import Silent, scrape

    try:
        place = url or read_endpoint(_settings(data, config).paths).http
        found = scrape(place)
    except (NotStarted, Silent) as silent:
        click.echo(f"Error: {silent}", err=True)
        raise SystemExit(2) from None
    told = told_by(found, datetime.now(UTC).timestamp())  # noqa: TID251 - compared with the clock of the service
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in _lines(told):
            click.echo(line)
    if not told["ready"]:
        raise SystemExit(1)


def _settings(data: Path | None, config: Path | None) -> Settings:
    return options.read_settings(config, data=data)


def told_by(found: "Scraped", now: float) -> dict[str, Any]:
    """What a service says about itself, as plain values; None where there is nothing to say. `now` is Unix time."""
    build = found.labels("greatseal_build_info")
    read = found.number("greatseal_vitals_timestamp_seconds")
    started = found.number("greatseal_start_timestamp_seconds")
    return {
        "url": found.url,
        "ready": found.ready,
        "checks": dict(found.checks),
        "version": found.version,
        "database": build.get("database"),
        "workers": _whole(found.number("greatseal_workers")),
        "uptimeSeconds": None if started is None else max(_whole(now - started) or 0, 0),
        "readSecondsAgo": None if not read else max(_whole(now - read) or 0, 0),
        "jobs": {
            "due": _wholes(found.by("greatseal_jobs_due", "kind")),
            "running": _whole(found.number("greatseal_jobs_running")),
            "oldestDueSeconds": _whole(found.number("greatseal_jobs_oldest_due_seconds")),
            "buried": _whole(found.number("greatseal_jobs_buried")),
        },
        "deliveries": {
            "waiting": _whole(found.number("greatseal_deliveries_waiting")),
            "oldestSeconds": _whole(found.number("greatseal_deliveries_oldest_seconds")),
            "deadLetters": _whole(found.number("greatseal_dead_letters")),
        },
        "revocationLists": {
            "published": _whole(found.number("greatseal_crl_published")),
            "overdue": _whole(found.number("greatseal_crl_overdue")),
            "oldestSeconds": _whole(found.number("greatseal_crl_age_seconds")),
            "secondsLeft": _whole(found.number("greatseal_crl_seconds_left")),
        },
        "ocspDelegates": _whole(found.number("greatseal_ocsp_delegates")),
        "authorities": _wholes(found.by("greatseal_authorities", "status")),
        "certificates": _wholes(found.by("greatseal_certificates", "type", "status")),
        "renewals": {
            "unfinished": _wholes(found.by("greatseal_renewals_unfinished", "status")),
            "overdue": _whole(found.number("greatseal_renewals_overdue")),
        },
        "auditLog": {
            "records": _whole(found.number("greatseal_audit_log_records")),
            "unsequenced": _whole(found.number("greatseal_audit_unsequenced")),
            "lagSeconds": _whole(found.number("greatseal_audit_lag_seconds")),
        },
        "transparencyLogs": _wholes(found.by("greatseal_transparency_log_entries", "log")),
        "keyEncryptionKey": "changing" if found.number("greatseal_kek_changing") else "settled",
    }


def _lines(told: Mapping[str, Any]) -> list[str]:
    jobs, lists, parcels, trail = told["jobs"], told["revocationLists"], told["deliveries"], told["auditLog"]
    wrong = [f"{name}: {said}" for name, said in told["checks"].items() if said != "ok"]
    state = click.style("ready", fg="green") if told["ready"] else click.style("not ready", fg="red")
    unfinished = told["renewals"]["unfinished"]
    rows = {
        "service": f"{state}  {'; '.join(wrong)}".rstrip(),
        "version": f"{told['version']} on {told['database']}, {_many(told['workers'], 'worker')}",
        "up": _time(told["uptimeSeconds"]),
        "jobs": f"{sum(jobs['due'].values())} due, {jobs['running']} running, oldest {_time(jobs['oldestDueSeconds'])}",
        "": _counts(jobs["due"]),
        "given up": f"{_many(jobs['buried'], 'job')}, {_many(parcels['deadLetters'], 'dead letter')}",
        "deliveries": f"{parcels['waiting']} waiting, oldest {_time(parcels['oldestSeconds'])}",
        "lists": f"{lists['published']} published, {lists['overdue']} overdue, oldest {_time(lists['oldestSeconds'])}"
        f", first ends in {_time(lists['secondsLeft'])}",
        "OCSP": _many(told["ocspDelegates"], "delegate"),
        "authorities": _counts(told["authorities"]) or "none",
        "certificates": _counts(told["certificates"]) or "none",
        "renewals": f"{_counts(unfinished) or 'none unfinished'}, {told['renewals']['overdue']} overdue",
        "audit log": f"{trail['records']} records, {trail['unsequenced']} waiting, lag {_time(trail['lagSeconds'])}",
        "CT logs": _counts(told["transparencyLogs"]) or "none",
        "KEK": told["keyEncryptionKey"],
    }
    return [f"{name:<13} {text}" for name, text in rows.items() if text]


def _whole(number: float | None) -> int | None:
    return None if number is None or not math.isfinite(number) else round(number)


def _wholes(numbers: Mapping[str, float]) -> dict[str, int]:
    return {label: round(number) for label, number in sorted(numbers.items()) if number}


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {label}" for label, number in numbers.items())


def _many(number: int | None, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "never"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
