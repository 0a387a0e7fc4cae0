"""`greatseal dns`: the records that certificates need, and those of our own zones."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from greatseal.cli import options
from greatseal.cli.desk import Desk, desk_of

if TYPE_CHECKING:
    from greatseal.domain.zones.exports import Needed

_FORMS = ("bind", "csv", "terraform", "json")
_certificate = click.option("--certificate", "arn", metavar="ARN", help="The records that one certificate needs.")


@click.group()
def command() -> None:
    """Export and create the DNS records of validations; keep the zones of our own name server.

    \b
    Examples:
      greatseal dns records --all --format bind
      greatseal dns create --certificate arn:aws:acm:…
      greatseal dns zone list
    """


@command.command("records")
@options.data
@options.config
@_certificate
@click.option("--all", "everything", is_flag=True, help="Those of all certificates with DNS validation.")
@click.option("--format", "form", type=click.Choice(_FORMS), default="bind", show_default=True, help="How they look.")
def records_command(data: Path | None, config: Path | None, arn: str | None, everything: bool, form: str) -> None:
    """Print the records that show control of the domains of public certificates.

    \b
    Examples:
      greatseal dns records --all --format csv > records.csv
      greatseal dns records --certificate arn:aws:acm:… --format terraform
    """
    if (arn is None) != everything:
        raise click.UsageError("name one certificate with --certificate, or all of them with --all")
    from greatseal.domain.zones.exports import FORMS

    with desk_of("dns records", data, config) as desk:
        click.echo(FORMS[form](_needed(desk, arn)), nl=False)


@command.command("create")
@options.data
@options.config
@_certificate
def create_command(data: Path | None, config: Path | None, arn: str | None) -> None:
    """Have the records of a certificate created by the DNS providers of the settings; the running service does it.

    \b
    Examples:
      greatseal dns create --certificate arn:aws:acm:…
      greatseal dns records --certificate arn:aws:acm:… --format json   # says what became of it
    """
    if arn is None:
        raise click.UsageError("name the certificate with --certificate")
    with desk_of("dns create", data, config) as desk:
        zones, failed = desk.rooms.zones.hosted, False
        for each in _needed(desk, arn):
            record = each.record

            asked = desk.rooms.storage.transact(
                lambda tx, record=record: zones.want(  # type: ignore[misc]
                    tx, record.name, record.value, kind=record.kind, asked=True
                )
            )
            failed = failed or not asked
            found = zones.serving(record.name)
            said = f"asked of {found[1].provider.name}" if asked and found else "no DNS provider has its zone"
            click.echo(f"{record.name}: {said}")
    if failed:
        raise click.ClickException("add a table [dns_providers.NAME] with the zone, or create the record by hand")


@command.group("zone")
def zone_group() -> None:
    """Records of the zones that our own name server answers for."""


@zone_group.command("list")
@options.data
@options.config
def list_command(data: Path | None, config: Path | None) -> None:
    """List the records of our own zones.

    \b
    Examples:
      greatseal dns zone list
    """
    with desk_of("dns zone list", data, config) as desk:
        for each in desk.rooms.zones.own.records():
            click.echo(f"{each.name}. {each.ttl} IN {each.kind} {each.presented}")


@zone_group.command("add")
@options.data
@options.config
@click.option("--ttl", type=click.IntRange(0, 86400), default=300, show_default=True, help="Time to live in seconds.")
@click.argument("name")
@click.argument("kind")
@click.argument("value")
def add_command(data: Path | None, config: Path | None, ttl: int, name: str, kind: str, value: str) -> None:
    """Add a record to a zone of ours: A, AAAA, CAA, CNAME or TXT. A CNAME takes the place of an earlier one.

    \b
    Examples:
      greatseal dns zone add ns1.v.example.net A 192.0.2.53
      greatseal dns zone add v.example.net CAA '0 issue ";"'
    """
    from greatseal.domain.zones import Record

    with desk_of("dns zone add", data, config) as desk:
        record = Record.of(name, kind, value, ttl)
        desk.rooms.storage.transact(lambda tx: desk.rooms.zones.own.put(tx, record))
        click.echo(f"added: {record.name}. {record.ttl} IN {record.kind} {record.presented}")


@zone_group.command("remove")
@options.data
@options.config
@click.argument("name")
@click.argument("kind")
@click.argument("value")
def remove_command(data: Path | None, config: Path | None, name: str, kind: str, value: str) -> None:
    """Remove exactly one record of a zone of ours.

    \b
    Examples:
      greatseal dns zone remove ns1.v.example.net A 192.0.2.53
    """
    from greatseal.domain.zones import Record

    with desk_of("dns zone remove", data, config) as desk:
        record = Record.of(name, kind, value)
        if not desk.rooms.storage.transact(lambda tx: desk.rooms.zones.own.take(tx, record)):
            raise click.ClickException("there is no such record; `greatseal dns zone list` lists them")
        click.echo(f"removed: {record.name}. {record.kind}")


def _needed(desk: Desk, arn: str | None) -> "list[Needed]":
    """The records of a certificate, or of all of them, each once, by domain."""
    from greatseal.domain.validation import Method
    from greatseal.domain.zones import Record, ZoneRefused
    from greatseal.domain.zones.exports import Needed
    from greatseal.kernel.arn import Arn

    rooms = desk.rooms
    validation = rooms.publics.validating.validation
    if arn is None:
        domains = validation.domains(Method.DNS)
    else:
        try:
            parsed = Arn.parse(arn)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--certificate") from None
        caller = structs.replace(desk.caller("acm:DescribeCertificate"), account=parsed.account, region=parsed.region)
        item = rooms.inventory.describe(caller, arn)
        if item.validation_method != Method.DNS.value:
            raise click.ClickException(f"{arn} is not validated by DNS, so it needs no records")
        domains = [(item.account, name.removeprefix("*.")) for name in item.names]
    wishes = {(each.record.name, each.record.kind): each for each in rooms.zones.hosted.wishes()}
    found = []
    for account, domain in dict.fromkeys(domains):
        told = validation.tokens.record(account, domain)
        try:
            record = Record.of(told.name, "CNAME", told.value)
        except ZoneRefused:
            click.echo(f"{domain} is too long for a record below it", err=True)
            continue
        wish = wishes.get((record.name, record.kind))
        if wish is not None and wish.record.value == record.value:
            found.append(Needed(domain, record, wish.state.value, wish.detail))
        else:
            found.append(Needed(domain, record))
        alias = None if rooms.upstream is None else rooms.upstream.challenges.alias(domain)
        if alias is not None:
            # Where the CA upstream finds its challenges, in our own zone.
            found.append(Needed(domain, Record.of(f"_acme-challenge.{domain}", "CNAME", alias)))
    return list(dict.fromkeys(found))
