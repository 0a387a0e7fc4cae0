"""`greatseal certificates`: what uses which certificate, said by whoever holds the data directory."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from greatseal.cli import options
from greatseal.cli.desk import Desk, desk_of

if TYPE_CHECKING:
    from greatseal.kernel.caller import Caller


@click.group("certificates")
def command() -> None:
    """Say what uses which certificate of ACM.

    A certificate in use is renewed without being asked for, and can be neither deleted nor revoked
    until nothing uses it.  docs/renewal.md has the rules.

    \b
    Examples:
      greatseal certificates associate arn:aws:acm:…:certificate/… arn:aws:elasticloadbalancing:…
      greatseal certificates dissociate arn:aws:acm:…:certificate/… arn:aws:elasticloadbalancing:…
    """


@command.command("associate")
@click.argument("certificate_arn", metavar="CERTIFICATE")
@click.argument("resource_arn", metavar="RESOURCE")
@options.config
@options.data
def associate_command(data: Path | None, config: Path | None, certificate_arn: str, resource_arn: str) -> None:
    """Say that a resource uses an issued certificate; both are ARNs.

    Any ARN will do, also one of a machine outside: arn:aws:custom:::web-1.  Saying it twice changes nothing.

    \b
    Examples:
      greatseal certificates associate arn:aws:acm:… arn:aws:custom:::web-1
    """
    with desk_of("certificates", data, config) as desk:
        caller = _owner(desk, certificate_arn, "greatseal:AssociateCertificate")
        desk.rooms.renewals.associations.associate(caller, certificate_arn, resource_arn)
        _print(desk, caller, certificate_arn)


@command.command("dissociate")
@click.argument("certificate_arn", metavar="CERTIFICATE")
@click.argument("resource_arn", metavar="RESOURCE")
@options.config
@options.data
def dissociate_command(data: Path | None, config: Path | None, certificate_arn: str, resource_arn: str) -> None:
    """Say that a resource does not use a certificate any more.

    \b
    Examples:
      greatseal certificates dissociate arn:aws:acm:… arn:aws:custom:::web-1
    """
    with desk_of("certificates", data, config) as desk:
        caller = _owner(desk, certificate_arn, "greatseal:DissociateCertificate")
        desk.rooms.renewals.associations.dissociate(caller, certificate_arn, resource_arn)
        _print(desk, caller, certificate_arn)


def _owner(desk: Desk, certificate_arn: str, operation: str) -> "Caller":
    """The root principal of the account that the certificate belongs to, in its region."""
    from greatseal.domain.access.model import root_arn
    from greatseal.kernel.arn import Arn

    try:
        arn = Arn.parse(certificate_arn)
    except ValueError as error:
        raise click.BadParameter(f"{certificate_arn!r} is no ARN of a certificate", param_hint="CERTIFICATE") from error
    return structs.replace(
        desk.caller(operation),
        account=arn.account,
        region=arn.region,
        principal_arn=root_arn(arn.account, arn.region),
        principal_id=arn.account,
    )


def _print(desk: Desk, caller: "Caller", certificate_arn: str) -> None:
    found = desk.rooms.inventory.describe(caller, certificate_arn)
    eligible = "ELIGIBLE" if found.is_eligible_for_renewal(desk.rooms.clock.now()) else "INELIGIBLE"
    click.echo(f"{found.arn}  {found.domain_name}  {eligible}")
    for resource_arn in found.in_use_by:
        click.echo(f"  {resource_arn}")
