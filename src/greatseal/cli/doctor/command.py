"""The command: runs the checks in order and prints what they found."""

import json
import os
import sys
from pathlib import Path

import click

from greatseal.cli import options
from greatseal.cli.doctor import clients, database, directory, protection, service, stores
from greatseal.cli.doctor import deep as deeper
from greatseal.cli.doctor.findings import Check, Finding, Level, Patient
from greatseal.kernel.clock import SystemClock
from greatseal.settings import SettingsError, load

CHECKS: tuple[Check, ...] = (
    directory.ownership,
    protection.kek,
    stores.key_stores,
    database.database,
    directory.disk,
    directory.clock,
    service.answering,
    clients.aws_cli,
)

_LOOKS = {
    Level.OK: ("✓", "green"),
    Level.NOTE: ("i", "cyan"),
    Level.WARNING: ("!", "yellow"),
    Level.FAILURE: ("✗", "red"),
}


@click.command("doctor")
@options.data
@options.config
@options.as_json
@click.option(
    "--deep", is_flag=True, help="Examine every row and signature instead; minutes for a million certificates."
)
def command(data: Path | None, config: Path | None, as_json: bool, deep: bool) -> None:
    """Check everything that can be seen and print a fix for each failure.

    Exit code 0: all is well.  1: something deserves attention, for instance that no service is
    running.  2: something is broken.

    With --deep the invariants of docs/invariants.md are examined over the whole database, which is only
    read; a service may be running on it.  Progress goes to standard error.  Exit code 1 then means that
    something is left over or could not be examined.

    \b
    Examples:
      greatseal doctor
      greatseal doctor --deep --json > report.json
      greatseal doctor --data /var/lib/greatseal --json
    """
    if deep:
        sys.exit(deeper.run(data, config, as_json=as_json))
    try:
        settings = load(os.environ, options.present({"data": data}), config)
    except SettingsError as error:
        findings = [
            Finding("settings", Level.FAILURE, problem, "correct it and run again") for problem in error.problems
        ]
    else:
        patient = Patient(settings, os.environ, SystemClock().now())
        findings = [Finding("settings", Level.OK, f"read for {settings.data}")]
        findings += [finding for check in CHECKS for finding in examine(check, patient)]
    worst = max(finding.level.value for finding in findings)
    print_json(findings, int(worst)) if as_json else print_report(findings)
    sys.exit(int(worst))


def examine(check: Check, patient: Patient) -> list[Finding]:
    """The findings of one check; a check that breaks is itself a finding and never stops the others."""
    try:
        return list(check(patient))
    except Exception as error:  # noqa: BLE001 - a doctor reports what it could not look at
        text = f"could not be checked: {type(error).__name__}: {error}"
        return [
            Finding(check.__name__.replace("_", " "), Level.WARNING, text, "greatseal version --json, and report it")
        ]


def print_json(findings: list[Finding], exit_code: int) -> None:
    """One object for programs."""
    listed = [{"check": f.check, "level": f.level.name.lower(), "text": f.text, "fix": f.fix} for f in findings]
    click.echo(json.dumps({"exit_code": exit_code, "findings": listed}))


def print_report(findings: list[Finding]) -> None:
    """Lines for people; click drops the colour when nobody looks."""
    for finding in findings:
        sign, colour = _LOOKS[finding.level]
        click.echo(f"{click.style(sign, fg=colour)} {finding.check:<15} {finding.text}")
        if finding.fix:
            click.echo(f"  {'':<15} {click.style('fix:', bold=True)} {finding.fix}")
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    click.echo(f"\n{count[Level.FAILURE]} broken, {count[Level.WARNING]} to look at, {count[Level.OK]} in order")
