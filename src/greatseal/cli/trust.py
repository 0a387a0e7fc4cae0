"""`greatseal trust`: the trust services of an installation."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.desk import desk_of

if TYPE_CHECKING:
    from greatseal.domain.trust_services.repository import RootEntry


@click.group("trust")
def command() -> None:
    """Show the roots that sign public certificates (docs/trust-services.md).

    \b
    Examples:
      greatseal trust show
      greatseal trust roots > roots.pem
    """


@command.command("show")
@options.data
@options.config
@options.as_json
def show_command(data: Path | None, config: Path | None, as_json: bool) -> None:
    """Print the roots, their digests and their issuing CAs."""
    from greatseal.web.trust import content

    roots = _roots(data, config)
    if as_json:
        click.echo(json.dumps(content(roots), indent=2))
        return
    if not roots:
        click.echo("The roots are made when the first public certificate is issued.")
    for root in roots:
        certificate = root.certificate
        click.secho(certificate.subject.display() + ("  (signed the others)" if root.is_old else ""), bold=True)
        digest = content([root])["roots"]
        assert isinstance(digest, list)
        click.echo(f"  public key (SPKI) SHA-256  {digest[0]['spkiSha256']}")
        click.echo(f"  certificate SHA-256        {certificate.fingerprint_sha256.hex(':').upper()}")
        click.echo(f"  valid until                {certificate.not_after:%Y-%m-%d}")
        for each in root.issuers:
            click.echo(f"  issuing CA                 {each.certificate.subject.display()}")


@command.command("roots")
@options.data
@options.config
def roots_command(data: Path | None, config: Path | None) -> None:
    """Print the certificates of the roots as PEM, for a trust store."""
    from greatseal.x509 import pem

    if roots := _roots(data, config):
        click.echo(pem.write_certificates([root.certificate.der for root in roots]))


def _roots(data: Path | None, config: Path | None) -> tuple["RootEntry", ...]:
    with desk_of("trust", data, config) as desk:
        return desk.rooms.trusting.repository.roots()
