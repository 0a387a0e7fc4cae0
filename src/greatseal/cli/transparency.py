"""`greatseal transparency`: our logs and the followed ones, proofs, and how a log is closed."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.desk import desk_of

if TYPE_CHECKING:
    from greatseal.app.transparency import Transparency


@click.group("transparency")
def command() -> None:
    """Look at transparency logs, prove that a certificate is logged, close a log for good.

    The database may be that of a running service; see docs/transparency.md.

    \b
    Examples:
      greatseal transparency list
      greatseal transparency prove certificate.pem
      greatseal transparency retire alder
    """


@command.command("list")
@options.data
@options.config
@options.as_json
def list_command(data: Path | None, config: Path | None, as_json: bool) -> None:
    """List our logs and those that are followed.

    \b
    Examples:
      greatseal transparency list
      greatseal transparency list --json
    """
    with desk_of("transparency list", data, config) as desk:
        room = desk.rooms.transparency
        own, followed = _own(room), _followed(room)
    if as_json:
        click.echo(json.dumps({"own": own, "followed": followed}, ensure_ascii=False))
        return
    for each in own:
        state = f"closed {each['retired']}" if each["retired"] else f"head of {each['head']}"
        click.echo(f"{each['id']:<16} {each['size']:>10} entries  {state}  {each['operator']}  {each['url']}")
    for each in followed:
        trouble = click.style(each["trouble"], fg="red") if each["trouble"] else "proven"
        read = f"{each['read']}/{each['size']} read"
        click.echo(f"{each['name']:<16} {read:>18}  {each['reported']} reported  {trouble}")
    if not own and not followed:
        click.echo("no log has begun, and none is followed", err=True)


@command.command("monitor")
@options.data
@options.config
def monitor_command(data: Path | None, config: Path | None) -> None:
    """Look at every followed log now, and say what is wrong. Exit code 1: something is.

    \b
    Examples:
      greatseal transparency monitor
    """
    with desk_of("transparency monitor", data, config) as desk:
        room = desk.rooms.transparency
        for log in room.monitor.logs():
            room.monitor.look_at(log.log_id)
        followed = _followed(room)
    for each in followed:
        click.echo(f"{each['name']}: {each['trouble'] or 'proven'}, {each['read']} of {each['size']} entries read")
    if any(each["trouble"] for each in followed):
        raise SystemExit(1)


@command.command("prove")
@options.data
@options.config
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def prove_command(data: Path | None, config: Path | None, certificate: Path) -> None:
    """Print, for each timestamp of a certificate by one of our logs, the proof that its entry is there.

    The file holds the certificate and its issuer (PEM), as `aws acm get-certificate` gives them.

    \b
    Examples:
      greatseal transparency prove chain.pem
    """
    from greatseal.domain.transparency.proving import prove
    from greatseal.kernel.errors import Refusal
    from greatseal.x509 import pem

    try:
        chain = [block.der for block in pem.read_blocks(certificate.read_bytes()) if block.label == "CERTIFICATE"]
    except pem.PemError as error:
        raise click.ClickException(f"{certificate} is {error}") from None
    with desk_of("transparency prove", data, config) as desk:
        try:
            proofs = prove(desk.rooms.transparency.logs, chain)
        except Refusal as refusal:
            raise click.ClickException(refusal.message) from None
    click.echo(json.dumps({"proofs": proofs}, indent=1))


@command.command("retire")
@options.data
@options.config
@click.confirmation_option(prompt="The log will never take anything again, and another one begins. Go on?")
@click.argument("log")
def retire_command(data: Path | None, config: Path | None, log: str) -> None:
    """Close one of our logs for good; another one with another key begins in its place.

    \b
    Examples:
      greatseal transparency retire alder --yes
    """
    with desk_of("transparency retire", data, config) as desk:
        closed = desk.rooms.transparency.logs.retire(desk.caller("greatseal:RetireLog"), log)
        running = [each.record.id for each in desk.rooms.transparency.logs.active()]
    click.echo(f"closed: {closed.id}; running: {', '.join(running)}")


def _own(room: "Transparency") -> list[dict[str, Any]]:
    found = []
    for record in room.logs.begun():
        head = room.logs.reading(record.id).signed_head().head
        found.append(
            {
                "id": record.id,
                "operator": record.operator,
                "logId": base64.b64encode(record.log_id).decode("ascii"),
                "url": room.logs.url(record),
                "size": head.size,
                "head": _iso(datetime.fromtimestamp(head.timestamp / 1000, UTC)),
                "retired": None if record.retired_at is None else _iso(record.retired_at),
            }
        )
    return found


def _followed(room: "Transparency") -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "logId": each.log_id,
            "size": each.size,
            "read": each.read_size,
            "reported": each.seen,
            "checked": _iso(each.checked_at),
            "trouble": each.trouble,
        }
        for each in room.monitor.states()
    ]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
