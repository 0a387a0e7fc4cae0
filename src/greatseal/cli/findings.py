"""`greatseal findings`: what somebody should look at, over all accounts and regions of an installation."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from greatseal.cli import options
from greatseal.cli.database import opened
from greatseal.cli.desk import desk_of

if TYPE_CHECKING:
    from greatseal.domain.findings.model import Finding
    from greatseal.storage import Storage

_LABELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_COLOURS = {"CRITICAL": "red", "HIGH": "red", "MEDIUM": "yellow"}

_account = click.option("--account", metavar="ID", help="Only of this account.  [default: all]")


@click.group("findings")
def command() -> None:
    """List, show, resolve and export findings.

    Findings come from the watchers of this installation (docs/findings.md) and from whoever calls
    `aws securityhub batch-import-findings`.  The database may be that of a running service.

    \b
    Examples:
      greatseal findings look
      greatseal findings list --severity HIGH
      greatseal findings show ID
      greatseal findings resolve ID --note 'planned ceremony'
      greatseal findings export --format ocsf | nc siem 5140
    """


@command.command("list")
@options.data
@options.config
@options.as_json
@_account
@click.option("--severity", type=click.Choice(_LABELS, case_sensitive=False), help="This severity or a graver one.")
@click.option("--all", "everything", is_flag=True, help="Also those that are archived, resolved or suppressed.")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most so many.")
def list_command(
    data: Path | None,
    config: Path | None,
    as_json: bool,
    account: str | None,
    severity: str | None,
    everything: bool,
    last: int,
) -> None:
    """List findings that are open, the last updated first.

    \b
    Examples:
      greatseal findings list
      greatseal findings list --all --severity MEDIUM --json
    """
    least = _LABELS.index((severity or _LABELS[0]).upper())
    with opened(data, config) as (_, storage):
        wanted = (
            each
            for each in _read(storage, account)
            if _LABELS.index(each.document["Severity"]["Label"]) >= least and (everything or _is_open(each))
        )
        found = list(islice(wanted, last))
    if as_json:
        click.echo(json.dumps({"findings": [each.document for each in found]}, ensure_ascii=False))
        return
    for each in found:
        document = each.document
        label = document["Severity"]["Label"]
        shown = click.style(f"{label:<13}", fg=_COLOURS.get(label))
        click.echo(f"{shown} {document['UpdatedAt']}  {document['Title']}\n{'':<13} {document['Id']}")
    if not found:
        click.echo("no findings", err=True)


@command.command("show")
@options.data
@options.config
@_account
@click.argument("finding_id")
def show_command(data: Path | None, config: Path | None, account: str | None, finding_id: str) -> None:
    """Print a finding with everything it says, as JSON.

    \b
    Examples:
      greatseal findings show us-east-1/111122223333/arn:aws:acm:…/expiry
    """
    with opened(data, config) as (_, storage):
        for each in _named(storage, account, finding_id):
            click.echo(json.dumps(each.document, indent=1, ensure_ascii=False))


@command.command("resolve")
@options.data
@options.config
@_account
@click.option("--note", metavar="TEXT", help="Why; kept with the finding.")
@click.argument("finding_id")
def resolve_command(
    data: Path | None, config: Path | None, account: str | None, note: str | None, finding_id: str
) -> None:
    """Mark a finding as resolved; it is new again when its product reports it anew after having archived it.

    \b
    Examples:
      greatseal findings resolve us-east-1/111122223333/arn:aws:acm:…/expiry --note 'replaced'
    """
    with desk_of("findings resolve", data, config) as desk:
        change: dict[str, object] = {"Workflow": {"Status": "RESOLVED"}}
        if note is not None:
            change["Note"] = {"Text": note, "UpdatedBy": "greatseal findings resolve"}
        for each in _named(desk.rooms.storage, account, finding_id):
            who = each.identity
            caller = structs.replace(
                desk.caller("securityhub:BatchUpdateFindings"), account=who.account, region=who.region
            )
            desk.rooms.watching.findings.change(caller, [(who.product_arn, who.id)], change)
            click.echo(f"resolved: {who.id}")


@command.command("export")
@options.data
@options.config
@_account
@click.option(
    "--format",
    "form",
    type=click.Choice(("asff", "ocsf")),
    default="asff",
    show_default=True,
    help="AWS Security Finding Format, or Open Cybersecurity Schema Framework 1.3.",
)
def export_command(data: Path | None, config: Path | None, account: str | None, form: str) -> None:
    """Print all findings, one JSON object a line.

    \b
    Examples:
      greatseal findings export --format ocsf > findings.jsonl
    """
    from greatseal.domain.findings import ocsf

    with opened(data, config) as (_, storage):
        for each in _read(storage, account):
            document = ocsf.event(each) if form == "ocsf" else each.document
            sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


@command.command("look")
@options.data
@options.config
def look_command(data: Path | None, config: Path | None) -> None:
    """Begin a round of the watch now, beside its schedule; the running service carries it out.

    \b
    Examples:
      greatseal findings look
    """
    with desk_of("findings look", data, config) as desk:
        places = desk.rooms.watching.rounds.begin()
    click.echo(f"accounts and regions to look at: {places}")


def _read(storage: "Storage", account: str | None) -> "Iterator[Finding]":
    from greatseal.domain.findings.reading import everything

    return everything(storage, account)


def _is_open(found: "Finding") -> bool:
    status = found.document.get("Workflow", {}).get("Status")
    return found.document["RecordState"] == "ACTIVE" and status not in ("RESOLVED", "SUPPRESSED")


def _named(storage: "Storage", account: str | None, finding_id: str) -> "list[Finding]":
    """The findings with this id: several, when several products or accounts use it."""
    found = [each for each in _read(storage, account) if each.identity.id == finding_id]
    if not found:
        raise click.ClickException(f"there is no finding {finding_id}; `greatseal findings list --all` lists them")
    return found
