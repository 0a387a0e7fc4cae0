"""`greatseal audit`: the trail as its owner or an auditor looks at it, beside a running service or without one."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.database import CannotLook, opened
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.domain.audit import Report, Seals
    from greatseal.storage import Storage


@click.group("audit")
def command() -> None:
    """Verify the audit trail, prove and list its events.

    Every call is a record, and every record a leaf of a Merkle log whose checkpoints the service
    signs.  Keep a checkpoint elsewhere now and then: with it, `verify` proves that nothing before it
    was changed, removed, reordered or cut off.  docs/audit.md says how.

    The database is only read; a service may be running on it.

    \b
    Examples:
      greatseal audit list --last 5
      greatseal audit checkpoint > kept.txt
      greatseal audit verify --checkpoint kept.txt
      greatseal audit prove 9f2b1c1e-… > proof.json
    """


@command.command("verify")
@options.data
@options.config
@options.as_json
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere; the log must continue it.",
)
def verify_command(data: Path | None, config: Path | None, as_json: bool, kept: Path | None) -> None:
    """Examine every record, every hash and every checkpoint of the log.

    Exit code 0: the log is whole.  1: it was tampered with, and each finding says where.  2: it could
    not be examined.

    \b
    Examples:
      greatseal audit verify
      greatseal audit verify --checkpoint kept.txt --data /var/lib/greatseal
    """
    from greatseal.domain.audit import verify
    from greatseal.kernel.errors import InvalidArgument

    with opened(data, config) as (settings, storage):
        seals, reason = _seals(settings, storage)
        if reason:
            click.echo(f"seals are not checked: {reason}", err=True)
        try:
            report = verify(storage, seals, None if kept is None else kept.read_text(encoding="utf-8"))
        except (InvalidArgument, ValueError, OSError) as error:
            raise CannotLook(f"{kept}: {error}") from error
    click.echo(_as_json(report)) if as_json else _print(report, kept)
    sys.exit(0 if report.ok else 1)


@command.command("prove")
@options.data
@options.config
@click.argument("event_id")
def prove_command(data: Path | None, config: Path | None, event_id: str) -> None:
    """Print a proof, as JSON, that an event is in the log.

    The proof is complete in itself: docs/audit.md has a page of Python that checks it without
    Greatseal.  Exit code 1: the event cannot be proven, for instance because it is too new.

    \b
    Examples:
      greatseal audit prove 9f2b1c1e-0c7b-4b0e-9a53-0c6d3a3c1b11 > proof.json
    """
    from greatseal.domain.audit import LogDamaged, prove
    from greatseal.kernel.errors import Refusal

    with opened(data, config) as (_, storage):
        try:
            proof = prove(storage, event_id)
        except (Refusal, LogDamaged) as error:
            raise click.ClickException(str(error)) from error
    click.echo(json.dumps(proof, indent=1))


@command.command("checkpoint")
@options.data
@options.config
def checkpoint_command(data: Path | None, config: Path | None) -> None:
    """Print the newest signed checkpoint, to be kept where this service cannot reach it.

    Exit code 1: there is none yet.

    \b
    Examples:
      greatseal audit checkpoint | ssh vault 'cat >> checkpoints.txt'
    """
    from greatseal.domain.audit import newest_checkpoint

    with opened(data, config) as (_, storage):
        found = newest_checkpoint(storage)
    if found is None:
        raise click.ClickException("no checkpoint was signed yet; the service signs one a minute while the log grows")
    click.echo(found, nl=False)


@command.command("list")
@options.data
@options.config
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="How many.")
def list_command(data: Path | None, config: Path | None, last: int) -> None:
    """Print the last events of all accounts in CloudTrail's shape, one JSON object a line, the newest last.

    \b
    Examples:
      greatseal audit list --last 100 | jq -r '[.eventTime, .eventName, .errorCode] | @tsv'
    """
    from greatseal.domain.audit import newest
    from greatseal.domain.audit.cloudtrail import event

    with opened(data, config) as (_, storage):
        for record in reversed(newest(storage, last)):
            click.echo(json.dumps(event(record), ensure_ascii=False))


def _seals(settings: Settings, storage: "Storage") -> tuple["Seals", str]:
    """The seals of the installation, or none and the reason why."""
    from greatseal.app import protection
    from greatseal.domain.audit import Seals
    from greatseal.domain.keys.key_encryption import installation_secret
    from greatseal.kernel.entropy import SystemEntropy
    from greatseal.storage import installation

    if storage.read(lambda tx: installation.recall(tx, "kek-fingerprint")) is None:
        # Asking for the key would make one.
        return Seals(None), "this installation has no key-encryption key"
    try:
        ring = protection.open_keyring(settings, storage, SystemEntropy(), protection.key_stores(settings))
        return Seals.under(installation_secret(storage, ring)), ""
    except OSError as error:
        return Seals(None), str(error)


def _as_json(report: "Report") -> str:
    return json.dumps(
        {
            "ok": report.ok,
            "origin": report.origin,
            "size": report.size,
            "root": report.root.hex(),
            "checkpoints": report.checkpoints,
            "keys": report.keys,
            "pending": report.pending,
            "seals_checked": report.sealed,
            "findings": [
                {"kind": f.kind.value, "index": f.index, "event_id": f.event_id, "text": f.text}
                for f in report.findings
            ],
            "more_findings": report.more,
        }
    )


def _print(report: "Report", kept: Path | None) -> None:
    for finding in report.findings:
        place = "" if finding.index is None else f" at {finding.index}"
        event = "" if finding.event_id is None else f" (event {finding.event_id})"
        click.echo(f"{click.style(finding.kind.value, fg='red')}{place}{event}: {finding.text}")
    if report.more:
        click.echo(f"and {report.more} more")
    verdict = "the log is whole" if report.ok else "THE LOG WAS TAMPERED WITH"
    click.echo(f"{verdict}: {report.size} records, root {report.root.hex()}")
    click.echo(f"{report.checkpoints} checkpoints were examined, {report.pending} records wait for their place")
    for key in report.keys:
        click.echo(f"signed by the key with SHA-256 {key}")
    if kept is None:
        click.echo("without a kept checkpoint (--checkpoint) nobody can tell whether the end was cut off", err=True)
