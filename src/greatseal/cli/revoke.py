"""`greatseal revoke`: many certificates in one go, for whoever holds the data directory."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.desk import Desk, desk_of

if TYPE_CHECKING:
    from greatseal.domain.revocation.mass import Judged, MassRevocation, Selection

# As the API spells them.
_REASONS = (
    "UNSPECIFIED",
    "KEY_COMPROMISE",
    "CERTIFICATE_AUTHORITY_COMPROMISE",
    "AFFILIATION_CHANGED",
    "SUPERSEDED",
    "CESSATION_OF_OPERATION",
    "PRIVILEGE_WITHDRAWN",
    "A_A_COMPROMISE",
)


def _time(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """An instant; without an offset it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time, expected for instance 2026-11-01T12:00") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every subcommand that revokes."""
    for each in (
        click.option("--wait", is_flag=True, help="Carry it out here and return at its end; no service need run."),
        click.option("--dry-run", is_flag=True, help="Print what would be done with each certificate; change nothing."),
        click.option(
            "--issued-before", callback=_time, metavar="TIME", help="Only what was issued before; UTC unless it says."
        ),
        click.option("--issued-after", callback=_time, metavar="TIME", help="Only what was issued then or later."),
        click.option("--template", metavar="NAME", help="Only of this template, for instance EndEntityCertificate."),
        options.as_json,
        options.config,
        options.data,
    ):
        command = each(command)
    return command


def _reason(**more: Any) -> Callable[..., Any]:
    return click.option("--reason", type=click.Choice(_REASONS, case_sensitive=False), help="Why.", **more)


@click.group("revoke")
def command() -> None:
    """Revoke many certificates for good: of a CA, of a key, or on a list.

    The running service does the work in the background and goes on after a restart; without one,
    `--wait` does it here.  `--dry-run` says beforehand what would be done with each certificate.
    docs/revocation.md has the steps.  One certificate is revoked by `aws acm-pca revoke-certificate`.

    \b
    Examples:
      greatseal revoke ca arn:aws:acm-pca:…:certificate-authority/… --reason SUPERSEDED --dry-run
      greatseal revoke key leaked.pem
      greatseal revoke list serials.txt --ca arn:aws:acm-pca:… --reason CESSATION_OF_OPERATION
      greatseal revoke status
    """


@command.command("ca")
@click.argument("arn")
@_reason(required=True)
@click.option("--recursive", is_flag=True, help="Also what its subordinate CAs issued, at any depth.")
@_run_options
def ca_command(arn: str, recursive: bool, **given: Any) -> None:
    """Revoke everything that a CA issued, the certificates of its subordinate CAs included.

    The CA should be disabled first, or it goes on issuing meanwhile.

    \b
    Examples:
      greatseal revoke ca arn:aws:acm-pca:… --reason CERTIFICATE_AUTHORITY_COMPROMISE --recursive
      greatseal revoke ca arn:aws:acm-pca:… --reason SUPERSEDED --issued-before 2026-11-01 --dry-run
    """
    from greatseal.domain.revocation.mass import Kind

    with desk_of("revoke", given["data"], given["config"]) as desk:
        selection = _selection(Kind.AUTHORITY, arn, given, recursive=recursive)
        _run(desk, selection, given, None)


@command.command("key")
@click.argument("file", type=click.File("rb"))
@_reason(default="KEY_COMPROMISE", show_default=True)
@_run_options
def key_command(file: Any, **given: Any) -> None:
    """Revoke every certificate of a public key, whichever CA issued it.

    FILE holds the key, a certificate or a request for it (PEM), or the SHA-256 of its
    SubjectPublicKeyInfo in hexadecimal; - reads standard input.  With the reason KEY_COMPROMISE no
    certificate is issued for the key any more.

    \b
    Examples:
      greatseal revoke key leaked.pem --dry-run
    """
    from greatseal.domain.revocation.mass import Kind
    from greatseal.domain.revocation.mass.key_file import key_in

    with desk_of("revoke", given["data"], given["config"]) as desk:
        _run(desk, _selection(Kind.KEY, key_in(file.read()), given), given, None)


@command.command("list")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@_reason(required=True)
@click.option("--ca", metavar="ARN", help="The CA that issued the serial numbers that stand alone.")
@_run_options
def list_command(file: str, ca: str | None, **given: Any) -> None:
    """Revoke the certificates that a file names.

    Each line is the ARN of a certificate, the ARN of a CA and a serial number, or a serial number
    of --ca; PEM certificates may stand between them.  - reads standard input.  A line that says nothing
    stops everything before the first revocation.

    \b
    Examples:
      greatseal revoke list affected.txt --reason SUPERSEDED --dry-run
      openssl crl -in old.crl -noout -text | awk '/Serial Number/ {print $3}' |
        greatseal revoke list - --ca arn:aws:acm-pca:… --reason SUPERSEDED
    """
    from greatseal.domain.revocation.mass import Kind, Listing

    # What is no text is no serial number either, and refused with the number of its line.
    source = click.open_file(file, encoding="utf-8", errors="replace")
    with source as lines, desk_of("revoke", given["data"], given["config"]) as desk:
        listing = Listing(storage=desk.rooms.storage, registry=desk.rooms.registry)
        _run(desk, _selection(Kind.LIST, file, given), given, listing.read(lines, ca))


@command.command("status")
@click.argument("mass_id", metavar="[ID]", required=False)
@options.as_json
@options.config
@options.data
def status_command(data: Path | None, config: Path | None, as_json: bool, mass_id: str | None) -> None:
    """Print how far a mass revocation is, or all of them, the newest first.

    \b
    Examples:
      greatseal revoke status
      greatseal revoke status 4b6a1c3e-… --json
    """
    with desk_of("revoke", data, config) as desk:
        mass = desk.rooms.mass_revocations
        found = mass.newest() if mass_id is None else [mass.find(mass_id)]
    if as_json:
        told = [_described(each) for each in found]
        click.echo(json.dumps(told if mass_id is None else told[0]))
    else:
        for each in found:
            _print(each)


@command.command("cancel")
@click.argument("mass_id", metavar="ID")
@options.config
@options.data
def cancel_command(data: Path | None, config: Path | None, mass_id: str) -> None:
    """End a mass revocation before its end; what is revoked stays revoked.

    \b
    Examples:
      greatseal revoke cancel 4b6a1c3e-…
    """
    with desk_of("revoke", data, config) as desk:
        mass = desk.rooms.mass_revocations
        mass.cancel(desk.caller("greatseal:CancelMassRevocation"), mass_id)
        _print(mass.find(mass_id))


def _selection(kind: Any, target: str, given: dict[str, Any], *, recursive: bool = False) -> "Selection":
    from greatseal.domain.revocation import RevocationReason
    from greatseal.domain.revocation.mass import Selection

    return Selection(
        kind=kind,
        target=target,
        reason=RevocationReason[given["reason"]],
        recursive=recursive,
        template=given["template"],
        issued_after=given["issued_after"],
        issued_before=given["issued_before"],
    )


def _run(desk: Desk, selection: "Selection", given: dict[str, Any], items: Iterable[tuple[str, str]] | None) -> None:
    mass = desk.rooms.mass_revocations
    if given["dry_run"]:
        _rehearse(mass.rehearse(selection, items or ()), given["as_json"])
        return
    caller = desk.caller("greatseal:StartMassRevocation")
    mass_id = mass.ask(caller, selection) if items is None else mass.ask_listed(caller, selection, items)
    if given["wait"]:
        # What a dead process left open would be waited for.
        desk.rooms.issuance.finish_open()
        while mass.step(mass_id):
            pass
    found = mass.find(mass_id)
    click.echo(json.dumps(_described(found))) if given["as_json"] else _print(found)
    if given["wait"] and not found.state.is_over:
        raise click.ClickException("a certificate is still being issued; the running service goes on when it is")


def _rehearse(told: Iterator["Judged"], as_json: bool) -> None:
    """One line for each certificate, or one JSON object; written as it comes, because there may be millions."""
    counts: Counter[str] = Counter()
    separator = '{"certificates":['
    for each in told:
        counts[each.outcome.name] += 1
        if as_json:
            click.echo(separator + json.dumps({"arn": each.arn, "outcome": each.outcome.name}), nl=False)
            separator = ","
        else:
            click.echo(f"{each.outcome.name}\t{each.arn}")
    if as_json:
        click.echo(("" if counts else separator) + f'],"outcomes":{json.dumps(counts)}}}')
        return
    summary = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "no certificate is covered"
    click.echo(f"rehearsed, nothing was changed: {summary}", err=True)


def _described(found: "MassRevocation") -> dict[str, Any]:
    chosen = found.selection
    return {
        "id": found.id,
        "state": found.state.value,
        "kind": chosen.kind.value,
        "target": chosen.target,
        "recursive": chosen.recursive,
        "reason": chosen.reason.name,
        "asked_at": found.asked_at.isoformat(),
        "finished_at": found.finished_at.isoformat() if found.finished_at else None,
        "total": found.total,
        "done": found.done,
        "outcomes": {each.name: count for each, count in found.outcomes.items()},
    }


def _print(found: "MassRevocation") -> None:
    total = "?" if found.total is None else found.total
    click.echo(f"{found.id}  {found.state.value}  {found.done} of {total}  {found.selection.target}")
    for each, count in found.outcomes.items():
        click.echo(f"  {count} {each.value}")
